/**
 * The durable checkout of `examples/13-durable-checkout`: its workflow by the clock of a test, its requests that are sent at
 * most once, its life over several processes, and its server killed for real. `npm run example 13 -- --kills 66` does the
 * last at length.
 */
import { readFileSync } from "node:fs"
import { SqlClient } from "@effect/sql"
import { assert, describe, it } from "@effect/vitest"
import { Activity, DurableDeferred, Workflow, WorkflowEngine } from "@effect/workflow"
import { CheckoutSessionId, CheckoutSessions, CheckoutSessionsMemory } from "@effect-gr4vy/core"
import { AtMostOnce } from "@effect-gr4vy/examples/13-durable-checkout/engine/atMostOnce"
import { Checkouts } from "@effect-gr4vy/examples/13-durable-checkout/engine/checkouts"
import { checkoutsOver, Engine } from "@effect-gr4vy/examples/13-durable-checkout/engine/engine"
import { Orders } from "@effect-gr4vy/examples/13-durable-checkout/engine/orders"
import { type Charge, Payments } from "@effect-gr4vy/examples/13-durable-checkout/engine/payments"
import * as Sqlite from "@effect-gr4vy/examples/13-durable-checkout/engine/sqlite"
import { Checkout, CheckoutWorkflow } from "@effect-gr4vy/examples/13-durable-checkout/engine/workflow"
import { killOrders, kills, wrong } from "@effect-gr4vy/examples/13-durable-checkout/trial/kills"
import { freePort, searchBytes, sqlite } from "@effect-gr4vy/examples/13-durable-checkout/trial/processes"
import { card } from "@effect-gr4vy/examples/13-durable-checkout/trial/storefront"
import {
  type Clock,
  ConfigProvider,
  Duration,
  Effect,
  Exit,
  Layer,
  Redacted,
  Ref,
  Schema,
  Scope,
  TestClock
} from "effect"

type Sessions = typeof CheckoutSessions.Service

const order = (orderId: string) => ({ orderId, amount: 4200, currency: "EUR" })

const run = (orderId: string) => Effect.flatMap(Checkouts, (checkouts) => checkouts.start(order(orderId)))

const find = (orderId: string) => Effect.flatMap(Orders, (orders) => Effect.flatten(orders.find(orderId)))

/** Lets promises settle first, which a test clock does not move. */
const settled = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

const until = (orderId: string, state: string) =>
  Effect.repeat(Effect.zipRight(settled, find(orderId)), { until: (now) => now.state === state })

/** Lets time pass until the order is in this state. */
const untilLater = (orderId: string, state: string, step: Duration.DurationInput = "1 second") =>
  Effect.repeat(Effect.zipRight(TestClock.adjust(step), Effect.zipRight(settled, find(orderId))), {
    until: (now) => now.state === state
  })

const sessionOf = (orderId: string) =>
  Effect.map(find(orderId), ({ sessionId }) => CheckoutSessionId.make(sessionId ?? ""))

/** The buyer's card arrives at Gr4vy. The shop may say so, or its process may end before. */
const cardArrives = (orderId: string, { attempt = 1, said = true } = {}) =>
  Effect.gen(function* () {
    const [sessions, checkouts] = [yield* CheckoutSessions, yield* Checkouts]
    yield* sessions.updateFields(yield* sessionOf(orderId), {
      paymentMethod: {
        method: "card",
        number: Redacted.make(card.number),
        expirationDate: "11/32",
        securityCode: Redacted.make(card.securityCode)
      }
    })
    if (said) yield* checkouts.cardStored(yield* find(orderId), attempt)
  })

const sessionsWith = (change: (sessions: Sessions) => Partial<Sessions>) =>
  Layer.effect(
    CheckoutSessions,
    Effect.map(CheckoutSessionsMemory.make(), (sessions) => ({ ...sessions, ...change(sessions) }))
  )

/** Payments that answer with these charges, one after the other; the last one again. Notes what was asked. */
const answering = (script: Partial<Record<keyof typeof Payments.Service, ReadonlyArray<Charge["is"]>>>) => {
  const asked: Array<string> = []
  const answer = (operation: keyof typeof Payments.Service, of: string) =>
    Effect.sync((): Charge => {
      const before = asked.filter((each) => each.startsWith(operation)).length
      asked.push(`${operation} ${of}`)
      const answers = script[operation] ?? []
      return { id: "t", is: answers[Math.min(before, answers.length - 1)] ?? "strange", text: "as the test says" }
    })
  const layer = Layer.succeed(Payments, {
    authorize: ({ attempt }) => answer("authorize", String(attempt)),
    read: (id) => answer("read", id),
    capture: (_, part) => answer("capture", String(part)),
    release: (id) => answer("release", id),
    refund: (id) => answer("refund", id)
  })
  return { asked, layer }
}

const paying = answering({ authorize: ["authorized"], capture: ["paid"] }).layer

const aFile = Layer.unwrapScoped(
  Effect.map(sqlite, ({ env }) => Sqlite.layer({ file: env["DATABASE_FILE"] ?? "", patience: Duration.seconds(1) }))
)

/** The workflow on the engine's double in memory. */
const inMemory = (
  change: (sessions: Sessions) => Partial<Sessions> = () => ({}),
  payments: Layer.Layer<Payments> = paying
) =>
  Layer.merge(Checkouts.layer, CheckoutWorkflow).pipe(
    Layer.provide(payments),
    Layer.provideMerge(WorkflowEngine.layerMemory),
    Layer.provideMerge(AtMostOnce.layer({ lease: Duration.zero, shutdown: Duration.zero })),
    Layer.provideMerge(Orders.layer),
    Layer.provideMerge(aFile),
    Layer.provideMerge(sessionsWith(change))
  )

describe("a durable checkout, by the clock of a test", () => {
  it.effect("is paid once the card is there", () =>
    Effect.gen(function* () {
      yield* run("a")
      yield* until("a", "waiting")
      yield* cardArrives("a")
      yield* until("a", "paid")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("expires after an hour without a card, and not before", () =>
    Effect.gen(function* () {
      yield* run("a")
      yield* until("a", "waiting")
      yield* Effect.repeatN(Effect.zipRight(TestClock.adjust("1 minute"), settled), 58)
      assert.strictEqual((yield* find("a")).state, "waiting")
      yield* untilLater("a", "expired")
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("after a decline it waits for another card, and pays with the next try's key", () => {
    const { asked, layer } = answering({ authorize: ["over", "authorized"], capture: ["paid"] })
    return Effect.gen(function* () {
      yield* run("a")
      yield* until("a", "waiting")
      yield* cardArrives("a")
      const declined = yield* Effect.repeat(Effect.zipRight(settled, find("a")), {
        until: ({ attempt }) => attempt === 2
      })
      assert.strictEqual(declined.message, "as the test says")
      // The session still holds the card that was declined.
      yield* TestClock.adjust("2 minutes")
      yield* settled
      assert.deepStrictEqual(asked, ["authorize 1"])
      yield* cardArrives("a", { attempt: 2 })
      yield* until("a", "paid")
      assert.deepStrictEqual(asked, ["authorize 1", "authorize 2", "capture 1"])
    }).pipe(Effect.provide(inMemory(undefined, layer)))
  })

  it.effect("repeats a call whose outcome is unclear with the same key, and takes no second try meanwhile", () => {
    const { asked, layer } = answering({
      authorize: ["unclear", "unclear", "authorized"],
      capture: ["unclear", "paid"]
    })
    return Effect.gen(function* () {
      yield* run("a")
      yield* until("a", "waiting")
      yield* cardArrives("a")
      yield* untilLater("a", "paid")
      assert.deepStrictEqual(asked, ["authorize 1", "authorize 1", "authorize 1", "capture 1", "capture 1"])
    }).pipe(Effect.provide(inMemory(undefined, layer)))
  })

  it.effect("waits for the buyer's approval, and reads the transaction at its webhook", () => {
    const { asked, layer } = answering({
      authorize: ["approval"],
      read: ["approval", "authorized"],
      capture: ["pending", "paid"]
    })
    return Effect.gen(function* () {
      yield* run("a")
      yield* until("a", "waiting")
      yield* cardArrives("a")
      const { approvalUrl } = yield* until("a", "approval")
      assert.strictEqual(approvalUrl, "as the test says")
      const checkouts = yield* Checkouts
      const reads = () => asked.filter((each) => each === "read t").length
      while (reads() < 2) {
        assert.isTrue(yield* checkouts.changed("t"))
        yield* settled
      }
      assert.isFalse(yield* checkouts.changed("another"))
    }).pipe(Effect.provide(inMemory(undefined, layer)))
  })

  it.effect("releases what the bank does not capture, and says that it failed", () => {
    const { asked, layer } = answering({ authorize: ["authorized"], capture: ["authorized"], release: ["over"] })
    return Effect.gen(function* () {
      yield* run("a")
      yield* until("a", "waiting")
      yield* cardArrives("a")
      const { message } = yield* untilLater("a", "failed")
      assert.strictEqual(message, "The bank did not capture the payment.")
      assert.deepStrictEqual(asked, ["authorize 1", "capture 1", "capture 2", "capture 3", "release t"])
    }).pipe(Effect.provide(inMemory(undefined, layer)))
  })

  it.effect("deletes its session when it is cancelled before the payment", () =>
    Effect.gen(function* () {
      const [sessions, checkouts] = [yield* CheckoutSessions, yield* Checkouts]
      yield* run("a")
      yield* until("a", "waiting")
      const id = yield* sessionOf("a")
      assert.isTrue(yield* checkouts.cancel(yield* find("a")))
      yield* until("a", "cancelled")
      assert.strictEqual((yield* Effect.flip(sessions.get(id)))._tag, "NotFound")
      assert.isFalse(yield* checkouts.cancel(yield* find("a")))
    }).pipe(Effect.provide(inMemory()))
  )

  it.effect("releases the money when it is cancelled during the payment", () => {
    const { asked, layer } = answering({ authorize: ["approval"], read: ["authorized"], release: ["over"] })
    return Effect.gen(function* () {
      yield* run("a")
      yield* until("a", "waiting")
      yield* cardArrives("a")
      yield* until("a", "approval")
      yield* Effect.flatMap(Checkouts, (checkouts) => Effect.flatMap(find("a"), checkouts.cancel))
      yield* untilLater("a", "cancelled")
      assert.deepStrictEqual(asked, ["authorize 1", "read t", "release t"])
    }).pipe(Effect.provide(inMemory(undefined, layer)))
  })

  it.effect("refunds the money when it is cancelled while it is taken, and says whether it went back", () =>
    Effect.gen(function* () {
      for (const [refund, state] of [
        ["refunded", "refunded"],
        ["refunding", "refunding"],
        ["over", "paid"]
      ] as const) {
        const { asked, layer } = answering({
          authorize: ["authorized"],
          capture: ["pending"],
          read: ["paid"],
          refund: [refund]
        })
        yield* Effect.gen(function* () {
          yield* run("a")
          yield* until("a", "waiting")
          yield* cardArrives("a")
          yield* until("a", "capturing")
          yield* Effect.repeat(settled, { until: () => asked.includes("capture 1") })
          yield* Effect.flatMap(Checkouts, (checkouts) => Effect.flatMap(find("a"), checkouts.cancel))
          const { message } = yield* untilLater("a", state)
          assert.strictEqual(message === undefined, state !== "paid")
          assert.deepStrictEqual(asked, ["authorize 1", "capture 1", "read t", "refund t"])
        }).pipe(Effect.provide(inMemory(undefined, layer)))
      }
    })
  )

  it.effect("creates one session, however often the order is started", () =>
    Effect.gen(function* () {
      const sent = yield* Ref.make(0)
      yield* Effect.gen(function* () {
        yield* run("a")
        yield* until("a", "waiting")
        yield* run("a")
        assert.strictEqual(
          (yield* Effect.flip(Effect.flatMap(Checkouts, (_) => _.start({ ...order("a"), amount: 1 }))))._tag,
          "OrderDiffers"
        )
      }).pipe(Effect.provide(inMemory(sending(Ref.update(sent, (n) => n + 1)))))
      assert.strictEqual(yield* Ref.get(sent), 1)
    })
  )

  it.effect("sends nothing without a ticket", () =>
    Effect.gen(function* () {
      const sent = yield* Ref.make(0)
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* sql`ALTER TABLE checkout_tickets RENAME COLUMN owner TO owned`
        yield* run("a")
        yield* Effect.repeatN(Effect.zipRight(TestClock.adjust("10 seconds"), settled), 20)
        assert.strictEqual((yield* find("a")).state, "starting")
      }).pipe(Effect.provide(inMemory(sending(Ref.update(sent, (n) => n + 1)))))
      assert.strictEqual(yield* Ref.get(sent), 0)
    })
  )
})

/** Runs `onTheWire` where the request that creates a session goes out. */
const sending =
  (onTheWire: Effect.Effect<void>) =>
  ({ add }: Sessions): Partial<Sessions> => ({
    add: (session, { beforeSend = () => Effect.void } = {}) =>
      add(session, { beforeSend: (attempt) => Effect.zipRight(beforeSend(attempt), onTheWire) })
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

/** A process's life on a database, until it ends as after SIGTERM. */
const life = <A, E>(env: Record<string, string>, layer: Layer.Layer<A, E>, later: Duration.DurationInput = 0) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const config = ConfigProvider.fromMap(
      new Map(Object.entries({ ...env, RUNNER_PORT: String(yield* freePort), SHUTDOWN_TIMEOUT: "100 millis" }))
    )
    const context = yield* layer.pipe(
      Layer.provide(Layer.merge(Layer.setConfigProvider(config), clockAhead(later))),
      Layer.buildWithScope(scope)
    )
    return { context, end: Scope.close(scope, Exit.void) }
  })

const shopWith = (sessions: Sessions) =>
  checkoutsOver(paying, Orders.layer).pipe(Layer.provideMerge(Layer.succeed(CheckoutSessions, sessions)))

describe("a durable checkout over several processes", { timeout: 60_000 }, () => {
  it.scopedLive("the wait is in the database, also below a minute, and stays as it is", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessionsMemory.make({ lifetime: "40 seconds" })
      const { env } = yield* sqlite
      const wakeUps = Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        const rows = yield* sql<{ deliver_at: bigint }>`
          SELECT deliver_at FROM cluster_messages WHERE deliver_at IS NOT NULL`
        return rows.map(({ deliver_at }) => Number(deliver_at))
      })
      const first = yield* life(env, shopWith(sessions))
      const { before, expiry } = yield* Effect.gen(function* () {
        yield* run("a")
        yield* until("a", "waiting")
        const { expiresAt } = yield* sessions.get(yield* sessionOf("a"))
        const before = yield* Effect.repeat(wakeUps, { until: ({ length }) => length > 0 })
        return { before, expiry: expiresAt.epochMillis }
      }).pipe(Effect.provide(first.context))
      yield* first.end
      assert.lengthOf(before, 1)
      assert.closeTo(before[0] ?? 0, expiry, 5_000)

      const second = yield* life(env, shopWith(sessions))
      yield* Effect.gen(function* () {
        yield* Effect.flatMap(Checkout.executionId(order("a")), Checkout.resume)
        yield* until("a", "waiting")
        assert.deepStrictEqual(yield* wakeUps, before)
      }).pipe(Effect.provide(second.context))
      yield* second.end
    })
  )

  it.scopedLive("an expiry while no process was up is noticed by the next one", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessionsMemory.make()
      const { env } = yield* sqlite
      const first = yield* life(env, shopWith(sessions))
      yield* Effect.provide(Effect.zipRight(run("a"), until("a", "waiting")), first.context)
      yield* first.end

      const second = yield* life(env, shopWith(sessions), "61 minutes")
      yield* Effect.provide(until("a", "expired"), second.context)
      yield* second.end
    })
  )

  it.scopedLive("a clock that is ahead ends no order whose session lives", () =>
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const memory = yield* CheckoutSessionsMemory.make({ lifetime: "8 seconds" })
      // The clock of Gr4vy, not of the process.
      const sessions: Sessions = {
        ...memory,
        add: (...args) => Effect.withClock(memory.add(...args), clock),
        get: (id) => Effect.withClock(memory.get(id), clock)
      }
      const { env } = yield* sqlite
      const { context, end } = yield* life(env, shopWith(sessions), "15 seconds")
      yield* Effect.gen(function* () {
        yield* run("a")
        yield* until("a", "waiting")
        const id = yield* sessionOf("a")
        yield* until("a", "expired")
        assert.strictEqual((yield* Effect.flip(sessions.get(id)))._tag, "NotFound")
      }).pipe(Effect.provide(context))
      yield* end
    })
  )
})

describe("operating it", { timeout: 60_000 }, () => {
  it.scopedLive("the queries of docs/durable.md find an order that waits, and its steps", () =>
    Effect.gen(function* () {
      const page = readFileSync(new URL("../../docs/durable.md", import.meta.url), "utf8")
      const queries = Array.from(page.matchAll(/```sql\n([\s\S]*?)```/g), ([, query]) => query ?? "")
      const { env } = yield* sqlite
      const sessions = yield* CheckoutSessionsMemory.make()
      const { context, end } = yield* life(env, shopWith(sessions))
      yield* Effect.gen(function* () {
        const sql = yield* SqlClient.SqlClient
        yield* run("7")
        yield* run("8")
        yield* until("7", "waiting")
        yield* until("8", "waiting")
        yield* Effect.flatMap(Checkouts, (checkouts) => Effect.flatMap(find("8"), checkouts.cancel))
        yield* until("8", "cancelled")
        const [orders, steps] = yield* Effect.forEach(queries, (query) => sql.unsafe<Record<string, unknown>>(query))
        assert.deepStrictEqual(
          orders?.map(({ order_id, state }) => ({ order_id, state })),
          [{ order_id: "7", state: "waiting" }]
        )
        assert.deepStrictEqual(
          steps?.map(({ payload, tag }) => `${tag} ${JSON.parse(String(payload)).name ?? ""}`).slice(0, 3),
          ["run ", "activity create session", "activity look 1"]
        )
      }).pipe(Effect.provide(context))
      yield* end
    })
  )

  it.scopedLive(
    "code that changes under an order: a renamed step runs again, a result that no longer decodes stops it until the code is back",
    () =>
      Effect.gen(function* () {
        const ran: Array<string> = []
        const Signal = DurableDeferred.make("signal")
        const Old = Workflow.make({
          name: "Changing",
          payload: { id: Schema.String },
          idempotencyKey: ({ id }) => id,
          success: Schema.String
        }).annotate(Workflow.CaptureDefects, false)
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
          Old.toLayer(() =>
            Effect.zipLeft(Effect.map(step(name, success, value), String), DurableDeferred.await(Signal))
          ).pipe(Layer.provideMerge(Engine))
        const poll = Effect.zipRight(settled, Effect.flatMap(Old.executionId({ id: "a" }), Old.poll))

        const { env } = yield* sqlite
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
        yield* Effect.gen(function* () {
          yield* Effect.flatMap(Old.executionId({ id: "a" }), Old.resume)
          yield* Effect.repeat(poll, { until: (result) => result === undefined })
        }).pipe(Effect.provide(reshaped.context))
        yield* reshaped.end
        assert.deepStrictEqual(ran, ["step", "renamed"])

        const restored = yield* life(env, version("step", Schema.String, "three"))
        const result = yield* Effect.gen(function* () {
          const token = yield* DurableDeferred.tokenFromPayload(Signal, { workflow: Old, payload: { id: "a" } })
          yield* DurableDeferred.succeed(Signal, { token, value: undefined })
          return yield* Effect.repeat(poll, { until: (result) => result?._tag === "Complete" })
        }).pipe(Effect.provide(restored.context))
        yield* restored.end
        assert.isTrue(result?._tag === "Complete" && Exit.isSuccess(result.exit) && result.exit.value === "one")
        assert.deepStrictEqual(ran, ["step", "renamed"])
      })
  )
})

describe("the server, killed", () => {
  it.scopedLive(
    "ends every order as the bank says, with at most one session and one capture, and no card in its database",
    () =>
      Effect.gen(function* () {
        const chosen = ["session created, no answer yet", "captured, no answer yet"]
        const database = yield* sqlite
        const outcomes = yield* killOrders(
          database,
          kills.filter(({ at }) => chosen.includes(at))
        )
        assert.deepStrictEqual(outcomes.flatMap(wrong), [])
        assert.deepStrictEqual(
          outcomes.map(({ booked, sessions, state }) => ({ captures: booked.captures, sessions, state })),
          [
            { captures: 0, sessions: 1, state: "unknown" },
            { captures: 1, sessions: 1, state: "paid" }
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
    120_000
  )
})
