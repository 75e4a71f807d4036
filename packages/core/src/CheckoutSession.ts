/**
 * A Checkout Session: Gr4vy's short-lived record that holds a buyer's card until a transaction uses it.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { type Airline, airline } from "./Airline.js"
import { type Buyer, buyer } from "./Buyer.js"
import { type CartItem, cartItem } from "./CartItem.js"
import { CheckoutSessionId, isCheckoutSessionId } from "./internal/checkoutSessionId.js"
import { says } from "./internal/explain.js"
import {
  amount,
  answered,
  anyText,
  anyTime,
  country,
  flag,
  list,
  type Model,
  model,
  nullish,
  object,
  oneOf,
  optional,
  parseInstant,
  pattern,
  seconds,
  silent,
  texts,
  uuid,
  type Wire
} from "./internal/model.js"

export { CheckoutSessionId }

/**
 * The properties of a new Checkout Session. Every one is optional; `null` is sent as `null`.
 *
 * @example
 * ```ts
 * import type { CheckoutSessionCreate } from "@effect-gr4vy/core"
 *
 * const session: CheckoutSessionCreate = {
 *   amount: 1299,
 *   currency: "EUR",
 *   cartItems: [{ name: "Tea", quantity: 1, unitAmount: 1299 }],
 *   metadata: { order_id: "4711" },
 *   expiresIn: "2 hours"
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionCreate {
  /** The lines of the cart. */
  readonly cartItems?: ReadonlyArray<CartItem> | null | undefined
  /** Your own key-value pairs; keys and strings are sent unchanged, e.g. `{ order_id: "4711" }`. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  /** The buyer, who has no account with you. */
  readonly buyer?: Buyer | null | undefined
  /** The ticket that is paid for. */
  readonly airline?: Airline | null | undefined
  /** The amount in the smallest unit of the currency (cents), a whole number from 0 to 99,999,999, e.g. `1299`. */
  readonly amount?: number | null | undefined
  /** The currency, 3 capital letters (ISO 4217), e.g. `"EUR"`. */
  readonly currency?: string | null | undefined
  /** The payment service to use, a UUID. If absent, Gr4vy's routing decides. */
  readonly paymentServiceId?: string | null | undefined
  /**
   * The session's lifetime from now: 1 to 24 hours, rounded down to seconds, e.g. `"2 hours"`. The API's default is 1
   * hour. A plain number is milliseconds, as everywhere in Effect.
   */
  readonly expiresIn?: Duration.DurationInput | undefined
  /** The country of the payment, 2 capital letters (ISO 3166-1 alpha-2), e.g. `"DE"`. Not in the vendor's docs. */
  readonly country?: string | null | undefined
  /** Whether the payment follows an earlier one with the same card. Not in the vendor's docs. */
  readonly isSubsequentPayment?: boolean | null | undefined
  /** Whether the merchant starts the payment, not the buyer. Not in the vendor's docs. */
  readonly merchantInitiated?: boolean | null | undefined
  /** Where the payment comes from, e.g. `"ecommerce"`. Not in the vendor's docs. */
  readonly paymentSource?: "ecommerce" | "moto" | "recurring" | "installment" | "card_on_file" | null | undefined
  /** Whether to only authorize the amount, or to capture it at once. Not in the vendor's docs. */
  readonly intent?: "authorize" | "capture" | null | undefined
}

/**
 * The changes to a Checkout Session. An absent property does not change; `null` is sent as `null`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionUpdate extends CheckoutSessionCreate {
  /**
   * The session's lifetime from now: 1 to 24 hours, rounded down to seconds, e.g. `"2 hours"`. If absent, the expiry does
   * not change. A plain number is milliseconds, as everywhere in Effect.
   */
  readonly expiresIn?: Duration.DurationInput | undefined
}

/**
 * A {@link CheckoutSessionCreate} or {@link CheckoutSessionUpdate} on the wire.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionCreateEncoded extends Wire<Omit<CheckoutSessionCreate, "expiresIn">> {
  readonly expires_in?: number
}

const properties = {
  cartItems: nullish(list(cartItem, ["The lines of the cart."])),
  metadata: nullish(texts(["Your own key-value pairs.", { order_id: "4711" }])),
  buyer: nullish(buyer),
  airline: nullish(airline),
  amount: nullish(amount(["The amount in the smallest unit of the currency.", 1299])),
  currency: nullish(pattern(/^[A-Z]{3}$/, "3 capital letters (ISO 4217)", ["The currency (ISO 4217).", "EUR"])),
  paymentServiceId: nullish(uuid(["The ID of the payment service to use.", "fffd152a-9532-4087-9a4f-de58754210f0"])),
  expiresIn: optional(
    seconds(3600, 86400, 'a duration of 1 to 24 hours, e.g. "2 hours" (a number is milliseconds: 3600000 is 1 hour)', [
      "The number of seconds the session lives from now on.",
      3600
    ])
  ),
  country: nullish(country(["The country of the payment (ISO 3166-1 alpha-2).", "DE"])),
  isSubsequentPayment: nullish(flag(["Whether the payment follows an earlier one with the same card.", false])),
  merchantInitiated: nullish(flag(["Whether the merchant starts the payment.", false])),
  paymentSource: nullish(
    oneOf(
      ["ecommerce", "moto", "recurring", "installment", "card_on_file"],
      ["The source of the payment.", "ecommerce"]
    )
  ),
  intent: nullish(oneOf(["authorize", "capture"], ["The intent of the payment.", "authorize"]))
}

/**
 * The schema of a {@link CheckoutSessionCreate}, with every limit of the API: camelCase in TypeScript, snake_case on the
 * wire.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CheckoutSessionCreate: Model<CheckoutSessionCreate, CheckoutSessionCreateEncoded> = model(
  object<CheckoutSessionCreate>("CheckoutSessionCreate", "The contents of a new Checkout Session.", () => properties)
    .sent
)

/**
 * The schema of a {@link CheckoutSessionUpdate}, with every limit of the API.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CheckoutSessionUpdate: Model<CheckoutSessionUpdate, CheckoutSessionCreateEncoded> = model(
  object<CheckoutSessionUpdate>("CheckoutSessionUpdate", "The changes to a Checkout Session.", () => properties).sent
)

/** An open set: the values of today; the API may add others. */
type Open<Known extends string> = Known | (string & {})

/**
 * Facts about a card's issuer.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionPaymentMethodDetails {
  /** The first digits of the card number, which identify the issuer (BIN), e.g. `"411111"`. */
  readonly bin?: string
  /** The country of the card's issuer (ISO 3166-1 alpha-2), e.g. `"US"`. */
  readonly cardCountry?: string
  /** The type of the card; an open set. */
  readonly cardType?: Open<"credit" | "debit" | "prepaid">
  /** The name of the card's issuer, e.g. `"JPMorgan Chase"`. */
  readonly cardIssuerName?: string
}

/**
 * The payment method of a Checkout Session, present after its secure fields were stored.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionPaymentMethod {
  /** Always `"payment-method"` today. */
  readonly type?: Open<"payment-method">
  /** The id of the stored payment method, a UUID; absent for a card that is not stored. */
  readonly id?: string
  /** Facts about the card's issuer. */
  readonly details?: CheckoutSessionPaymentMethodDetails
  /** The last four digits of the card, e.g. `"1111"`. */
  readonly label?: string
  /** The method, `"card"` today; an open set. */
  readonly method?: Open<"card">
  /** The scheme of the card, e.g. `"visa"`; an open set. */
  readonly scheme?: Open<CardScheme>
  /** A string that is the same for the same card and reveals nothing else. */
  readonly fingerprint?: string
}

/**
 * The card schemes of today; the API may add to them.
 *
 * @since 0.1.0
 * @category models
 */
export type CardScheme =
  | "accel"
  | "amex"
  | "bancontact"
  | "carte-bancaire"
  | "cirrus"
  | "culiance"
  | "dankort"
  | "diners-club"
  | "discover"
  | "eftpos-australia"
  | "elo"
  | "hipercard"
  | "jcb"
  | "maestro"
  | "mastercard"
  | "mir"
  | "nyce"
  | "other"
  | "pulse"
  | "qcard"
  | "rupay"
  | "star"
  | "uatp"
  | "unionpay"
  | "visa"

const details = object<CheckoutSessionPaymentMethodDetails>(
  "CheckoutSessionPaymentMethodDetails",
  "The facts by which a card's issuer is known.",
  () => ({
    bin: optional(anyText(["The first digits of the card's number.", "411111"])),
    cardCountry: optional(anyText(["The country of the card's issuer (ISO 3166-1 alpha-2).", "US"])),
    cardType: optional(anyText(["The type of the card: `credit`, `debit` or `prepaid` today.", "credit"])),
    cardIssuerName: optional(anyText(["The name of the card's issuer.", "JPMorgan Chase"]))
  })
)

const paymentMethod = object<CheckoutSessionPaymentMethod>(
  "CheckoutSessionPaymentMethod",
  "The payment method that a Checkout Session holds.",
  () => ({
    type: optional(anyText(["Always `payment-method` today.", "payment-method"])),
    id: optional(anyText(["The ID of the stored payment method.", "ef9496d8-53a5-4aad-8ca2-00eb68334389"])),
    details: optional(details),
    label: optional(anyText(["The last four digits of the card.", "1111"])),
    method: optional(anyText(["The method: `card` today.", "card"])),
    scheme: optional(anyText(["The scheme of the card.", "visa"])),
    fingerprint: optional(anyText(["A string that is the same for the same card.", "a50b85c200ee0795d6fd33a5c66f37a4"]))
  })
)

const whenItExpires =
  "The date and time when the Checkout Session will expire: 1 hour after its creation unless asked otherwise, or 5 minutes after its secure fields were received."

const Instant = Schema.transformOrFail(
  Schema.String.annotations({
    ...says("a date and time with an offset (RFC 3339)"),
    jsonSchema: {
      type: "string",
      format: "date-time",
      description: whenItExpires,
      examples: ["2022-01-01T00:00:00+00:00"]
    }
  }),
  Schema.DateTimeUtcFromSelf.annotations({
    ...says("a DateTime.Utc"),
    description: whenItExpires,
    // RFC 3339 writes years of four digits.
    arbitrary: () => (fc) => anyTime(fc).map((text) => DateTime.unsafeMake(text))
  }),
  {
    strict: true,
    decode: (text, _, ast) => {
      const millis = parseInstant(text)
      return Number.isNaN(millis)
        ? ParseResult.fail(new ParseResult.Type(ast, text))
        : ParseResult.succeed(DateTime.unsafeMake(millis))
    },
    encode: (instant) => ParseResult.succeed(DateTime.formatIso(instant))
  }
).annotations(says("a date and time with an offset (RFC 3339)"))

const Type = Schema.Literal("checkout-session").annotations({
  ...says('"checkout-session"'),
  description: "Always `checkout-session`."
})

class Fields extends Schema.Struct({
  /** Always `"checkout-session"`. */
  type: Schema.optionalWith(Type, { exact: true, default: () => "checkout-session" }),
  /** The id of the session. */
  id: CheckoutSessionId,
  /** When the session expires (`expires_at` on the wire). */
  expiresAt: Schema.propertySignature(Instant).pipe(Schema.fromKey("expires_at")),
  /** The lines of the cart. */
  cartItems: answered(properties.cartItems, "cart_items"),
  /** Your own key-value pairs. */
  metadata: answered(properties.metadata, "metadata"),
  /** The buyer, who has no account with you. */
  buyer: answered(properties.buyer, "buyer"),
  /** The ticket that is paid for. */
  airline: answered(properties.airline, "airline"),
  /** The amount in the smallest unit of the currency (cents), e.g. `1299`. */
  amount: answered(properties.amount, "amount"),
  /** The currency (ISO 4217), e.g. `"EUR"`. */
  currency: answered(properties.currency, "currency"),
  /** The id of the payment service to use. */
  paymentServiceId: answered(properties.paymentServiceId, "payment_service_id"),
  /** The payment method, present after the secure fields were stored. */
  paymentMethod: answered(optional(paymentMethod), "payment_method"),
  /** The country of the payment, if the API returns it. */
  country: answered(properties.country, "country"),
  /** Whether the payment follows an earlier one with the same card, if the API returns it. */
  isSubsequentPayment: answered(properties.isSubsequentPayment, "is_subsequent_payment"),
  /** Whether the merchant starts the payment, if the API returns it. */
  merchantInitiated: answered(properties.merchantInitiated, "merchant_initiated"),
  /** Where the payment comes from, if the API returns it; an open set. */
  paymentSource: answered(properties.paymentSource, "payment_source"),
  /** `"authorize"` or `"capture"`, if the API returns it; an open set. */
  intent: answered(properties.intent, "intent")
}) {
  static override readonly ast = silent(super.ast, "an object")
}

/**
 * A Checkout Session. It expires 1 hour after its creation, or after `expiresIn`, and 5 minutes after its secure fields
 * were stored.
 *
 * Responses are checked for types only, not for limits. `null` becomes an absent property. A new scheme or type decodes as
 * a string.
 *
 * @see https://docs.gr4vy.com/reference/checkout-sessions
 * @since 0.1.0
 * @category models
 */
export class CheckoutSession extends Schema.Class<CheckoutSession>("CheckoutSession")(Fields, [
  { description: "A short-lived session that holds a buyer's card data.", ...says("a CheckoutSession") },
  {
    identifier: "CheckoutSession",
    description: "A short-lived session that holds a buyer's card data.",
    ...says("a Checkout Session")
  },
  says("an object")
]) {
  /**
   * Whether the session has expired, by Effect's `Clock`. The server's clock decides: `get` of an expired session fails
   * with `NotFound`.
   *
   * @since 0.1.0
   */
  get isExpired(): Effect.Effect<boolean> {
    return Effect.map(DateTime.now, DateTime.greaterThanOrEqualTo(this.expiresAt))
  }

  /**
   * The remaining lifetime by Effect's `Clock`: zero if the session has expired, never negative.
   *
   * @since 0.1.0
   */
  get timeLeft(): Effect.Effect<Duration.Duration> {
    return Effect.map(DateTime.now, (now) => Duration.millis(Math.max(0, DateTime.distance(now, this.expiresAt))))
  }
}

const decodeFields = Schema.decodeUnknownEither(Fields)

/** The optional properties of a session on the wire. */
const contents: ReadonlySet<string> = new Set([
  "cart_items",
  "metadata",
  "buyer",
  "airline",
  "amount",
  "currency",
  "payment_service_id",
  "payment_method",
  "country",
  "is_subsequent_payment",
  "merchant_initiated",
  "payment_source",
  "intent"
])

/**
 * Decodes like `Schema.decodeUnknownEither(CheckoutSession)` at half the cost: the class validates everything a
 * second time. A session without contents, the most frequent case, costs a tenth.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromWire = (value: unknown): Either.Either<CheckoutSession, ParseResult.ParseError> => {
  const bare = bareFields(value)
  return bare === undefined ? Either.map(decodeFields(value), instance) : Either.right(instance(bare))
}

/** The fields of a valid session without contents; the schema decides about every other value. */
const bareFields = (value: unknown): typeof Fields.Type | undefined => {
  if (!Predicate.isRecord(value)) return undefined
  for (const key in value) if (contents.has(key)) return undefined
  const { expires_at, id, type } = value
  if (type !== "checkout-session" || !isCheckoutSessionId(id) || !Predicate.isString(expires_at)) return undefined
  const millis = parseInstant(expires_at)
  return Number.isNaN(millis) ? undefined : { type, id, expiresAt: DateTime.unsafeMake(millis) }
}

// The class's constructor looks up a default for each field, which costs as much as all the rest.
const instance = (fields: typeof Fields.Type): CheckoutSession =>
  Object.assign(Object.create(CheckoutSession.prototype), fields)
