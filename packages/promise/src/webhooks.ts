/**
 * The events of webhooks as plain values: a union by `name`.
 */
import type { APIKeyPair } from "./api/ApiKeyPairs.js"
import type { Buyer, Refund, ReportExecution, ShippingDetails } from "./api/Common.js"
import type { GiftCard } from "./api/GiftCards.js"
import type { PaymentLink } from "./api/PaymentLinks.js"
import type { PaymentMethod } from "./api/PaymentMethods.js"
import type { PayoutSummary } from "./api/Payouts.js"
import type { Capture, Transaction } from "./api/Transactions.js"

/**
 * The names of the events that this version knows.
 *
 * @since 0.1.0
 * @category models
 */
export type WebhookEventName =
  | "api-key-pair.created"
  | "api-key-pair.deleted"
  | "api-key-pair.updated"
  | "buyer.created"
  | "buyer.deleted"
  | "buyer.updated"
  | "capture.declined"
  | "capture.failed"
  | "capture.pending"
  | "capture.succeeded"
  | "gift-card.created"
  | "gift-card.deleted"
  | "monitoring.incident.closed"
  | "monitoring.incident.created"
  | "payment-link.created"
  | "payment-link.updated"
  | "payment-method.authorization-expiring"
  | "payment-method.authorization-update-required"
  | "payment-method.authorization-updated"
  | "payment-method.deleted"
  | "payment-method.paused"
  | "payment-method.resumed"
  | "payment-method.updated"
  | "payout.declined"
  | "payout.failed"
  | "payout.pending"
  | "payout.succeeded"
  | "refund.declined"
  | "refund.failed"
  | "refund.pending"
  | "refund.succeeded"
  | "report-execution.failed"
  | "report-execution.succeeded"
  | "shipping-details.created"
  | "shipping-details.deleted"
  | "shipping-details.updated"
  | "transaction.authenticated"
  | "transaction.authentication-pending"
  | "transaction.authorized"
  | "transaction.capture-failed"
  | "transaction.capture-pending"
  | "transaction.captured"
  | "transaction.declined"
  | "transaction.failed"
  | "transaction.modified"
  | "transaction.review-accepted"
  | "transaction.settled"
  | "transaction.void-declined"
  | "transaction.void-failed"
  | "transaction.void-pending"
  | "transaction.voided"

/**
 * The resources of events by the part of the name before the first dot. The API describes no incident, so that one is as it was
 * sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebhookTargets {
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

type TargetOf<Name extends WebhookEventName> = Name extends `${infer Kind}.${string}`
  ? Kind extends keyof WebhookTargets
    ? WebhookTargets[Kind]
    : never
  : never

/** The properties of every event. */
interface EventBase {
  /** Always `"event"` today. */
  readonly type: string
  /** The id of the event: the same for each delivery. Store it to handle an event once. */
  readonly id: string
  /** The time of the event; absent if the API sent no date and time with an offset. */
  readonly createdAt?: Date
  /** The merchant account of the event, e.g. `"default"`. */
  readonly merchantAccountId?: string
}

/**
 * An event whose name this version knows.
 *
 * @since 0.1.0
 * @category models
 */
export type KnownWebhookEvent = {
  readonly [Name in WebhookEventName]: EventBase & {
    /** Tells the events whose name this version knows from those of a later version of the API. */
    readonly isKnown: true
    /** The name of the event. */
    readonly name: Name
    /** The resource of the event, as its `get` answers it. */
    readonly target: TargetOf<Name>
  }
}[WebhookEventName]

/**
 * An event whose name this version does not know.
 *
 * @since 0.1.0
 * @category models
 */
export interface UnknownWebhookEvent extends EventBase {
  readonly isKnown: false
  /** The name of the event. */
  readonly name: string
  /** The resource of the event, as the API sent it, with names in snake_case, e.g. `target["id"]`. */
  readonly target: Readonly<Record<string, unknown>>
}

/**
 * The event of a webhook: one of the known ones, or one that a later version of the API sends.
 *
 * @since 0.1.0
 * @category models
 */
export type WebhookEvent = KnownWebhookEvent | UnknownWebhookEvent
