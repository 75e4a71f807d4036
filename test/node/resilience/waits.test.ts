import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Effect, Fiber, Random, Redacted, TestClock } from "effect"
import * as Script from "../../support/script.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

/** Lets sockets do their work: time itself stands still. */
const turns = (condition: () => boolean, left = 2000): Effect.Effect<void> =>
  condition() || left === 0
    ? Effect.void
    : Effect.zipRight(
        Effect.promise(() => new Promise((resolve) => setImmediate(resolve))),
        Effect.suspend(() => turns(condition, left - 1))
      )

/** How many milliseconds of the clock pass before each retry of a call that meets nothing but 503. */
const waits = (seed: string) =>
  Effect.gen(function* () {
    const server = yield* Script.script(Script.status(503))
    const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token: Redacted.make("token") })
    const fiber = yield* Effect.fork(Effect.exit(sessions.get(id)))
    const waited: Array<number> = []
    for (const requests of [1, 2]) {
      yield* turns(() => server.requests.length === requests)
      yield* turns(() => false, 20)
      let passed = 0
      while (server.requests.length === requests && passed < 700) {
        yield* TestClock.adjust(10)
        passed += 10
        yield* turns(() => server.requests.length > requests, 30)
      }
      waited.push(passed)
    }
    yield* turns(() => server.requests.length === 3)
    yield* Fiber.join(fiber)
    assert.lengthOf(server.requests, 3)
    return waited
  }).pipe(Effect.scoped, Effect.withRandom(Random.make(seed)))

describe("the wait before a retry", () => {
  it.effect(
    "is decided by Effect's Clock and Random: full jitter, up to 250 ms and 500 ms, the same for the same seed",
    () =>
      Effect.gen(function* () {
        const seeds = ["a", "b", "c", "d", "e", "f"]
        const all = yield* Effect.forEach(seeds, waits)
        for (const [first = 0, second = 0] of all) {
          assert.isAtMost(first, 300)
          assert.isAtMost(second, 550)
        }
        assert.isAbove(new Set(all.map(String)).size, 1)
        // A socket may take a turn longer than the clock's next step.
        for (const [i, again] of (yield* waits("a")).entries()) assert.approximately(again, all[0]?.[i] ?? 0, 50)
      })
  )

  it.effect("and a silent server is left after 10 s of the clock, three times, until the deadline", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(Script.silent)
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token: Redacted.make("token") })
      const fiber = yield* Effect.fork(Effect.flip(sessions.get(id)))
      yield* turns(() => server.requests.length === 1)
      yield* TestClock.adjust("9 seconds")
      yield* turns(() => false, 20)
      assert.lengthOf(server.requests, 1)
      yield* TestClock.adjust("2 seconds")
      yield* turns(() => server.requests.length === 2)
      assert.lengthOf(server.requests, 2)
      yield* TestClock.adjust("30 seconds")
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error, { _tag: "RequestFailed", reason: "Timeout", delivered: "unknown" })
    }).pipe(Effect.scoped)
  )
})
