/**
 * What a server may put into an answer: nothing of it is trusted, and all of it ends as a right answer or a typed error.
 */
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSession,
  CheckoutSessionId,
  CheckoutSessions,
  type CheckoutSessionsService,
  ErrorDetail,
  Generic,
  NotFound,
  RequestFailed,
  Unauthorized
} from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Duration, Effect, Either, Layer, Redacted, Schema } from "effect"
import { heapUsed } from "../../support/heap.js"
import { type Body, errors, overTheCap, sessions, strange } from "../../support/hostile.js"
import { type Answer, reply, script } from "../../support/script.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

const options = (baseUrl: string) => ({ baseUrl, token: Redacted.make("token"), retry: RetryPolicy.none })
const transports: Readonly<Record<string, (baseUrl: string) => Layer.Layer<CheckoutSessions, unknown>>> = {
  undici: (baseUrl) => Gr4vy.layer(options(baseUrl)),
  fetch: (baseUrl) => Layer.provide(Gr4vy.layerWithoutTransport(options(baseUrl)), FetchHttpClient.layer)
}

/** What one call makes of a body that comes with this status. */
const outcomeOf = <A, E>(
  transport: string,
  status: number,
  body: Body,
  call: (sessions: CheckoutSessionsService) => Effect.Effect<A, E>
) => answeredBy(transport, reply(status, body, { "content-type": "application/json" }), call)

const answeredBy = <A, E>(
  transport: string,
  answer: Answer,
  call: (sessions: CheckoutSessionsService) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    const { baseUrl } = yield* script(answer)
    const layer = transports[transport]?.(baseUrl) ?? Layer.fail(`no transport ${transport}`)
    return yield* Effect.provide(
      Effect.flatMap(CheckoutSessions, (_) => Effect.either(call(_))),
      layer
    )
  }).pipe(Effect.scoped)

const keys = (value: object) => Reflect.ownKeys(value).map(String).sort()

const isSession = (session: unknown) => {
  assert.instanceOf(session, CheckoutSession)
  assert.strictEqual(Object.getPrototypeOf(session), CheckoutSession.prototype)
  assert.deepStrictEqual(keys(session), ["expiresAt", "id", "type"])
  assert.strictEqual(session.id, id)
}

const isFailure = (error: unknown, reason: RequestFailed["reason"]) => {
  assert.instanceOf(error, RequestFailed)
  assert.deepInclude(error, { reason, delivered: "yes", attempts: 1 })
}

const isText = (value: unknown) => assert(typeof value === "string" && value.length <= 2001)

/** Nothing in it but texts of a length that a person could read, and it survives a journey as JSON. */
const isAnswer = (error: unknown, status: number) => {
  const type = status === 401 ? Unauthorized : status === 404 ? NotFound : Generic
  assert.strictEqual(Object.getPrototypeOf(error), type.prototype)
  assert(error instanceof Unauthorized || error instanceof NotFound || error instanceof Generic)
  assert.strictEqual(error.status, status)
  assert.notStrictEqual(error.message, "")
  isText(error.message)
  if (error.code !== undefined) isText(error.code)
  assert.isAtMost(error.details.length, 100)
  for (const detail of error.details) {
    assert.strictEqual(Object.getPrototypeOf(detail), ErrorDetail.prototype)
    assert.includeMembers(["location", "type", "pointer", "message"], keys(detail))
    Object.values(detail).forEach(isText)
  }
  const schema = Schema.Union(Unauthorized, NotFound, Generic)
  const copy = Schema.decodeUnknownSync(schema)(JSON.parse(JSON.stringify(Schema.encodeSync(schema)(error))))
  assert.deepStrictEqual({ ...copy }, { ...error })
}

const nothingPolluted = () => {
  for (const value of [{}, [], "", Object, () => {}]) assert.isUndefined(Reflect.get(Object(value), "polluted"))
}

const failure = <A, E>(outcome: Either.Either<A, E>) => Either.getOrThrow(Either.flip(outcome))

for (const transport of Object.keys(transports)) {
  describe(`through ${transport}`, () => {
    it.live.each(Object.keys(sessions))("a session is a session all the same %s", (name) =>
      Effect.gen(function* () {
        isSession(Either.getOrThrow(yield* outcomeOf(transport, 200, sessions[name] ?? "", (_) => _.get(id))))
        nothingPolluted()
      })
    )

    it.live("a message is read as it was written, also when it comes a byte at a time", () =>
      Effect.gen(function* () {
        const message = "Größe, 大きさ, 🎉"
        const error = failure(
          yield* answeredBy(
            transport,
            (_, response) => {
              response.writeHead(500)
              for (const byte of Buffer.from(JSON.stringify({ message }))) response.write(Buffer.of(byte))
              response.end()
            },
            (_) => _.get(id)
          )
        )
        assert.deepInclude(error, { _tag: "Generic", message })
      })
    )

    it.live.each([200, 429])("a header may have any name, with a %i too", (status) =>
      Effect.gen(function* () {
        const outcome = yield* answeredBy(
          transport,
          (_, response) => {
            const names = ["__proto__", "__proto__", "constructor", "constructor", "toString", "hasOwnProperty", "then"]
            response.writeHead(status, [...names.flatMap((name) => [name, "polluted"]), "retry-after", "7"])
            response.end(sessions["with __proto__, constructor and prototype"])
          },
          (_) => _.get(id)
        )
        if (status === 200) isSession(Either.getOrThrow(outcome))
        else assert.deepInclude(failure(outcome), { _tag: "Generic", retryAfter: Duration.seconds(7) })
        nothingPolluted()
      })
    )

    it.live.each([200, 500])("one byte over the cap is too large, with a %i too", (status) =>
      Effect.gen(function* () {
        isFailure(failure(yield* outcomeOf(transport, status, overTheCap, (_) => _.get(id))), "ResponseTooLarge")
      })
    )
  })
}

describe("with a 2xx", () => {
  it.live.each(Object.keys(strange))("no success is %s", (name) =>
    Effect.gen(function* () {
      const body = strange[name] ?? ""
      isFailure(failure(yield* outcomeOf("undici", 200, body, (_) => _.get(id))), "InvalidResponse")
      isFailure(failure(yield* outcomeOf("undici", 201, body, (_) => _.add())), "InvalidResponse")
      isFailure(failure(yield* outcomeOf("undici", 200, body, (_) => _.delete(id))), "InvalidResponse")
      nothingPolluted()
    })
  )
})

describe("with the status of an error", () => {
  const bodies = { ...sessions, ...strange, ...errors }
  it.live.each(Object.keys(bodies))("a plain error is %s", (name) =>
    Effect.gen(function* () {
      for (const status of name in errors ? [401, 404, 422, 500] : [500]) {
        isAnswer(failure(yield* outcomeOf("undici", status, bodies[name] ?? "", (_) => _.get(id))), status)
      }
      nothingPolluted()
    })
  )

  it.live("an error inherits nothing from the body it was decoded from", () =>
    Effect.gen(function* () {
      for (const [name, message, details] of [
        ["an error in __proto__", /and JSON of an unexpected shape instead of its own error/, 0],
        ["an error with __proto__ and constructor", /and no message/, 1]
      ] as const) {
        const error = failure(yield* outcomeOf("undici", 500, errors[name] ?? "", (_) => _.get(id)))
        assert(error instanceof Generic)
        assert.isUndefined(error.code)
        assert.match(error.message, message)
        assert.deepStrictEqual(
          error.details.map(keys),
          Array.from({ length: details }, () => [])
        )
      }
    })
  )
})

it.live("none of these bodies stays in memory", () =>
  Effect.gen(function* () {
    const all = Object.values({ ...strange, ...errors })
    const round = Effect.forEach(all, (body, n) => outcomeOf("undici", n % 2 ? 200 : 500, body, (_) => _.get(id)))
    yield* round
    const before = heapUsed()
    yield* round
    assert.isBelow(heapUsed() - before, 2 ** 20)
  })
)
