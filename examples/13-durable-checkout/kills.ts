/**
 * Kills the server at a step of each order's checkout, starts it again, and tells what became of the order.
 */
import { SqlClient } from "@effect/sql"
import { ConfigProvider, Duration, Effect, Fiber, Layer, Option, Random } from "effect"
import { Database as DatabaseLayer } from "./engine.js"
import { makeGr4vy } from "./gr4vy.js"
import { type Database, freePort, type Server, startServer } from "./processes.js"
import { makeStorefront, type State } from "./storefront.js"

/** Who kills the server: the server itself, at a point that `crashing.ts` knows; Gr4vy, before it answers; or its user. */
type Kill =
  | { readonly by: "itself"; readonly at: string; readonly perhapsSent?: boolean }
  | { readonly by: "gr4vy"; readonly at: string; readonly method: string; readonly perhapsSent?: boolean }
  | { readonly by: "us"; readonly at: string; readonly when: "waiting" | "card given" | "ended" }
  | { readonly by: "chance"; readonly at: string; readonly times: number }

/** `perhapsSent`: nobody can know whether there is a session. Such an order must end as `unknown`, and no other may. */
export const kills: ReadonlyArray<Kill> = [
  { by: "itself", at: "order noted, not started" },
  { by: "itself", at: "ticket taken, nothing sent", perhapsSent: true },
  { by: "gr4vy", at: "session created, no answer yet", method: "POST", perhapsSent: true },
  { by: "itself", at: "session created, not stored", perhapsSent: true },
  { by: "itself", at: "session stored, not published" },
  { by: "us", at: "waiting for the card", when: "waiting" },
  { by: "itself", at: "card at Gr4vy, not signalled" },
  { by: "us", at: "card signalled", when: "card given" },
  { by: "gr4vy", at: "session being read", method: "GET" },
  { by: "itself", at: "session read, not stored" },
  { by: "us", at: "order ended", when: "ended" },
  { by: "chance", at: "at random", times: 1 },
  { by: "chance", at: "at random, twice", times: 2 }
]

export interface Outcome {
  readonly at: string
  readonly state: State["state"] | "none"
  readonly perhapsSent: boolean
  readonly sessions: number
  readonly deletions: number
  /** From the start of the last process to the order's end, in seconds. */
  readonly seconds: number
}

/** One order after the other on one database, each with its kill. */
export const killOrders = (database: Database, kinds: ReadonlyArray<Kill>) =>
  Effect.gen(function* () {
    const gr4vy = yield* makeGr4vy()
    const port = yield* freePort
    const env = { ...gr4vy.env, ...database.env, PORT: String(port), RUNNER_PORT: String(yield* freePort) }
    const storefront = makeStorefront(() => [`http://127.0.0.1:${port}`])

    const killOne = (kind: Kill, index: number) =>
      Effect.gen(function* () {
        const order = `order-${index}`
        const first = yield* kind.by === "itself"
          ? startServer({ ...env, CRASH_AT: kind.at }, "crashing.js")
          : startServer(env)
        const buyer = yield* Effect.fork(storefront.buy(order))
        yield* waitAndKill(kind, order, first)
        let perhapsSent = yield* ticketWithoutResult(database)
        if (kind.by === "chance" && kind.times === 2) {
          const second = yield* startServer(env)
          yield* waitAndKill(kind, order, second)
          perhapsSent = perhapsSent || (yield* ticketWithoutResult(database))
        }
        const from = performance.now()
        const last = yield* startServer(env)
        const end = yield* Fiber.join(buyer).pipe(Effect.zipRight(storefront.until(order)), Effect.timeoutOption("40 seconds"))
        const seconds = (performance.now() - from) / 1000
        yield* last.kill("SIGKILL")
        const trace = storefront.traceOf(order)
        const outcome: Outcome = {
          at: kind.at,
          state: Option.match(end, { onNone: () => "none", onSome: ({ state }) => state }),
          perhapsSent,
          sessions: yield* gr4vy.count(trace, "POST"),
          deletions: yield* gr4vy.count(trace, "DELETE"),
          seconds
        }
        return outcome
      }).pipe(Effect.scoped)

    const waitAndKill = (kind: Kill, order: string, server: Server) =>
      Effect.gen(function* () {
        if (kind.by === "itself") return yield* server.gone
        if (kind.by === "gr4vy") {
          const trace = storefront.traceOf(order)
          gr4vy.hook.onRequest = ({ headers, method }) => {
            if (method === kind.method && headers["traceparent"]?.includes(trace) === true) server.signal("SIGKILL")
          }
          return yield* Effect.ensuring(server.gone, Effect.sync(() => (gr4vy.hook.onRequest = () => {})))
        }
        if (kind.by === "chance") yield* Effect.sleep(Duration.millis(yield* Random.nextIntBetween(0, 1000)))
        else if (kind.when === "waiting") yield* storefront.until(order, "waiting")
        else if (kind.when === "card given") {
          yield* storefront.until(order, "waiting")
          yield* storefront.giveCard(order)
        } else yield* storefront.until(order)
        yield* server.kill("SIGKILL")
      })

    return yield* Effect.forEach(kinds, killOne)
  }).pipe(Effect.scoped)

/** Whether some order has a ticket, and no result of the request the ticket was for. */
const ticketWithoutResult = (database: Database) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ tickets: unknown; results: unknown }>`
      SELECT (SELECT COUNT(*) FROM checkout_tickets) AS tickets,
             (SELECT COUNT(*) FROM cluster_messages m JOIN cluster_replies r ON r.request_id = m.id
              WHERE m.tag = 'activity' AND m.payload LIKE '%"create session"%') AS results`
    return Number(row?.tickets) > Number(row?.results)
  }).pipe(
    Effect.provide(
      DatabaseLayer.pipe(Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(database.env))))))
    )
  )
