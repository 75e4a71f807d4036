/**
 * The steps of a payment. Copy this file into your shop.
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

/** An order of the shop. Its id is the idempotency key of its payment: it exists before the call and is stored. */
export interface Order {
  readonly id: string
  readonly currency: string
  readonly items: ReadonlyArray<{ readonly name: string; readonly quantity: number; readonly unitAmount: number }>
}

export const totalOf = ({ items }: Order): number =>
  items.reduce((sum, { quantity, unitAmount }) => sum + quantity * unitAmount, 0)

/** 1. Create the session with the amount and the cart. It lives for an hour. */
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
 * 2. Pay with the card in the session. A failed call may still have taken the money. Repeat it with the same key: the API
 * returns its first response for a key that it knows.
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

/** Returns whether the same call with the same key may succeed: no response arrived, or the API asks to retry later. */
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
 * 3. Capture when you ship the goods. Never sent twice: if the outcome is unknown, read the transaction.
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

/** 4. Refund the captured amount, or a part of it. */
export const refund = (transaction: Transaction, amount: number) =>
  Effect.flatMap(Endpoint.client(transactions), ({ refund }) => refund(transaction.id, { amount }))
