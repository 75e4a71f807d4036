/**
 * A Checkout Session: the short-lived place at Gr4vy that holds a buyer's card until a transaction uses it.
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
import { CheckoutSessionId } from "./internal/checkoutSessionId.js"
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
 * What a Checkout Session is created with. Every field may be left out; `null` is sent as `null`.
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
  /** Your own notes, texts by names of yours: names and texts are kept as they are, e.g. `{ order_id: "4711" }`. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  /** The buyer, who has no account with you. */
  readonly buyer?: Buyer | null | undefined
  /** The ticket that is paid for. */
  readonly airline?: Airline | null | undefined
  /** The amount in the smallest unit of the currency (cents), a whole number from 0 to 99,999,999, e.g. `1299`. */
  readonly amount?: number | null | undefined
  /** The currency, 3 capital letters (ISO 4217), e.g. `"EUR"`. */
  readonly currency?: string | null | undefined
  /** The payment service to use, a UUID. Gr4vy's routing decides where it is absent. */
  readonly paymentServiceId?: string | null | undefined
  /**
   * How long the session lives from now on: 1 to 24 hours, cut to whole seconds, e.g. `"2 hours"`. The API takes 1 hour
   * where it is absent. A bare number is milliseconds, as everywhere in Effect.
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
  /** Whether to reserve the amount alone, or to take it at once. Not in the vendor's docs. */
  readonly intent?: "authorize" | "capture" | null | undefined
}

/**
 * What changes in a Checkout Session: a property that is absent stays as it is, `null` is sent as `null`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionUpdate extends CheckoutSessionCreate {
  /**
   * How long the session lives from now on: 1 to 24 hours, cut to whole seconds, e.g. `"2 hours"`. Its end stays as it
   * is where this is absent. A bare number is milliseconds, as everywhere in Effect.
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
  metadata: nullish(texts(["Your own notes, by names of yours.", { order_id: "4711" }])),
  buyer: nullish(buyer),
  airline: nullish(airline),
  amount: nullish(amount(["The amount in the smallest unit of the currency.", 1299])),
  currency: nullish(pattern(/^[A-Z]{3}$/, "3 capital letters (ISO 4217)", ["The currency (ISO 4217).", "EUR"])),
  paymentServiceId: nullish(uuid(["The ID of the payment service to use.", "fffd152a-9532-4087-9a4f-de58754210f0"])),
  expiresIn: optional(
    seconds(3600, 86400, "1 to 24 hours (a bare number is milliseconds)", [
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

/** A set of today's values that the API may add to. */
type Open<Known extends string> = Known | (string & {})

/**
 * The facts by which a card's issuer is known.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionPaymentMethodDetails {
  /** The first digits of the card's number, which tell its issuer (BIN), e.g. `"411111"`. */
  readonly bin?: string
  /** The country of the card's issuer (ISO 3166-1 alpha-2), e.g. `"US"`. */
  readonly cardCountry?: string
  /** The type of the card; an open set. */
  readonly cardType?: Open<"credit" | "debit" | "prepaid">
  /** The name of the card's issuer, e.g. `"JPMorgan Chase"`. */
  readonly cardIssuerName?: string
}

/**
 * The payment method that a Checkout Session holds once its secure fields were received.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionPaymentMethod {
  /** Always `"payment-method"` today. */
  readonly type?: Open<"payment-method">
  /** The id of the stored payment method, a UUID; absent for a card that is not stored. */
  readonly id?: string
  /** The facts by which the card's issuer is known. */
  readonly details?: CheckoutSessionPaymentMethodDetails
  /** The last four digits of the card, e.g. `"1111"`. */
  readonly label?: string
  /** The method, `"card"` today; an open set. */
  readonly method?: Open<"card">
  /** The scheme of the card, e.g. `"visa"`; an open set. */
  readonly scheme?: Open<CardScheme>
  /** A text that is the same for the same card, and tells nothing else about it. */
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
    fingerprint: optional(anyText(["A text that is the same for the same card.", "a50b85c200ee0795d6fd33a5c66f37a4"]))
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

/** What each property of a session without contents is on the wire. */
const Bare = Schema.Struct({
  type: Schema.optionalWith(Type, { exact: true }),
  id: CheckoutSessionId,
  expires_at: Instant
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
  /** Your own notes, by names of yours. */
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
  /** The payment method, once the secure fields were received. */
  paymentMethod: answered(optional(paymentMethod), "payment_method"),
  /** The country of the payment, where the API tells it. */
  country: answered(properties.country, "country"),
  /** Whether the payment follows an earlier one with the same card, where the API tells it. */
  isSubsequentPayment: answered(properties.isSubsequentPayment, "is_subsequent_payment"),
  /** Whether the merchant starts the payment, where the API tells it. */
  merchantInitiated: answered(properties.merchantInitiated, "merchant_initiated"),
  /** Where the payment comes from, where the API tells it; an open set. */
  paymentSource: answered(properties.paymentSource, "payment_source"),
  /** `"authorize"` or `"capture"`, where the API tells it; an open set. */
  intent: answered(properties.intent, "intent")
}) {
  static override readonly ast = silent(super.ast, "an object")
}

/**
 * A Checkout Session as the API describes it. It lives for 1 hour from its creation unless it was asked to live longer,
 * and for 5 minutes from the moment its secure fields were received.
 *
 * An answer is read for its types alone: limits bind what is sent, `null` is an absent property, and a scheme or a type
 * that nobody knows yet is a text like any other.
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
   * Whether the session has expired by Effect's `Clock`: from the moment of `expiresAt` on. The server's clock decides in the end: an expired session
   * answers `NotFound`.
   *
   * @since 0.1.0
   */
  get isExpired(): Effect.Effect<boolean> {
    return Effect.map(DateTime.now, DateTime.greaterThanOrEqualTo(this.expiresAt))
  }

  /**
   * How long the session still lives by Effect's `Clock`: zero once it has expired, never negative.
   *
   * @since 0.1.0
   */
  get timeLeft(): Effect.Effect<Duration.Duration> {
    return Effect.map(DateTime.now, (now) => Duration.millis(Math.max(0, DateTime.distance(now, this.expiresAt))))
  }
}

const decodeBare = Schema.decodeUnknownEither(Bare)

const decodeFields = Schema.decodeUnknownEither(Fields)

/** What a session has on the wire besides what makes it one. */
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
 * What `Schema.decodeUnknownEither(CheckoutSession)` does, for half as much: the class's own way looks at everything a
 * second time. A session without contents, which is most of them, takes a shorter way still.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromWire = (value: unknown): Either.Either<CheckoutSession, ParseResult.ParseError> =>
  hasContents(value)
    ? Either.map(decodeFields(value), instance)
    : Either.map(decodeBare(value), ({ expires_at, id }) =>
        instance({ type: "checkout-session", id, expiresAt: expires_at })
      )

// The class's constructor looks for a default of each of its fields, which costs as much as all the rest.
const instance = (fields: typeof Fields.Type): CheckoutSession =>
  Object.assign(Object.create(CheckoutSession.prototype), fields)

const hasContents = (value: unknown): boolean => {
  if (!Predicate.isRecord(value)) return false
  for (const key in value) if (contents.has(key)) return true
  return false
}
