/**
 * The steps of a payment. Copy this file into your shop.
 */
import { Payment, type Transaction, Transactions } from "@effect-gr4vy/api"
import { CheckoutSessions, type CheckoutSessionsError } from "@effect-gr4vy/core"
import { Data, type Duration, Effect, Option, Schedule } from "effect"

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
 * 2. Pay with the card in the session. `attempt` counts the buyer's tries of this order, in all its sessions: use the next
 * number after a decline, and the same number and session after an error. The API then returns its first response, so the
 * buyer pays once.
 */
export const pay = (order: Order, session: { readonly id: string }, attempt: number) =>
  Effect.flatMap(Transactions, ({ create }) =>
    create(
      {
        amount: totalOf(order),
        currency: order.currency,
        paymentMethod: { method: "checkout-session", id: session.id },
        externalIdentifier: order.id
      },
      { idempotencyKey: Payment.key(order.id, attempt), attemptTimeout: slow }
    )
  ).pipe(patiently)

/** A bank may be slow. */
const slow: Duration.DurationInput = "20 seconds"

/** A copy of the request may have moved the money. Make the same call again: its key is the same, so the money moves once. */
export class OutcomeUnknown extends Data.TaggedError("OutcomeUnknown")<{ readonly last: CheckoutSessionsError }> {
  override get message() {
    return `The outcome is unknown. The last error was: ${this.last.message}`
  }
}

/**
 * The client has already retried for some seconds. This covers longer outages; the key makes a second copy safe. No later
 * error says what an earlier copy did.
 */
const patiently = <A, R>(call: Effect.Effect<A, CheckoutSessionsError, R>) =>
  Effect.suspend(() => {
    let unknown = false
    return call.pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          unknown ||= mayHaveActed(error)
        })
      ),
      Effect.retry({ while: mayPass, times: 3, schedule: Schedule.jittered(Schedule.exponential("200 millis")) }),
      Effect.mapError((last) => (unknown ? new OutcomeUnknown({ last }) : last))
    )
  })

/** Returns whether the same call with the same key may succeed: no usable response arrived, or the API asks to retry later. */
const mayPass = (error: CheckoutSessionsError): boolean =>
  error._tag === "RequestFailed"
    ? error.reason !== "InvalidRequest"
    : error._tag === "Generic" && (error.status >= 500 || [408, 409, 425, 429].includes(error.status))

/** Returns whether the money may have moved in spite of the error. The error is about the last copy, not about earlier ones. */
const mayHaveActed = (error: CheckoutSessionsError): boolean => {
  if (error.attempts > 1) return true
  return error._tag === "RequestFailed"
    ? error.delivered !== "no"
    : error._tag === "Generic" && (error.status >= 500 || error.status === 408 || error.status === 409)
}

/** A capture or a refund of a transaction. Store it before its first call: a repeated call needs the same one. */
export interface Part {
  readonly kind: "capture" | "refund"
  readonly transactionId: string
  /** Counts the captures or the refunds of the transaction, from 1. */
  readonly number: number
  /** What the parts before this one moved. */
  readonly before: number
  readonly amount: number
}

/**
 * Reads the transaction, and returns its next part: of `amount`, or of everything that is left; none if nothing is left or a
 * capture is pending. Call it once for a part, when the outcome of the part before is known. `moved` is what the parts before
 * are known to have moved, in case the transaction does not show it yet.
 */
export const nextPart = (
  kind: Part["kind"],
  transactionId: string,
  number: number,
  { amount, moved = 0 }: { readonly amount?: number | undefined; readonly moved?: number } = {}
) =>
  Effect.gen(function* () {
    const { get } = yield* Transactions
    const { authorizedAmount, capturedAmount, refundedAmount, status } = yield* get(transactionId)
    const [whole, shown] = kind === "capture" ? [authorizedAmount, capturedAmount] : [capturedAmount, refundedAmount]
    const before = Math.max(shown, moved)
    const part: Part = { kind, transactionId, number, before, amount: amount ?? whole - before }
    return before >= whole || status === "capture_pending" ? Option.none() : Option.some(part)
  })

const optionsOf = ({ kind, number, transactionId }: Part) => ({
  idempotencyKey: Payment.key(`${transactionId}/${kind}`, number),
  attemptTimeout: slow
})

/** The API answered, and this capture took no money. */
export class NotCaptured extends Data.TaggedError("NotCaptured")<{ readonly transaction: Transaction }> {
  override get message() {
    return `Transaction ${this.transaction.id} was not captured: ${this.transaction.status}`
  }
}

/**
 * 3. Capture when you ship the goods. Succeeds only if this part has taken money or is pending. After `NotCaptured` a new try
 * is the next part; after any other error, repeat this one.
 */
export const capture = (part: Part) =>
  Effect.gen(function* () {
    const { capture, get } = yield* Transactions
    // Money that an earlier part took does not count.
    const isCaptured = (now: Transaction) => now.capturedAmount > part.before || now.status === "capture_pending"
    return yield* capture(part.transactionId, { amount: part.amount }, optionsOf(part)).pipe(
      Effect.map(Payment.transactionOf),
      patiently,
      // The transaction may show a capture whose response was lost. If it does not, the error says what is known.
      Effect.catchAll((error) =>
        get(part.transactionId).pipe(
          Effect.filterOrFail(isCaptured),
          Effect.mapError(() => error)
        )
      ),
      Effect.filterOrFail(isCaptured, (now) => new NotCaptured({ transaction: now }))
    )
  })

/**
 * 4. Refund, with an explicit amount: a call without one would refund everything. The refund's status says whether the money
 * went back. After `declined`, `failed` or `voided` a new try is the next part; after an error, repeat this one.
 */
export const refund = (part: Part) =>
  Effect.flatMap(Transactions, ({ refunds }) =>
    refunds.create(part.transactionId, { amount: part.amount }, optionsOf(part))
  ).pipe(patiently)
