import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Credentials, RequestFailed } from "@effect-gr4vy/core"
import { Cause, DateTime, Deferred, Effect, Exit, Fiber, Logger, Option, Redacted, Scope, TestClock } from "effect"

const lifetime = 100_000

/** A source of tokens named by their number, each good for 100 seconds; `wait` goes before each but may change. */
const numbered = (get: (n: number) => Effect.Effect<void, unknown> = () => Effect.void) => {
  const state = { minted: 0, rejected: 0 }
  const source = {
    get: Effect.gen(function* () {
      const n = ++state.minted
      yield* get(n)
      const now = yield* DateTime.now
      return { token: Redacted.make(`token-${n}`), expiresAt: DateTime.add(now, { millis: lifetime }) }
    }),
    onRejected: () => Effect.sync(() => void state.rejected++)
  }
  return Effect.map(Credentials.makeSource(source), (credentials) => ({ credentials, state }))
}

const value = <E>(token: Effect.Effect<Redacted.Redacted, E>) => Effect.map(token, Redacted.value)

const failed = (error: RequestFailed, message: RegExp) => {
  assert.instanceOf(error, RequestFailed)
  assert.deepStrictEqual([error.reason, error.delivered, error.attempts], ["Credentials", "no", 0])
  assert.match(error.message, message)
}

describe("a token from a source", () => {
  it.scoped("is cached until 20 % of its life is left, then got anew", () =>
    Effect.gen(function* () {
      const { credentials } = yield* numbered()
      assert.strictEqual(yield* value(credentials.token), "token-1")
      yield* TestClock.adjust("79999 millis")
      assert.strictEqual(yield* value(credentials.token), "token-1")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* value(credentials.token), "token-2")
    })
  )

  it.scoped("is at hand without an effect for exactly as long", () =>
    Effect.gen(function* () {
      const { credentials } = yield* numbered()
      assert.isUndefined(credentials.cachedToken?.(0))
      const token = yield* credentials.token
      assert.strictEqual(credentials.cachedToken?.(79_999), token)
      assert.isUndefined(credentials.cachedToken?.(80_000))
    })
  )

  it.scoped("is got once for 100 calls that find the cache cold", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const { credentials, state } = yield* numbered(() => Deferred.await(ready))
      const calls = yield* Effect.forkAll(Array.from({ length: 100 }, () => value(credentials.token)))
      yield* Effect.yieldNow()
      yield* Deferred.succeed(ready, undefined)
      assert.deepStrictEqual(new Set(yield* Fiber.join(calls)), new Set(["token-1"]))
      assert.strictEqual(state.minted, 1)
    })
  )

  it.scoped("is renewed once for 100 calls that were refused with the old one", () =>
    Effect.gen(function* () {
      const { credentials, state } = yield* numbered()
      const old = yield* credentials.token
      assert(credentials.renew !== undefined)
      const renewals = Array.from({ length: 100 }, () =>
        value(credentials.renew?.(old, Option.none()) ?? Effect.die("no renew"))
      )
      assert.deepStrictEqual(new Set(yield* Effect.all(renewals, { concurrency: "unbounded" })), new Set(["token-2"]))
      assert.deepStrictEqual(state, { minted: 2, rejected: 1 })
    })
  )

  it.scoped("goes on being got when all but one of those who wait are interrupted, the first included", () =>
    Effect.gen(function* () {
      const [asked, ready] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const { credentials, state } = yield* numbered(() =>
        Effect.zipRight(Deferred.succeed(asked, undefined), Deferred.await(ready))
      )
      const fibers = yield* Effect.forEach(Array.from({ length: 10 }), () => Effect.fork(value(credentials.token)))
      yield* Deferred.await(asked)
      const last = fibers.pop()
      assert(last !== undefined)
      yield* Fiber.interruptAll(fibers)
      yield* Deferred.succeed(ready, undefined)
      assert.strictEqual(yield* Fiber.join(last), "token-1")
      assert.strictEqual(state.minted, 1)
    })
  )

  it.scoped("that is still good serves all who come while it is renewed, and when the renewal fails or hangs", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const hang = Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never)
      const { credentials } = yield* numbered((n) => (n === 1 ? Effect.void : n === 2 ? Effect.fail("down") : hang))
      yield* credentials.token
      yield* TestClock.adjust("81 seconds")
      assert.strictEqual(yield* value(credentials.token), "token-1")
      const renewing = yield* Effect.fork(value(credentials.token))
      yield* Deferred.await(asked)
      assert.strictEqual(yield* value(credentials.token), "token-1")
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* Fiber.join(renewing), "token-1")
      yield* TestClock.adjust("10 seconds")
      const cold = yield* Effect.fork(Effect.flip(credentials.token))
      yield* TestClock.adjust("1 minute")
      failed(yield* Fiber.join(cold), /\(TimeoutException\)/)
    })
  )

  it.scoped("whose renewal fails while it is still good is a warning, which names the failure and quotes nothing", () =>
    Effect.gen(function* () {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ logLevel, message }) => void lines.push([logLevel.label, String(message)]))
      const { credentials } = yield* numbered((n) =>
        n === 1 ? Effect.void : Effect.fail(new Error("the key is hush"))
      )
      yield* credentials.token
      yield* TestClock.adjust("80 seconds")
      yield* credentials.token.pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      assert.deepStrictEqual(lines, [
        [
          "WARN",
          "The token could not be renewed: the source of the credentials failed (Error). The old token is still good, and the next call tries again."
        ]
      ])
    })
  )

  it.scoped("does not come back once it was refused, though its renewal fails", () =>
    Effect.gen(function* () {
      const { credentials } = yield* numbered((n) => (n === 2 ? Effect.fail("down") : Effect.void))
      const old = yield* credentials.token
      assert(credentials.renew !== undefined)
      failed(yield* Effect.flip(credentials.renew(old, Option.none())), /the source of the credentials failed/)
      assert.strictEqual(yield* value(credentials.token), "token-3")
    })
  )
})

describe("a source that fails is told by its name, never by what it says", () => {
  class SecretManagerDown extends Error {
    readonly _tag = "SecretManagerDown"
  }
  const secret = "secret-4f1b"
  const sources: Record<string, readonly [get: Effect.Effect<never, unknown>, name: RegExp]> = {
    "with a tagged error": [Effect.fail(new SecretManagerDown(secret)), /\(SecretManagerDown\)/],
    "with an error": [Effect.fail(new TypeError(secret)), /\(TypeError\)/],
    "with a text": [Effect.fail(secret), /\(unknown\)/],
    "with a defect": [Effect.die(new RangeError(secret)), /\(RangeError\)/],
    "with a promise that is rejected": [Effect.promise(() => Promise.reject(new Error(secret))), /\(Error\)/]
  }
  for (const [name, [get, message]] of Object.entries(sources)) {
    it.scoped(name, () =>
      Effect.gen(function* () {
        const { credentials } = yield* numbered(() => get)
        const exit = yield* Effect.exit(credentials.token)
        assert(Exit.isFailure(exit))
        const error = Option.getOrThrow(Cause.failureOption(exit.cause))
        failed(error, message)
        assert.notInclude(inspect(exit, { depth: null, showHidden: true }) + Cause.pretty(exit.cause), secret)
      })
    )
  }

  it.effect("and one whose scope closes, while it gets a token or before it is asked for one", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { credentials } = yield* Scope.extend(
        numbered(() => Effect.never),
        scope
      )
      const waiting = yield* Effect.fork(Effect.flip(credentials.token))
      yield* Effect.yieldNow()
      yield* Scope.close(scope, Exit.void)
      failed(yield* Fiber.join(waiting), /the credentials were closed/)
      failed(yield* Effect.flip(credentials.token), /the credentials were closed/)
    })
  )
})
