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
import { Duration, Effect, Either, Redacted } from "effect"
import * as Script from "../../support/script.js"

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
const outcomeOf = (
  method: Method,
  answers: ReadonlyArray<Script.Answer>,
  options: { readonly retry?: RetryPolicy.RetryPolicy; readonly deadline?: Duration.DurationInput } = {}
) =>
  Effect.gen(function* () {
    const server = yield* Script.script(...answers)
    const sessions = yield* Gr4vy.make({
      baseUrl: server.baseUrl,
      token: Redacted.make("token"),
      retry: options.retry ?? quick,
      ...(options.deadline === undefined ? {} : { deadline: options.deadline })
    })
    const began = performance.now()
    const outcome = yield* calls[method](sessions)
    return { outcome, wire: server.requests.length, millis: performance.now() - began }
  }).pipe(Effect.scoped)

const tagOf = (outcome: Either.Either<unknown, { readonly _tag: string }>) =>
  Either.match(outcome, { onLeft: (error) => error._tag, onRight: () => "fine" })

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

  it.live.each(rows)("status, headers, requests, requests for a POST: %j", ([status, headers, idempotent, post]) =>
    Effect.forEach(
      methods,
      (method) =>
        Effect.map(outcomeOf(method, [Script.status(status, headers)]), ({ outcome, wire }) => {
          assert.strictEqual(wire, method === "POST" ? post : idempotent, method)
          assert.isTrue(Either.isLeft(outcome), method)
        }),
      { concurrency: "unbounded" }
    )
  )

  it.live("sends a POST again where the policy says at least once", () =>
    Effect.map(
      outcomeOf("POST", [Script.status(500)], { retry: RetryPolicy.make({ baseDelay: 1, creates: "at-least-once" }) }),
      ({ wire }) => assert.strictEqual(wire, 3)
    )
  )

  it.live.each(methods)("a server that refuses connections is tried three times: %s", (method) =>
    Effect.gen(function* () {
      const gone = yield* Effect.scoped(Effect.map(Script.script(), (_) => _.baseUrl))
      const sessions = yield* Gr4vy.make({ baseUrl: gone, token: Redacted.make("token"), retry: quick })
      const error = Either.flip(yield* calls[method](sessions))
      assert.deepInclude(Either.getOrThrow(error), {
        _tag: "RequestFailed",
        reason: "Connect",
        delivered: "no",
        attempts: 3
      })
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
      Effect.map(outcomeOf(method, [answer], { retry: RetryPolicy.none }), ({ wire }) =>
        assert.strictEqual(wire, 1, method)
      )
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

describe("Retry-After", () => {
  it.live("is a minimum wait", () =>
    Effect.map(
      outcomeOf("GET", [Script.status(503, { "retry-after": "1" }), Script.session]),
      ({ millis, outcome }) => {
        assert.strictEqual(tagOf(outcome), "fine")
        assert.isAtLeast(millis, 990)
      }
    )
  )

  it.live.each([
    ["beyond 30 s", { "retry-after": "31" }, undefined, 31],
    ["a date beyond 30 s", { "retry-after": new Date(Date.now() + 3_600_000).toUTCString() }, undefined, 3600],
    ["beyond the deadline", { "retry-after": "5" }, "2 seconds", 5]
  ] as const)(
    "%s is not waited for: the API's error comes at once, with its retryAfter",
    ([, headers, deadline, seconds]) =>
      Effect.map(
        outcomeOf("GET", [Script.status(429, headers)], deadline === undefined ? {} : { deadline }),
        ({ millis, outcome, wire }) => {
          assert.strictEqual(wire, 1)
          assert.isBelow(millis, 900)
          const error = Either.getOrThrow(Either.flip(outcome))
          assert.strictEqual(error._tag, "Generic")
          const wait =
            error._tag === "Generic" && error.retryAfter !== undefined ? Duration.toSeconds(error.retryAfter) : 0
          assert.approximately(wait, seconds, 30)
        }
      )
  )
})

describe("the budget", () => {
  it.live("1,000 calls against a server that only answers 503 put at most 1,200 requests on the wire", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(Script.status(503))
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token: Redacted.make("token"), retry: quick })
      yield* Effect.forEach(Array.from({ length: 1000 }), () => Effect.exit(sessions.get(id)), { concurrency: 32 })
      assert.isAtMost(server.requests.length, 1200)
      assert.isAbove(server.requests.length, 1000)
    }).pipe(Effect.scoped)
  )
})

describe("RetryPolicy.make", () => {
  it.each([
    { maxAttempts: 0 },
    { maxAttempts: 1.5 },
    { maxAttempts: Number.NaN },
    { maxAttempts: 101 },
    { baseDelay: Duration.infinity },
    { maxDelay: Number.NaN },
    { maxRetryAfter: Duration.infinity }
  ])("refuses %o with a sentence", (options) => {
    assert.throws(() => RetryPolicy.make(options), /RetryPolicy: \w+ must be/)
  })
})
