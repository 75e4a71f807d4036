/**
 * A stand-in for Gr4vy's transactions at the sandbox. It keeps them in memory and honours idempotency keys as the API
 * does: the first answer to a key is stored and replayed, also a failure; a request that fails validation is not stored; a
 * copy of a running request is a 409; another request with the same key is a 400. The card decides the outcome.
 */
import {
  CheckoutSessionId,
  CheckoutSessions,
  type CheckoutSessionsError,
  Endpoint,
  Generic,
  NotFound
} from "@effect-gr4vy/core"
import { Deferred, Effect, Ref } from "effect"
import { type Transaction, transactions } from "./transactions.js"

/** Cards whose payment does not succeed at once. Every other card is good. */
export const cards = {
  declined: "4000000000009995",
  approval: "4000000000003220",
  approvalWithoutUrl: "4000000000003063",
  processing: "4000000000000077",
  /** The bank breaks down, and the API stores a 500. */
  broken: "4000000000000119",
  /** Authorized, and never captured. */
  uncapturable: "4000000000000341",
  /** Captured, and every refund is declined. */
  unrefundable: "4000000000000259"
}

type Failure = Generic | NotFound | CheckoutSessionsError

/** An entry of the bank's book: money that was reserved, taken or given back. */
export interface Booking {
  readonly kind: "authorization" | "capture" | "refund"
  readonly transaction: string
  readonly amount: number
}

interface Keyed {
  /** Operation and payload, to distinguish a second copy from another request with the same key. */
  readonly asked: string
  readonly response: Deferred.Deferred<unknown, Failure>
}

const refused = (message: string) => new Generic({ status: 400, code: "bad_request", message })

/** The implementation, all transactions so far, and the bank's book. */
export const makeAcquirer = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const all = yield* Ref.make<ReadonlyMap<string, Transaction>>(new Map())
  const book = yield* Ref.make<ReadonlyArray<Booking>>([])
  const keys = yield* Ref.make<ReadonlyMap<string, Keyed>>(new Map())
  const gate = yield* Ref.make<Effect.Effect<void>>(Effect.void)
  let ids = 0

  const find = (id: string) =>
    Effect.flatMap(Ref.get(all), (known) => {
      const transaction = known.get(id)
      return transaction === undefined
        ? Effect.fail(new NotFound({ code: "not_found", message: "The resource could not be found" }))
        : Effect.succeed(transaction)
    })

  const store = (transaction: Transaction) =>
    Effect.as(
      Ref.update(all, (known) => new Map(known).set(transaction.id, transaction)),
      transaction
    )

  const enter = (kind: Booking["kind"], transaction: string, amount: number) =>
    Ref.update(book, (entries) => [...entries, { kind, transaction, amount }])

  /**
   * Runs `execute` once for a key. `validate` comes first and stores nothing. The execution outlives the caller's connection.
   */
  const once = <V, A, E extends Failure>(
    key: string,
    asked: string,
    validate: Effect.Effect<V, E>,
    execute: (valid: V) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | Generic> => {
    // `asked` names the operation, and an operation completes its response with `execute` alone.
    const answerOf = (response: Keyed["response"]) => Deferred.await(response) as Effect.Effect<A, E>
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const response = yield* Deferred.make<unknown, Failure>()
        const first = yield* Ref.modify(keys, (keys) => {
          const known = keys.get(key)
          return [known, known === undefined ? new Map(keys).set(key, { asked, response }) : keys]
        })
        if (first === undefined) {
          const forget = Ref.update(keys, (known) => new Map([...known].filter(([name]) => name !== key)))
          const valid = yield* Effect.onError(validate, () => forget)
          const run = Effect.zipRight(Effect.flatten(Ref.get(gate)), execute(valid))
          yield* Effect.forkDaemon(Effect.uninterruptible(Deferred.complete(response, run)))
          return yield* restore(answerOf(response))
        }
        if (first.asked !== asked) return yield* refused("This key is another request's")
        if (!(yield* Deferred.isDone(first.response))) {
          return yield* new Generic({
            status: 409,
            code: "concurrent_request",
            message: "The request is still running"
          })
        }
        return yield* answerOf(first.response)
      })
    )
  }

  const implementation = Endpoint.implement(transactions, {
    create: (payload, { idempotencyKey }) =>
      once(
        idempotencyKey,
        `create ${JSON.stringify(payload)}`,
        Effect.flatMap(sessions.get(CheckoutSessionId.make(payload.payment_method.id)), ({ paymentMethod }) =>
          paymentMethod === undefined ? refused("The session holds no payment method") : Effect.succeed(paymentMethod)
        ),
        ({ label, scheme }) =>
          Effect.gen(function* () {
            const has = (number: string) => label === number.slice(-4)
            if (has(cards.broken)) {
              return yield* new Generic({ status: 500, code: "server_error", message: "The bank does not answer" })
            }
            const id = `transaction-${++ids}`
            const asks = has(cards.approval) || has(cards.approvalWithoutUrl)
            const status = has(cards.declined)
              ? "authorization_declined"
              : asks
                ? "buyer_approval_pending"
                : has(cards.processing)
                  ? "processing"
                  : payload.intent === "capture"
                    ? "capture_succeeded"
                    : "authorization_succeeded"
            const authorized = /succeeded/.test(status) ? payload.amount : 0
            const captured = status === "capture_succeeded" ? payload.amount : 0
            if (authorized > 0) yield* enter("authorization", id, authorized)
            if (captured > 0) yield* enter("capture", id, captured)
            return yield* store({
              id,
              status,
              amount: payload.amount,
              currency: payload.currency,
              authorized_amount: authorized,
              captured_amount: captured,
              refunded_amount: 0,
              external_identifier: payload.external_identifier ?? null,
              error_code: status === "authorization_declined" ? "insufficient_funds" : null,
              payment_method: {
                scheme: scheme ?? null,
                label: label ?? null,
                approval_url: has(cards.approval) ? `https://bank.example/approve/${id}` : null
              }
            })
          })
      ),
    get: find,
    capture: (id, { amount }, { idempotencyKey }) =>
      once(
        idempotencyKey,
        `capture ${id} ${amount}`,
        Effect.flatMap(find(id), (transaction) => {
          const left = transaction.authorized_amount - transaction.captured_amount
          const captured = amount ?? left
          return captured > left || left === 0
            ? refused("There is nothing to capture")
            : Effect.succeed({ captured, transaction })
        }),
        ({ captured, transaction }) =>
          transaction.payment_method?.label === cards.uncapturable.slice(-4)
            ? Effect.succeed(transaction)
            : Effect.zipRight(
                enter("capture", id, captured),
                store({
                  ...transaction,
                  status: "capture_succeeded",
                  captured_amount: transaction.captured_amount + captured
                })
              )
      ),
    refund: (id, { amount }, { idempotencyKey }) =>
      once(
        idempotencyKey,
        `refund ${id} ${amount}`,
        Effect.flatMap(find(id), (transaction) => {
          const left = transaction.captured_amount - transaction.refunded_amount
          const refunded = amount ?? left
          return refunded > left || left === 0
            ? refused("There is not as much to refund")
            : Effect.succeed({ refunded, transaction })
        }),
        ({ refunded, transaction }) => {
          const declined = transaction.payment_method?.label === cards.unrefundable.slice(-4)
          const booked = Effect.zipRight(
            enter("refund", id, refunded),
            store({ ...transaction, refunded_amount: transaction.refunded_amount + refunded })
          )
          return Effect.as(declined ? Effect.void : booked, {
            id: `refund-${++ids}`,
            transaction_id: id,
            status: declined ? "declined" : "succeeded",
            amount: refunded,
            currency: transaction.currency
          })
        }
      )
  })

  return {
    implementation,
    transactions: Effect.map(Ref.get(all), (known) => [...known.values()]),
    booked: Ref.get(book),
    /** Changes a transaction as the bank does it later: a payment is approved, declined or settled. */
    change: (id: string, change: Partial<Transaction>) =>
      Effect.flatMap(find(id), (transaction) => store({ ...transaction, ...change })),
    /** The bank waits for this effect before it executes a request. */
    wait: (until: Effect.Effect<void>) => Ref.set(gate, until)
  }
})
