/**
 * Testing code that uses Checkout Sessions: no network, no waiting, no mocks. The in-memory service has the API's
 * lifetimes and errors, and `TestClock` skips an hour.
 *
 *   npx vitest run examples/04-testing.test.ts
 */
import { assert, describe, it } from "@effect/vitest"
import { type CheckoutSessionId, CheckoutSessions, CheckoutSessionsMemory, RequestFailed } from "@effect-gr4vy/core"
import { Duration, Effect, Layer, TestClock } from "effect"

/** The code under test: a buyer keeps their session while it has two minutes left, else they get a new one. */
const sessionFor = (id: CheckoutSessionId) =>
  Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    const session = yield* sessions.get(id)
    const timeLeft = yield* session.timeLeft
    return Duration.greaterThan(timeLeft, "2 minutes") ? session : yield* sessions.add()
  }).pipe(Effect.catchTag("NotFound", () => Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())))

describe("sessionFor", () => {
  it.effect("keeps a session that has enough time left", () =>
    Effect.gen(function* () {
      const { id } = yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())
      yield* TestClock.adjust("57 minutes")
      assert.strictEqual((yield* sessionFor(id)).id, id)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect.each([
    { state: "about to expire", age: "59 minutes" },
    { state: "long gone", age: "2 days" }
  ] as const)("replaces a session that is $state", ({ age }) =>
    Effect.gen(function* () {
      const { id } = yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())
      yield* TestClock.adjust(age)
      const replacement = yield* sessionFor(id)
      assert.notStrictEqual(replacement.id, id)
      assert.isFalse(yield* replacement.isExpired)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("does not hide an outage", () =>
    Effect.gen(function* () {
      const { id } = yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())
      const error = yield* Effect.flip(sessionFor(id))
      assert.strictEqual(error, outage)
    }).pipe(Effect.provide(OutOfReach))
  )
})

const outage = new RequestFailed({ reason: "Connect", delivered: "no", attempts: 3, message: "Could not connect." })

/** The in-memory service with one operation that fails: a value like any other. */
const OutOfReach = Layer.effect(
  CheckoutSessions,
  Effect.map(CheckoutSessionsMemory.make(), (sessions) => ({ ...sessions, get: () => Effect.fail(outage) }))
)
