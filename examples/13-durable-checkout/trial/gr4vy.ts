/**
 * The sandbox in place of Gr4vy, with a bank. It outlives the killed processes and records their requests.
 */
import { Sandbox } from "@effect-gr4vy/sandbox"
import { type Duration, Effect, Layer } from "effect"

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
    const context = yield* Layer.build(
      Sandbox.layer({
        ...options,
        latency: "50 millis",
        // Runs before the response is sent: a process that is killed here never gets it.
        onRequest: (seen) => Effect.sync(() => hook.onRequest(seen))
      })
    )
    const { bank, baseUrl, seen } = yield* Effect.provide(Sandbox.Sandbox, context)

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
        all
          .map(({ external_identifier, id, status }) => ({
            id: String(id),
            status: String(status),
            identifier: String(external_identifier)
          }))
          .filter(({ identifier }) => identifier.startsWith(`${order}/`))
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
        for (const { id, status } of yield* transactionsOf(order)) {
          if (status !== "buyer_approval_pending") continue
          yield* Effect.promise(() => fetch(`${baseUrl}/approve/${id}?approved=true`, { method: "POST" }))
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
