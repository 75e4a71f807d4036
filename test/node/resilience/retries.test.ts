import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSessionId,
  type CheckoutSessionsService,
  Endpoint,
  type Generic,
  type NotFound,
  RequestFailed,
  type Unauthorized
} from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Either, Logger, Redacted, Schema, Tracer } from "effect"
import { newPair, pkcs8 } from "../../support/keys.js"
import * as Script from "../../support/script.js"
import { type Answer, lost, refused, simulated, status } from "../../support/simulated.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const quick = RetryPolicy.make({ baseDelay: 1, maxDelay: 2 })

const calls: Readonly<
  Record<
    "GET" | "POST" | "PUT" | "DELETE",
    (
      sessions: CheckoutSessionsService
    ) => Effect.Effect<Either.Either<unknown, Unauthorized | NotFound | Generic | RequestFailed>>
  >
> = {
  GET: (sessions: CheckoutSessionsService) => Effect.either(sessions.get(id)),
  POST: (sessions: CheckoutSessionsService) => Effect.either(sessions.add()),
  PUT: (sessions: CheckoutSessionsService) => Effect.either(sessions.updateFields(id)),
  DELETE: (sessions: CheckoutSessionsService) => Effect.either(sessions.delete(id))
}
type Method = keyof typeof calls
const methods: ReadonlyArray<Method> = ["GET", "POST", "PUT", "DELETE"]

/** One call against a script of answers: its outcome, and how many requests it made. */
const outcomeOf = (method: Method, answers: ReadonlyArray<Script.Answer>, retry: RetryPolicy.RetryPolicy = quick) =>
  Effect.gen(function* () {
    const server = yield* Script.script(...answers)
    const sessions = yield* Gr4vy.make({
      baseUrl: server.baseUrl,
      token: Redacted.make("token"),
      retry
    })
    const outcome = yield* calls[method](sessions)
    return { outcome, wire: server.requests.length }
  }).pipe(Effect.scoped)

const tagOf = (outcome: Either.Either<unknown, { readonly _tag: string }>) =>
  Either.match(outcome, { onLeft: (error) => error._tag, onRight: () => "fine" })

/** What a call failed with, to be compared with some of its fields. */
const errorOf = (outcome: Either.Either<unknown, object>): object => Either.getOrThrow(Either.flip(outcome))

describe("the retry table", () => {
  const rows: ReadonlyArray<
    readonly [status: number, headers: Record<string, string>, idempotent: number, post: number]
  > = [
    [408, {}, 3, 1],
    [425, {}, 3, 1],
    [429, {}, 3, 3],
    [500, {}, 3, 1],
    [502, {}, 3, 1],
    [503, {}, 3, 1],
    [503, { "retry-after": "1" }, 3, 3],
    [503, { "retry-after": "0" }, 3, 3],
    [503, { "retry-after": "-5" }, 3, 1],
    [503, { "retry-after": "1e309" }, 3, 1],
    [503, { "retry-after": "soon" }, 3, 1],
    [503, { "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" }, 3, 3],
    [503, { "retry-after": "Sunday, 06-Nov-94 08:49:37 GMT" }, 3, 3],
    [503, { "retry-after": "Sun Nov  6 08:49:37 1994" }, 3, 3],
    [504, {}, 3, 1],
    [520, {}, 3, 1],
    [530, {}, 3, 1],
    [599, {}, 3, 1],
    [400, {}, 1, 1],
    [401, {}, 1, 1],
    [403, {}, 1, 1],
    [404, {}, 1, 1],
    [409, {}, 1, 1],
    [422, {}, 1, 1],
    [501, {}, 1, 1],
    [505, {}, 1, 1],
    [302, {}, 1, 1]
  ]

  it.live.each(rows)("status, headers, requests, requests for a POST: %j", ([code, headers, idempotent, post]) =>
    Effect.forEach(
      methods,
      (method) =>
        Effect.map(outcomeOf(method, [Script.status(code, headers)]), ({ outcome, wire }) => {
          assert.strictEqual(wire, method === "POST" ? post : idempotent, method)
          const declared = code === 401 ? "Unauthorized" : code === 404 && method !== "POST" ? "NotFound" : "Generic"
          assert.deepInclude(errorOf(outcome), { _tag: declared, status: code }, method)
        }),
      { concurrency: "unbounded" }
    )
  )

  it.live("retries a POST if the policy says at-least-once", () =>
    Effect.map(
      outcomeOf("POST", [Script.status(500)], RetryPolicy.make({ baseDelay: 1, creates: "at-least-once" })),
      ({ wire }) => assert.strictEqual(wire, 3)
    )
  )

  it.live.each(methods)("a server that refuses connections is tried three times: %s", (method) =>
    Effect.gen(function* () {
      const gone = yield* Effect.scoped(Effect.map(Script.script(), (_) => _.baseUrl))
      const sessions = yield* Gr4vy.make({ baseUrl: gone, token: Redacted.make("token"), retry: quick })
      assert.deepInclude(errorOf(yield* calls[method](sessions)), {
        _tag: "RequestFailed",
        reason: "Connect",
        delivered: "no",
        attempts: 3
      })
    }).pipe(Effect.scoped)
  )

  it.live.each(methods)("a lost response is retried, but not for a POST: %s", (method) =>
    Effect.map(outcomeOf(method, [Script.droppedMidBody]), ({ outcome, wire }) => {
      const attempts = method === "POST" ? 1 : 3
      assert.strictEqual(wire, attempts)
      const expected = { _tag: "RequestFailed", reason: "Disconnected", delivered: "unknown", attempts }
      assert.deepInclude(errorOf(outcome), expected)
    })
  )

  it.effect("a call that was refused a connection succeeds once there is one, a POST too", () =>
    Effect.gen(function* () {
      const { run, sentAt, sessions } = simulated([refused, refused, status(201)])
      assert(Either.isRight(yield* run(sessions.add())))
      assert.strictEqual(sentAt.length, 3)
    })
  )

  it.effect("a DELETE that was refused a connection, and then finds nothing, is NotFound", () =>
    Effect.gen(function* () {
      const { run, sessions } = simulated([refused, status(404)])
      assert.strictEqual(tagOf(yield* run(sessions.delete(id))), "NotFound")
    })
  )

  it.live("a new token after a 401 is not a retry: two of those are left", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(Script.status(401), Script.status(503), Script.status(503), Script.session)
      const privateKey = Redacted.make(pkcs8(newPair().privateKey))
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, privateKey, retry: quick })
      assert.strictEqual((yield* sessions.get(id)).id, id)
      assert.strictEqual(server.requests.length, 4)
    }).pipe(Effect.scoped)
  )

  it.live.each([
    ["503, then 404", [Script.status(503), Script.status(404)], "fine"],
    ["a lost answer, then 404", [Script.droppedMidBody, Script.status(404)], "fine"],
    ["429, then 404", [Script.status(429), Script.status(404)], "NotFound"],
    ["404 at once", [Script.status(404)], "NotFound"]
  ] as const)("a DELETE whose first copy may have arrived has done its job: %s", ([, answers, expected]) =>
    Effect.map(outcomeOf("DELETE", answers), ({ outcome }) => assert.strictEqual(tagOf(outcome), expected))
  )

  it.live.each([
    Script.status(503),
    Script.status(503, { "retry-after": "1" }),
    Script.status(429),
    Script.status(401),
    Script.droppedMidBody
  ])("RetryPolicy.none is exactly one request, whatever happens (%#)", (answer) =>
    Effect.forEach(methods, (method) =>
      Effect.map(outcomeOf(method, [answer], RetryPolicy.none), ({ wire }) => assert.strictEqual(wire, 1, method))
    )
  )

  it.live("withPolicy overrides the layer's policy, for one call or for a whole program; the innermost counts", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(Script.status(503))
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token: Redacted.make("token"), retry: quick })
      const used = (effect: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function* () {
          const before = server.requests.length
          yield* Effect.exit(effect)
          return server.requests.length - before
        })
      const get = sessions.get(id)
      const two = RetryPolicy.make({ maxAttempts: 2, baseDelay: 1 })
      assert.strictEqual(yield* used(get), 3)
      assert.strictEqual(yield* used(get.pipe(RetryPolicy.withPolicy(RetryPolicy.none))), 1)
      const program = Effect.zipRight(Effect.exit(get), RetryPolicy.withPolicy(get, RetryPolicy.none))
      assert.strictEqual(yield* used(RetryPolicy.withPolicy(program, two)), 3)
    }).pipe(Effect.scoped)
  )
})

describe("an endpoint of one's own is retried by its kind", () => {
  const post = <R extends Endpoint.Resend>(resend: R) =>
    Endpoint.post("Own.post", "/own", { success: Schema.Unknown, resend, errors: [] })
  const endpoints = {
    idempotent: post("idempotent"),
    keyed: post("keyed"),
    create: post("create"),
    once: post("once")
  }
  const withBody = (code: number, body: string): Answer => ({ outcome: { status: code, headers: {}, body }, takes: 0 })
  const concurrent = withBody(409, '{"code":"concurrent_request"}')
  const later = status(503, { "retry-after": "1" })
  const atLeastOnce = RetryPolicy.make({ creates: "at-least-once" })

  it.effect.each([
    ["idempotent", "500", status(500), 3],
    ["idempotent", "409 concurrent_request", concurrent, 1],
    ["idempotent", "501", status(501), 1],
    ["keyed", "500", status(500), 1],
    ["keyed", "502", status(502), 3],
    ["keyed", "409 concurrent_request", concurrent, 3],
    ["keyed", "409 of another code", withBody(409, '{"code":"duplicate"}'), 1],
    ["keyed", "409 without a code", status(409), 1],
    ["keyed", "409 with half a body", withBody(409, '{"code":"concurrent_request"'), 1],
    ["keyed", "lost", lost, 3],
    ["create", "500", status(500), 1],
    ["create", "500 at least once", status(500), 3, atLeastOnce],
    ["create", "409 concurrent_request at least once", concurrent, 1, atLeastOnce],
    ["once", "502 at least once", status(502), 1, atLeastOnce],
    ["once", "lost at least once", lost, 1, atLeastOnce],
    ["once", "503 with Retry-After", later, 3],
    ["once", "429", status(429), 3],
    ["once", "refused", refused, 3]
  ] as const)("%s, %s", ([resend, , answer, requests, retry = RetryPolicy.standard]) =>
    Effect.gen(function* () {
      const { http, run, sentAt } = simulated([answer], { retry })
      const client = Endpoint.clientOf(endpoints, http)
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message }) => void lines.push(message))
      const call = Effect.provide(
        run(resend === "keyed" ? client.keyed({ idempotencyKey: "key" }) : client[resend]()),
        Logger.add(logger)
      )
      assert(Either.isLeft(yield* call))
      assert.strictEqual(sentAt.length, requests)
      // A retry of a keyed endpoint is always safe: if there is none, it would change nothing.
      if (resend === "keyed" && requests === 1) assert.notInclude(String(lines), "is not retried")
    })
  )
})

describe("after a first copy that may have arrived", () => {
  it.effect("only a DELETE that finds nothing has done its job", () =>
    Effect.gen(function* () {
      const deleted = simulated([lost, status(404)])
      assert(Either.isRight(yield* deleted.run(deleted.sessions.delete(id))))
      const forbidden = simulated([lost, status(403)])
      assert.strictEqual(tagOf(yield* forbidden.run(forbidden.sessions.delete(id))), "Generic")
      const got = simulated([lost, status(404)])
      assert.strictEqual(tagOf(yield* got.run(got.sessions.get(id))), "NotFound")
    })
  )

  it.effect("the message says so of a last one that was not sent, and of no other", () =>
    Effect.gen(function* () {
      const earlier = " An earlier request of this call may have reached the API."
      for (const [answers, isTold] of [
        [[lost, refused], true],
        [[lost], false],
        [[refused], false]
      ] as const) {
        const { run, sessions } = simulated(answers)
        const { message } = Either.getOrThrow(Either.flip(yield* run(sessions.get(id))))
        assert.strictEqual(message.endsWith(earlier), isTold, message)
      }
    })
  )

  it.effect("a token that cannot be got counts the requests before it", () =>
    Effect.gen(function* () {
      const message = "There is no token to send. Nothing was sent."
      const none = new RequestFailed({ reason: "Credentials", delivered: "no", attempts: 0, message })
      const tokens = [Effect.succeed(Redacted.make("token"))]
      const credentials = { token: Effect.suspend(() => tokens.shift() ?? Effect.fail(none)) }
      const { run, sessions } = simulated([status(429)], { credentials })
      const expected = { reason: "Credentials", delivered: "no", attempts: 1, message }
      assert.deepInclude(errorOf(yield* run(sessions.get(id))), expected)
    })
  )
})

describe("a 401", () => {
  const renewing = () => {
    const state = { renewals: 0 }
    const credentials = {
      token: Effect.succeed(Redacted.make("token-0")),
      renew: () => Effect.sync(() => Redacted.make(`token-${++state.renewals}`))
    }
    return { credentials, state }
  }

  it.effect("renews the token once in a call, also if a retry lies between two", () =>
    Effect.gen(function* () {
      const { credentials, state } = renewing()
      const { run, sentAt, sessions } = simulated([status(401), status(503), status(401)], { credentials })
      assert.strictEqual(tagOf(yield* run(sessions.get(id))), "Unauthorized")
      assert.deepStrictEqual([sentAt.length, state.renewals], [3, 1])
    })
  )

  it.effect("and nothing else renews it, whatever the policy", () =>
    Effect.gen(function* () {
      for (const retry of [RetryPolicy.standard, RetryPolicy.none]) {
        for (const code of [200, 400, 403, 503]) {
          const { credentials, state } = renewing()
          const { run, sessions } = simulated([status(code)], { credentials, retry })
          yield* run(sessions.get(id))
          yield* Effect.repeatN(Effect.yieldNow(), 10)
          assert.strictEqual(state.renewals, 0, String(code))
        }
      }
    })
  )
})

describe("the number of requests of a call that went well", () => {
  it.effect("is told by the call's own span, never by a span of the program", () =>
    Effect.gen(function* () {
      const told = (span: Tracer.AnySpan) => (span._tag === "Span" ? span.attributes.get("gr4vy.attempts") : undefined)
      const { http, run } = simulated([status(503), status(200)])
      yield* Effect.gen(function* () {
        yield* run(http.get("/own"))
        assert.isUndefined(told(yield* Effect.orDie(Effect.currentSpan)))
      }).pipe(Effect.withSpan("program"))
      yield* Effect.withParentSpan(run(http.get("/own")), Tracer.externalSpan({ spanId: "1", traceId: "2" }))
      assert(Either.isRight(yield* run(http.get("/own"))))
    })
  )
})
