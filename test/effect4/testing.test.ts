/** What a program of Effect 4 is tested with: the service in memory, fakes, the sandbox. */
import { CheckoutSessions, NotFound, RequestFailed, SignedCredentials, Webhooks } from "@effect-gr4vy/effect4"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect as Effect3 } from "effect"
import { Cause, Config, DateTime, Duration, Effect, Exit, Redacted, Tracer } from "effect4"
import { TestClock } from "effect4/testing"
import { assert, describe, it } from "vitest"
import { newPair, pkcs8 } from "../support/keys.js"

const pem = pkcs8(newPair().privateKey)

const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"

const paymentMethod = {
  method: "card",
  number: Redacted.make("4111111111111111"),
  expirationDate: "11/29",
  securityCode: Redacted.make("123")
} as const

/** A session's life, as every service of it has it. */
const life = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const { id } = yield* sessions.add({ amount: 1299, currency: "EUR" })
  yield* sessions.updateFields(id, { paymentMethod })
  const filled = yield* sessions.get(id)
  const left = DateTime.distance(yield* DateTime.now, filled.expiresAt)
  yield* sessions.delete(id)
  const gone = yield* Effect.flip(sessions.get(id))
  return [filled.amount, filled.paymentMethod?.label, Duration.toMillis(left) <= 5 * 60_000, gone instanceof NotFound]
})

const lived = [1299, "1111", true, true]

describe("a program of Effect 4 in tests", () => {
  it("lives with the service in memory, in the program's own time", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* life, lived)
        const sessions = yield* CheckoutSessions
        const session = yield* sessions.add()
        yield* TestClock.adjust("59 minutes")
        yield* sessions.get(session.id)
        yield* TestClock.adjust("1 minute")
        assert.instanceOf(yield* Effect.flip(sessions.get(session.id)), NotFound)
      }).pipe(Effect.provide([CheckoutSessions.layerMemory(), TestClock.layer()]))
    ))

  it("lives with the sandbox", () =>
    Effect3.runPromise(
      Effect3.flatMap(Sandbox.Sandbox, ({ baseUrl }) =>
        Effect3.promise(async () => {
          const program = Effect.provide(life, CheckoutSessions.layer({ baseUrl, token: Redacted.make("any") }))
          assert.deepStrictEqual(await Effect.runPromise(program), lived)
        })
      ).pipe(Effect3.provide(Sandbox.layer()))
    ))

  it("a fake gets the call's arguments, and gives its own values and errors", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const sessions = yield* CheckoutSessions
        const session = yield* sessions.get(id)
        assert.strictEqual(session.id, id)
        assert.isTrue(DateTime.isUtc(session.expiresAt))
        const error = yield* Effect.flip(sessions.delete(id))
        assert.strictEqual(error, gone)
      }).pipe(
        Effect.provide(
          CheckoutSessions.fake({
            get: (id) => Effect.succeed({ type: "checkout-session", id, expiresAt: DateTime.makeUnsafe(0) }),
            delete: () => Effect.fail(gone)
          })
        )
      )
    ))

  it("a fake's arguments are checked as in the real one, and what was not given dies by its name", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const sessions = yield* CheckoutSessions
        const error = yield* Effect.flip(sessions.get("not an id"))
        assert.instanceOf(error, RequestFailed)
        assert.strictEqual(error.reason, "InvalidRequest")
        const exit = yield* Effect.exit(sessions.add())
        assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", "CheckoutSessions.add was called")
      }).pipe(Effect.provide(CheckoutSessions.fake({ get: () => Effect.die("it was called") })))
    ))

  it("a fake's function is interrupted with its call, which waits for its end", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        let ended = false
        const never = Effect.ensuring(
          Effect.never,
          Effect.sync(() => {
            ended = true
          })
        )
        const call = Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id))
        const exit = yield* Effect.exit(
          Effect.provide(Effect.timeout(call, 10), CheckoutSessions.fake({ get: () => never }))
        )
        assert.isTrue(Exit.isFailure(exit))
        assert.isTrue(ended)
      })
    ))

  it("a name that no operation has is refused", () => {
    const misspelt: object = { fetch: () => Effect.void }
    assert.throws(() => CheckoutSessions.fake(misspelt), /there is no fetch/)
  })
})

const gone = new NotFound({ message: "gone" })

describe("webhooks and embed tokens in Effect 4", () => {
  const secret = Redacted.make("a webhook's secret")
  const payload = JSON.stringify({
    type: "event",
    id: "e1",
    name: "transaction.captured",
    created_at: "2026-01-01T00:00:00Z",
    target: { id: "t1", created_at: "2026-01-01T00:00:00Z" }
  })

  it("an event has native times and the target as it was sent, by the program's clock", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2026, 0, 1))
        const headers = yield* Webhooks.sign({ payload, secret })
        assert.strictEqual(headers["X-Gr4vy-Webhook-Timestamp"], String(Date.UTC(2026, 0, 1) / 1000))
        yield* TestClock.adjust("4 minutes")
        const event = yield* Webhooks.verify({ payload, headers, secret })
        assert.isTrue(event.createdAt !== undefined && DateTime.isUtc(event.createdAt))
        assert.deepStrictEqual(event.target, { id: "t1", created_at: "2026-01-01T00:00:00Z" })
        yield* TestClock.adjust("2 minutes")
        const late = yield* Effect.flip(Webhooks.verify({ payload, headers, secret }))
        assert.instanceOf(late, Webhooks.WebhookInvalid)
        assert.strictEqual(late.check, "Tolerance")
        yield* Webhooks.verify({ payload, headers, secret, tolerance: { minutes: 10 } })
      }).pipe(Effect.provide(TestClock.layer()))
    ))

  it("an embed token is a secret, and a bad option is a ConfigError", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const embed = { amount: 1299, currency: "EUR" }
        const token = yield* SignedCredentials.embedToken({ privateKey: Redacted.make(pem), embed })
        assert.notInclude(String(token), ".")
        const [, claims = ""] = Redacted.value(token).split(".")
        assert.deepInclude(JSON.parse(Buffer.from(claims, "base64url").toString()), { scopes: ["embed"], embed })
        const error = yield* Effect.flip(SignedCredentials.embedToken({ privateKey: Redacted.make("no key"), embed }))
        assert.instanceOf(error, Config.ConfigError)
        assert.match(error.message, /privateKey/)
      })
    ))
})

describe("a fake in a trace", () => {
  it("has the call's span", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const names: Array<string> = []
        const tracer = Tracer.make({
          span: (options) => {
            names.push(options.name)
            return new Tracer.NativeSpan(options)
          }
        })
        yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.delete(id)).pipe(
          Effect.provide(CheckoutSessions.fake({ delete: () => Effect.void })),
          Effect.provideService(Tracer.Tracer, tracer)
        )
        assert.deepStrictEqual(names, ["CheckoutSessions.delete"])
      })
    ))
})
