/**
 * A stand-in for Gr4vy's transactions at the sandbox. It keeps them in memory and honours idempotency keys as the API
 * does. The cents of an amount decide the outcome.
 */
import { CheckoutSessionId, CheckoutSessions, Endpoint, Generic, NotFound } from "@effect-gr4vy/core"
import { Deferred, Effect, Ref } from "effect"
import { type Transaction, transactions } from "./transactions.js"

/** The cents of amounts that do not succeed at once. */
export const cents = { declined: 2, approval: 3 }

type Created = Effect.Effect.Error<ReturnType<Endpoint.Client<typeof transactions>["create"]>>

interface Keyed {
  /** The payload, to distinguish a second copy from another request with the same key. */
  readonly asked: string
  readonly response: Deferred.Deferred<Transaction, Created>
}

/** The implementation, and all transactions so far. */
export const makeAcquirer = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const all = yield* Ref.make<ReadonlyMap<string, Transaction>>(new Map())
  const keys = yield* Ref.make<ReadonlyMap<string, Keyed>>(new Map())
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

  const authorize = Effect.fnUntraced(function* (payload: Parameters<Endpoint.Call<typeof transactions.create>>[0]) {
    const session = yield* sessions.get(CheckoutSessionId.make(payload.payment_method.id))
    if (session.paymentMethod === undefined) {
      return yield* new Generic({ status: 400, code: "bad_request", message: "The session holds no payment method" })
    }
    const id = `transaction-${++ids}`
    const outcome = payload.amount % 100
    const status =
      outcome === cents.declined
        ? "authorization_declined"
        : outcome === cents.approval
          ? "buyer_approval_pending"
          : payload.intent === "capture"
            ? "capture_succeeded"
            : "authorization_succeeded"
    const { label, scheme } = session.paymentMethod
    return yield* store({
      id,
      status,
      amount: payload.amount,
      currency: payload.currency,
      captured_amount: status === "capture_succeeded" ? payload.amount : 0,
      refunded_amount: 0,
      external_identifier: payload.external_identifier ?? null,
      error_code: status === "authorization_declined" ? "insufficient_funds" : null,
      payment_method: {
        scheme: scheme ?? null,
        label: label ?? null,
        approval_url: status === "buyer_approval_pending" ? `https://bank.example/approve/${id}` : null
      }
    })
  })

  const implementation = Endpoint.implement(transactions, {
    create: (payload, { idempotencyKey }) =>
      Effect.gen(function* () {
        const asked = JSON.stringify(payload)
        const mine: Keyed = { asked, response: yield* Deferred.make<Transaction, Created>() }
        const known = yield* Ref.modify(keys, (keys) => {
          const known = keys.get(idempotencyKey)
          return [known, known === undefined ? new Map(keys).set(idempotencyKey, mine) : keys]
        })
        if (known === undefined) {
          return yield* Effect.zipRight(
            Deferred.complete(mine.response, authorize(payload)),
            Deferred.await(mine.response)
          )
        }
        if (known.asked !== asked) {
          return yield* new Generic({ status: 400, code: "bad_request", message: "This key is another request's" })
        }
        if (!(yield* Deferred.isDone(known.response))) {
          return yield* new Generic({
            status: 409,
            code: "concurrent_request",
            message: "The request is still running"
          })
        }
        return yield* Deferred.await(known.response)
      }),
    get: find,
    capture: (id, { amount }) =>
      Effect.flatMap(find(id), (transaction) =>
        transaction.status === "authorization_succeeded"
          ? store({ ...transaction, status: "capture_succeeded", captured_amount: amount ?? transaction.amount })
          : Effect.fail(new Generic({ status: 400, code: "bad_request", message: "There is nothing to capture" }))
      ),
    refund: (id, { amount }) =>
      Effect.flatMap(find(id), (transaction) => {
        const left = transaction.captured_amount - transaction.refunded_amount
        const refunded = amount ?? left
        return refunded > left || left === 0
          ? Effect.fail(new Generic({ status: 400, code: "bad_request", message: "There is not as much to refund" }))
          : Effect.as(store({ ...transaction, refunded_amount: transaction.refunded_amount + refunded }), {
              id: `refund-${++ids}`,
              transaction_id: id,
              status: "succeeded",
              amount: refunded,
              currency: transaction.currency
            })
      })
  })

  return { implementation, transactions: Effect.map(Ref.get(all), (known) => [...known.values()]) }
})
