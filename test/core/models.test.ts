import { assert, describe, it } from "@effect/vitest"
import {
  CardRequest,
  CheckoutSession,
  CheckoutSessionId,
  CheckoutSessionSecureFieldsUpdate,
  Delivered,
  ErrorDetail,
  Generic,
  NotFound,
  RequestFailed,
  RequestFailedReason,
  Unauthorized
} from "@effect-gr4vy/core"
import { ErrorBody } from "@effect-gr4vy/sandbox/CheckoutSessionsApi"
import { DateTime, Duration, Effect, Either, FastCheck, Redacted, Schema, TestClock } from "effect"
import { visa, wireCard } from "../support/cards.js"

const id = CheckoutSessionId.make("8724fd24-5489-4a5d-90fd-0604df7d3b83")

const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const ids = FastCheck.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)
const instants = FastCheck.date({
  min: new Date("1970-01-01T00:00:00Z"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true
})

const texts = {
  location: FastCheck.string(),
  type: FastCheck.string(),
  pointer: FastCheck.string(),
  message: FastCheck.string()
}
const wireDetail = FastCheck.record(texts, { requiredKeys: [] })
const answers = FastCheck.record(
  { code: FastCheck.string(), message: FastCheck.string(), details: FastCheck.array(wireDetail, { maxLength: 3 }) },
  { requiredKeys: ["message", "details"] }
).map(({ details, ...answer }) => ({ ...answer, details: details.map((_) => new ErrorDetail(_)) }))

const decode = Schema.decodeUnknownEither(CheckoutSession)

describe("a Checkout Session", () => {
  it.prop("comes back from the wire as it went", { id: ids, expiresAt: instants }, ({ expiresAt, id }) => {
    const session = new CheckoutSession({
      type: "checkout-session",
      id: CheckoutSessionId.make(id),
      expiresAt: DateTime.unsafeFromDate(expiresAt)
    })
    const wire = overJson(Schema.encodeSync(CheckoutSession)(session))
    assert.deepStrictEqual(wire, { type: "checkout-session", id, expires_at: expiresAt.toISOString() })
    assert.deepStrictEqual(decode(wire), Either.right(session))
  })

  it.prop(
    "ignores properties it does not know, whatever they are called",
    { extra: FastCheck.object({ maxDepth: 2 }) },
    ({ extra }) => {
      const known = { id, expires_at: "2022-01-01T00:00:00+00:00" }
      const session = Schema.decodeUnknownSync(CheckoutSession)(known)
      assert.deepStrictEqual(decode({ ...extra, type: "checkout-session", ...known }), Either.right(session))
    }
  )

  it("is not changed by __proto__ and constructor keys", () => {
    const wire: unknown = JSON.parse(
      `{"__proto__":{"polluted":true,"isExpired":1},"constructor":{"prototype":{"polluted":true}},"id":"${id}","expires_at":"2022-01-01T00:00:00Z"}`
    )
    const session = Either.getOrThrow(decode(wire))
    assert.deepStrictEqual(Object.keys(session), ["type", "id", "expiresAt"])
    assert.instanceOf(session, CheckoutSession)
    assert.strictEqual(Reflect.get({}, "polluted"), undefined)
    assert.strictEqual(Reflect.get(session, "polluted"), undefined)
  })

  for (const [expiresAt, epoch] of [
    ["2022-01-01T00:00:00+00:00", 1640995200000],
    ["2022-01-01T02:00:00+02:00", 1640995200000],
    ["2022-01-01T00:00:00.123456Z", 1640995200123]
  ] as const) {
    it(`reads ${expiresAt}`, () => {
      assert.strictEqual(Either.getOrThrow(decode({ id, expires_at: expiresAt })).expiresAt.epochMillis, epoch)
    })
  }

  for (const [what, wire] of [
    ["an expiry without an offset", { id, expires_at: "2022-01-01T00:00:00" }],
    ["a day as expiry", { id, expires_at: "2022-01-01" }],
    ["a day that no calendar has", { id, expires_at: "2022-13-45T00:00:00Z" }],
    ["a number as expiry", { id, expires_at: 1640995200 }],
    ["no expiry", { id }],
    ["no id", { expires_at: "2022-01-01T00:00:00Z" }],
    ["an id that is no safe path segment", { id: "a/b", expires_at: "2022-01-01T00:00:00Z" }],
    ["another type", { type: "error", id, expires_at: "2022-01-01T00:00:00Z" }],
    ["null", null],
    ["a list", []]
  ] as const) {
    it(`refuses ${what}`, () => {
      assert(Either.isLeft(decode(wire)))
    })
  }

  it.effect("has timeLeft and isExpired by Effect's clock", () =>
    Effect.gen(function* () {
      const session = new CheckoutSession({
        type: "checkout-session",
        id,
        expiresAt: DateTime.unsafeMake(Duration.toMillis("1 hour"))
      })
      const look = Effect.all([session.isExpired, Effect.map(session.timeLeft, Duration.toMillis)])
      assert.deepStrictEqual(yield* look, [false, 3_600_000])
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual(yield* look, [false, 60_000])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* session.timeLeft, Duration.zero)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* look, [true, 0])
    })
  )

  it.effect("has expired at the very moment it expires, as the API has it", () =>
    Effect.gen(function* () {
      const session = new CheckoutSession({ type: "checkout-session", id, expiresAt: DateTime.unsafeMake(1000) })
      yield* TestClock.adjust(1000)
      assert.strictEqual(yield* session.isExpired, true)
    })
  )
})

describe("the id of a Checkout Session", () => {
  const isId = Schema.is(CheckoutSessionId)

  it.prop("is any 1 to 64 of A–Z a–z 0–9 _ -, and stays one path segment in a URL", { id: ids }, ({ id }) => {
    assert(isId(id))
    assert.strictEqual(new URL(`https://api.gr4vy.app/checkout/sessions/${id}`).pathname, `/checkout/sessions/${id}`)
  })

  it.prop(
    "is nothing with another character in it",
    { before: ids, character: FastCheck.fullUnicodeString({ minLength: 1, maxLength: 2 }), after: ids },
    ({ after, before, character }) => {
      const text = (before + character + after).slice(-64)
      assert.strictEqual(isId(text), /^[A-Za-z0-9_-]+$/.test(text) && text.length <= 64)
    }
  )

  for (const text of ["", ".", "..", "%2e%2e", "a/b", "a?b", "a#b", "a b", "a\n", "a\u0000", "é", "a".repeat(65)]) {
    it(`is not ${JSON.stringify(text).slice(0, 20)}`, () => {
      assert.throws(() => CheckoutSessionId.make(text), /must be 1 to 64 letters/)
    })
  }
})

describe("a card", () => {
  it.prop("survives encode and decode, and absent properties stay absent", { wire: wireCard }, ({ wire }) => {
    const card = Schema.decodeUnknownSync(CardRequest)(wire)
    assert.deepStrictEqual(overJson(Schema.encodeSync(CardRequest)(card)), wire)
    const update = Schema.decodeUnknownSync(CheckoutSessionSecureFieldsUpdate)({ payment_method: wire })
    assert.deepStrictEqual(overJson(Schema.encodeSync(CheckoutSessionSecureFieldsUpdate)(update)), {
      payment_method: wire
    })
  })

  it("is snake_case on the wire and camelCase in TypeScript", () => {
    const wire = {
      ...visa,
      external_identifier: null,
      buyer_id: "fe26475d-ec3e-4884-9553-f7356683f7f9",
      redirect_url: "https://example.com/callback"
    }
    const { number, securityCode, ...card } = Schema.decodeUnknownSync(CardRequest)(wire)
    assert.deepStrictEqual(card, {
      method: "card",
      expirationDate: "11/29",
      externalIdentifier: null,
      buyerId: "fe26475d-ec3e-4884-9553-f7356683f7f9",
      redirectUrl: "https://example.com/callback"
    })
    assert.strictEqual(Redacted.value(number), visa.number)
    assert.strictEqual(Redacted.value(securityCode), visa.security_code)
  })

  it("may be left out of an update", () => {
    assert.deepStrictEqual(Schema.encodeSync(CheckoutSessionSecureFieldsUpdate)({}), {})
  })
})

describe("an error", () => {
  const roundTrip = <A, I>(schema: Schema.Schema<A, I>, error: A) => {
    const copy = Schema.decodeUnknownSync(schema)(overJson(Schema.encodeSync(schema)(error)))
    assert.deepStrictEqual({ ...copy }, { ...error })
    if (error instanceof Error) assert.strictEqual(Reflect.get(Object(copy), "message"), error.message)
    assert.strictEqual(Object.getPrototypeOf(copy), Object.getPrototypeOf(error))
  }

  it.prop("detail comes back from JSON as it went", { wire: wireDetail }, ({ wire }) => {
    assert.deepStrictEqual(overJson(Schema.encodeSync(ErrorDetail)(new ErrorDetail(wire))), wire)
    roundTrip(ErrorDetail, new ErrorDetail(wire))
  })

  it.prop("Unauthorized and NotFound come back from JSON as they went", { answer: answers }, ({ answer }) => {
    roundTrip(Unauthorized, new Unauthorized(answer))
    roundTrip(NotFound, new NotFound(answer))
    roundTrip(ErrorBody.Unauthorized, new Unauthorized(answer))
    roundTrip(ErrorBody.NotFound, new NotFound(answer))
  })

  it.prop(
    "Generic comes back from JSON as it went",
    { answer: answers, status: FastCheck.integer({ min: 200, max: 599 }), wait: FastCheck.option(FastCheck.nat()) },
    ({ answer, status, wait }) => {
      roundTrip(
        Generic,
        new Generic({ status, ...answer, ...(wait === null ? {} : { retryAfter: Duration.millis(wait) }) })
      )
      roundTrip(ErrorBody.Generic, new Generic({ status, ...answer }))
    }
  )

  it.prop(
    "RequestFailed comes back from JSON as it went",
    {
      reason: FastCheck.constantFrom(...RequestFailedReason.literals),
      delivered: FastCheck.constantFrom(...Delivered.literals),
      message: FastCheck.string(),
      attempts: FastCheck.nat()
    },
    (fields) => roundTrip(RequestFailed, new RequestFailed(fields))
  )

  it("has the API's own body on the wire", () => {
    assert.deepStrictEqual(
      Schema.encodeSync(ErrorBody.NotFound)(new NotFound({ code: "not_found", message: "Not there" })),
      { type: "error", code: "not_found", status: 404, message: "Not there", details: [] }
    )
  })

  const empty = <A extends Unauthorized | NotFound | Generic, I>(schema: Schema.Schema<A, I>) => {
    const { _tag, details, message, status } = Schema.decodeUnknownSync(schema)({})
    return { _tag, status, message, details }
  }

  it("body may leave out every property", () => {
    const rest = { message: "", details: [] }
    assert.deepStrictEqual(empty(ErrorBody.Unauthorized), { _tag: "Unauthorized", status: 401, ...rest })
    assert.deepStrictEqual(empty(ErrorBody.NotFound), { _tag: "NotFound", status: 404, ...rest })
    assert.deepStrictEqual(empty(ErrorBody.Generic), { _tag: "Generic", status: 500, ...rest })
  })
})
