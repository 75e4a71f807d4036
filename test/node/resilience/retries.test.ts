import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSessionId,
  type CheckoutSessionsService,
  type Generic,
  type NotFound,
  type RequestFailed,
  type Unauthorized
} from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Either, Redacted } from "effect"
import { newPair, pkcs8 } from "../../support/keys.js"
import * as Script from "../../support/script.js"
import { refused, simulated, status } from "../../support/simulated.js"

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
    [503, { "retry-after": "0" }, 3, 1],
    [503, { "retry-after": "-5" }, 3, 1],
    [503, { "retry-after": "1e309" }, 3, 1],
    [503, { "retry-after": "soon" }, 3, 1],
    [503, { "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" }, 3, 1],
    [504, {}, 3, 1],
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
