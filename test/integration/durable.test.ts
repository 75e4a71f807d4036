/**
 * The durable checkout of `examples/13-durable-checkout`: its workflow by the clock of a test, the engine's traps, and
 * its server killed for real. `npm run example 13 -- --kills 40` does the last at length.
 */
import { readFileSync } from "node:fs"
import { SqlClient } from "@effect/sql"
import { LibsqlClient } from "@effect/sql-libsql"
import { assert, describe, it } from "@effect/vitest"
import { Activity, DurableDeferred, Workflow, WorkflowEngine } from "@effect/workflow"
import { CheckoutSessionId, CheckoutSessions, CheckoutSessionsMemory, Generic } from "@effect-gr4vy/core"
import { Engine } from "@effect-gr4vy/examples/13-durable-checkout/engine"
import { makeGr4vy } from "@effect-gr4vy/examples/13-durable-checkout/gr4vy"
import { killOrders, kills } from "@effect-gr4vy/examples/13-durable-checkout/kills"
import { Orders } from "@effect-gr4vy/examples/13-durable-checkout/orders"
import { freePort, libsql, searchBytes, startServer } from "@effect-gr4vy/examples/13-durable-checkout/processes"
import { card, makeStorefront } from "@effect-gr4vy/examples/13-durable-checkout/storefront"
import { CardStored, Checkout, CheckoutWorkflow } from "@effect-gr4vy/examples/13-durable-checkout/workflow"
import {
  Cause,
  type Clock,
  ConfigProvider,
  Deferred,
  Duration,
  Effect,
  Exit,
  Layer,
  Option,
  Ref,
  Schema,
  Scope,
  TestClock
} from "effect"

type Sessions = typeof CheckoutSessions.Service

const order = (orderId: string) => ({ orderId, amount: 4200, currency: "EUR" })

const run = (orderId: string) => Checkout.execute(order(orderId), { discard: true })

/** `running`, `Suspended`, or what the order ended as. */
const stateOf = (orderId: string) =>
  Checkout.executionId(order(orderId)).pipe(
    Effect.flatMap(Checkout.poll),
    Effect.map((result) => {
      if (result === undefined) return "running"
      if (result._tag === "Suspended") return "Suspended"
      return Exit.match(result.exit, {
        onSuccess: ({ _tag }) => _tag,
        onFailure: (cause) =>
          Option.match(Cause.failureOption(cause), {
            onNone: () => (Cause.isInterruptedOnly(cause) ? "cancelled" : "defect"),
            onSome: (error) => (error._tag === "RequestFailed" ? `delivered: ${error.delivered}` : error._tag)
          })
      })
    })
  )

/** Lets promises settle first, which a test clock does not move. */
const stateSoon = (orderId: string) =>
  Effect.zipRight(
    Effect.promise(() => new Promise((resolve) => setImmediate(resolve))),
    stateOf(orderId)
  )

const until = (orderId: string, state: string) => Effect.repeat(stateSoon(orderId), { until: (now) => now === state })

const sessionOf = (orderId: string) =>
  Effect.flatMap(Orders, (orders) =>
    Effect.map(orders.find(orderId), (found) => CheckoutSessionId.make(Option.getOrThrow(found).sessionId ?? ""))
  )

const signalCard = (orderId: string) =>
  Effect.gen(function* () {
    const token = yield* DurableDeferred.tokenFromPayload(CardStored, { workflow: Checkout, payload: order(orderId) })
    yield* DurableDeferred.succeed(CardStored, { token, value: undefined })
  })

const sessionsWith = (change: (sessions: Sessions) => Partial<Sessions>) =>
  Layer.effect(
    CheckoutSessions,
    Effect.map(CheckoutSessionsMemory.make(), (sessions) => ({ ...sessions, ...change(sessions) }))
  )

/** Runs `onTheWire` where the request that creates a session goes out. */
const sending =
  (onTheWire: Effect.Effect<void>) =>
  ({ add }: Sessions): Partial<Sessions> => ({
    add: (session, { beforeSend = () => Effect.void } = {}) =>
      add(session, { beforeSend: (attempt) => Effect.zipRight(beforeSend(attempt), onTheWire) })
  })

/** The workflow on the engine's double in memory. */
const inMemory = (change: (sessions: Sessions) => Partial<Sessions> = () => ({})) =>
  CheckoutWorkflow.pipe(
    Layer.provideMerge(WorkflowEngine.layerMemory),
    Layer.provideMerge(Orders.layer),
    Layer.provideMerge(LibsqlClient.layer({ url: ":memory:", intMode: "bigint" })),
    Layer.provideMerge(sessionsWith(change))
  )

describe("a durable checkout, by the clock of a test", () => {
  it.effect("is ready once the card is signalled", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      yield* run("a")
      yield* until("a", "Suspended")
      yield* sessions.updateFields(yield* sessionOf("a"))
      yield* signalCard("a")
      yield* until("a", "Ready")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("expires after an hour without a card, and not before", () =>
    Effect.gen(function* () {
      yield* run("a")
      yield* until("a", "Suspended")
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual(yield* stateOf("a"), "Suspended")
      yield* TestClock.adjust("1 minutes")
      yield* until("a", "Expired")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("finds a card whose signal was lost, by the session's new expiry", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      yield* run("a")
      yield* until("a", "Suspended")
      yield* TestClock.adjust("58 minutes")
      yield* sessions.updateFields(yield* sessionOf("a"))
      yield* TestClock.adjust("2 minutes")
      yield* until("a", "Ready")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("waits out an outage where it may ask again", () =>
    Effect.gen(function* () {
      let outage = 4
      const sessionsInOutage = ({ get }: Sessions): Partial<Sessions> => ({
        get: (id) => (outage-- > 0 ? Effect.fail(new Generic({ status: 503, message: "Busy." })) : get(id))
      })
      yield* Effect.gen(function* () {
        yield* run("a")
        yield* until("a", "Suspended")
        yield* signalCard("a")
        yield* Effect.repeat(Effect.zipRight(TestClock.adjust("1 second"), stateSoon("a")), {
          until: (state) => state === "Ready"
        })
      }).pipe(Effect.provide(inMemory(sessionsInOutage)))
    })
  )

  it.effect("deletes its session when it is cancelled", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      yield* run("a")
      yield* until("a", "Suspended")
      const id = yield* sessionOf("a")
      yield* Effect.flatMap(Checkout.executionId(order("a")), Checkout.interrupt)
      yield* until("a", "cancelled")
      assert.strictEqual((yield* Effect.flip(sessions.get(id)))._tag, "NotFound")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("creates one session, however often the order is started", () =>
    Effect.gen(function* () {
      const sent = yield* Ref.make(0)
      yield* Effect.gen(function* () {
        yield* run("a")
        yield* until("a", "Suspended")
        yield* run("a")
        yield* until("a", "Suspended")
      }).pipe(Effect.provide(inMemory(sending(Ref.update(sent, (n) => n + 1)))))
      assert.strictEqual(yield* Ref.get(sent), 1)
    })
  )

  it.effect("sends nothing a second time, and says so, where the first may have arrived", () =>
    Effect.gen(function* () {
      const sent = yield* Ref.make(0)
      const cut = Effect.zipRight(
        Ref.update(sent, (n) => n + 1),
        Effect.interrupt
      )
      // The engine runs an interrupted activity again after 100 ms.
      yield* Effect.zipRight(
        run("a"),
        Effect.repeat(Effect.zipRight(TestClock.adjust("100 millis"), stateSoon("a")), {
          until: (state) => state === "delivered: unknown"
        })
      ).pipe(Effect.provide(inMemory(sending(cut))))
      assert.strictEqual(yield* Ref.get(sent), 1)
    })
  )

  it.effect("sends nothing without a ticket", () =>
    Effect.gen(function* () {
      const sent = yield* Ref.make(0)
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`DROP TABLE checkout_tickets`
        yield* run("a")
        yield* until("a", "delivered: no")
      }).pipe(Effect.provide(inMemory(sending(Ref.update(sent, (n) => n + 1)))))
      assert.strictEqual(yield* Ref.get(sent), 0)
    })
  )
})

/** A clock that is ahead: what a process sees that starts this much later. */
const clockAhead = (duration: Duration.DurationInput) =>
  Layer.unwrapEffect(
    Effect.map(Effect.clock, (clock) => {
      const unsafeCurrentTimeMillis = () => clock.unsafeCurrentTimeMillis() + Duration.toMillis(duration)
      const ahead: Clock.Clock = Object.create(clock, {
        unsafeCurrentTimeMillis: { value: unsafeCurrentTimeMillis },
        currentTimeMillis: { value: Effect.sync(unsafeCurrentTimeMillis) }
      })
      return Layer.setClock(ahead)
    })
  )

/** A process's life with the real engine on a database, until it ends as after SIGTERM. */
const life = <A, E>(
  env: Record<string, string>,
  layer: Layer.Layer<A, E, Orders | SqlClient.SqlClient | WorkflowEngine.WorkflowEngine>,
  later: Duration.DurationInput = 0
) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const config = ConfigProvider.fromMap(
      new Map(Object.entries({ ...env, RUNNER_PORT: String(yield* freePort), SHUTDOWN_TIMEOUT: "100 millis" }))
    )
    const context = yield* layer.pipe(
      Layer.provideMerge(Orders.layer),
      Layer.provideMerge(Engine),
      Layer.provide(Layer.merge(Layer.setConfigProvider(config), clockAhead(later))),
      Layer.buildWithScope(scope)
    )
    return { context, end: Scope.close(scope, Exit.void) }
  })

describe("the engine's traps", { timeout: 60_000 }, () => {
  it.scopedLive("a shutdown compensates a workflow that it interrupts, although the workflow continues later", () =>
    Effect.gen(function* () {
      const compensated = yield* Ref.make<ReadonlyArray<{ interruptedOnly: boolean; cancelled: boolean }>>([])
      const underway = yield* Deferred.make<void>()
      const Trap = Workflow.make({ name: "Trap", payload: {}, idempotencyKey: () => "one" })
      const step = Activity.make({ name: "step", execute: Effect.void })
      const slow = Activity.make({
        name: "slow",
        execute: Effect.zipRight(Deferred.succeed(underway, undefined), Effect.never)
      })
      const trap = Trap.toLayer(() =>
        Effect.zipRight(
          Trap.withCompensation(step, (_, cause) =>
            Effect.flatMap(WorkflowEngine.WorkflowInstance, ({ interrupted }) =>
              Ref.update(compensated, (all) => [
                ...all,
                { interruptedOnly: Cause.isInterruptedOnly(cause), cancelled: interrupted }
              ])
            )
          ),
          slow
        )
      )
      const { env } = yield* libsql
      const { context, end } = yield* life(env, trap)
      yield* Effect.provide(Trap.execute(undefined, { discard: true }), context)
      yield* Deferred.await(underway)
      yield* end
      // Should the engine ever leave this out, the guard in `abandon` can go.
      assert.deepStrictEqual(yield* Ref.get(compensated), [{ interruptedOnly: true, cancelled: false }])
    })
  )

  it.scopedLive(
    "the checkout leaves its session alone when a shutdown interrupts it, and is ready after a restart",
    () =>
      Effect.gen(function* () {
        const memory = yield* CheckoutSessionsMemory.make()
        const reading = yield* Deferred.make<void>()
        const slow = { ...memory, get: () => Effect.zipRight(Deferred.succeed(reading, undefined), Effect.never) }
        const { env } = yield* libsql
        const first = yield* life(env, Layer.provide(CheckoutWorkflow, Layer.succeed(CheckoutSessions, slow)))
        const id = yield* Effect.gen(function* () {
          yield* run("a")
          yield* until("a", "Suspended")
          const id = yield* sessionOf("a")
          yield* memory.updateFields(id)
          yield* signalCard("a")
          yield* Deferred.await(reading)
          return id
        }).pipe(Effect.provide(first.context))
        yield* first.end
        assert.strictEqual((yield* memory.get(id)).id, id)

        const second = yield* life(env, Layer.provide(CheckoutWorkflow, Layer.succeed(CheckoutSessions, memory)))
        yield* Effect.provide(until("a", "Ready"), second.context)
        yield* second.end
      })
  )

  it.scopedLive("the wait for the expiry is in the database, also below a minute, and stays as it is", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessionsMemory.make({ lifetime: "40 seconds" })
      const { env } = yield* libsql
      const wakeUps = Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const rows = yield* sql<{ deliver_at: bigint }>`
          SELECT deliver_at FROM cluster_messages WHERE deliver_at IS NOT NULL`
        return rows.map(({ deliver_at }) => Number(deliver_at))
      })
      const workflow = Layer.provide(CheckoutWorkflow, Layer.succeed(CheckoutSessions, sessions))
      const first = yield* life(env, workflow)
      const { before, expiry } = yield* Effect.gen(function* () {
        yield* run("a")
        yield* until("a", "Suspended")
        const { expiresAt } = yield* sessions.get(yield* sessionOf("a"))
        return { before: yield* wakeUps, expiry: expiresAt.epochMillis }
      }).pipe(Effect.provide(first.context))
      yield* first.end
      assert.lengthOf(before, 1)
      assert.closeTo(before[0] ?? 0, expiry, 5_000)

      const second = yield* life(env, workflow)
      yield* Effect.gen(function* () {
        yield* Effect.flatMap(Checkout.executionId(order("a")), Checkout.resume)
        yield* until("a", "Suspended")
        assert.deepStrictEqual(yield* wakeUps, before)
      }).pipe(Effect.provide(second.context))
      yield* second.end
    })
  )

  it.scopedLive("an expiry while no process was up is noticed by the next one", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessionsMemory.make()
      const { env } = yield* libsql
      const workflow = Layer.provide(CheckoutWorkflow, Layer.succeed(CheckoutSessions, sessions))
      const first = yield* life(env, workflow)
      yield* Effect.provide(Effect.zipRight(run("a"), until("a", "Suspended")), first.context)
      yield* first.end

      const second = yield* life(env, workflow, "61 minutes")
      yield* Effect.provide(until("a", "Expired"), second.context)
      yield* second.end
    })
  )

  it.effect("a failure after a race is part of a parallel cause: only `Cause.failureOption` finds it", () =>
    Effect.gen(function* () {
      const Race = Workflow.make({
        name: "Race",
        payload: {},
        idempotencyKey: () => "one",
        error: Schema.String
      })
      const race = Race.toLayer(() =>
        DurableDeferred.raceAll({
          name: "race",
          success: Schema.Void,
          error: Schema.String,
          effects: [
            Activity.make({ name: "fails", error: Schema.String, execute: Effect.fail("broken") }),
            Activity.make({ name: "fails too", error: Schema.String, execute: Effect.fail("broken") })
          ]
        })
      )
      const exit = yield* Effect.exit(Race.execute()).pipe(
        Effect.provide(Layer.provideMerge(race, WorkflowEngine.layerMemory))
      )
      if (Exit.isSuccess(exit)) return assert.fail("It succeeded.")
      assert.strictEqual(exit.cause._tag, "Parallel")
      assert.strictEqual(Option.getOrNull(Cause.failureOption(exit.cause)), "broken")
    })
  )
})

describe("operating it", { timeout: 60_000 }, () => {
  it.scopedLive("the queries of docs/durable.md find an order that waits, and its steps", () =>
    Effect.gen(function* () {
      const page = readFileSync(new URL("../../docs/durable.md", import.meta.url), "utf8")
      const queries = Array.from(page.matchAll(/```sql\n([\s\S]*?)```/g), ([, query]) => query ?? "")
      const { env } = yield* libsql
      const sessions = yield* CheckoutSessionsMemory.make()
      const { context, end } = yield* life(
        env,
        Layer.provide(CheckoutWorkflow, Layer.succeed(CheckoutSessions, sessions))
      )
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* run("7")
        yield* run("8")
        yield* until("7", "Suspended")
        yield* until("8", "Suspended")
        yield* Effect.flatMap(Checkout.executionId(order("8")), Checkout.interrupt)
        yield* until("8", "cancelled")
        const [orders, steps] = yield* Effect.forEach(queries, (query) => sql.unsafe<Record<string, unknown>>(query))
        assert.deepStrictEqual(
          orders?.map(({ order_id, state }) => ({ order_id, state })),
          [{ order_id: "7", state: "waiting" }]
        )
        assert.deepStrictEqual(
          steps?.map(({ payload, tag }) => `${tag} ${JSON.parse(String(payload)).name ?? ""}`),
          ["run ", "activity create session", "activity publish session", "run expiry"]
        )
      }).pipe(Effect.provide(context))
      yield* end
    })
  )

  it.scopedLive("code that changes under an order: a renamed step runs again, a result of another shape ends it", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const Signal = DurableDeferred.make("signal")
      const Old = Workflow.make({
        name: "Changing",
        payload: { id: Schema.String },
        idempotencyKey: ({ id }) => id,
        success: Schema.String
      })
      const step = <A, I>(name: string, success: Schema.Schema<A, I>, value: A) =>
        Activity.make({
          name,
          success,
          execute: Effect.as(
            Effect.sync(() => ran.push(name)),
            value
          )
        })
      const version = <A, I>(name: string, success: Schema.Schema<A, I>, value: A) =>
        Old.toLayer(() => Effect.zipLeft(Effect.map(step(name, success, value), String), DurableDeferred.await(Signal)))
      const poll = Effect.flatMap(Old.executionId({ id: "a" }), Old.poll)

      const { env } = yield* libsql
      const first = yield* life(env, version("step", Schema.String, "one"))
      yield* Effect.gen(function* () {
        yield* Old.execute({ id: "a" }, { discard: true })
        yield* Effect.repeat(poll, { until: (result) => result?._tag === "Suspended" })
      }).pipe(Effect.provide(first.context))
      yield* first.end

      const renamed = yield* life(env, version("renamed", Schema.String, "two"))
      yield* Effect.gen(function* () {
        yield* Effect.flatMap(Old.executionId({ id: "a" }), Old.resume)
        yield* Effect.repeat(poll, { until: (result) => ran.length === 2 && result?._tag === "Suspended" })
      }).pipe(Effect.provide(renamed.context))
      yield* renamed.end
      assert.deepStrictEqual(ran, ["step", "renamed"])

      const reshaped = yield* life(env, version("step", Schema.Number, 1))
      const result = yield* Effect.gen(function* () {
        yield* Effect.flatMap(Old.executionId({ id: "a" }), Old.resume)
        return yield* Effect.repeat(poll, { until: (result) => result?._tag === "Complete" })
      }).pipe(Effect.provide(reshaped.context))
      yield* reshaped.end
      assert.isTrue(result?._tag === "Complete" && Exit.isFailure(result.exit) && Cause.isDie(result.exit.cause))
    })
  )
})

describe("the server, killed", () => {
  it.scopedLive(
    "ends every order, with at most one session, and says `unknown` only where nobody can know",
    () =>
      Effect.gen(function* () {
        const chosen = ["session created, no answer yet", "card signalled"]
        const database = yield* libsql
        const outcomes = yield* killOrders(
          database,
          kills.filter(({ at }) => chosen.includes(at))
        )
        assert.deepStrictEqual(
          outcomes.map(({ at, deletions, perhapsSent, sessions, state }) => ({
            at,
            deletions,
            perhapsSent,
            sessions,
            state
          })),
          [
            { at: "session created, no answer yet", deletions: 0, perhapsSent: true, sessions: 1, state: "unknown" },
            { at: "card signalled", deletions: 0, perhapsSent: false, sessions: 1, state: "ready" }
          ]
        )
        const { found } = yield* searchBytes(database.directory, [
          card.number,
          `"${card.securityCode}"`,
          "create session"
        ])
        // The last shows that the search finds what is there.
        assert.deepStrictEqual(
          found.map((files) => files > 0),
          [false, false, true]
        )
      }),
    60_000
  )

  it.scopedLive(
    "loses nothing to SIGTERM: a request underway gets its answer, and its order goes on after the restart",
    () =>
      Effect.gen(function* () {
        const gr4vy = yield* makeGr4vy()
        const { env: database } = yield* libsql
        const port = yield* freePort
        const env = {
          ...gr4vy.env,
          ...database,
          PORT: String(port),
          RUNNER_PORT: String(yield* freePort),
          SHUTDOWN_TIMEOUT: "1 second"
        }
        const storefront = makeStorefront(() => [`http://127.0.0.1:${port}`])
        const first = yield* startServer(env)
        gr4vy.hook.onRequest = () => first.signal("SIGTERM")
        yield* storefront.start("a")
        yield* first.gone
        gr4vy.hook.onRequest = () => {}

        yield* startServer(env)
        assert.strictEqual((yield* storefront.buy("a")).state, "ready")
        const trace = storefront.traceOf("a")
        assert.strictEqual(yield* gr4vy.count(trace, "POST"), 1)
        assert.strictEqual(yield* gr4vy.count(trace, "DELETE"), 0)
      }),
    60_000
  )
})
