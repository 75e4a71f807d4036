/**
 * The steps of a payment: what a shop copies.
 */
import {
  type CheckoutSession,
  CheckoutSessions,
  Endpoint,
  type Generic,
  type NotFound,
  type RequestFailed,
  type Unauthorized
} from "@effect-gr4vy/core"
import { Effect, Schedule } from "effect"
import { type Transaction, transactions } from "./transactions.js"

/** An order of the shop. Its id is the key of its payment: made before the call, and kept. */
export interface Order {
  readonly id: string
  readonly currency: string
  readonly items: ReadonlyArray<{ readonly name: string; readonly quantity: number; readonly unitAmount: number }>
}

export const totalOf = ({ items }: Order): number =>
  items.reduce((sum, { quantity, unitAmount }) => sum + quantity * unitAmount, 0)

/** 1. The session holds what is to be paid, and lives for an hour. */
export const openSession = (order: Order) =>
  Effect.flatMap(CheckoutSessions, (sessions) =>
    sessions.add({
      amount: totalOf(order),
      currency: order.currency,
      cartItems: order.items,
      metadata: { orderId: order.id }
    })
  )

export type Outcome =
  | { readonly _tag: "Authorized"; readonly transaction: Transaction }
  | { readonly _tag: "Declined"; readonly transaction: Transaction }
  | { readonly _tag: "NeedsApproval"; readonly transaction: Transaction; readonly url: string }

/**
 * 2. Pay with the card that the session holds. A call that fails may have taken the money all the same: it is
 * repeated with the same key, and the API answers a key it knows with its first response.
 */
export const pay = (order: Order, session: CheckoutSession) =>
  Effect.gen(function* () {
    const { create } = yield* Endpoint.client(transactions)
    const transaction = yield* create(
      {
        amount: totalOf(order),
        currency: order.currency,
        payment_method: { method: "checkout-session", id: session.id },
        external_identifier: order.id
      },
      { idempotencyKey: order.id }
    ).pipe(
      Effect.retry({
        while: mayPass,
        times: 3,
        schedule: Schedule.jittered(Schedule.exponential("200 millis"))
      })
    )
    return outcomeOf(transaction)
  })

/** Whether the same call with the same key may fare better: no response arrived, or one that says "later". */
const mayPass = (error: Unauthorized | NotFound | Generic | RequestFailed): boolean =>
  error._tag === "RequestFailed"
    ? error.reason !== "InvalidRequest" && error.delivered !== "yes"
    : error._tag === "Generic" && (error.status >= 500 || [408, 409, 425, 429].includes(error.status))

const outcomeOf = (transaction: Transaction): Outcome => {
  const url = transaction.payment_method?.approval_url
  switch (transaction.status) {
    case "authorization_succeeded":
    case "capture_succeeded":
    case "capture_pending":
      return { _tag: "Authorized", transaction }
    case "buyer_approval_pending":
      return url == null ? { _tag: "Declined", transaction } : { _tag: "NeedsApproval", transaction, url }
    default:
      return { _tag: "Declined", transaction }
  }
}

/**
 * 3. Capture when the goods leave. Not sent a second time: where the outcome is unknown, the transaction tells.
 */
export const capture = (transaction: Transaction) =>
  Effect.gen(function* () {
    const { capture, get } = yield* Endpoint.client(transactions)
    return yield* capture(transaction.id, {}).pipe(
      Effect.catchIf(
        (error) => error._tag === "RequestFailed" && error.delivered === "unknown",
        () => get(transaction.id)
      )
    )
  })

/** 4. Give back what was captured, or a part of it. */
export const refund = (transaction: Transaction, amount: number) =>
  Effect.flatMap(Endpoint.client(transactions), ({ refund }) => refund(transaction.id, { amount }))
