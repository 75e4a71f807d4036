import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Credentials, type CredentialsService, RequestFailed } from "@effect-gr4vy/core"
import { bearer } from "@effect-gr4vy/core/Credentials"
import {
  Cause,
  Context,
  DateTime,
  Deferred,
  Effect,
  Either,
  Exit,
  Fiber,
  HashMap,
  Layer,
  Logger,
  LogLevel,
  Option,
  Redacted,
  Scope,
  TestClock
} from "effect"

const lifetime = 100_000

/** A source of tokens named by their number, each good for 100 seconds; `wait` goes before each but may change. */
const numbered = (get: (n: number) => Effect.Effect<void, unknown> = () => Effect.void) => {
  const state = { minted: 0, rejected: 0, serverTimes: [] as Array<number | undefined> }
  const source = {
    get: Effect.gen(function* () {
      const n = ++state.minted
      yield* get(n)
      const now = yield* DateTime.now
      return { token: Redacted.make(`token-${n}`), expiresAt: DateTime.add(now, { millis: lifetime }) }
    }),
    onRejected: (serverTime: Option.Option<DateTime.Utc>) =>
      Effect.sync(() => {
        state.rejected++
        state.serverTimes.push(Option.getOrUndefined(Option.map(serverTime, DateTime.toEpochMillis)))
      })
  }
  return Effect.map(Credentials.makeSource(source), (credentials) => ({ credentials, state }))
}

const value = <E>(token: Effect.Effect<Redacted.Redacted, E>) => Effect.map(token, Redacted.value)

const renew = (credentials: CredentialsService, rejected: Redacted.Redacted, serverTime?: number) =>
  credentials.renew?.(rejected, Option.map(Option.fromNullable(serverTime), DateTime.unsafeMake)) ??
  Effect.die("no renew")

/** Lets everything run that needs no more time. */
const settled = Effect.repeatN(Effect.yieldNow(), 30)

/** Collects what is logged, as a person could see it. */
const logged = Effect.map(
  Effect.sync(() => [] as { readonly level: LogLevel.LogLevel; readonly text: string }[]),
  (entries) => ({
    entries,
    layer: Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ annotations, cause, logLevel, message }) => {
        entries.push({
          level: logLevel,
          text: inspect([message, HashMap.toEntries(annotations), cause], { depth: null })
        })
      })
    )
  })
)

const failed = (error: RequestFailed, message: RegExp) => {
  assert.instanceOf(error, RequestFailed)
  assert.deepStrictEqual([error.reason, error.delivered, error.attempts], ["Credentials", "no", 0])
  assert.match(error.message, message)
}

describe("a token from a source", () => {
  it.scoped("is cached until 20 % of its lifetime is left, then renewed while the old one is served", () =>
    Effect.gen(function* () {
      const { credentials } = yield* numbered()
      assert.strictEqual(yield* value(credentials.token), "token-1")
      yield* TestClock.adjust("79999 millis")
      assert.strictEqual(yield* value(credentials.token), "token-1")
      yield* settled
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* value(credentials.token), "token-1")
      yield* settled
      assert.strictEqual(yield* value(credentials.token), "token-2")
    })
  )

  it.scoped("is at hand without an effect for exactly as long, and again while it is renewed", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const { credentials } = yield* numbered((n) => (n === 1 ? Effect.void : Deferred.await(ready)))
      assert.isUndefined(credentials.cachedToken?.(0))
      const token = yield* credentials.token
      assert.strictEqual(credentials.cachedToken?.(79_999), token)
      assert.isUndefined(credentials.cachedToken?.(80_000))
      yield* TestClock.adjust("80 seconds")
      assert.strictEqual(yield* credentials.token, token)
      assert.strictEqual(credentials.cachedToken?.(99_999), token)
      assert.isUndefined(credentials.cachedToken?.(100_000))
    })
  )

  it.scoped("is renewed once for 100 calls, and none of them waits", () =>
    Effect.gen(function* () {
      const { credentials, state } = yield* numbered((n) => (n === 1 ? Effect.void : Effect.never))
      yield* credentials.token
      yield* TestClock.adjust("80 seconds")
      const calls = yield* Effect.all(
        Array.from({ length: 100 }, () => value(credentials.token)),
        { concurrency: "unbounded" }
      )
      yield* settled
      assert.deepStrictEqual([new Set(calls), state.minted], [new Set(["token-1"]), 2])
    })
  )

  it.scoped("is not renewed as part of the call that happens to be first: its span is not the source's parent", () =>
    Effect.gen(function* () {
      const parents: Array<string> = []
      const { credentials } = yield* numbered(() =>
        Effect.map(
          Effect.option(Effect.currentSpan),
          (span) => void parents.push(Option.isSome(span) ? span.value.name : "")
        )
      ).pipe(Effect.withSpan("layer"))
      yield* Effect.withSpan(credentials.token, "call-1")
      yield* TestClock.adjust("80 seconds")
      yield* Effect.withSpan(credentials.token, "call-2")
      yield* settled
      assert.deepStrictEqual(parents, ["call-1", ""])
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
      const renewals = Array.from({ length: 100 }, () => value(renew(credentials, old)))
      assert.deepStrictEqual(new Set(yield* Effect.all(renewals, { concurrency: "unbounded" })), new Set(["token-2"]))
      assert.deepStrictEqual([state.minted, state.rejected], [2, 1])
    })
  )

  it.scoped("is still requested if all waiting calls but one are interrupted, the first included", () =>
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

  it.scoped("that is still valid serves all calls while its renewal hangs; calls without a token wait a minute", () =>
    Effect.gen(function* () {
      const { credentials, state } = yield* numbered((n) => (n === 1 ? Effect.void : Effect.never))
      yield* credentials.token
      yield* TestClock.adjust("81 seconds")
      for (let seconds = 0; seconds < 19; seconds++) {
        assert.strictEqual(yield* value(credentials.token), "token-1")
        yield* TestClock.adjust("1 seconds")
      }
      // Abandoned after 10 seconds, and begun again after a pause of one.
      assert.strictEqual(state.minted, 3)
      yield* TestClock.adjust("2 seconds")
      const cold = yield* Effect.fork(Effect.flip(credentials.token))
      yield* settled
      assert.strictEqual(state.minted, 4)
      yield* TestClock.adjust("59 seconds")
      assert.isNull(yield* Fiber.poll(cold).pipe(Effect.map(Option.getOrNull)))
      yield* TestClock.adjust("1 seconds")
      failed(yield* Fiber.join(cold), /\(TimeoutException\)/)
    })
  )

  it.scoped(
    "that cannot be renewed is requested 1, 2, 4 seconds apart, not on every call, and each failure is logged",
    () =>
      Effect.gen(function* () {
        const { entries, layer } = yield* logged
        yield* Effect.gen(function* () {
          const { credentials, state } = yield* numbered((n) =>
            n === 1 || n > 4 ? Effect.void : Effect.fail(new Error("secret-4f1b"))
          )
          yield* credentials.token
          yield* TestClock.adjust("80 seconds")
          const mints: Array<number> = []
          for (let second = 80; second < 90; second++) {
            const before = state.minted
            for (let call = 0; call < 10; call++) {
              yield* credentials.token
              yield* settled
            }
            if (state.minted > before) mints.push(second)
            yield* TestClock.adjust("1 seconds")
          }
          assert.deepStrictEqual(mints, [80, 81, 83, 87])
          assert.strictEqual(yield* value(credentials.token), "token-5")
        }).pipe(Effect.provide(layer))
        assert.deepStrictEqual(
          entries.map(({ level }) => level),
          [LogLevel.Warning, LogLevel.Warning, LogLevel.Warning]
        )
        for (const { text } of entries) {
          assert.match(text, /could not be renewed.*the source of the credentials failed \(Error\)/s)
          assert.match(text, /still good/)
          assert.notInclude(text, "secret-4f1b")
          assert.notInclude(text, "token-1")
        }
        assert.match(entries[1]?.text ?? "", /2s/)
      })
  )

  it.scoped("does not come back once it was refused, though its renewal fails, which is logged", () =>
    Effect.gen(function* () {
      const { entries, layer } = yield* logged
      const { credentials } = yield* numbered((n) => (n === 2 ? Effect.fail("down") : Effect.void))
      const old = yield* credentials.token
      failed(
        yield* Effect.flip(renew(credentials, old)).pipe(Effect.provide(layer)),
        /the source of the credentials failed/
      )
      assert.strictEqual(yield* value(credentials.token), "token-3")
      assert.deepStrictEqual(
        entries.map(({ level }) => level),
        [LogLevel.Warning]
      )
      const text = entries[0]?.text ?? ""
      assert.include(text, "The API refused the current one; the next call asks the source again.")
      assert.include(text, "[ 'reason', 'Credentials' ]")
      assert.notInclude(text, "delay")
    })
  )

  it.scoped("is served by a layer as well", () =>
    Effect.gen(function* () {
      const token = Redacted.make("token")
      const get = Effect.map(DateTime.now, (now) => ({ token, expiresAt: DateTime.add(now, { hours: 1 }) }))
      const context = yield* Layer.build(Credentials.layerSource({ get }))
      assert.strictEqual(yield* Context.get(context, Credentials).token, token)
    })
  )

  it.scoped("that has already expired when the source returns it is not sent", () =>
    Effect.gen(function* () {
      const late = yield* Credentials.makeSource({
        get: Effect.map(DateTime.now, (now) => ({ token: Redacted.make("token"), expiresAt: now }))
      })
      failed(yield* Effect.flip(late.token), /already expired/)
    })
  )

  it.scoped("is not trusted by a clock that was set back since it was got", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(3_600_000)
      const { credentials } = yield* numbered()
      yield* credentials.token
      yield* TestClock.setTime(3_595_001)
      assert.strictEqual(yield* value(credentials.token), "token-1")
      yield* TestClock.setTime(3_595_000)
      assert.strictEqual(yield* value(credentials.token), "token-2")
    })
  )

  it.scoped("serves the call that waits for another one if the clock was set back and the source fails", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void, string>()
      const { credentials } = yield* numbered((n) => (n === 1 ? Effect.void : Deferred.await(ready)))
      yield* credentials.token
      yield* TestClock.setTime(200_000)
      const waiting = yield* Effect.fork(value(credentials.token))
      yield* settled
      yield* TestClock.setTime(50_000)
      yield* Deferred.fail(ready, "down")
      assert.strictEqual(yield* Fiber.join(waiting), "token-1")
    })
  )

  it.scoped("that cannot be got fails its call, without a log; so does one whose scope closes", () =>
    Effect.gen(function* () {
      const { entries, layer } = yield* logged
      yield* Effect.gen(function* () {
        const { credentials } = yield* numbered(() => Effect.fail("down"))
        yield* Effect.flip(credentials.token)
        const scope = yield* Scope.make()
        const closing = yield* Scope.extend(
          numbered((n) => (n === 1 ? Effect.void : Effect.never)),
          scope
        )
        yield* closing.credentials.token
        yield* TestClock.adjust("80 seconds")
        yield* closing.credentials.token
        yield* settled
        yield* Scope.close(scope, Exit.void)
      }).pipe(Effect.provide(layer))
      assert.deepStrictEqual(entries, [])
    })
  )
})

describe("a source with a part that cannot be interrupted", () => {
  const stuck = Effect.uninterruptible(Effect.never)

  it.scoped("is abandoned after a minute", () =>
    Effect.gen(function* () {
      const { credentials } = yield* numbered((n) => (n === 1 ? stuck : Effect.void))
      const call = yield* Effect.fork(Effect.flip(credentials.token))
      yield* settled
      yield* TestClock.adjust("1 minute")
      failed(yield* Fiber.join(call), /\(TimeoutException\)/)
      assert.strictEqual(yield* value(credentials.token), "token-2")
    })
  )

  it.effect("lets the scope close", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { credentials } = yield* Scope.extend(
        numbered(() => stuck),
        scope
      )
      const waiting = yield* Effect.fork(Effect.flip(credentials.token))
      yield* settled
      yield* Scope.close(scope, Exit.void)
      failed(yield* Fiber.join(waiting), /the credentials were closed/)
    })
  )
})

describe("a 401", () => {
  const hour = 3_600_000

  it.scoped("during a routine renewal restarts it: the token of the first run is not used", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const interrupted: Array<number> = []
      const { credentials, state } = yield* numbered((n) =>
        n === 2 ? Effect.onInterrupt(Deferred.await(ready), () => Effect.sync(() => interrupted.push(n))) : Effect.void
      )
      const old = yield* credentials.token
      yield* TestClock.adjust("80 seconds")
      yield* credentials.token
      yield* settled
      assert.strictEqual(state.minted, 2)
      const serverTime = 80_000 + hour
      assert.strictEqual(yield* value(renew(credentials, old, serverTime)), "token-3")
      assert.deepStrictEqual(state.serverTimes, [serverTime])
      yield* settled
      assert.deepStrictEqual(interrupted, [2])
      yield* Deferred.succeed(ready, undefined)
      yield* settled
      assert.strictEqual(yield* value(credentials.token), "token-3")
    })
  )

  it.scoped("without a Date restarts a routine renewal as well", () =>
    Effect.gen(function* () {
      const { credentials } = yield* numbered((n) => (n === 2 ? Effect.never : Effect.void))
      const old = yield* credentials.token
      yield* TestClock.adjust("80 seconds")
      yield* credentials.token
      yield* settled
      assert.strictEqual(yield* value(renew(credentials, old)), "token-3")
    })
  )

  it.scoped("for another token waits for the one that is underway, and asks for one if none is", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const { credentials, state } = yield* numbered((n) => (n === 1 ? Deferred.await(ready) : Effect.void))
      const other = Redacted.make("token-0")
      const calls = yield* Effect.forkAll([
        value(credentials.token),
        Effect.zipRight(settled, value(renew(credentials, other)))
      ])
      yield* settled
      yield* settled
      yield* Deferred.succeed(ready, undefined)
      assert.deepStrictEqual(yield* Fiber.join(calls), ["token-1", "token-1"])
      assert.deepStrictEqual([state.minted, state.rejected], [1, 0])
      const cold = yield* numbered()
      assert.strictEqual(yield* value(renew(cold.credentials, other)), "token-1")
    })
  )

  it.scoped("that shows another clock waits for the new token that an earlier 401 has asked for", () =>
    Effect.gen(function* () {
      const ready = yield* Deferred.make<void>()
      const { credentials, state } = yield* numbered((n) => (n === 2 ? Deferred.await(ready) : Effect.void))
      const old = yield* credentials.token
      const first = yield* Effect.fork(value(renew(credentials, old)))
      yield* settled
      const second = yield* Effect.fork(value(renew(credentials, old, hour)))
      yield* settled
      yield* Deferred.succeed(ready, undefined)
      assert.deepStrictEqual([yield* Fiber.join(first), yield* Fiber.join(second)], ["token-2", "token-2"])
      assert.strictEqual(state.minted, 2)
    })
  )

  it.scoped("shows a wrong clock from 5 seconds up to 24 hours, and the same clock once", () =>
    Effect.gen(function* () {
      const { credentials, state } = yield* numbered()
      const old = yield* credentials.token
      assert.strictEqual(yield* value(renew(credentials, old)), "token-2")
      const later = Effect.zipRight(TestClock.adjust("2 seconds"), Effect.map(DateTime.now, DateTime.toEpochMillis))
      for (const [off, token] of [
        [4_999, "token-2"],
        [5_000, "token-3"],
        [9_999, "token-3"],
        [24 * hour, "token-4"],
        [24 * hour, "token-4"]
      ] as const) {
        assert.strictEqual(yield* value(renew(credentials, old, (yield* later) + off)), token)
      }
      assert.deepStrictEqual(state.serverTimes, [undefined, 4_000 + 5_000, 8_000 + 24 * hour])
    })
  )

  it.scoped("that shows a wrong clock replaces a token that was received meanwhile, once", () =>
    Effect.gen(function* () {
      const { credentials, state } = yield* numbered()
      const old = yield* credentials.token
      yield* TestClock.adjust("80 seconds")
      yield* credentials.token
      yield* settled
      assert.strictEqual(yield* value(renew(credentials, old, 80_000 + 1000)), "token-2")
      for (let call = 0; call < 10; call++) {
        assert.strictEqual(yield* value(renew(credentials, old, 80_000 + hour + call * 100)), "token-3")
      }
      assert.strictEqual(state.rejected, 1)
      // The clock is set right: that shows as well.
      yield* TestClock.adjust(hour)
      const current = yield* credentials.token
      assert.strictEqual(yield* value(renew(credentials, old, 80_000 + hour)), "token-5")
      assert.notStrictEqual(yield* credentials.token, current)
    })
  )

  it.scoped("for a token that was got because of a 401 asks the source 1, 2, 4 ... 60 seconds later", () =>
    Effect.gen(function* () {
      const { credentials, state } = yield* numbered()
      const mints: Array<number> = []
      for (let second = 0; second < 200; second++) {
        const before = state.minted
        for (let call = 0; call < 10; call++) {
          const token = yield* credentials.token
          yield* Effect.exit(renew(credentials, token))
        }
        if (state.minted > before) mints.push(second)
        yield* TestClock.adjust("1 seconds")
      }
      assert.deepStrictEqual(mints, [0, 1, 3, 7, 15, 31, 63, 123, 183])
      assert.strictEqual(state.minted, 10)
      const token = yield* credentials.token
      failed(yield* Effect.flip(renew(credentials, token)), /refused.*43 seconds/)
    })
  )

  it.scoped("gets a new token at once after a routine renewal, whatever was refused before", () =>
    Effect.gen(function* () {
      const { credentials } = yield* numbered()
      for (let call = 0; call < 3; call++) yield* Effect.exit(renew(credentials, yield* credentials.token))
      assert.strictEqual(yield* value(credentials.token), "token-2")
      yield* TestClock.adjust("80 seconds")
      yield* credentials.token
      yield* settled
      assert.strictEqual(yield* value(renew(credentials, yield* credentials.token)), "token-4")
    })
  )

  it.scoped("whose Date is more than 24 hours off says nothing about the clock", () =>
    Effect.gen(function* () {
      const { credentials, state } = yield* numbered()
      const old = yield* credentials.token
      for (const year of [1970, 2020, 2400]) {
        yield* value(renew(credentials, old, Date.UTC(year, 1) + 25 * hour))
      }
      assert.deepStrictEqual([state.minted, state.serverTimes], [2, [undefined]])
    })
  )

  it.scoped("fails with RequestFailed if the source's onRejected throws", () =>
    Effect.gen(function* () {
      const credentials = yield* Credentials.makeSource({
        get: Effect.map(DateTime.now, (now) => ({
          token: Redacted.make("token"),
          expiresAt: DateTime.add(now, { hours: 1 })
        })),
        onRejected: () => {
          throw new RangeError("secret-4f1b")
        }
      })
      failed(yield* Effect.flip(renew(credentials, yield* credentials.token)), /\(RangeError\)/)
    })
  )

  it.scoped("for a token that was wiped since is one for another token", () =>
    Effect.gen(function* () {
      const { credentials } = yield* numbered()
      const old = Redacted.make("token-0")
      const current = yield* credentials.token
      Redacted.unsafeWipe(old)
      assert.strictEqual(yield* renew(credentials, old), current)
      Redacted.unsafeWipe(current)
      assert.strictEqual(yield* renew(credentials, old), current)
      // The current one itself is refused, wiped or not.
      assert.strictEqual(yield* value(renew(credentials, current)), "token-2")
    })
  )

  it.scoped("for a copy of the current token is one for the current token, also of a source without onRejected", () =>
    Effect.gen(function* () {
      let minted = 0
      const credentials = yield* Credentials.makeSource({
        get: Effect.map(DateTime.now, (now) => ({
          token: Redacted.make(`token-${++minted}`),
          expiresAt: DateTime.add(now, { hours: 1 })
        }))
      })
      yield* credentials.token
      assert.strictEqual(yield* value(renew(credentials, Redacted.make("token-1"))), "token-2")
    })
  )
})

describe("a token that cannot be sent", () => {
  const wiped = Redacted.make("token")
  Redacted.unsafeWipe(wiped)
  const empty = "The token is empty or not a string: give the bearer token of your Gr4vy instance."
  const characters =
    "The token contains white space, control or non-ASCII characters, or quotes: remove line breaks, quotes and blanks."
  for (const [name, token, message] of [
    ["not redacted", "token", "The token must be given as Redacted.make(token)."],
    [
      "wiped",
      wiped,
      "The token was wiped with Redacted.unsafeWipe: give a new one, or wipe it when the client is closed."
    ],
    ["empty", Redacted.make(""), empty],
    ["undefined", Redacted.make(undefined), empty],
    ["a number", Redacted.make(7), empty],
    ["with a blank", Redacted.make("to ken"), characters],
    ["with a line break", Redacted.make("token\n"), characters],
    ["not ASCII", Redacted.make("t\u00f6ken"), characters]
  ] as const) {
    it.effect(`is refused, and the message says why: ${name}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(Either.getLeft(bearer(token as Redacted.Redacted)).pipe(Option.getOrNull), message)
        const error = yield* Effect.flip(Credentials.makeToken(token as Redacted.Redacted))
        assert.strictEqual(String(error), `(Invalid data at token: "${message}")`)
      })
    )
  }

  it.effect("is any other, which becomes the header", () =>
    Effect.gen(function* () {
      const token = Redacted.make("aZ09!~")
      assert.deepStrictEqual(Either.getOrNull(bearer(token)), "Bearer aZ09!~")
      assert.strictEqual(Credentials.key, "@effect-gr4vy/core/Credentials")
      const credentials = yield* Effect.provide(Credentials, Credentials.layerToken(token))
      assert.strictEqual(yield* credentials.token, token)
    })
  )
})

describe("a fixed token that is wiped", () => {
  it.effect("fails the calls that come after", () =>
    Effect.gen(function* () {
      const token = Redacted.make("token")
      const credentials = yield* Credentials.makeToken(token)
      assert.strictEqual(credentials.cachedToken?.(0), token)
      assert.strictEqual(yield* credentials.token, token)
      Redacted.unsafeWipe(token)
      assert.isUndefined(credentials.cachedToken?.(0))
      failed(yield* Effect.flip(credentials.token), /was wiped/)
    })
  )

  it.effect("before is refused when the layer is built", () =>
    Effect.gen(function* () {
      const token = Redacted.make("token")
      Redacted.unsafeWipe(token)
      assert.match(String(yield* Effect.flip(Credentials.makeToken(token))), /was wiped/)
    })
  )
})

describe("a failing source is named by its tag, never by its message", () => {
  class SecretManagerDown extends Error {
    readonly _tag = "SecretManagerDown"
  }
  const secret = "secret-4f1b"
  const sources: Record<string, readonly [get: Effect.Effect<unknown, unknown>, name: RegExp]> = {
    "with a tagged error": [Effect.fail(new SecretManagerDown(secret)), /\(SecretManagerDown\)/],
    "with an error": [Effect.fail(new TypeError(secret)), /\(TypeError\)/],
    "with a tag that is no text": [Effect.fail({ _tag: 7, message: secret }), /\(unknown\)/],
    "with a text": [Effect.fail(secret), /\(unknown\)/],
    "with a defect": [Effect.die(new RangeError(secret)), /\(RangeError\)/],
    "with a call's failure, which is not this call's": [
      Effect.fail(new RequestFailed({ reason: "Timeout", delivered: "unknown", attempts: 3, message: secret })),
      /\(RequestFailed\)/
    ],
    "with nothing": [Effect.succeed(undefined), /\(TypeError\)/],
    "with a token that ends at no time": [Effect.succeed({ token: Redacted.make(secret) }), /\(TypeError\)/],
    "with a promise that is rejected": [Effect.promise(() => Promise.reject(new Error(secret))), /\(Error\)/]
  }
  for (const [name, [get, message]] of Object.entries(sources)) {
    it.scoped(name, () =>
      Effect.gen(function* () {
        // Past the types, as plain JavaScript would.
        const credentials = yield* Credentials.makeSource({ get: get as Effect.Effect<never, unknown> })
        const exit = yield* Effect.exit(credentials.token)
        assert(Exit.isFailure(exit))
        const error = Option.getOrThrow(Cause.failureOption(exit.cause))
        failed(error, message)
        assert.notInclude(inspect(exit, { depth: null, showHidden: true }) + Cause.pretty(exit.cause), secret)
      })
    )
  }

  it.effect("a source whose scope closes fails its calls, before or during a request for a token", () =>
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
      failed(yield* Effect.flip(credentials.token), /The client is closed: its layer/)
    })
  )
})
