/**
 * The calls of a payment, and what their transaction means for the workflow. Every call has an idempotency key: a repeated
 * call of the same step moves no money twice.
 */
import { Payment, Transactions } from "@effect-gr4vy/api"
import type { CheckoutSessionsError } from "@effect-gr4vy/core"
import { Context, Effect, Layer, Option, Schedule, Schema } from "effect"

/** What is known of a payment after a step. Stored by the engine. */
export const Charge = Schema.Struct({
  /** Absent until the transaction is known. */
  id: Schema.optional(Schema.String),
  is: Schema.Literal(
    "paid",
    "authorized",
    "approval",
    "pending",
    /** No money moved, and none will. */
    "over",
    "refunded",
    /** The refund is accepted, and not yet decided. */
    "refunding",
    /** The step may have moved money, and no response says so: repeat it. */
    "unclear",
    /** A person must look at the transaction. */
    "strange"
  ),
  /** The approval URL, or the cause. */
  text: Schema.optional(Schema.String)
})

export type Charge = typeof Charge.Type

export class Payments extends Context.Tag("Payments")<
  Payments,
  {
    /** Authorizes the payment of a try with the card in the session. */
    readonly authorize: (order: {
      readonly orderId: string
      readonly amount: number
      readonly currency: string
      readonly sessionId: string
      readonly attempt: number
    }) => Effect.Effect<Charge>
    readonly read: (id: string) => Effect.Effect<Charge>
    /** Captures everything. `part` counts the tries: use the next one only after `authorized`. */
    readonly capture: (id: string, part: number) => Effect.Effect<Charge>
    /** Releases the reservation. */
    readonly release: (id: string) => Effect.Effect<Charge>
    /** Gives everything back. */
    readonly refund: (id: string) => Effect.Effect<Charge>
  }
>() {}

/** A transaction, or its summary in a list. */
type Transaction = Payment.Facts & { readonly id: string }

const chargeOf = (transaction: Transaction): Charge => {
  const { id, status } = transaction
  return Payment.$match(Payment.outcome(transaction), {
    Paid: () => ({ id, is: "paid" as const }),
    Authorized: () => ({ id, is: "authorized" as const }),
    NeedsApproval: ({ url }) => ({ id, is: "approval" as const, text: url }),
    Pending: ({ awaits }) => ({ id, is: "pending" as const, text: awaits }),
    Declined: ({ code }) => ({ id, is: "over" as const, text: code ?? "declined" }),
    Failed: ({ code }) => ({ id, is: "over" as const, text: code ?? "failed" }),
    Voided: () => ({ id, is: "over" as const, text: "voided" }),
    Refunded: () => ({ id, is: "refunded" as const }),
    Unknown: () => ({ id, is: "strange" as const, text: `transaction ${id} is ${status}` })
  })
}

/** Returns whether the money may have moved in spite of the error. */
const mayHaveActed = (error: CheckoutSessionsError): boolean => {
  if (error.attempts > 1) return true
  return error._tag === "RequestFailed"
    ? error.delivered !== "no"
    : error._tag === "Generic" && (error.status >= 500 || error.status === 408 || error.status === 409)
}

/** Returns whether the same call may succeed later. */
const mayPass = (error: CheckoutSessionsError): boolean =>
  error._tag === "RequestFailed"
    ? error.reason !== "InvalidRequest"
    : error._tag === "Unauthorized" ||
      (error._tag === "Generic" && (error.status >= 500 || [403, 408, 409, 425, 429].includes(error.status)))

interface Refusal {
  readonly error: CheckoutSessionsError
  /** Whether any copy of the call may have moved money. */
  readonly unclear: boolean
}

/** Repeats a call for a few seconds. Later errors say nothing of what an earlier copy did. */
const patiently = <A, R>(call: Effect.Effect<A, CheckoutSessionsError, R>): Effect.Effect<A, Refusal, R> =>
  Effect.suspend(() => {
    let acted = false
    return call.pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          acted ||= mayHaveActed(error)
        })
      ),
      Effect.retry({ while: mayPass, times: 3, schedule: Schedule.jittered(Schedule.exponential("200 millis")) }),
      Effect.mapError((error) => ({ error, unclear: acted || mayPass(error) }))
    )
  })

export const layer = Layer.effect(
  Payments,
  Effect.gen(function* () {
    const { capture, create, get, list, refunds, void: release } = yield* Transactions

    const read = (id: string) =>
      patiently(get(id)).pipe(
        Effect.map(chargeOf),
        Effect.catchAll(({ error }) => Effect.succeed<Charge>({ id, is: "unclear", text: error.message }))
      )

    /** After an error the transaction says what happened. `authorized` counts only if no copy can still be underway. */
    const orRead = <R>(id: string, call: Effect.Effect<Transaction, Refusal, R>) =>
      call.pipe(
        Effect.map(chargeOf),
        Effect.catchAll(({ error, unclear }) =>
          Effect.map(
            read(id),
            (now): Charge => (unclear && now.is === "authorized" ? { id, is: "unclear", text: error.message } : now)
          )
        )
      )

    return {
      authorize: ({ amount, attempt, currency, orderId, sessionId }) => {
        const key = Payment.key(orderId, attempt)
        return patiently(
          create(
            {
              amount,
              currency,
              paymentMethod: { method: "checkout-session", id: sessionId },
              // One identifier for each try: an operator, and the lookup below, find its transaction by it.
              externalIdentifier: key,
              intent: "authorize"
            },
            { idempotencyKey: key }
          )
        ).pipe(
          Effect.map(chargeOf),
          Effect.catchAll(({ error, unclear }) =>
            unclear
              ? Effect.map(Effect.option(list({ externalIdentifier: key })), (found): Charge => {
                  const [transaction] = Option.isSome(found) ? found.value.items : []
                  return transaction === undefined ? { is: "unclear", text: error.message } : chargeOf(transaction)
                })
              : Effect.succeed<Charge>({ is: "over", text: error.message })
          )
        )
      },
      read,
      capture: (id, part) =>
        orRead(
          id,
          capture(id, {}, { idempotencyKey: Payment.key(`${id}/capture`, part) }).pipe(
            Effect.map(Payment.transactionOf),
            patiently
          )
        ),
      release: (id) =>
        orRead(
          id,
          release(id, { idempotencyKey: Payment.key(`${id}/void`, 1) }).pipe(
            Effect.map(Payment.transactionOf),
            patiently
          )
        ),
      refund: (id) =>
        patiently(refunds.create(id, {}, { idempotencyKey: Payment.key(`${id}/refund`, 1) })).pipe(
          Effect.map(
            ({ status }): Charge =>
              status === "succeeded"
                ? { id, is: "refunded" }
                : status === "processing"
                  ? { id, is: "refunding" }
                  : { id, is: "over", text: `the refund is ${status}` }
          ),
          Effect.catchAll(({ error, unclear }) =>
            Effect.map(read(id), (now): Charge => {
              if (now.is === "refunded") return now
              return { id, is: unclear || now.is === "unclear" ? "unclear" : "over", text: error.message }
            })
          )
        )
    }
  })
).pipe(Layer.provide(Transactions.layer))
