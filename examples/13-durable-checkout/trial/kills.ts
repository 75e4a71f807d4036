/**
 * Kills the server at one step of each order's checkout, starts it again, and compares the order's end with the bank's book.
 */
import { cpSync } from "node:fs"
import { basename, join } from "node:path"
import { SqlClient } from "@effect/sql"
import { ConfigProvider, Console, Duration, Effect, Fiber, Layer, Option, Random } from "effect"
import { Database as DatabaseLayer } from "../engine/engine.js"
import { type Booked, makeGr4vy } from "./gr4vy.js"
import { type Database, freePort, type Server, startServer, temporaryDirectory } from "./processes.js"
import { makeStorefront, type Scenario, type State } from "./storefront.js"

/**
 * The place from which the server is killed: the server itself, at a point of `crashing.ts`; Gr4vy, before it responds; or
 * the test, when the order has reached this state.
 */
export type Kill = { readonly at: string; readonly scenario?: Scenario } & (
  | { readonly by: "itself" }
  | { readonly by: "gr4vy"; readonly method: string; readonly path: RegExp; readonly signal: NodeJS.Signals }
  | { readonly by: "user"; readonly when: State["state"] | "down until the expiry" }
  | { readonly by: "chance"; readonly times: number }
)

const session = /^\/checkout\/sessions/
const authorization = /^\/transactions$/
const capture = /\/capture$/
const release = /\/void$/

export const kills: ReadonlyArray<Kill> = [
  { by: "itself", at: "order in its table, not started" },
  { by: "itself", at: "asked for a session, no ticket yet" },
  { by: "itself", at: "ticket taken, nothing sent" },
  { by: "gr4vy", at: "session created, no answer yet", method: "POST", path: session, signal: "SIGKILL" },
  { by: "itself", at: "session created, not stored" },
  { by: "itself", at: "session stored, not published" },
  { by: "user", at: "waiting for the card", when: "waiting" },
  { by: "user", at: "waiting, and down until the expiry", when: "down until the expiry" },
  { by: "itself", at: "card at Gr4vy, not signalled" },
  { by: "gr4vy", at: "session being read", method: "GET", path: session, signal: "SIGKILL" },
  { by: "itself", at: "session read, not stored" },
  { by: "itself", at: "about to authorize" },
  { by: "gr4vy", at: "authorized, no answer yet", method: "POST", path: authorization, signal: "SIGKILL" },
  { by: "itself", at: "authorized, not stored" },
  { by: "gr4vy", at: "captured, no answer yet", method: "POST", path: capture, signal: "SIGKILL" },
  { by: "itself", at: "captured, not stored" },
  { by: "itself", at: "about to end" },
  { by: "itself", at: "ended, not stored" },
  { by: "user", at: "order ended", when: "paid" },
  { by: "itself", at: "declined, not stored", scenario: "is declined first" },
  {
    by: "gr4vy",
    at: "declined, no answer yet",
    method: "POST",
    path: authorization,
    signal: "SIGKILL",
    scenario: "is declined first"
  },
  { by: "user", at: "waiting for the approval", when: "approval", scenario: "approves" },
  { by: "itself", at: "transaction read, not stored", scenario: "approves" },
  { by: "itself", at: "cancelled, not signalled", scenario: "cancels" },
  { by: "gr4vy", at: "released, no answer yet", method: "POST", path: release, signal: "SIGKILL", scenario: "cancels" },
  { by: "itself", at: "released, not stored", scenario: "cancels" },
  { by: "gr4vy", at: "SIGTERM, session being created", method: "POST", path: session, signal: "SIGTERM" },
  { by: "gr4vy", at: "SIGTERM, being authorized", method: "POST", path: authorization, signal: "SIGTERM" },
  { by: "gr4vy", at: "SIGTERM, being captured", method: "POST", path: capture, signal: "SIGTERM" },
  { by: "chance", at: "at random", times: 1 },
  { by: "chance", at: "at random, twice", times: 2 },
  { by: "chance", at: "at random, declined first", times: 2, scenario: "is declined first" },
  { by: "chance", at: "at random, cancelled", times: 2, scenario: "cancels" }
]

export interface Outcome {
  readonly at: string
  readonly scenario: Scenario
  readonly state: State["state"] | "none"
  /** A process ended between the ticket and the stored result: the session may or may not exist. */
  readonly perhapsSent: boolean
  readonly sessions: number
  /** The order's money, at the bank. */
  readonly booked: Booked
  /** The time from the last server's start to the order's end. */
  readonly seconds: number
}

/** Compares an order's end with the bank's book. */
export const contradictions = (state: Outcome["state"], { captured, captures, open, refunded }: Booked) =>
  [
    captures > 1 ? `was captured ${captures} times` : [],
    state === "paid" && (captures !== 1 || refunded > 0) ? "is paid, and the bank has no money for it" : [],
    state !== "paid" && state !== "none" && captured !== refunded ? `is ${state}, and the bank took money for it` : [],
    open > 0 ? `is ${state}, and the bank still reserves money for it` : []
  ].flat()

/** Describes the problems with an outcome. */
export const wrong = ({ at, booked, perhapsSent, scenario, sessions, state }: Outcome): ReadonlyArray<string> => {
  const expected: ReadonlyArray<Outcome["state"]> = perhapsSent
    ? ["unknown"]
    : at === "waiting, and down until the expiry"
      ? ["expired"]
      : scenario === "cancels"
        ? ["cancelled"]
        : ["paid"]
  return [
    expected.includes(state) ? [] : `ended as ${state}, not as ${expected}`,
    sessions > 1 ? `has ${sessions} sessions` : [],
    contradictions(state, booked)
  ]
    .flat()
    .map((what) => `An order, killed when "${at}", ${what}.`)
}

/** Runs one order after the other on one database, each with its own kill. */
export const killOrders = (database: Database, kinds: ReadonlyArray<Kill>) =>
  Effect.gen(function* () {
    // A new server with the old address gets its shards back at once.
    const ports = { PORT: String(yield* freePort), RUNNER_PORT: String(yield* freePort) }
    return yield* Effect.forEach(kinds, (kind, index) =>
      Effect.scoped(killOne({ ...database, env: { ...database.env, ...ports } }, kind, `order-${index}`)).pipe(
        Effect.tap(({ seconds, state }) =>
          Console.log(`${kind.at.padEnd(34)} ${state.padEnd(10)} ${seconds.toFixed(1)} s after the server was up`)
        )
      )
    )
  })

const killOne = (database: Database, kind: Kill, order: string) =>
  Effect.gen(function* () {
    const expires = kind.by === "user" && kind.when === "down until the expiry"
    const scenario = kind.scenario ?? "pays"
    const gr4vy = yield* makeGr4vy(expires ? { sessionLifetime: "8 seconds" } : {})
    const env = { ...gr4vy.env, ...database.env }
    const storefront = makeStorefront(() => [`http://127.0.0.1:${database.env["PORT"]}`], gr4vy.approve)
    const trace = storefront.traceOf(order)

    const waitForDeath = (server: Server) =>
      Effect.gen(function* () {
        if (kind.by === "itself") return yield* server.gone
        if (kind.by === "gr4vy") {
          gr4vy.hook.onRequest = ({ method, path }) => {
            if (method === kind.method && kind.path.test(path)) server.signal(kind.signal)
          }
          return yield* Effect.ensuring(
            server.gone,
            Effect.sync(() => {
              gr4vy.hook.onRequest = () => {}
            })
          )
        }
        if (kind.by === "chance") yield* Effect.sleep(Duration.millis(yield* Random.nextIntBetween(0, 2000)))
        else yield* storefront.until(order, kind.when === "down until the expiry" ? "waiting" : kind.when)
        yield* server.kill("SIGKILL")
        if (expires) yield* Effect.sleep("8 seconds")
      })

    const first = yield* kind.by === "itself"
      ? startServer({ ...env, CRASH_AT: kind.at }, "trial/crashing.js")
      : startServer(env)
    const buyer = yield* Effect.fork(
      expires ? Effect.asVoid(storefront.start(order)) : Effect.asVoid(storefront.buy(order, scenario))
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
      Effect.timeoutOption("90 seconds")
    )
    const seconds = (performance.now() - up) / 1000
    yield* last.kill("SIGKILL")
    const outcome: Outcome = {
      at: kind.at,
      scenario,
      state: Option.match(end, { onNone: () => "none", onSome: ({ state }) => state }),
      perhapsSent,
      sessions: yield* gr4vy.count(trace, "POST"),
      booked: yield* gr4vy.booked(order),
      seconds
    }
    return outcome
  })

/** Returns whether an order has a ticket without a result for its request. */
const ticketWithoutResult = (database: Database) =>
  Effect.gen(function* () {
    const env = yield* snapshot(database)
    const config = Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env))))
    return yield* Effect.provide(
      Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT 1 FROM checkout_tickets WHERE result IS NULL`),
      Layer.provide(DatabaseLayer, config)
    )
  }).pipe(
    Effect.map(({ length }) => length > 0),
    Effect.scoped
  )

/** Copies a SQLite file and its log, so that the count changes neither. */
const snapshot = ({ directory, env }: Database) =>
  Effect.map(temporaryDirectory(), (copy) => {
    const { DATABASE_FILE: file } = env
    if (file === undefined) return env
    cpSync(directory, copy, { recursive: true })
    return { DATABASE_FILE: join(copy, basename(file)) }
  })
