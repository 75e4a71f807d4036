import type { IncomingMessage } from "node:http"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, Credentials, RequestFailed, Unauthorized } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { DateTime, Deferred, Effect, Fiber, Layer, Redacted, TestClock } from "effect"
import { verifyToken } from "../../../packages/sandbox/dist/internal/verifyToken.js"
import { newPair, parts, pkcs8, spki } from "../../support/keys.js"
import { script, session, sessionId, status } from "../../support/script.js"

const { privateKey, publicKey } = newPair()
const id = CheckoutSessionId.make(sessionId)
const start = Date.UTC(2026, 0, 1)

const unhandled: Array<unknown> = []
const listen = (reason: unknown) => unhandled.push(reason)
process.on("unhandledRejection", listen)
afterAll(() => {
  process.off("unhandledRejection", listen)
  assert.deepStrictEqual(unhandled, [])
})

const tokenOf = (request: IncomingMessage) => (request.headers.authorization ?? "").replace(/^Bearer /, "")

/** An API that checks tokens by a clock of its own, tells it in its `Date`, and may have revoked some. */
const api = Effect.gen(function* () {
  const verify = yield* verifyToken(spki(publicKey))
  const state = { now: start, date: (now: number) => now, revoked: new Set<string>(), barrier: 0 }
  const held: Array<() => void> = []
  const { baseUrl, requests } = yield* script((request, response) => {
    const answer = () =>
      Effect.runFork(
        Effect.map(
          Effect.either(verify(Redacted.make(tokenOf(request)), "checkout-sessions.read", state.now)),
          ({ _tag }) => {
            response.setHeader("date", new Date(state.date(state.now)).toUTCString())
            const good = _tag === "Right" && !state.revoked.has(tokenOf(request))
            ;(good ? session : status(401))(request, response)
          }
        )
      )
    // Answers none before as many have come in.
    if (state.barrier === 0) return void answer()
    held.push(answer)
    if (held.length === state.barrier) {
      state.barrier = 0
      for (const release of held) release()
    }
  })
  return { baseUrl, state, tokens: () => requests.map(tokenOf) }
})

const signedBy = (baseUrl: string, retry: RetryPolicy.RetryPolicy = RetryPolicy.standard) =>
  Gr4vy.make({ baseUrl, privateKey: Redacted.make(pkcs8(privateKey)), retry, connections: 100 })

const different = (tokens: ReadonlyArray<string>) => new Set(tokens).size

describe("a call whose token is refused", () => {
  it.scoped("is retried once, with a new token", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const { baseUrl, state, tokens } = yield* api
      const sessions = yield* signedBy(baseUrl)
      yield* sessions.get(id)
      state.revoked.add(tokens()[0] ?? "")
      yield* sessions.get(id)
      yield* sessions.get(id)
      assert.strictEqual(tokens().length, 4)
      assert.deepStrictEqual([different(tokens().slice(0, 2)), different(tokens().slice(2))], [1, 1])
      assert.strictEqual(different(tokens()), 2)
    })
  )

  it.scoped("is Unauthorized after two requests if the new token is refused too", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(status(401))
      const sessions = yield* signedBy(baseUrl)
      assert.instanceOf(yield* Effect.flip(sessions.get(id)), Unauthorized)
      assert.strictEqual(different(requests.map(tokenOf)), 2)
      assert.strictEqual(requests.length, 2)
    })
  )

  it.scoped("is not retried by each of many calls if the API refuses every token", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(status(401))
      const sessions = yield* signedBy(baseUrl)
      for (let call = 0; call < 10; call++) assert.instanceOf(yield* Effect.flip(sessions.get(id)), Unauthorized)
      assert.deepStrictEqual([requests.length, different(requests.map(tokenOf))], [11, 2])
      yield* TestClock.adjust(1000)
      for (let call = 0; call < 10; call++) assert.instanceOf(yield* Effect.flip(sessions.get(id)), Unauthorized)
      assert.deepStrictEqual([requests.length, different(requests.map(tokenOf))], [22, 3])
    })
  )

  it.scoped("is not retried with RetryPolicy.none, but the next call has a new token", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const { baseUrl, state, tokens } = yield* api
      const sessions = yield* signedBy(baseUrl, RetryPolicy.none)
      yield* sessions.get(id)
      state.revoked.add(tokens()[0] ?? "")
      assert.instanceOf(yield* Effect.flip(sessions.get(id)), Unauthorized)
      assert.strictEqual(tokens().length, 2)
      // The renewal begins in a fiber of its own.
      yield* Effect.repeatN(Effect.yieldNow(), 10)
      yield* sessions.get(id)
      assert.deepStrictEqual([tokens().length, different(tokens())], [3, 2])
    })
  )

  it.scoped("is Unauthorized after one request with RetryPolicy.none", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(status(401))
      const sessions = yield* signedBy(baseUrl, RetryPolicy.none)
      assert.instanceOf(yield* Effect.flip(sessions.get(id)), Unauthorized)
      assert.strictEqual(requests.length, 1)
    })
  )

  it.scoped("shares the new token with 99 others that were refused at the same time", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const { baseUrl, state, tokens } = yield* api
      const sessions = yield* signedBy(baseUrl)
      yield* sessions.get(id)
      state.revoked.add(tokens()[0] ?? "")
      state.barrier = 100
      yield* Effect.all(
        Array.from({ length: 100 }, () => sessions.get(id)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(tokens().length, 201)
      assert.strictEqual(different(tokens()), 2)
    })
  )
})

describe("a fixed token", () => {
  it.scoped("that is wiped fails later calls, and nothing is sent", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(session)
      const token = Redacted.make("fixed-4f1b")
      const sessions = yield* Gr4vy.make({ baseUrl, token })
      yield* sessions.get(id)
      Redacted.unsafeWipe(token)
      const error = yield* Effect.flip(sessions.get(id))
      assert.instanceOf(error, RequestFailed)
      assert.deepStrictEqual([error.reason, error.delivered, requests.length], ["Credentials", "no", 1])
      assert.match(error.message, /was wiped/)
    })
  )
})

describe("100 calls that find no token", () => {
  it.scoped("share one", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(start)
      const { baseUrl, tokens } = yield* api
      const sessions = yield* signedBy(baseUrl)
      yield* Effect.all(
        Array.from({ length: 100 }, () => sessions.get(id)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual([tokens().length, different(tokens())], [100, 1])
    })
  )
})

describe("a clock that is off", () => {
  const minutes = 60_000
  const table: Record<string, readonly [off: number, requests: number]> = {
    "ahead, within the leeway": [4000, 1],
    "10 minutes ahead": [10 * minutes, 2],
    "10 minutes behind": [-10 * minutes, 2]
  }
  for (const [name, [off, requests]] of Object.entries(table)) {
    it.scoped(`${name}: the call succeeds after ${requests} request(s), and later ones after one`, () =>
      Effect.gen(function* () {
        const { baseUrl, state, tokens } = yield* api
        yield* TestClock.setTime(start + off)
        const sessions = yield* signedBy(baseUrl)
        yield* sessions.get(id)
        assert.strictEqual(tokens().length, requests)

        // Cached until 80 % of 5 minutes, by the clock that is off.
        const pass = (millis: number) => {
          state.now += millis
          return TestClock.adjust(millis)
        }
        yield* pass(239_000)
        yield* sessions.get(id)
        assert.strictEqual(tokens().at(-1), tokens().at(-2))
        yield* pass(1000)
        yield* sessions.get(id)
        assert.strictEqual(tokens().at(-1), tokens().at(-2))
        // It is renewed in the background meanwhile.
        const old = tokens().at(-1)
        yield* Effect.repeat(sessions.get(id), { until: () => tokens().at(-1) !== old, times: 1000 })
        assert.strictEqual(different(tokens()), requests + 1)
        if (requests > 1) {
          assert.strictEqual(parts(tokens().at(-1) ?? "").claims["nbf"], state.now / 1000 - 5)
        }
      })
    )
  }

  it.scoped("together with a wrong Date ends in Unauthorized; a second after a right Date, calls succeed", () =>
    Effect.gen(function* () {
      const { baseUrl, state, tokens } = yield* api
      yield* TestClock.setTime(start + 10 * minutes)
      state.date = (now) => now - 60 * minutes
      const sessions = yield* signedBy(baseUrl)
      // The second call has no new token to send: the one that was made because of the first 401 is refused as well.
      for (const sent of [2, 3]) {
        assert.instanceOf(yield* Effect.flip(sessions.get(id)), Unauthorized)
        assert.strictEqual(tokens().length, sent)
      }
      state.date = (now) => now
      state.now += 1000
      yield* TestClock.adjust(1000)
      yield* sessions.get(id)
      assert.strictEqual(tokens().length, 5)
    })
  )
})

describe("a custom token source", () => {
  const over = (baseUrl: string, get: Effect.Effect<Redacted.Redacted, unknown>) =>
    Effect.map(
      Layer.build(
        Gr4vy.layerWithoutCredentials({ baseUrl }).pipe(
          Layer.provide(
            Credentials.layerSource({
              get: Effect.all({ token: get, expiresAt: Effect.map(DateTime.now, DateTime.add({ hours: 1 })) })
            })
          )
        )
      ),
      (context) => CheckoutSessions.pipe(Effect.provide(context))
    ).pipe(Effect.flatten)

  const failures: Record<string, Effect.Effect<never, unknown>> = {
    fails: Effect.fail("down"),
    dies: Effect.die(new Error("down")),
    "has a promise that is rejected": Effect.promise(() => Promise.reject(new Error("down")))
  }
  for (const [name, get] of Object.entries(failures)) {
    it.scoped(`that ${name} is RequestFailed, and nothing is sent`, () =>
      Effect.gen(function* () {
        const { baseUrl, requests } = yield* script(session)
        const sessions = yield* over(baseUrl, get)
        const error = yield* Effect.flip(sessions.get(id))
        assert.instanceOf(error, RequestFailed)
        assert.deepStrictEqual([error.reason, error.delivered, error.attempts], ["Credentials", "no", 0])
        assert.strictEqual(requests.length, 0)
      })
    )
  }

  it.scoped("that hangs ends with the call's deadline", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const { baseUrl, requests } = yield* script(session)
      const sessions = yield* over(baseUrl, Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never))
      const call = yield* Effect.fork(Effect.flip(sessions.get(id)))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("30 seconds")
      const error = yield* Fiber.join(call)
      assert.instanceOf(error, RequestFailed)
      assert.deepStrictEqual([error.reason, error.delivered, error.attempts], ["Timeout", "no", 0])
      assert.strictEqual(error.message, "There was no token before the call's deadline. The request was not sent.")
      assert.strictEqual(requests.length, 0)
    })
  )

  it.scoped("that returns an unsendable token is RequestFailed, and the message does not show it", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(session)
      const sessions = yield* over(baseUrl, Effect.succeed(Redacted.make("secret-4f1b\r\nx: y")))
      const error = yield* Effect.flip(sessions.get(id))
      assert.instanceOf(error, RequestFailed)
      assert.strictEqual(error.reason, "Credentials")
      assert.notInclude(error.message, "secret-4f1b")
      assert.strictEqual(requests.length, 0)
    })
  )

  it.scoped("that fails to renew leaves the API's 401", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(status(401))
      const tokens = [Effect.succeed(Redacted.make("first")), Effect.fail("down")]
      const sessions = yield* over(
        baseUrl,
        Effect.suspend(() => tokens.shift() ?? Effect.die("asked too often"))
      )
      assert.instanceOf(yield* Effect.flip(sessions.get(id)), Unauthorized)
      assert.strictEqual(requests.length, 1)
    })
  )
})
