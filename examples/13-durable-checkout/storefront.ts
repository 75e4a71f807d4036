/**
 * A storefront in front of one or several checkout servers. It does what a browser and a buyer do, and retries when it gets
 * no response.
 */
import { randomBytes } from "node:crypto"
import { Data, Effect, Schedule } from "effect"

/** Unique numbers, so that a search for them finds no other data. */
export const card = { number: "4929318207461553", securityCode: "9071" }

export class NoResponse extends Data.TaggedError("NoResponse")<{ readonly message: string }> {}

export interface State {
  readonly order: string
  readonly state: "running" | "waiting" | "ready" | "expired" | "cancelled" | "unknown" | "failed"
  readonly session?: string
}

/** `servers` runs for each request, because servers come and go. */
export const makeStorefront = (servers: () => ReadonlyArray<string>) => {
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
          signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
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
        ({ status }) => status < 500 && status !== 409,
        ({ status }) => new NoResponse({ message: `status ${status}` })
      ),
      Schedule.spaced("50 millis")
    )

  const start = (order: string) => ask("POST", order, "", { amount: 4200, currency: "EUR" })
  const state = (order: string) => Effect.map(ask("GET", order), ({ text }): State => JSON.parse(text))
  const cancel = (order: string) => ask("DELETE", order)
  const giveCard = (order: string) =>
    ask("POST", order, "/card", {
      payment_method: {
        method: "card",
        number: card.number,
        expiration_date: "11/32",
        security_code: card.securityCode
      }
    })

  /** Waits for one of these states, or for the order's end. */
  const until = (order: string, ...states: ReadonlyArray<State["state"]>) =>
    Effect.repeat(state(order), {
      until: (now) => states.includes(now.state) || (now.state !== "running" && now.state !== "waiting"),
      schedule: Schedule.addDelay(Schedule.identity<State>(), () => "50 millis")
    })

  /** From the start to the end, with a card as soon as there is a session. */
  const buy = (order: string) =>
    Effect.gen(function* () {
      yield* start(order)
      const opened = yield* until(order, "waiting")
      if (opened.state === "waiting") yield* giveCard(order)
      return yield* until(order)
    })

  return { start, state, cancel, giveCard, until, buy, traceOf }
}
