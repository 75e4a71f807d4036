/**
 * Many orders on several runners that share one Postgres; one runner is killed when a third of the orders have ended.
 */
import { Deferred, Effect, Option } from "effect"
import { makeGr4vy } from "./gr4vy.js"
import { contradictions } from "./kills.js"
import { type Database, freePort, startServer } from "./processes.js"
import { makeStorefront, type State } from "./storefront.js"

export interface Rebalanced {
  readonly runners: number
  readonly orders: number
  readonly states: ReadonlyArray<State["state"] | "none">
  /** The most sessions that one order has. */
  readonly sessions: number
  /** The orders whose end is not what the bank says. */
  readonly contradictions: ReadonlyArray<string>
  /** Before the kill. */
  readonly ordersPerSecond: number
  /** From the kill to the last order's end. */
  readonly secondsToLast: number
}

export const rebalance = (database: Database, runners: number, orders: number) =>
  Effect.gen(function* () {
    const gr4vy = yield* makeGr4vy()
    const alive: Array<string> = []
    const storefront = makeStorefront(() => alive, gr4vy.approve)

    const environments = yield* Effect.replicateEffect(
      Effect.zipWith(freePort, freePort, (port, runnerPort) => ({
        ...gr4vy.env,
        ...database.env,
        PORT: String(port),
        RUNNER_PORT: String(runnerPort)
      })),
      runners
    )
    const servers = yield* Effect.forEach(environments, (env) => startServer(env))
    alive.push(...servers.map(({ baseUrl }) => baseUrl))
    // The shards are distributed by then.
    yield* Effect.sleep("5 seconds")

    const third = yield* Deferred.make<void>()
    const began = performance.now()
    let ended = 0
    const buyAll = Effect.forEach(
      Array.from({ length: orders }, (_, index) => `runners-${runners}-order-${index}`),
      (order) =>
        storefront.buy(order).pipe(
          Effect.timeoutOption("120 seconds"),
          Effect.map((end) => ({
            order,
            state: Option.match(end, { onNone: () => "none" as const, onSome: (_) => _.state })
          })),
          Effect.tap(() => Effect.when(Deferred.succeed(third, undefined), () => ++ended >= orders / 3))
        ),
      { concurrency: 16 }
    )
    const killOne = Effect.gen(function* () {
      yield* Deferred.await(third)
      const at = performance.now()
      const rate = ended / ((at - began) / 1000)
      const [victim] = servers
      const [env] = environments
      if (victim === undefined || env === undefined) return { at, rate }
      if (runners > 1) alive.splice(alive.indexOf(victim.baseUrl), 1)
      yield* victim.kill("SIGKILL")
      // With a single runner, no other one can take over.
      if (runners === 1) yield* startServer(env)
      return { at, rate }
    })
    const [ends, { at, rate }] = yield* Effect.all([buyAll, killOne], { concurrency: "unbounded" })
    const secondsToLast = (performance.now() - at) / 1000

    const result: Rebalanced = {
      runners,
      orders,
      states: ends.map(({ state }) => state),
      sessions: Math.max(
        ...(yield* Effect.forEach(ends, ({ order }) => gr4vy.count(storefront.traceOf(order), "POST")))
      ),
      contradictions: (yield* Effect.forEach(ends, ({ order, state }) =>
        Effect.map(gr4vy.booked(order), (booked) => contradictions(state, booked).map((what) => `${order} ${what}`))
      )).flat(),
      ordersPerSecond: rate,
      secondsToLast
    }
    return result
  }).pipe(Effect.scoped)
