/**
 * A storefront in front of one or several checkout servers. It does what a browser and a buyer do, and retries when it gets
 * no response.
 */
import { randomBytes } from "node:crypto"
import { Data, Effect, Schedule } from "effect"
import { finalStates, type State as OrderState } from "../engine/orders.js"

/** Unique numbers, so that a search for them finds no other data. */
export const card = { number: "4929318207461553", securityCode: "9071" }

export class NoResponse extends Data.TaggedError("NoResponse")<{ readonly message: string }> {}

export interface State {
  readonly order: string
  readonly state: OrderState
  readonly attempt: number
  readonly session?: string
  readonly approvalUrl?: string
  readonly message?: string
}

/** What the buyer does besides giving a card. */
export type Scenario = "pays" | "is declined first" | "approves" | "cancels"

export const isOver = ({ state }: State) => finalStates.some((final) => final === state)

/** `servers` runs for each request, because servers come and go. */
export const makeStorefront = (
  servers: () => ReadonlyArray<string>,
  approve: (order: string) => Effect.Effect<unknown> = () => Effect.void
) => {
  let next = 0
  const traces = new Map<string, string>()

  /** The order's trace id. The trace begins in this storefront. */
  const traceOf = (order: string) => {
    const known = traces.get(order)
    if (known !== undefined) return known
    const made = randomBytes(16).toString("hex")
    traces.set(order, made)
    return made
  }

  const send = (method: string, order: string, path = "", body?: unknown) =>
    Effect.tryPromise({
      try: async (signal) => {
        const all = servers()
        const response = await fetch(`${all[next++ % all.length]}/orders/${order}${path}`, {
          method,
          signal: AbortSignal.any([signal, AbortSignal.timeout(8_000)]),
          headers: {
            "content-type": "application/json",
            traceparent: `00-${traceOf(order)}-${randomBytes(8).toString("hex")}-01`
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
        return { status: response.status, text: await response.text() }
      },
      catch: (error) => new NoResponse({ message: String(error) })
    })

  /** Retries until there is a response: every request to the checkout server may be sent twice. */
  const ask = (...args: Parameters<typeof send>) =>
    Effect.retry(
      Effect.filterOrFail(
        send(...args),
        ({ status }) => status < 500,
        ({ status }) => new NoResponse({ message: `status ${status}` })
      ),
      Schedule.spaced("50 millis")
    )

  const start = (order: string, amount = 4200) => ask("POST", order, "", { amount, currency: "EUR" })
  const state = (order: string) => Effect.map(ask("GET", order), ({ text }): State => JSON.parse(text))
  const cancel = (order: string) => ask("DELETE", order)
  const giveCard = (order: string, attempt = 1, number = card.number) =>
    ask("POST", order, `/card?try=${attempt}`, {
      payment_method: { method: "card", number, expiration_date: "11/32", security_code: card.securityCode }
    })

  /** Waits for one of these states, or for the order's end. */
  const until = (order: string, ...states: ReadonlyArray<State["state"]>) =>
    Effect.repeat(state(order), {
      until: (now) => states.includes(now.state) || isOver(now),
      schedule: Schedule.addDelay(Schedule.identity<State>(), () => "50 millis")
    })

  /** From the start to the end. */
  const buy = (order: string, scenario: Scenario = "pays") =>
    Effect.gen(function* () {
      yield* start(order)
      let given = 0
      let cancelled = false
      for (;;) {
        const now = yield* state(order)
        if (isOver(now)) return now
        if (now.state === "waiting" && given < now.attempt) {
          const first = now.attempt === 1
          const number =
            first && scenario === "is declined first"
              ? "4000000000009995"
              : first && scenario !== "pays"
                ? "4000000000003220"
                : card.number
          const { status } = yield* giveCard(order, now.attempt, number)
          if (status < 300) given = now.attempt
        }
        if (now.state === "approval") {
          if (scenario === "cancels" && !cancelled) {
            yield* cancel(order)
            cancelled = true
          }
          yield* approve(order)
        }
        yield* Effect.sleep("50 millis")
      }
    })

  return { start, state, cancel, giveCard, until, buy, send, traceOf }
}
