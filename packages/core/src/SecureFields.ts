/**
 * What a buyer types into the payment form. Card number and security code are `Redacted` from the moment they are typed
 * in, and no message of these schemas ever quotes what it was given.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

// Schema's own messages quote the offending value, which here may be a card number typed into the wrong field. Every
// field therefore says in its own words what it expects.
const says = (expected: string) => ({ message: () => `must be ${expected}` })

// A struct with renamed keys is a transformation between two more structs, whose own messages quote what they were given.
const saysOnBothSides =
  (expected: string) =>
  <A, I>(schema: Schema.Schema<A, I>): Schema.Schema<A, I> => {
    const { ast } = schema
    if (!AST.isTransformation(ast)) return schema
    const message = { [AST.MessageAnnotationId]: says(expected).message }
    return Schema.make(
      new AST.Transformation(AST.annotations(ast.from, message), AST.annotations(ast.to, message), ast.transformation, {
        ...ast.annotations,
        ...message
      })
    )
  }

/** What the published contract says about a field: for people, beside the rule. */
interface Documentation {
  readonly description: string
  readonly example: string
}

const onTheWire = (rules: object, { description, example }: Documentation) => ({
  jsonSchema: { type: "string", ...rules, description, examples: [example] }
})

const text = (pattern: RegExp, expected: string, rules: object, documentation: Documentation) =>
  Schema.String.annotations(says(expected))
    .pipe(Schema.pattern(pattern))
    .annotations({ ...says(expected), ...onTheWire(rules, documentation) })

const secret = (pattern: RegExp, expected: string, documentation: Documentation) =>
  Schema.transform(
    Schema.String.annotations({ ...says(expected), ...onTheWire({ pattern: pattern.source }, documentation) }),
    Schema.RedactedFromSelf(Schema.String.annotations(says(expected)))
      .annotations({ ...says(`a Redacted of ${expected}`), description: documentation.description })
      .pipe(
        Schema.filter((redacted) => pattern.test(Redacted.value(redacted)), {
          ...says(expected),
          description: documentation.description
        })
      ),
    { strict: true, decode: (value) => Redacted.make(value), encode: Redacted.value }
  )

const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/

const optionalText = (documentation: Documentation) =>
  Schema.optionalWith(
    Schema.Union(
      Schema.String.annotations(says("a text or null")),
      Schema.Null.annotations(says("a text or null"))
    ).annotations({
      ...says("a text or null"),
      ...onTheWire({ type: ["string", "null"] }, documentation)
    }),
    { exact: true }
  )

const CardFields = Schema.Struct({
  method: Schema.Literal("card").annotations({
    ...says('"card"'),
    jsonSchema: { type: "string", enum: ["card"], description: "Always `card`." }
  }),
  number: secret(/^[0-9]{13,19}$/, "13 to 19 digits", {
    description: "The number of the card as it stands on its front.",
    example: "4111111111111111"
  }),
  expirationDate: Schema.propertySignature(
    text(
      /^\d{2}\/\d{2}$/,
      "MM/YY",
      { pattern: "^\\d{2}/\\d{2}$" },
      { description: "The expiration date of the card, formatted `MM/YY`.", example: "11/25" }
    )
  ).pipe(Schema.fromKey("expiration_date")),
  securityCode: Schema.propertySignature(
    secret(/^\d{3,4}$/, "3 or 4 digits", {
      description: "The 3 or 4 digit security code of the card, also known as CVV or CVD.",
      example: "123"
    })
  ).pipe(Schema.fromKey("security_code")),
  externalIdentifier: optionalText({
    description: "An external identifier to match the card against your own records.",
    example: "card-323444"
  }).pipe(Schema.fromKey("external_identifier")),
  buyerId: Schema.optionalWith(
    text(
      uuid,
      "a UUID",
      { format: "uuid" },
      {
        description: "The ID of the buyer the card belongs to. Never together with `buyer_external_identifier`.",
        example: "fe26475d-ec3e-4884-9553-f7356683f7f9"
      }
    ),
    { exact: true }
  ).pipe(Schema.fromKey("buyer_id")),
  buyerExternalIdentifier: Schema.optionalWith(
    Schema.String.annotations({
      ...says("a text"),
      ...onTheWire(
        {},
        {
          description: "Your own identifier of the buyer the card belongs to. Never together with `buyer_id`.",
          example: "user-789123"
        }
      )
    }),
    { exact: true }
  ).pipe(Schema.fromKey("buyer_external_identifier")),
  redirectUrl: optionalText({
    description: "Where to send the buyer once they have approved, for payment methods that ask for approval.",
    example: "https://example.com/callback"
  }).pipe(Schema.fromKey("redirect_url"))
}).annotations({
  description: "Card details to use in a transaction, or to store as a payment method.",
  jsonSchema: { not: { required: ["buyer_id", "buyer_external_identifier"] } }
})

type Buyer =
  | { readonly buyerId?: string; readonly buyerExternalIdentifier?: never }
  | { readonly buyerId?: never; readonly buyerExternalIdentifier?: string }

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
export type CardRequest = Omit<typeof CardFields.Type, keyof Buyer> & Buyer

/**
 * The schema of {@link CardRequest}: camelCase in TypeScript, snake_case on the wire.
 *
 * @since 0.1.0
 * @category models
 */
export const CardRequest = CardFields.pipe(
  saysOnBothSides("a card"),
  Schema.filter(
    (card): card is typeof card & CardRequest =>
      card.buyerId === undefined || card.buyerExternalIdentifier === undefined
  )
).annotations({
  identifier: "CardRequest",
  ...says("a card with either buyerId or buyerExternalIdentifier, not both")
})

const UpdateFields = Schema.Struct({
  paymentMethod: Schema.optionalWith(CardRequest, { exact: true }).pipe(Schema.fromKey("payment_method"))
}).annotations({
  identifier: "CheckoutSessionSecureFieldsUpdate",
  description: "The secure fields to store on a Checkout Session."
})

/**
 * The body of `updateFields`: the secure fields to store on a Checkout Session. Within 5 minutes of their receipt the
 * session has to be used.
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
export const CheckoutSessionSecureFieldsUpdate = Object.assign(
  UpdateFields.pipe(saysOnBothSides("an object with an optional paymentMethod")),
  { make: UpdateFields.make }
)

/**
 * @since 0.1.0
 * @category models
 */
export type CheckoutSessionSecureFieldsUpdate = typeof CheckoutSessionSecureFieldsUpdate.Type
