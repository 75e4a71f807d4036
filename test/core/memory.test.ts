import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, CheckoutSessionsMemory } from "@effect-gr4vy/core"
import { Duration, Effect, Random, TestClock } from "effect"
import { card } from "../support/cards.js"

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
