import { assert, describe, it } from "@effect/vitest"
import { Credentials } from "@effect-gr4vy/core"
import { Cause, Clock, DateTime, Effect, Exit, Fiber, Option, Redacted, Scope } from "effect"
import { handClock } from "../support/handClock.js"
import { random, withScheduler } from "../support/permuting.js"

const seeds = Array.from({ length: 200 }, (_, seed) => seed)
const lifetime = 100_000

const forEverySeed = <E>(run: (seed: number, pass: (millis: number) => void) => Effect.Effect<void, E, Scope.Scope>) =>
  Effect.forEach(
    seeds,
    (seed) => {
      const { clock, pass } = handClock()
      return Effect.scoped(run(seed, pass)).pipe(
        Effect.withClock(clock),
        withScheduler(seed),
        Effect.mapErrorCause((cause) => Cause.parallel(Cause.die(new Error(`seed ${seed}`)), cause))
      )
    },
    { discard: true }
  )

/** A source that takes some operations, and tells which of its tokens expires when. */
const source = (fails: (n: number) => boolean = () => false) =>
  Effect.gen(function* () {
    const state = { minted: 0, active: 0, most: 0, rejected: 0, expiries: new Map<string, number>() }
    const credentials = yield* Credentials.makeSource({
      get: Effect.acquireUseRelease(
        Effect.sync(() => {
          state.most = Math.max(state.most, ++state.active)
          return ++state.minted
        }),
        (n) =>
          Effect.gen(function* () {
            yield* Effect.yieldNow()
            if (fails(n)) return yield* Effect.fail("down")
            yield* Effect.yieldNow()
            const now = yield* Clock.currentTimeMillis
            state.expiries.set(`token-${n}`, now + lifetime)
            return { token: Redacted.make(`token-${n}`), expiresAt: DateTime.unsafeMake(now + lifetime) }
          }),
        () => Effect.sync(() => void state.active--)
      ),
      onRejected: () => Effect.sync(() => void state.rejected++)
    })
    return { credentials, state }
  })

/** Lets others run until it is so; fails when it does not come to that. */
const until = (isSo: () => boolean) =>
  Effect.gen(function* () {
    for (let turns = 0; !isSo(); turns++) {
      assert.isBelow(turns, 10_000, isSo.toString())
      yield* Effect.yieldNow()
    }
  })

const callers = (n: number, call: (n: number) => Effect.Effect<unknown, unknown>) =>
  Effect.forEach(Array.from({ length: n }), (_, n) => Effect.fork(call(n)))

describe("in whatever order fibers run,", () => {
  it.effect("callers without a token share one, and an interrupted caller does not take it from the others", () =>
    forEverySeed((seed) =>
      Effect.gen(function* () {
        const { credentials, state } = yield* source()
        const next = random(seed + 1)
        const fibers = yield* Effect.forEach(Array.from({ length: 8 }), () => Effect.fork(credentials.token))
        const [staying, leaving] = [fibers.slice(0, 3), fibers.slice(3)]
        if (next() < 0.5) fibers.reverse()
        yield* Effect.forEach(leaving, (fiber) => Fiber.interruptFork(fiber), { discard: true })
        for (const fiber of staying) assert.strictEqual(Redacted.value(yield* Fiber.join(fiber)), "token-1")
        for (const fiber of leaving) {
          const exit = yield* Fiber.await(fiber)
          assert(Exit.isSuccess(exit) || Exit.isInterrupted(exit))
        }
        assert.strictEqual(state.minted, 1)
      })
    )
  )

  it.effect("calls whose token is due start one renewal, which is not lost, and none gets an expired token", () =>
    forEverySeed((_, pass) =>
      Effect.gen(function* () {
        const { credentials, state } = yield* source()
        yield* credentials.token
        for (let round = 0; round < 2; round++) {
          pass(lifetime * 0.8)
          const fibers = yield* callers(6, (n) =>
            Effect.gen(function* () {
              const token = Redacted.value(yield* credentials.token)
              assert.isAbove(state.expiries.get(token) ?? 0, yield* Clock.currentTimeMillis)
              if (n % 3 === 0) return yield* Effect.interrupt
            })
          )
          yield* Fiber.awaitAll(fibers)
          // What was started comes to its end, though the one who started it may be gone.
          const now = yield* Clock.currentTimeMillis
          yield* until(() => {
            const token = credentials.cachedToken?.(now)
            return token !== undefined && Redacted.value(token) === `token-${round + 2}`
          })
          assert.deepStrictEqual([state.minted, state.active], [round + 2, 0])
        }
      })
    )
  )

  it.effect("many that are refused share one new token, also in the midst of a routine renewal", () =>
    forEverySeed((seed, pass) =>
      Effect.gen(function* () {
        const { credentials, state } = yield* source()
        const old = yield* credentials.token
        if (seed % 2 === 0) pass(lifetime * 0.8)
        const renew = credentials.renew
        assert(renew !== undefined)
        const fibers = yield* Effect.forEach(Array.from({ length: 8 }), (_, n) =>
          Effect.fork(n < 3 ? credentials.token : renew(old, Option.none()))
        )
        yield* Effect.forEach(fibers.slice(3, 4), Fiber.interruptFork)
        for (const [n, fiber] of fibers.entries()) {
          if (n === 3) continue
          const token = yield* Fiber.join(fiber)
          if (n > 3) assert.notStrictEqual(token, old)
        }
        assert.isAtMost(state.rejected, 1)
        assert.isAtMost(state.minted, 3)
        yield* until(() => state.active === 0)
        const settled = yield* credentials.token
        assert.notStrictEqual(settled, old)
      })
    )
  )

  it.effect("a failure reaches all waiting calls, and the next call requests a token again", () =>
    forEverySeed(() =>
      Effect.gen(function* () {
        const { credentials, state } = yield* source((n) => n === 1)
        const fibers = yield* callers(5, () => credentials.token)
        for (const fiber of fibers) yield* Fiber.await(fiber)
        assert.isAtMost(state.most, 1)
        const token = Redacted.value(yield* credentials.token)
        assert.strictEqual(state.expiries.has(token), true)
        assert.strictEqual(state.minted, 2)
      })
    )
  )

  it.effect("the scope closes, and every waiting call fails", () =>
    forEverySeed(() =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const { credentials, state } = yield* Scope.extend(source(), scope)
        const fibers = yield* callers(5, () => credentials.token)
        yield* Scope.close(scope, Exit.void)
        for (const fiber of fibers) {
          const exit = yield* Fiber.await(fiber)
          assert(Exit.isSuccess(exit) || !Exit.isInterrupted(exit), String(exit))
        }
        yield* until(() => state.active === 0)
      })
    )
  )
})
