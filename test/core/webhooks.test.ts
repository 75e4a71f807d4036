import { spawnSync } from "node:child_process"
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Webhooks } from "@effect-gr4vy/core"
import { Cause, DateTime, Effect, FastCheck, Redacted, Schema, TestClock } from "effect"

const secret = Redacted.make("Nn3mkcyt4wFaYFEr0HkoTyFnuDTMqxOx")
const timestamp = 1767225600

const payload =
  '{"type":"event","id":"fe26475d-ec3e-4884-9553-f7356683f7f9","name":"transaction.captured","created_at":"2026-01-01T00:00:00.000Z","merchant_account_id":"default","target":{"type":"transaction","id":"7099948d-7286-47e4-aad8-b68f7eb44591","buyer":{"display_name":"Zoë"}}}'

// printf '%s' "1767225600.$payload" | openssl dgst -sha256 -hmac "$secret"
const vectors = [
  ["an event", payload, "0967a594c45cbd2498abca607edfa3370c5ff8943ed136f2ebf129f5929c1890"],
  ["an empty payload", "", "537e437d3a74119e6542b12df0bdcd2c705f986747b88867d52695d0b8f034cc"],
  ["a payload that is no JSON", "héllo\n", "fd01f0d239d4afabf923ae3a5abaaa6d8f063cf475ac8a63bf1629949db08478"]
] as const

const [[, , signature]] = vectors

const headers = (signatures: string = signature, at: string | number = timestamp) => ({
  "X-Gr4vy-Webhook-Signatures": signatures,
  "X-Gr4vy-Webhook-Timestamp": String(at),
  "X-Gr4vy-Webhook-ID": "any"
})

const verifyAt = (
  seconds: number,
  webhook: Partial<Parameters<typeof Webhooks.verify>[0]> = {}
): ReturnType<typeof Webhooks.verify> =>
  TestClock.setTime(seconds * 1000).pipe(
    Effect.zipRight(Webhooks.verify({ payload, headers: headers(), secret, ...webhook }))
  )

const refused = (check: Webhooks.WebhookInvalid["check"], webhook: Parameters<typeof verifyAt>[1], at = timestamp) =>
  Effect.map(Effect.flip(verifyAt(at, webhook)), (error) => {
    assert.instanceOf(error, Webhooks.WebhookInvalid)
    assert.strictEqual(error.check, check)
    const shown = `${inspect(error, { showHidden: true, depth: 9 })}${JSON.stringify(error)}${Cause.pretty(Cause.fail(error))}`
    assert.notInclude(shown, Redacted.value(secret))
    assert.notInclude(shown, "display_name")
    assert.notInclude(shown, signature)
    return error
  })

describe("a webhook", () => {
  it.effect("that is signed and current is decoded to its event", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* verifyAt(timestamp), {
        type: "event",
        id: "fe26475d-ec3e-4884-9553-f7356683f7f9",
        name: "transaction.captured",
        createdAt: DateTime.unsafeMake("2026-01-01T00:00:00.000Z"),
        merchantAccountId: "default",
        target: {
          type: "transaction",
          id: "7099948d-7286-47e4-aad8-b68f7eb44591",
          buyer: { display_name: "Zoë" }
        }
      })
    })
  )

  it.effect("may be given as bytes", () => verifyAt(timestamp, { payload: new TextEncoder().encode(payload) }))

  for (const [what, given] of [
    ["names in lower case", Object.fromEntries(Object.entries(headers()).map(([k, v]) => [k.toLowerCase(), v]))],
    ["values in lists", Object.fromEntries(Object.entries(headers()).map(([k, v]) => [k, [v]]))],
    ["a Headers", new Headers(headers())],
    ["a Map", new Map(Object.entries(headers()))],
    ["pairs", Object.entries(headers())],
    ["signatures in several headers", { ...headers(), "x-gr4vy-webhook-signatures": ["0".repeat(64), signature] }],
    ["a `get` alone", { get: (name: string) => new Headers(headers()).get(name) }]
  ] as ReadonlyArray<readonly [string, Webhooks.HeadersInput]>) {
    it.effect(`has its headers as ${what}`, () => verifyAt(timestamp, { headers: given }))
  }

  it.effect("needs one good signature of several, and one good secret of several", () =>
    Effect.gen(function* () {
      const other = "0".repeat(64)
      yield* verifyAt(timestamp, { headers: headers(`${other}, ${signature}`) })
      yield* verifyAt(timestamp, { headers: headers(`,${signature},${other}`) })
      yield* verifyAt(timestamp, { secret: [Redacted.make("another"), secret] })
      yield* refused("Signature", { secret: [Redacted.make("another"), Redacted.make("")] })
    })
  )

  for (const [what, wrong] of [
    ["of another secret", { secret: Redacted.make("another") }],
    ["of another payload", { payload: `${payload} ` }],
    ["of another time", { headers: headers(signature, timestamp + 1) }],
    ["that is cut", { headers: headers(signature.slice(0, 62)) }],
    ["with something after it", { headers: headers(`${signature}00`) }],
    ["that is no hex", { headers: headers("z".repeat(64)) }],
    ["by an empty secret", { secret: Redacted.make("") }],
    ["by no secret", { secret: [] }]
  ] as ReadonlyArray<readonly [string, Parameters<typeof verifyAt>[1]]>) {
    it.effect(`with a signature ${what} is refused`, () => refused("Signature", wrong))
  }

  it.effect("with a wiped secret is refused", () => {
    const wiped = Redacted.make("gone")
    Redacted.unsafeWipe(wiped)
    return refused("Signature", { secret: wiped })
  })

  for (const name of ["X-Gr4vy-Webhook-Signatures", "X-Gr4vy-Webhook-Timestamp"]) {
    it.effect(`without ${name} is refused, and the header is named`, () =>
      Effect.gen(function* () {
        for (const value of [undefined, "", [], ["", " "]]) {
          const error = yield* refused("MissingHeader", { headers: { ...headers(), [name]: value } })
          assert.include(error.message, name)
        }
      })
    )
  }

  for (const at of ["soon", "1767225600.5", "-1767225600", "1e9", "0x10", "9".repeat(13)]) {
    it.effect(`with ${at} as its timestamp is refused`, () => refused("Timestamp", { headers: headers(signature, at) }))
  }

  it.effect("may be 5 minutes old, or 5 minutes ahead, and not a second more", () =>
    Effect.gen(function* () {
      yield* verifyAt(timestamp + 300)
      yield* verifyAt(timestamp - 300)
      yield* refused("Tolerance", {}, timestamp + 301)
      yield* refused("Tolerance", {}, timestamp - 301)
    })
  )

  it.effect("has the given tolerance, and none if it is zero", () =>
    Effect.gen(function* () {
      yield* verifyAt(timestamp + 3600, { tolerance: "1 hour" })
      yield* refused("Tolerance", { tolerance: "1 hour" }, timestamp + 3601)
      yield* verifyAt(timestamp, { tolerance: 0 })
      yield* verifyAt(timestamp + 0.9, { tolerance: 0 })
      yield* refused("Tolerance", { tolerance: 0 }, timestamp + 1)
      yield* refused("Tolerance", { tolerance: 0 }, timestamp - 1)
    })
  )

  for (const [what, text, good] of vectors.slice(1)) {
    it.effect(`that is signed and ${what} is refused for its payload`, () =>
      refused("Payload", { payload: text, headers: headers(good) })
    )
  }

  it.effect("that fails survives encode, JSON and decode", () =>
    Effect.gen(function* () {
      const error = yield* refused("Signature", { payload: "" })
      const copy = Schema.decodeUnknownSync(Webhooks.WebhookInvalid)(
        JSON.parse(JSON.stringify(Schema.encodeSync(Webhooks.WebhookInvalid)(error)))
      )
      assert.deepStrictEqual({ ...copy }, { ...error })
    })
  )

  it.effect.prop(
    "is refused with any other signature, timestamp or payload",
    {
      signatures: FastCheck.oneof(FastCheck.string(), FastCheck.hexaString({ minLength: 64, maxLength: 64 })),
      text: FastCheck.string()
    },
    ({ signatures, text }) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.exit(verifyAt(timestamp, { headers: headers(signatures) })))._tag, "Failure")
        assert.strictEqual((yield* Effect.exit(verifyAt(timestamp, { payload: text })))._tag, "Failure")
      })
  )
})

const openssl = (text: string) =>
  spawnSync("openssl", ["dgst", "-sha256", "-hmac", Redacted.value(secret)], { input: `${timestamp}.${text}` })

describe("the test vectors", () => {
  for (const [what, text, good] of vectors) {
    it.skipIf(spawnSync("openssl", ["version"]).status !== 0)(`are what openssl makes of ${what}`, () => {
      assert.strictEqual(openssl(text).stdout.toString().trim().split(" ").at(-1), good)
    })
  }
})
