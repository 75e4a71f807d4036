/**
 * The sandbox in place of Gr4vy, with a bank. It outlives the killed processes and records their requests.
 */
import { Endpoint, Generic, NotFound } from "@effect-gr4vy/core"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Deferred, type Duration, Effect, Layer } from "effect"
import { makeAcquirer } from "../../12-take-a-payment/acquirer.js"
import { more } from "../engine/payments.js"

type Acquirer = Effect.Effect.Success<typeof makeAcquirer>
type Bank = Omit<Acquirer, "implementation">

/** The operations of `engine/payments.ts` that the acquirer of example 12 does not have. */
const alsoServed = (bank: Bank) =>
  Endpoint.implement(more, {
    list: ({ external_identifier }) =>
      Effect.map(bank.transactions, (all) => ({
        items: all.filter((transaction) => transaction.external_identifier === external_identifier)
      })),
    void: (id) =>
      Effect.gen(function* () {
        const found = (yield* bank.transactions).find((transaction) => transaction.id === id)
        if (found === undefined) return yield* new NotFound({ code: "not_found", message: "No such transaction" })
        if (found.status === "authorization_voided") return found
        if (found.status !== "authorization_succeeded") {
          return yield* new Generic({ status: 400, code: "bad_request", message: "There is nothing to release" })
        }
        return yield* bank.change(id, { status: "authorization_voided" })
      })
  })

/** The money of one order, as the bank has it. */
export interface Booked {
  readonly captures: number
  readonly captured: number
  readonly refunded: number
  /** Transactions that reserve money, or may still do so. */
  readonly open: number
}

export const makeGr4vy = (options: { readonly sessionLifetime?: Duration.DurationInput } = {}) =>
  Effect.gen(function* () {
    const hook = { onRequest: (_: Sandbox.Seen): void => {} }
    const built = yield* Deferred.make<Bank>()
    const context = yield* Layer.build(
      Sandbox.layer({
        ...options,
        latency: "50 millis",
        endpoints: [
          Effect.flatMap(makeAcquirer, ({ implementation, ...bank }) =>
            Effect.as(Deferred.succeed(built, bank), implementation)
          ),
          Effect.map(Deferred.await(built), alsoServed)
        ],
        // Runs before the response is sent: a process that is killed here never gets it.
        onRequest: (seen) => Effect.sync(() => hook.onRequest(seen))
      })
    )
    const { baseUrl, seen } = yield* Effect.provide(Sandbox.Sandbox, context)
    const bank = yield* Deferred.await(built)

    /** The executed requests of a trace, oldest first. */
    const requests = (traceId: string) =>
      Effect.map(seen, (all) =>
        all.filter(({ headers, status = 0 }) => headers["traceparent"]?.includes(traceId) === true && status < 300)
      )
    /** The number of executed requests of a trace. One `POST /checkout/sessions` is one session. */
    const count = (traceId: string, method: string, path = "/checkout/sessions") =>
      Effect.map(
        requests(traceId),
        (all) => all.filter((request) => request.method === method && request.path.startsWith(path)).length
      )

    const transactionsOf = (order: string) =>
      Effect.map(bank.transactions, (all) =>
        all.filter(({ external_identifier }) => external_identifier?.startsWith(`${order}/`) === true)
      )

    const booked = (order: string) =>
      Effect.gen(function* () {
        const transactions = yield* transactionsOf(order)
        const ids = new Set(transactions.map(({ id }) => id))
        const bookings = (yield* bank.booked).filter(({ transaction }) => ids.has(transaction))
        const sum = (kind: string) =>
          bookings.filter((booking) => booking.kind === kind).reduce((total, { amount }) => total + amount, 0)
        const result: Booked = {
          captures: bookings.filter(({ kind }) => kind === "capture").length,
          captured: sum("capture"),
          refunded: sum("refund"),
          open: transactions.filter(({ status }) =>
            ["authorization_succeeded", "buyer_approval_pending", "processing"].includes(status)
          ).length
        }
        return result
      })

    /** The buyer approves the payments that wait for it. */
    const approve = (order: string) =>
      Effect.gen(function* () {
        for (const { amount, id, status } of yield* transactionsOf(order)) {
          if (status !== "buyer_approval_pending") continue
          yield* Effect.ignore(bank.change(id, { status: "authorization_succeeded", authorized_amount: amount }))
        }
      })

    return {
      hook,
      requests,
      count,
      booked,
      approve,
      bank,
      transactionsOf,
      env: { GR4VY_BASE_URL: baseUrl, GR4VY_TOKEN: "sandbox-token" }
    }
  })
