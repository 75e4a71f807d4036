/**
 * What a program passes in, past the types or as the value of a header: nothing is sent that HTTP would read as something
 * else.
 */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, Credentials, RequestFailed } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Effect, FastCheck, Redacted } from "effect"
import { script, session } from "../../support/script.js"

const text = "9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51"
const id = CheckoutSessionId.make(text)

describe("an id that was forced past its type", () => {
  const forced: Readonly<Record<string, unknown>> = {
    "a path up": "../x",
    "a path up and back": `../sessions/${text}`,
    dots: "..",
    "a dot": ".",
    "escaped dots": "%2e%2e",
    "an escaped slash": `${text}%2Ffields`,
    "a slash at its end": `${text}/`,
    "a backslash": "..\\x",
    "a query": `${text}?x=1`,
    "a fragment": `${text}#`,
    "another host": "@evil.example/",
    "a line break and a header": `${text} HTTP/1.1\r\nx: y\r\n`,
    "a line break at its end": `${text}\n`,
    NUL: "\u0000",
    "a blank": " ",
    nothing: "",
    "65 letters": "a".repeat(65),
    "letters that look like others": "９d5f7a1e",
    "half a character": "\ud800",
    undefined,
    null: null,
    "a number": 7,
    "a big number": 7n,
    "a symbol": Symbol(text),
    "a list of one id": [text],
    "an object that reads as an id": { toString: () => text },
    "a boxed id": Object(text),
    "a session": { id: text }
  }
  it.scopedLive.each(Object.keys(forced))("is never sent: %s", (name) =>
    Effect.gen(function* () {
      const server = yield* script(session)
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token: Redacted.make("token") })
      // What plain JavaScript could pass.
      const wrong = forced[name] as CheckoutSessionId
      for (const call of [sessions.get(wrong), sessions.updateFields(wrong), sessions.delete(wrong)]) {
        const error = yield* Effect.flip<unknown, unknown, never>(call)
        assert.instanceOf(error, RequestFailed)
        assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
        assert.match(error.message, /^Nothing was sent: checkoutSessionId /)
      }
      assert.lengthOf(server.requests, 0)
    })
  )
})

const visible = FastCheck.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))
const quote = FastCheck.constantFrom('"', "'", "`")
const fineToken = FastCheck.string({ unit: visible.filter((_) => !/["'`]/.test(_)), minLength: 1, maxLength: 2000 })
const fineId = FastCheck.string({ unit: FastCheck.oneof(visible, FastCheck.constant(" ")), maxLength: 60 })
  .map((text) => text.trim())
  .filter((text) => text !== "" && !/^["'`]|["'`]$/.test(text))

/** Anything but visible ASCII and blanks: line breaks, other controls, and what a header has no bytes for. */
const unsendable = FastCheck.oneof(
  FastCheck.constantFrom("\r\nx-injected: 1", "\n", "\r", "\0", "\t", "\u007f", "\u0085", "\u00a0", "\u2028", "é"),
  FastCheck.integer({ min: 0, max: 0x1f }).map((code) => String.fromCharCode(code)),
  FastCheck.integer({ min: 0x7f, max: 0xffff }).map((code) => String.fromCharCode(code))
)

const half = FastCheck.stringMatching(/^[0-9a-f]{16}$/)
const around = FastCheck.constantFrom("before", "between", "after")

/** A value that no message would have by chance, with `bad` somewhere in it. */
const spoilt = (bad: FastCheck.Arbitrary<string>, where: FastCheck.Arbitrary<string> = around) =>
  FastCheck.tuple(half, half, bad, where).map(([one, two, bad, where]) => ({
    value: { before: bad + one + two, between: one + bad + two, after: one + two + bad }[where] ?? "",
    parts: [one, two]
  }))

const spoiltToken = spoilt(FastCheck.oneof(unsendable, quote, FastCheck.constant(" ")))
const spoiltId = FastCheck.oneof(
  spoilt(unsendable),
  spoilt(FastCheck.oneof(quote, FastCheck.constant(" ")), FastCheck.constantFrom("before", "after"))
)

const isInactive = (error: unknown, parts: ReadonlyArray<string>) => {
  const shown = [String(error), inspect(error, { depth: null, showHidden: true }), JSON.stringify(error)].join()
  for (const part of parts) assert.notInclude(shown, part)
}

const runs = (numRuns: number) => ({ fastCheck: { numRuns } })

describe("the value of a header", () => {
  it.live.prop(
    "that is valid arrives byte for byte",
    { token: fineToken, merchantAccountId: fineId },
    ({ merchantAccountId, token }) =>
      Effect.gen(function* () {
        const server = yield* script(session)
        const sessions = yield* Gr4vy.make({
          baseUrl: server.baseUrl,
          token: Redacted.make(token),
          merchantAccountId
        })
        yield* sessions.get(id)
        const { headers = {} } = server.requests[0] ?? {}
        assert.strictEqual(headers["authorization"], `Bearer ${token}`)
        assert.strictEqual(headers["x-gr4vy-merchant-account-id"], merchantAccountId)
      }).pipe(Effect.scoped),
    runs(50)
  )

  it.effect.prop(
    "that is invalid is refused when the layer is built, and never shown",
    { token: spoiltToken, merchantAccountId: spoiltId },
    ({ merchantAccountId, token }) =>
      Effect.gen(function* () {
        const make = (options: object) => {
          // An address nobody listens at: nothing of this gets so far.
          const all: Gr4vy.Options = { baseUrl: "http://127.0.0.1:9", token: Redacted.make("token"), ...options }
          return Effect.flip(Gr4vy.make(all))
        }
        const [ofToken, ofId] = [
          yield* make({ token: Redacted.make(token.value) }),
          yield* make({ merchantAccountId: merchantAccountId.value })
        ]
        assert.match(String(ofToken), /^\(Invalid data at token: "The token contains white space, control or non-ASCII/)
        assert.match(
          String(ofId),
          /^\(Invalid data at merchantAccountId: "The merchant account id is empty or not a string, or contains/
        )
        isInactive(ofToken, token.parts)
        isInactive(ofId, merchantAccountId.parts)
      }).pipe(Effect.scoped),
    runs(60)
  )

  it.live.prop(
    "with an invalid token from a source is not sent, and never shown",
    { token: spoiltToken },
    ({ token: { parts, value } }) =>
      Effect.gen(function* () {
        const server = yield* script(session)
        const error = yield* Effect.flatMap(CheckoutSessions, (_) => Effect.flip(_.get(id))).pipe(
          Effect.provide(Gr4vy.layerWithoutCredentials({ baseUrl: server.baseUrl })),
          Effect.provideService(Credentials, { token: Effect.succeed(Redacted.make(value)) })
        )
        assert.deepInclude(error, { _tag: "RequestFailed", reason: "Credentials", delivered: "no", attempts: 0 })
        isInactive(error, parts)
        assert.lengthOf(server.requests, 0)
      }).pipe(Effect.scoped),
    runs(50)
  )

  it.effect.each([undefined, null, 7, {}, [text]])("is refused if it is not a string: %j", (value) =>
    Effect.gen(function* () {
      // What plain JavaScript could pass.
      const token = Redacted.make(value) as Redacted.Redacted
      assert.match(String(yield* Effect.flip(Credentials.makeToken(token))), /The token is empty or not a string/)
      if (value === undefined) return
      const options = { baseUrl: "http://127.0.0.1:9", token: Redacted.make("token"), merchantAccountId: value }
      assert.match(String(yield* Effect.flip(Gr4vy.make(options as Gr4vy.Options))), /merchant account id/)
    }).pipe(Effect.scoped)
  )
})
