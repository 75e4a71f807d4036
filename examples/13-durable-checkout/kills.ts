/**
 * Kills the server at one step of each order's checkout, starts it again, and reports the order's outcome.
 */
import { cpSync } from "node:fs"
import { basename, join } from "node:path"
import { SqlClient } from "@effect/sql"
import { ConfigProvider, Console, Duration, Effect, Fiber, Layer, Option, Random } from "effect"
import { Database as DatabaseLayer } from "./engine.js"
import { makeGr4vy } from "./gr4vy.js"
import { type Database, freePort, type Server, startServer, temporaryDirectory } from "./processes.js"
import { makeStorefront, type State } from "./storefront.js"

/**
 * The place from which the server is killed: the server itself, at a point of `crashing.ts`; Gr4vy, before it responds; or
 * the test, when the order has reached this state.
 */
type Kill = { readonly at: string } & (
  | { readonly by: "itself" }
  | { readonly by: "gr4vy"; readonly method: string; readonly signal: NodeJS.Signals }
  | { readonly by: "user"; readonly when: "waiting" | "expired" | "card given" | "ended" }
  | { readonly by: "chance"; readonly times: number }
)

export const kills: ReadonlyArray<Kill> = [
  { by: "itself", at: "started, not answered" },
  { by: "itself", at: "asked for a session, no ticket yet" },
  { by: "itself", at: "ticket taken, nothing sent" },
  { by: "gr4vy", at: "session created, no answer yet", method: "POST", signal: "SIGKILL" },
  { by: "itself", at: "session created, not stored" },
  { by: "itself", at: "session stored, not published" },
  { by: "user", at: "waiting for the card", when: "waiting" },
  { by: "user", at: "waiting, and down until the expiry", when: "expired" },
  { by: "itself", at: "card at Gr4vy, not signalled" },
  { by: "user", at: "card signalled", when: "card given" },
  { by: "gr4vy", at: "session being read", method: "GET", signal: "SIGKILL" },
  { by: "itself", at: "session read, not stored" },
  { by: "user", at: "order ended", when: "ended" },
  { by: "gr4vy", at: "SIGTERM, session being created", method: "POST", signal: "SIGTERM" },
  { by: "gr4vy", at: "SIGTERM, session being read", method: "GET", signal: "SIGTERM" },
  { by: "chance", at: "at random", times: 1 },
  { by: "chance", at: "at random, twice", times: 2 }
]

export interface Outcome {
  readonly at: string
  readonly state: State["state"] | "none"
  /** A process ended between the ticket and the stored result: the session may or may not exist. */
  readonly perhapsSent: boolean
  readonly sessions: number
  /** No order is cancelled here, so every deletion is a mistake: the buyer lost a live session. */
  readonly deletions: number
  /** The time from the last server's start to the order's end. */
  readonly seconds: number
}

/** Describes the problem with an outcome, if there is one. */
export const wrong = ({ at, deletions, perhapsSent, sessions, state }: Outcome): ReadonlyArray<string> => {
  const expected = perhapsSent ? "unknown" : at === "waiting, and down until the expiry" ? "expired" : "ready"
  return [
    state === expected ? [] : `ended as ${state}, not as ${expected}`,
    sessions > 1 ? `has ${sessions} sessions` : [],
    deletions > 0 ? "lost its session" : []
  ]
    .flat()
    .map((what) => `An order, killed when "${at}", ${what}.`)
}

/** Runs one order after the other on one database, each with its own kill. */
export const killOrders = (database: Database, kinds: ReadonlyArray<Kill>) =>
  Effect.gen(function* () {
    // A new server with the old address gets its shards back at once; on SQLite, one with another address after 15 seconds.
    const ports = { PORT: String(yield* freePort), RUNNER_PORT: String(yield* freePort) }
    return yield* Effect.forEach(kinds, (kind, index) =>
      Effect.scoped(killOne({ ...database, env: { ...database.env, ...ports } }, kind, `order-${index}`)).pipe(
        Effect.tap(({ seconds, state }) =>
          Console.log(`${kind.at.padEnd(34)} ${state.padEnd(8)} ${seconds.toFixed(1)} s after the server was up`)
        )
      )
    )
  })

const killOne = (database: Database, kind: Kill, order: string) =>
  Effect.gen(function* () {
    const expires = kind.by === "user" && kind.when === "expired"
    const gr4vy = yield* makeGr4vy(expires ? { sessionLifetime: "8 seconds" } : {})
    const env = { ...gr4vy.env, ...database.env, SHUTDOWN_TIMEOUT: "2 seconds" }
    const storefront = makeStorefront(() => [`http://127.0.0.1:${database.env["PORT"]}`])
    const trace = storefront.traceOf(order)

    const waitForDeath = (server: Server) =>
      Effect.gen(function* () {
        if (kind.by === "itself") return yield* server.gone
        if (kind.by === "gr4vy") {
          gr4vy.hook.onRequest = ({ method }) => {
            if (method === kind.method) server.signal(kind.signal)
          }
          return yield* Effect.ensuring(
            server.gone,
            Effect.sync(() => {
              gr4vy.hook.onRequest = () => {}
            })
          )
        }
        if (kind.by === "chance") yield* Effect.sleep(Duration.millis(yield* Random.nextIntBetween(0, 1000)))
        else if (kind.when === "ended") yield* storefront.until(order)
        else yield* storefront.until(order, "waiting")
        if (kind.by === "user" && kind.when === "card given") yield* storefront.giveCard(order)
        yield* server.kill("SIGKILL")
        if (expires) yield* Effect.sleep("8 seconds")
      })

    const first = yield* kind.by === "itself"
      ? startServer({ ...env, CRASH_AT: kind.at }, "crashing.js")
      : startServer(env)
    const buyer = yield* Effect.fork(
      expires ? Effect.asVoid(storefront.start(order)) : Effect.asVoid(storefront.buy(order))
    )
    yield* waitForDeath(first)
    let perhapsSent = yield* ticketWithoutResult(database)
    if (kind.by === "chance" && kind.times === 2) {
      yield* Effect.flatMap(startServer(env), waitForDeath)
      perhapsSent = perhapsSent || (yield* ticketWithoutResult(database))
    }

    const last = yield* startServer(env)
    const up = performance.now()
    const end = yield* Fiber.join(buyer).pipe(
      Effect.zipRight(storefront.until(order)),
      Effect.timeoutOption("60 seconds")
    )
    const seconds = (performance.now() - up) / 1000
    yield* last.kill("SIGKILL")
    const outcome: Outcome = {
      at: kind.at,
      state: Option.match(end, { onNone: () => "none", onSome: ({ state }) => state }),
      perhapsSent,
      sessions: yield* gr4vy.count(trace, "POST"),
      deletions: yield* gr4vy.count(trace, "DELETE"),
      seconds
    }
    return outcome
  })

/** Returns whether an order has a ticket without a result for its request. */
const ticketWithoutResult = (database: Database) =>
  Effect.gen(function* () {
    const env = yield* snapshot(database)
    const config = Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env))))
    return yield* Effect.provide(countTickets, Layer.provide(DatabaseLayer, config))
  }).pipe(Effect.scoped)

/** Copies a SQLite file and its log: two processes would lock each other out while one of them recovers the log. */
const snapshot = ({ directory, env }: Database) =>
  Effect.map(temporaryDirectory(), (copy) => {
    const { DATABASE_FILE: file } = env
    if (file === undefined) return env
    cpSync(directory, copy, { recursive: true })
    return { DATABASE_FILE: join(copy, basename(file)) }
  })

const countTickets = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ tickets: unknown; results: unknown }>`
    SELECT (SELECT COUNT(*) FROM checkout_tickets) AS tickets,
           (SELECT COUNT(*) FROM cluster_messages m JOIN cluster_replies r ON r.request_id = m.id
            WHERE m.tag = 'activity' AND m.payload LIKE '%"create session"%') AS results`
  return Number(row?.tickets) > Number(row?.results)
})
