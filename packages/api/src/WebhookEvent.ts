/**
 * The event of a webhook with its resource as a model: a union by `name` of those that this
 * version knows (`isKnown`), and any other as the API sent it.
 *
 * ```ts
 * import { WebhookEvent } from "@effect-gr4vy/api"
 * import { Webhooks } from "@effect-gr4vy/core"
 * import { Config, Effect } from "effect"
 *
 * const paid = (payload: string, headers: Webhooks.HeadersInput) =>
 *   Effect.gen(function* () {
 *     const secret = yield* Config.redacted("GR4VY_WEBHOOK_SECRET")
 *     const event = yield* Webhooks.verify({ payload, headers, secret }).pipe(Effect.flatMap(WebhookEvent.decode))
 *     return event.isKnown && event.name === "transaction.captured" ? event.target.capturedAmount : 0
 *   })
 * ```
 *
 * @since 0.1.0
 */
import { reader } from "@effect-gr4vy/core/spi/Read"
import * as Webhooks from "@effect-gr4vy/core/Webhooks"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { APIKeyPair } from "./models/ApiKeyPairs.js"
import { Buyer, Refund, ReportExecution, ShippingDetails } from "./models/Common.js"
import { GiftCard } from "./models/GiftCards.js"
import { PaymentLink } from "./models/PaymentLinks.js"
import { PaymentMethod } from "./models/PaymentMethods.js"
import { PayoutSummary } from "./models/Payouts.js"
import { Capture, Transaction } from "./models/Transactions.js"

/**
 * The names of the events that this version knows.
 *
 * @since 0.1.0
 * @category models
 */
export const names = [
  "api-key-pair.created",
  "api-key-pair.deleted",
  "api-key-pair.updated",
  "buyer.created",
  "buyer.deleted",
  "buyer.updated",
  "capture.declined",
  "capture.failed",
  "capture.pending",
  "capture.succeeded",
  "gift-card.created",
  "gift-card.deleted",
  "monitoring.incident.closed",
  "monitoring.incident.created",
  "payment-link.created",
  "payment-link.updated",
  "payment-method.authorization-expiring",
  "payment-method.authorization-update-required",
  "payment-method.authorization-updated",
  "payment-method.deleted",
  "payment-method.paused",
  "payment-method.resumed",
  "payment-method.updated",
  "payout.declined",
  "payout.failed",
  "payout.pending",
  "payout.succeeded",
  "refund.declined",
  "refund.failed",
  "refund.pending",
  "refund.succeeded",
  "report-execution.failed",
  "report-execution.succeeded",
  "shipping-details.created",
  "shipping-details.deleted",
  "shipping-details.updated",
  "transaction.authenticated",
  "transaction.authentication-pending",
  "transaction.authorized",
  "transaction.capture-failed",
  "transaction.capture-pending",
  "transaction.captured",
  "transaction.declined",
  "transaction.failed",
  "transaction.modified",
  "transaction.review-accepted",
  "transaction.settled",
  "transaction.void-declined",
  "transaction.void-failed",
  "transaction.void-pending",
  "transaction.voided"
] as const

/**
 * A name that this version knows.
 *
 * @since 0.1.0
 * @category models
 */
export type Name = (typeof names)[number]

/**
 * The resources of events by the part of the name before the first dot. The API describes no incident, so that one is as it was
 * sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Targets {
  readonly "api-key-pair": APIKeyPair
  readonly buyer: Buyer
  readonly capture: Capture
  readonly "gift-card": GiftCard
  readonly monitoring: Readonly<Record<string, unknown>>
  readonly "payment-link": PaymentLink
  readonly "payment-method": PaymentMethod
  readonly payout: PayoutSummary
  readonly refund: Refund
  readonly "report-execution": ReportExecution
  readonly "shipping-details": ShippingDetails
  readonly transaction: Transaction
}

/**
 * The resource of an event, e.g. `Transaction` for `"transaction.captured"`.
 *
 * @since 0.1.0
 * @category models
 */
export type Target<N extends Name> = N extends `${infer Kind}.${string}`
  ? Kind extends keyof Targets
    ? Targets[Kind]
    : never
  : never

/**
 * An event whose name this version knows.
 *
 * @since 0.1.0
 * @category models
 */
export type Known = {
  readonly [N in Name]: Omit<Webhooks.WebhookEvent, "name" | "target"> & {
    /** Tells the events whose name this version knows from those of a later version of the API. */
    readonly isKnown: true
    /** The name of the event. */
    readonly name: N
    /** The resource of the event, as its `get` answers it. */
    readonly target: Target<N>
  }
}[Name]

/**
 * An event whose name this version does not know, with the resource as the API sent it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unknown extends Webhooks.WebhookEvent {
  readonly isKnown: false
}

/**
 * The event of a webhook: one of the known ones, or one that a later version of the API sends.
 *
 * @since 0.1.0
 * @category models
 */
export type WebhookEvent = Known | Unknown

const schemas: { readonly [Kind in Exclude<keyof Targets, "monitoring">]: Schema.Schema<Targets[Kind], unknown> } = {
  "api-key-pair": APIKeyPair,
  buyer: Buyer,
  capture: Capture,
  "gift-card": GiftCard,
  "payment-link": PaymentLink,
  "payment-method": PaymentMethod,
  payout: PayoutSummary,
  refund: Refund,
  "report-execution": ReportExecution,
  "shipping-details": ShippingDetails,
  transaction: Transaction
}

const kinds: ReadonlyMap<string, Schema.Schema<unknown, unknown>> = new Map(
  Object.entries(schemas).map(([kind, schema]) => [kind, schema as Schema.Schema<unknown, unknown>]) // Read alone.
)

const known: ReadonlySet<string> = new Set(names)

/**
 * Whether this version knows the name of an event.
 *
 * @since 0.1.0
 * @category guards
 */
export const isKnown = (name: string): name is Name => known.has(name)

/**
 * The schema of an event's resource on the wire; `undefined` for a name that this version does not know, and for an incident.
 *
 * @since 0.1.0
 * @category schemas
 */
export const schemaOf = (name: string): Schema.Schema<unknown, unknown> | undefined =>
  known.has(name) ? kinds.get(name.slice(0, name.indexOf("."))) : undefined

/**
 * Reads the resource of a verified event. An event with an unknown name stays as it is.
 *
 * Fails with `WebhookInvalid`, check `Payload`, if the resource is not as the API describes it. The message names the
 * property.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (event: Webhooks.WebhookEvent): Effect.Effect<WebhookEvent, Webhooks.WebhookInvalid> =>
  Either.match(targetOf(event, schemaOf(event.name)), {
    onLeft: Effect.fail,
    // By its name, the target is of this schema.
    onRight: (target) => Effect.succeed({ ...event, isKnown: isKnown(event.name), target } as WebhookEvent)
  })

/**
 * Reads the resource of an event with a schema.
 *
 * @since 0.1.0
 * @category decoding
 */
export const targetOf = (
  { target }: Webhooks.WebhookEvent,
  schema: Schema.Schema<unknown, unknown> | undefined
): Either.Either<unknown, Webhooks.WebhookInvalid> =>
  schema === undefined
    ? Either.right(target)
    : Either.mapLeft(
        reader(schema, "target")(target),
        (problem) =>
          new Webhooks.WebhookInvalid({
            check: "Payload",
            message: `The payload is signed, and this version cannot read its resource: ${problem}.`
          })
      )
