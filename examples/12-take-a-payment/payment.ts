/**
 * The steps of a payment. Copy this file into your shop.
 */
import { CheckoutSessions, type CheckoutSessionsError, Endpoint } from "@effect-gr4vy/core"
import { Data, Effect, Schedule } from "effect"
import * as Payment from "./outcome.js"
import { type Transaction, transactions } from "./transactions.js"

/** An order of the shop, stored before the payment begins. */
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

/**
 * 2. Pay with the card in the session. `attempt` counts the buyer's tries: use the next number after a decline, and the same
 * number as long as the outcome is unknown. The API then returns its first response, so the buyer pays once.
 */
export const pay = (order: Order, session: { readonly id: string }, attempt: number) =>
  Effect.flatMap(Endpoint.client(transactions), ({ create }) =>
    create(
      {
        amount: totalOf(order),
        currency: order.currency,
        payment_method: { method: "checkout-session", id: session.id },
        external_identifier: order.id
      },
      { idempotencyKey: Payment.key(order.id, attempt) }
    )
  ).pipe(patiently)

/**
 * The client has already retried for some seconds. This covers longer outages; the key makes a second copy safe. A copy that
 * never arrived says nothing about an earlier one that may have.
 */
const patiently = <A, R>(call: Effect.Effect<A, CheckoutSessionsError, R>) =>
  Effect.suspend(() => {
    let unknown: CheckoutSessionsError | undefined
    return call.pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (mayHaveActed(error)) unknown = error
        })
      ),
      Effect.retry({ while: mayPass, times: 3, schedule: Schedule.jittered(Schedule.exponential("200 millis")) }),
      Effect.mapError((last) => (mayPass(last) || last._tag === "Unauthorized" ? (unknown ?? last) : last))
    )
  })

/** Returns whether the same call with the same key may succeed: no response arrived, or the API asks to retry later. */
const mayPass = (error: CheckoutSessionsError): boolean =>
  error._tag === "RequestFailed"
    ? error.reason !== "InvalidRequest" && error.delivered !== "yes"
    : error._tag === "Generic" && (error.status >= 500 || [408, 409, 425, 429].includes(error.status))

/** Returns whether the money may have moved in spite of the error. */
const mayHaveActed = (error: CheckoutSessionsError): boolean =>
  error._tag === "RequestFailed"
    ? error.delivered !== "no"
    : error._tag === "Generic" && (error.status >= 500 || error.status === 408 || error.status === 409)

/** The API answered, and this capture took no money. */
export class NotCaptured extends Data.TaggedError("NotCaptured")<{ readonly transaction: Transaction }> {
  override get message() {
    return `Transaction ${this.transaction.id} was not captured: ${this.transaction.status}`
  }
}

/**
 * 3. Capture when you ship the goods: everything, or `amount` of it. Succeeds only if this capture has taken money or is
 * pending. `part` counts the captures of a transaction: use the next number for another part, and after `NotCaptured`.
 */
export const capture = (transaction: Transaction, { amount, part = 1 }: { amount?: number; part?: number } = {}) =>
  Effect.gen(function* () {
    const { capture, get } = yield* Endpoint.client(transactions)
    const idempotencyKey = Payment.key(`${transaction.id}/capture`, part)
    return yield* capture(transaction.id, amount === undefined ? {} : { amount }, { idempotencyKey }).pipe(
      patiently,
      Effect.filterOrFail(
        (now) => isCaptured(transaction, now),
        (now) => new NotCaptured({ transaction: now })
      ),
      // The transaction may show a capture whose response was lost. If it does not, the outcome stays unknown.
      Effect.catchIf(
        (error) => error._tag !== "NotCaptured" && mayHaveActed(error),
        (error) =>
          Effect.filterOrFail(
            get(transaction.id),
            (now) => isCaptured(transaction, now),
            () => error
          )
      )
    )
  })

/** Money that an earlier capture took does not count. */
const isCaptured = (before: Transaction, now: Transaction): boolean =>
  now.captured_amount > before.captured_amount ||
  (now.status === "capture_pending" && before.status !== "capture_pending")

/**
 * 4. Refund a part of the captured amount. `part` counts the refunds of a transaction: a repeated call has the same number,
 * another refund the next one. A call without an amount would refund everything.
 */
export const refund = (transaction: Transaction, amount: number, part = 1) =>
  Effect.flatMap(Endpoint.client(transactions), ({ refund }) =>
    refund(transaction.id, { amount }, { idempotencyKey: Payment.key(`${transaction.id}/refund`, part) })
  ).pipe(patiently)
