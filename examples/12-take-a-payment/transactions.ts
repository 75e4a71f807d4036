/**
 * The endpoints of a payment that this shop needs. The SDK's own service covers Checkout Sessions only, so they are declared
 * here. Their calls use the same token, retries, limits and traces.
 *
 * @see https://docs.gr4vy.com/reference/transactions
 */
import { Endpoint, NotFound } from "@effect-gr4vy/core"
import { Schema } from "effect"

/** In the currency's smallest unit. */
const Amount = Schema.Int.pipe(Schema.between(0, 99_999_999))

/** The properties of a transaction that this shop uses. The API sends more; the rest is ignored. */
export const Transaction = Schema.Struct({
  id: Schema.String,
  /** An open set. Use `Payment.outcome` for its meaning. */
  status: Schema.String,
  amount: Schema.Int,
  currency: Schema.String,
  authorized_amount: Schema.Int,
  captured_amount: Schema.Int,
  refunded_amount: Schema.Int,
  external_identifier: Schema.NullishOr(Schema.String),
  pending_review: Schema.optional(Schema.Boolean),
  /** The reason of a decline, e.g. `insufficient_funds`. */
  error_code: Schema.NullishOr(Schema.String),
  payment_method: Schema.NullishOr(
    Schema.Struct({
      scheme: Schema.NullishOr(Schema.String),
      label: Schema.NullishOr(Schema.String),
      /** The page where the buyer approves the payment; present while the status is `buyer_approval_pending`. */
      approval_url: Schema.NullishOr(Schema.String)
    })
  )
}).annotations({ identifier: "Transaction" })

export type Transaction = typeof Transaction.Type

export const Refund = Schema.Struct({
  id: Schema.String,
  transaction_id: Schema.String,
  status: Schema.String,
  amount: Schema.Int,
  currency: Schema.String
}).annotations({ identifier: "Refund" })

export type Refund = typeof Refund.Type

const params = { transaction_id: Schema.String }

const common = {
  errors: [NotFound],
  scope: "transactions.write",
  // An acquirer may be slow.
  attemptTimeout: "20 seconds"
} as const

export const transactions = {
  /** `keyed`: the API recognizes a second copy by its key and returns the first response. */
  create: Endpoint.post("Transactions.create", "/transactions", {
    ...common,
    payload: Schema.Struct({
      amount: Amount,
      currency: Schema.String.pipe(Schema.pattern(/^[A-Z]{3}$/)),
      payment_method: Schema.Struct({ method: Schema.Literal("checkout-session"), id: Schema.String }),
      external_identifier: Schema.optional(Schema.String),
      intent: Schema.optional(Schema.Literal("authorize", "capture"))
    }),
    success: Transaction,
    resend: "keyed"
  }),
  get: Endpoint.get("Transactions.get", "/transactions/{transaction_id}", {
    params,
    success: Transaction,
    errors: [NotFound],
    scope: "transactions.read",
    belongs: ({ id }, { transaction_id }) => id === transaction_id
  }),
  /** `keyed`, like `void` and both refund operations of the API. */
  capture: Endpoint.post("Transactions.capture", "/transactions/{transaction_id}/capture", {
    ...common,
    params,
    payload: Schema.Struct({ amount: Schema.optional(Amount) }),
    success: Transaction,
    resend: "keyed",
    status: 200,
    belongs: ({ id }, { transaction_id }) => id === transaction_id
  }),
  refund: Endpoint.post("Transactions.refund", "/transactions/{transaction_id}/refunds", {
    ...common,
    params,
    payload: Schema.Struct({ amount: Schema.optional(Amount) }),
    success: Refund,
    resend: "keyed",
    belongs: (refund, { transaction_id }) => refund.transaction_id === transaction_id
  })
}
