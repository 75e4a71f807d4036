import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, CheckoutSessionsMemory, type CheckoutSessionsService } from "@effect-gr4vy/core"
import { Duration, Effect, Random, TestClock } from "effect"
import { card } from "../support/cards.js"
import { heapUsed } from "../support/heap.js"
import { withScheduler } from "../support/permuting.js"

const minutesLeft = (id: CheckoutSessionId) =>
  Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    const session = yield* sessions.get(id)
    return Duration.toMinutes(yield* session.timeLeft)
  })

const isGone = (id: CheckoutSessionId) =>
  Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    for (const call of [sessions.get(id), sessions.updateFields(id), sessions.delete(id)]) {
      const error = yield* Effect.flip(call)
      assert(error._tag === "NotFound")
      assert.strictEqual(error.code, "not_found")
      assert.strictEqual(error.message, "The resource could not be found")
    }
  })

describe("the in-memory service", () => {
  it.effect("keeps a session for 1 hour, not a moment longer", () =>
    Effect.gen(function* () {
      const { id } = yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())
      assert.strictEqual(yield* minutesLeft(id), 60)
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual(yield* minutesLeft(id), 1)
      yield* TestClock.adjust("1 minute")
      yield* isGone(id)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("keeps a session for 5 minutes from the moment its fields came", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { id } = yield* sessions.add()
      yield* TestClock.adjust("59 minutes")
      yield* sessions.updateFields(id, { paymentMethod: card() })
      assert.strictEqual(yield* minutesLeft(id), 5)
      yield* TestClock.adjust("4 minutes")
      yield* sessions.updateFields(id)
      assert.strictEqual(yield* minutesLeft(id), 5)
      yield* TestClock.adjust("5 minutes")
      yield* isGone(id)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("knows neither a deleted session nor one it never made", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { id } = yield* sessions.add()
      yield* sessions.delete(id)
      yield* isGone(id)
      yield* isGone(CheckoutSessionId.make("another"))
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("has the same ids for the same seed, all of them UUIDs version 4", () => {
    const five = Effect.flatMap(CheckoutSessions, (sessions) =>
      Effect.map(Effect.replicateEffect(sessions.add(), 5), (added) => added.map(({ id }): string => id))
    ).pipe(Effect.provide(CheckoutSessionsMemory.layer))
    return Effect.gen(function* () {
      const first = yield* Effect.withRandom(five, Random.make("seed"))
      assert.deepStrictEqual(yield* Effect.withRandom(five, Random.make("seed")), first)
      assert.notDeepEqual(yield* Effect.withRandom(five, Random.make("another")), first)
      assert.strictEqual(new Set(first).size, 5)
      for (const id of first) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    })
  })
})

describe("the in-memory service under 200 interleavings", () => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed)
  const atOnce = <A, B>(
    each: (sessions: CheckoutSessionsService, id: CheckoutSessionId) => readonly [Effect.Effect<A>, Effect.Effect<B>]
  ) =>
    Effect.forEach(seeds, (seed) =>
      Effect.gen(function* () {
        const sessions = yield* CheckoutSessionsMemory.make()
        const { id } = yield* sessions.add()
        const outcomes = yield* Effect.all(each(sessions, id), { concurrency: "unbounded" })
        return { alive: yield* Effect.isSuccess(sessions.get(id)), outcomes }
      }).pipe(withScheduler(seed))
    )

  it.effect("an update that meets a delete does not bring the session back", () =>
    Effect.gen(function* () {
      const results = yield* atOnce((sessions, id) => [
        Effect.isSuccess(sessions.updateFields(id)),
        Effect.isSuccess(sessions.delete(id))
      ])
      assert.deepStrictEqual([results.filter(({ alive }) => alive).length, results.length], [0, 200])
      assert.isTrue(results.every(({ outcomes: [, deleted] }) => deleted))
    })
  )

  it.effect("one of two deletes succeeds", () =>
    Effect.gen(function* () {
      const results = yield* atOnce((sessions, id) => [
        Effect.isSuccess(sessions.delete(id)),
        Effect.isSuccess(sessions.delete(id))
      ])
      assert.strictEqual(results.filter(({ outcomes: [one, other] }) => one !== other).length, 200)
    })
  )
})

describe("a great many sessions", () => {
  it.effect("make the next one no dearer", () =>
    Effect.gen(function* () {
      const millis = (count: number) =>
        Effect.gen(function* () {
          const started = performance.now()
          yield* Effect.replicateEffect(sessions.add(), count, { discard: true })
          return performance.now() - started
        })
      const sessions = yield* CheckoutSessionsMemory.make()
      yield* millis(500)
      const first = yield* millis(500)
      yield* millis(10_000)
      // A walk through all of them costs dozens of times as much; ten leaves room for a machine that stumbles.
      assert.isBelow(yield* millis(500), 10 * first)
    })
  )

  it.effect("leave the memory again once they have expired, while others are added", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessionsMemory.make()
      const before = heapUsed()
      for (let hour = 0; hour < 6; hour++) {
        yield* Effect.replicateEffect(sessions.add(), 4_000, { discard: true })
        yield* TestClock.adjust("1 hour")
      }
      const grown = heapUsed() - before
      yield* sessions.add()
      // 24,000 sessions hold about 9 MB.
      assert.isBelow(grown / 2 ** 20, 4)
    })
  )
})
