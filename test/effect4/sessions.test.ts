import { inspect } from "node:util"
import {
  CheckoutSessions,
  Generic,
  Gr4vy,
  NotFound,
  RequestFailed,
  RetryPolicy,
  Unauthorized
} from "@effect-gr4vy/effect4"
import { Cause, Config, ConfigProvider, DateTime, Duration, Effect, Exit, Layer, Redacted, Schema } from "effect4"
import { assert, describe, it } from "vitest"
import { type Answer, reply, session, sessionId, status } from "../support/script.js"
import { serving } from "./server.js"

const token = Redacted.make("a-token-of-these-tests")

const card = {
  method: "card",
  number: Redacted.make("4111111111111111"),
  expirationDate: "11/29",
  securityCode: Redacted.make("123")
} as const

/** Runs a program over a server with these answers. */
const over = <A, E>(
  answers: ReadonlyArray<Answer>,
  program: (server: Effect.Success<ReturnType<typeof serving>>) => Effect.Effect<A, E, CheckoutSessions>
) =>
  Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(serving(...answers), (server) =>
        Effect.provide(program(server), CheckoutSessions.layer({ baseUrl: server.baseUrl, token }))
      )
    )
  )

const call = <A, E>(f: (sessions: CheckoutSessions["Service"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(CheckoutSessions, f)

describe("a session in Effect 4", () => {
  it("has the times of Effect 4, and sends its durations and secrets as the API wants them", () =>
    over([session, reply(204, "")], (server) =>
      Effect.gen(function* () {
        const sessions = yield* CheckoutSessions
        const { expiresAt, id } = yield* sessions.add({ amount: 1299, currency: "EUR", expiresIn: Duration.hours(2) })
        assert.isTrue(DateTime.isUtc(expiresAt))
        assert.strictEqual(DateTime.formatIso(expiresAt), "2099-01-01T00:00:00.000Z")
        yield* sessions.updateFields(id, { paymentMethod: card })
        assert.deepStrictEqual(
          server.requests.map(({ method, url }) => `${method} ${url}`),
          ["POST /checkout/sessions", `PUT /checkout/sessions/${sessionId}/fields`]
        )
        assert.deepStrictEqual(
          server.bodies.map((body) => JSON.parse(body)),
          [
            { amount: 1299, currency: "EUR", expires_in: 7200 },
            {
              payment_method: {
                method: "card",
                number: "4111111111111111",
                expiration_date: "11/29",
                security_code: "123"
              }
            }
          ]
        )
      })
    ))

  it("fails with native errors, which catchTag tells apart and which survive JSON", () =>
    over([status(401), reply(404, JSON.stringify({ code: "not_found", message: "gone" })), status(418)], () =>
      Effect.gen(function* () {
        const sessions = yield* CheckoutSessions
        const once = RetryPolicy.withPolicy(RetryPolicy.none)
        const unauthorized = yield* Effect.flip(once(sessions.add()))
        assert.instanceOf(unauthorized, Unauthorized)
        const missing = yield* sessions.get(sessionId).pipe(
          Effect.map(() => undefined),
          Effect.catchTag("NotFound", (error) => Effect.succeed(error))
        )
        assert.instanceOf(missing, NotFound)
        assert.deepStrictEqual([missing?.status, missing?.code, missing?.message], [404, "not_found", "gone"])
        const json = Schema.fromJsonString(NotFound)
        const crossed = yield* Schema.decodeUnknownEffect(json)(yield* Schema.encodeUnknownEffect(json)(missing))
        assert.instanceOf(crossed, NotFound)
        assert.strictEqual(crossed.message, "gone")
        const odd = yield* Effect.flip(sessions.get(sessionId))
        assert.instanceOf(odd, Generic)
        assert.strictEqual(odd._tag === "Generic" ? odd.status : 0, 418)
      })
    ))

  it("a delay that the API asks for is a Duration of Effect 4, and survives JSON", () =>
    over([status(429, { "retry-after": "60" })], () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(call((_) => _.get(sessionId)))
        assert.instanceOf(error, Generic)
        const json = Schema.fromJsonString(Generic)
        const crossed = yield* Schema.decodeUnknownEffect(json)(yield* Schema.encodeUnknownEffect(json)(error))
        for (const { retryAfter } of [error, crossed]) {
          assert.isTrue(Duration.isDuration(retryAfter))
          assert.strictEqual(Duration.toMillis(retryAfter ?? 0), 60_000)
        }
      })
    ))

  it("a card with a typo is refused before it is sent, and shown nowhere", () =>
    over([session], (server) =>
      Effect.gen(function* () {
        const number = "41111111111111x1"
        const paymentMethod = { ...card, number: Redacted.make(number) }
        const exit = yield* Effect.exit(call((_) => _.updateFields(sessionId, { paymentMethod })))
        assert.isTrue(Exit.isFailure(exit))
        const shown = Exit.isFailure(exit)
          ? [Cause.pretty(exit.cause), JSON.stringify(exit), inspect(exit, { depth: 9 })]
          : []
        for (const text of shown) {
          assert.include(text, "RequestFailed")
          assert.notInclude(text, number)
        }
        assert.isEmpty(server.requests)
      })
    ))

  it("a secret that was wiped is refused, and nothing is sent", () =>
    over([session], (server) =>
      Effect.gen(function* () {
        const number = Redacted.make("4111111111111111")
        Redacted.wipeUnsafe(number)
        const error = yield* Effect.flip(call((_) => _.updateFields(sessionId, { paymentMethod: { ...card, number } })))
        assert.instanceOf(error, RequestFailed)
        assert.match(error.message, /^Nothing was sent/)
        assert.isEmpty(server.requests)
      })
    ))

  it("an object with getters is judged by the codec, and no getter runs before", () =>
    over([session], (server) =>
      Effect.gen(function* () {
        let ran = 0
        class Lazy {
          get amount() {
            ran++
            return 1299
          }
        }
        const lazy: object = new Lazy()
        const error = yield* Effect.flip(call((_) => _.add(lazy)))
        assert.instanceOf(error, RequestFailed)
        assert.strictEqual(ran, 0)
        assert.isEmpty(server.requests)
      })
    ))

  it("the same call as an effect sends a request each time it runs", () =>
    over([session], (server) =>
      Effect.gen(function* () {
        const get = (yield* CheckoutSessions).get(sessionId)
        assert.isEmpty(server.requests)
        yield* get
        yield* get
        assert.lengthOf(server.requests, 2)
      })
    ))
})

describe("options of a call and policies in Effect 4", () => {
  it("a policy is the client's, a call's or a whole program's; the innermost counts", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(status(503))
          const two = RetryPolicy.make({ maxAttempts: 2, baseDelay: 0 })
          const three = RetryPolicy.make({ maxAttempts: 3, baseDelay: 0 })
          const requests = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
            Effect.suspend(() => {
              const before = server.requests.length
              return Effect.map(Effect.exit(effect), () => server.requests.length - before)
            })
          const get = call((_) => _.get(sessionId))
          const program = Effect.gen(function* () {
            return [
              yield* requests(get),
              yield* requests(RetryPolicy.withPolicy(get, three)),
              yield* requests(RetryPolicy.withPolicy(RetryPolicy.withPolicy(get, RetryPolicy.none), three))
            ]
          })
          const seen = yield* Effect.provide(
            program,
            CheckoutSessions.layer({ baseUrl: server.baseUrl, token, retry: two })
          )
          assert.deepStrictEqual(seen, [2, 3, 1])
        })
      )
    ))

  it("a policy that cannot be used throws where it is made", () => {
    assert.throws(() => RetryPolicy.make({ maxAttempts: 0 }), /maxAttempts must be a whole number from 1 to 100/)
    assert.throws(() => RetryPolicy.make({ baseDelay: Duration.infinity }), /baseDelay/)
    const misspelt: object = { maxAttempt: 2 }
    assert.throws(() => RetryPolicy.make(misspelt), /maxAttempts/)
  })

  it("beforeSend runs before each request, and what it fails with is what the call fails with", () =>
    over([status(503, { "retry-after": "0" }), session], (server) =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const beforeSend = (attempt: number) =>
          Effect.sync(() => void seen.push(`${attempt} ${server.requests.length}`))
        yield* call((_) => _.get(sessionId, { beforeSend, merchantAccountId: "shop", headers: { "x-mine": "1" } }))
        assert.deepStrictEqual(seen, ["1 0", "2 1"])
        const headers = server.requests[1]?.headers
        assert.deepStrictEqual([headers?.["x-gr4vy-merchant-account-id"], headers?.["x-mine"]], ["shop", "1"])
        const stop = new RequestFailed({ reason: "InvalidRequest", delivered: "no", message: "not today", attempts: 0 })
        const error = yield* Effect.flip(call((_) => _.get(sessionId, { beforeSend: () => Effect.fail(stop) })))
        assert.instanceOf(error, RequestFailed)
        assert.include(error.message, "not today")
        assert.lengthOf(server.requests, 2)
      })
    ))

  it("beforeSend has the services of its program, and may call the same client", () =>
    over([session], (server) =>
      Effect.gen(function* () {
        const sessions = yield* CheckoutSessions
        yield* sessions.get(sessionId, { beforeSend: () => Effect.asVoid(Effect.orDie(sessions.get(sessionId))) })
        assert.lengthOf(server.requests, 2)
      })
    ))
})

const problemOf = <A>(layer: Layer.Layer<A, Config.ConfigError>) =>
  Effect.runPromise(
    Effect.map(Effect.flip(Effect.scoped(Layer.build(layer))), (error) => {
      assert.instanceOf(error, Config.ConfigError)
      return error.message
    })
  )

const configured = (entries: Readonly<Record<string, string>>) =>
  Layer.provide(CheckoutSessions.layerConfig(), ConfigProvider.layer(ConfigProvider.fromUnknown(entries)))

describe("a layer of Effect 4 that cannot be built", () => {
  it("fails with a ConfigError that names the option", async () => {
    const good = { baseUrl: "https://example.com", token }
    const late: object = { attemptTimeout: "soon" }
    const misspelt: object = { tokn: token }
    assert.match(await problemOf(CheckoutSessions.layer({ ...good, ...late })), /attemptTimeout/)
    assert.match(await problemOf(CheckoutSessions.layer({ ...good, ...misspelt })), /tokn/)
    assert.match(await problemOf(CheckoutSessions.layer({ ...good, connections: 0 })), /connections/)
    assert.match(await problemOf(CheckoutSessions.layer({ ...good, baseUrl: "http://example.com" })), /https/)
    const key = Redacted.make("not a key")
    const problem = await problemOf(CheckoutSessions.layer({ id: "plantly", privateKey: key }))
    assert.match(problem, /privateKey/)
    assert.notMatch(problem, /not a key/)
  })

  it("fails with a ConfigError that names the variable that is missing", async () => {
    assert.match(await problemOf(configured({})), /GR4VY_ID/)
    assert.match(await problemOf(configured({ GR4VY_ID: "plantly" })), /GR4VY_TOKEN/)
    const both = { GR4VY_ID: "plantly", GR4VY_TOKEN: "t", GR4VY_PRIVATE_KEY: "k" }
    assert.match(await problemOf(configured(both)), /GR4VY_TOKEN, GR4VY_PRIVATE_KEY/)
  })

  it("reads Effect's ConfigProvider and nothing else", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(session)
          const entries = { GR4VY_BASE_URL: server.baseUrl, GR4VY_TOKEN: "from-the-provider" }
          yield* Effect.provide(
            call((_) => _.get(sessionId)),
            configured(entries)
          )
          assert.strictEqual(server.requests[0]?.headers.authorization, "Bearer from-the-provider")
        })
      )
    ))
})

describe("a client in Effect 4", () => {
  it("gets tokens from an effect: once for all that wait, and its failure is named by its tag alone", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(session)
          let ran = 0
          const expiresAt = DateTime.makeUnsafe("2099-01-01T00:00:00Z")
          const getToken = Effect.sync(() => ({ token: Redacted.make(`token-${++ran}`), expiresAt }))
          const get = call((_) => _.get(sessionId))
          yield* Effect.provide(
            Effect.all([get, get, get], { concurrency: "unbounded" }),
            CheckoutSessions.layer({ baseUrl: server.baseUrl, getToken })
          )
          assert.strictEqual(ran, 1)
          assert.strictEqual(server.requests[2]?.headers.authorization, "Bearer token-1")
          const broken = { baseUrl: server.baseUrl, getToken: Effect.fail({ _tag: "VaultSealed", secret: "s3cret" }) }
          const error = yield* Effect.flip(Effect.provide(get, CheckoutSessions.layer(broken)))
          assert.instanceOf(error, RequestFailed)
          assert.strictEqual(error.reason, "Credentials")
          assert.include(error.message, "VaultSealed")
          assert.notInclude(error.message, "s3cret")
        })
      )
    ))

  it("is one for every service over it", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(session)
          const client = Gr4vy.layer({ baseUrl: server.baseUrl, token, connections: 1 })
          const twice = Effect.andThen(
            call((_) => _.get(sessionId)),
            call((_) => _.get(sessionId))
          )
          yield* Effect.provide(twice, Layer.provide(CheckoutSessions.layerClient, client))
          assert.lengthOf(server.requests, 2)
          assert.strictEqual(server.requests[0]?.socket, server.requests[1]?.socket)
          yield* server.quiet
        })
      )
    ))
})
