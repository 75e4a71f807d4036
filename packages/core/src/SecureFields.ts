/**
 * The data that a buyer enters into the payment form. Card number and security code are `Redacted`, and no message of
 * these schemas quotes a value.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"
import {
  anyText,
  byTag,
  type Field,
  kept,
  type Model,
  model,
  nullish,
  object,
  optional,
  pattern,
  required,
  secret,
  tag,
  text,
  uuid,
  type Wire
} from "./internal/model.js"

/** The fields of every card. */
interface CardFields {
  /** Always `"card"`. */
  readonly method: "card"
  /** The card number, 13–19 digits, e.g. `Redacted.make("4111111111111111")`. */
  readonly number: Redacted.Redacted<string>
  /** The expiration date as `MM/YY`, e.g. `"11/29"`. */
  readonly expirationDate: string
  /** The security code (CVV, CVD), 3 or 4 digits, e.g. `Redacted.make("123")`. */
  readonly securityCode: Redacted.Redacted<string>
  /** Your own identifier of the card, e.g. `"card-323444"`. Part of the first version of the API. */
  readonly externalIdentifier?: string | null
  /** The URL to which the buyer returns after approval, e.g. `"https://example.com/callback"`. Part of the first version of the API. */
  readonly redirectUrl?: string | null
}

/**
 * A card of a buyer with a Gr4vy id, or without a known buyer.
 *
 * @since 0.1.0
 * @category models
 */
export interface CardOfBuyer extends CardFields {
  /** The id of the card's buyer, a UUID. Never together with `buyerExternalIdentifier`. */
  readonly buyerId?: string
  readonly buyerExternalIdentifier?: never
}

/**
 * A card of a buyer with your own identifier.
 *
 * @since 0.1.0
 * @category models
 */
export interface CardOfExternalBuyer extends CardFields {
  readonly buyerId?: never
  /** Your own identifier of the card's buyer, e.g. `"user-789123"`. Never together with `buyerId`. */
  readonly buyerExternalIdentifier?: string
}

/**
 * Card details, as `PUT /checkout/sessions/{id}/fields` takes them.
 *
 * - `number`: 13–19 digits, `Redacted`
 * - `expirationDate`: `MM/YY`
 * - `securityCode`: 3 or 4 digits, `Redacted`
 * - `buyerId` (a UUID) never together with `buyerExternalIdentifier`
 *
 * @example
 * ```ts
 * import type { CardRequest } from "@effect-gr4vy/core"
 * import { Redacted } from "effect"
 *
 * const card: CardRequest = {
 *   method: "card",
 *   number: Redacted.make("4111111111111111"),
 *   expirationDate: "11/29",
 *   securityCode: Redacted.make("123")
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export type CardRequest = CardOfBuyer | CardOfExternalBuyer

const securityCode = secret(/^\d{3,4}$/, "3 or 4 digits", [
  "The 3 or 4 digit security code of the card, also known as CVV or CVD.",
  "123"
])

interface AnyCard extends CardFields {
  readonly buyerId?: string
  readonly buyerExternalIdentifier?: string
}

const cardFields = object<AnyCard>(
  "CardRequest",
  "Card details to use in a transaction, or to store as a payment method. Give `buyer_id` or `buyer_external_identifier`, never both.",
  () => ({
    method: required(tag("card", ["Always `card`."])),
    number: required(
      secret(/^[0-9]{13,19}$/, "13 to 19 digits, without blanks or dashes", [
        "The number of the card as it stands on its front.",
        "4111111111111111"
      ])
    ),
    expirationDate: required(
      pattern(/^\d{2}\/\d{2}$/, "MM/YY", ["The expiration date of the card, formatted `MM/YY`.", "11/29"], {
        pattern: "^\\d{2}/\\d{2}$"
      })
    ),
    securityCode: required(securityCode),
    externalIdentifier: nullish(
      anyText(["An external identifier to match the card against your own records.", "card-323444"])
    ),
    buyerId: optional(
      uuid(["The ID of the buyer the card belongs to. Never together with `buyer_external_identifier`."])
    ),
    buyerExternalIdentifier: optional(
      anyText(["Your own identifier of the buyer the card belongs to. Never together with `buyer_id`.", "user-789123"])
    ),
    redirectUrl: nullish(
      anyText([
        "Where to send the buyer once they have approved, for payment methods that ask for approval.",
        "https://example.com/callback"
      ])
    )
  })
)

const card: Field<CardRequest> = kept<AnyCard, CardRequest>(
  cardFields,
  ({ buyerExternalIdentifier, buyerId }) => buyerId === undefined || buyerExternalIdentifier === undefined,
  "a card with either buyerId or buyerExternalIdentifier, not both"
)

/**
 * The schema of {@link CardRequest}: camelCase in TypeScript, snake_case on the wire.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CardRequest: Model<CardRequest, Wire<CardRequest>> = model(card.sent)

/**
 * A card from the buyer's Click to Pay wallet, by the ids from its checkout.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClickToPayRequest {
  /** Always `"click-to-pay"`. */
  readonly method: "click-to-pay"
  /** The id of the transaction, from Click to Pay. */
  readonly merchantTransactionId: string
  /** The correlation id, from Click to Pay. */
  readonly srcCorrelationId: string
  /** The id of the digital payment application, from Click to Pay. */
  readonly srcDpaId: string
  /** The id of the checkout flow, from Click to Pay. */
  readonly srcCxFlowId?: string | null
}

const clickToPay = object<ClickToPayRequest>(
  "ClickToPayRequest",
  "A card from the buyer's Click to Pay wallet.",
  () => ({
    method: required(tag("click-to-pay", ["Always `click-to-pay`."])),
    merchantTransactionId: required(anyText(["The ID of the transaction.", "0a4e0d3-5f0e-4b5b-8e4d-8e9d5c8a1b2c"])),
    srcCorrelationId: required(anyText(["The correlation ID.", "9f9b3b6a-6d7c-4a8e-9a2f-0d5b3f7c1e11"])),
    srcDpaId: required(anyText(["The ID of the digital payment application.", "b6e06cc6-3018-4c4c-bbf5-9fb232615090"])),
    srcCxFlowId: nullish(anyText(["The ID of the checkout flow.", "34f4a04b.3a0c5f36.5c"]))
  })
)

/**
 * A payment method that is already stored at Gr4vy.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredPaymentMethodRequest {
  /** Always `"id"`. */
  readonly method: "id"
  /** The id of the stored payment method, a UUID. */
  readonly id: string
  /** The security code (CVV, CVD), 3 or 4 digits, if the buyer entered it again. */
  readonly securityCode?: Redacted.Redacted<string> | null
}

const storedPaymentMethod = object<StoredPaymentMethodRequest>(
  "StoredPaymentMethodRequest",
  "A payment method that is already stored.",
  () => ({
    method: required(tag("id", ["Always `id`."])),
    id: required(uuid(["The ID of the stored payment method.", "ef9496d8-53a5-4aad-8ca2-00eb68334389"])),
    securityCode: nullish(securityCode)
  })
)

/**
 * The body of `updateFields`: the secure fields to store on a Checkout Session. Use the session within 5 minutes after
 * that.
 *
 * Sending a card from a server requires PCI DSS certification. In a shop the browser sends it.
 *
 * @example
 * ```ts
 * import { CheckoutSessionSecureFieldsUpdate } from "@effect-gr4vy/core"
 * import { Redacted } from "effect"
 *
 * const update = CheckoutSessionSecureFieldsUpdate.make({
 *   paymentMethod: {
 *     method: "card",
 *     number: Redacted.make("4111111111111111"),
 *     expirationDate: "11/29",
 *     securityCode: Redacted.make("123")
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionSecureFieldsUpdate {
  /** A card, a card from Click to Pay, or a stored payment method by its id. Today's API asks for one. */
  readonly paymentMethod?: CardRequest | ClickToPayRequest | StoredPaymentMethodRequest
  /** The postal code of the buyer, 1–50 characters, for the address check (AVS), e.g. `"SW1A 1AA"`. */
  readonly postalCode?: string | null
}

/**
 * The schema of a {@link CheckoutSessionSecureFieldsUpdate}: camelCase in TypeScript, snake_case on the wire.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CheckoutSessionSecureFieldsUpdate: Model<
  CheckoutSessionSecureFieldsUpdate,
  Wire<CheckoutSessionSecureFieldsUpdate>
> = model(
  object<CheckoutSessionSecureFieldsUpdate>(
    "CheckoutSessionSecureFieldsUpdate",
    "The secure fields to store on a Checkout Session.",
    () => ({
      paymentMethod: optional(
        byTag<CardRequest | ClickToPayRequest | StoredPaymentMethodRequest>(
          [card, clickToPay, storedPaymentMethod],
          'an object with the method "card", "click-to-pay" or "id"',
          "The payment method to store."
        )
      ),
      postalCode: nullish(text(1, 50, ["The postal code of the buyer.", "SW1A 1AA"]))
    })
  ).sent
)
