import { spawnSync } from "node:child_process"
import { inspect } from "node:util"
import { runInNewContext } from "node:vm"
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
    ["an iterator of pairs", new Map(Object.entries(headers())).entries()],
    ["pairs with one that is undefined", [...Object.entries(headers()), ["x-other", undefined]]],
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

  const bytes = new TextEncoder().encode(payload)
  for (const [what, given] of [
    ["an ArrayBuffer", bytes.buffer.slice(0)],
    ["a part of a larger buffer", new Uint8Array([0, ...bytes, 0]).subarray(1, -1)],
    ["a Node buffer", Buffer.from(payload)],
    ["a view of another kind", new DataView(bytes.buffer.slice(0))],
    ["a SharedArrayBuffer", new SharedArrayBuffer(bytes.length)],
    ["bytes of another realm", runInNewContext("Uint8Array.from(bytes)", { bytes: [...bytes] })],
    ["an ArrayBuffer of another realm", runInNewContext("Uint8Array.from(bytes).buffer", { bytes: [...bytes] })]
  ] as ReadonlyArray<readonly [string, Uint8Array]>) {
    if (given instanceof SharedArrayBuffer) new Uint8Array(given).set(bytes)
    it.effect(`may be given as ${what}`, () =>
      Effect.map(verifyAt(timestamp, { payload: given }), ({ name }) =>
        assert.strictEqual(name, "transaction.captured")
      )
    )
  }

  for (const [what, given, says] of [
    ["a parsed body", JSON.parse(payload), /^The payload is a parsed body\. Pass the raw body as it arrived/],
    ["a list of bytes", [...bytes], /Pass the raw body/],
    ["a string object", Object(payload), /Pass the raw body/],
    ["a number", 1, /Pass the raw body/],
    ["nothing", undefined, /^There is no payload\. Pass the raw body/],
    ["null", null, /^There is no payload\. Pass the raw body/]
  ] as ReadonlyArray<readonly [string, unknown, RegExp]>) {
    it.effect(`given as ${what} is refused, and told how to give it`, () =>
      Effect.gen(function* () {
        assert.match((yield* refused("Payload", { payload: given as string })).message, says)
        assert.match((yield* Effect.flip(Webhooks.sign({ payload: given as string, secret }))).message, says)
      })
    )
  }

  it.effect("is decoded from the bytes that were verified, also when their buffer is used again", () =>
    Effect.gen(function* () {
      const buffer = new TextEncoder().encode(payload)
      yield* TestClock.setTime(timestamp * 1000)
      const running = Effect.runPromise(
        Effect.withClock(Webhooks.verify({ payload: buffer, headers: headers(), secret }), yield* Effect.clock)
      )
      buffer.fill(32)
      assert.strictEqual((yield* Effect.promise(() => running)).name, "transaction.captured")
    })
  )

  for (const [what, wrong, says] of [
    ["is empty", Redacted.make(""), /^The secret is empty: set it\.$/],
    ["is undefined", Redacted.make(undefined), /^The secret is missing: set it\.$/],
    ["is not there", undefined, /^The secret is missing: set it\.$/],
    ["is a plain string", "plain", /^The secret is a plain string: wrap it with Redacted\.make\.$/],
    ["is the word undefined", Redacted.make("undefined"), /, and the secret is the word "undefined": set it\.$/],
    [
      "is in double quotes",
      Redacted.make(`"${Redacted.value(secret)}"`),
      /, and the secret is in quotes: remove them\.$/
    ],
    ["is in single quotes", Redacted.make(`'${Redacted.value(secret)}'`), /the secret is in quotes/],
    [
      "ends with a line break",
      Redacted.make(`${Redacted.value(secret)}\n`),
      /begins or ends with a blank or a line break/
    ],
    ["ends with a carriage return", Redacted.make(`${Redacted.value(secret)}\r`), /begins or ends with a blank/],
    ["begins with a blank", Redacted.make(` ${Redacted.value(secret)}`), /begins or ends with a blank/],
    ["is blank", Redacted.make(" "), /begins or ends with a blank/],
    ["is one of none", [], /^The list of secrets is empty: give the secret of the webhook subscription\.$/],
    ["is empty in a list", [Redacted.make("another"), Redacted.make("")], /^Secret 2 of 2 is empty: set it\.$/],
    ["is another", Redacted.make("another"), /^No signature fits the payload\. Check the subscription's secret/]
  ] as ReadonlyArray<readonly [string, unknown, RegExp]>) {
    it.effect(`whose secret ${what} is refused, in words of its own`, () =>
      Effect.map(refused("Signature", { secret: wrong as Redacted.Redacted }), ({ message }) =>
        assert.match(message, says)
      )
    )
  }

  it.effect("whose secret was wiped is refused, in words of its own", () => {
    const wiped = Redacted.make("gone")
    Redacted.unsafeWipe(wiped)
    return Effect.map(refused("Signature", { secret: wiped }), ({ message }) =>
      assert.match(message, /^The secret was wiped/)
    )
  })

  it.effect("may have a secret in quotes, or with a line break, if it is so", () =>
    Effect.gen(function* () {
      for (const odd of ['"quoted"', "ends\n", "undefined"].map((text) => Redacted.make(text))) {
        yield* TestClock.setTime(timestamp * 1000)
        yield* Webhooks.verify({ payload, secret: odd, headers: yield* Webhooks.sign({ payload, secret: odd }) })
      }
    })
  )

  it.effect("has its headers as nothing at all: a header is missing", () =>
    Effect.gen(function* () {
      for (const given of [undefined, null, "headers", 1] as ReadonlyArray<unknown>) {
        yield* refused("MissingHeader", { headers: given as Webhooks.HeadersInput })
      }
    })
  )

  for (const [what, given] of [
    ["a string", `\ufeff${payload}`],
    ["bytes", new TextEncoder().encode(`\ufeff${payload}`)]
  ] as const) {
    it.effect(`may begin with a byte order mark, as ${what}`, () =>
      Effect.gen(function* () {
        const signed = yield* Webhooks.sign({ payload: given, secret, timestamp })
        const { id } = yield* verifyAt(timestamp, { payload: given, headers: signed })
        assert.strictEqual(id, "fe26475d-ec3e-4884-9553-f7356683f7f9")
      })
    )
  }

  it.effect("may have a target as deep as JSON goes", () =>
    Effect.gen(function* () {
      const deep = `{"id":"e","name":"n","target":${'{"a":'.repeat(4000)}1${"}".repeat(4000)}}`
      const signed = yield* Webhooks.sign({ payload: deep, secret, timestamp })
      const { target } = yield* verifyAt(timestamp, { payload: deep, headers: signed })
      assert.property(target, "a")
    })
  )

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

describe("a signed payload", () => {
  for (const [what, text, good] of vectors) {
    it.effect(`has the signature of the test vector: ${what}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* Webhooks.sign({ payload: text, secret, timestamp, id: "any" }), headers(good))
      })
    )
  }

  it.effect("has the time of now, an id of its own, and one signature per secret", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(timestamp * 1000 + 999)
      const other = Redacted.make("another")
      const one = yield* Webhooks.sign({ payload, secret: [other, secret] })
      assert.strictEqual(one["X-Gr4vy-Webhook-Timestamp"], String(timestamp))
      assert.match(one["X-Gr4vy-Webhook-Signatures"], /^[0-9a-f]{64},[0-9a-f]{64}$/)
      assert.match(one["X-Gr4vy-Webhook-ID"], /^[0-9a-f-]{36}$/)
      assert.notStrictEqual(
        (yield* Webhooks.sign({ payload, secret }))["X-Gr4vy-Webhook-ID"],
        one["X-Gr4vy-Webhook-ID"]
      )
      for (const each of [other, secret]) yield* verifyAt(timestamp, { headers: one, secret: each })
    })
  )

  for (const at of [-1, 1.5, Number.NaN, 1e12, Number.POSITIVE_INFINITY]) {
    it.effect(`cannot have the time ${at}`, () =>
      Effect.map(Effect.flip(Webhooks.sign({ payload, secret, timestamp: at })), (error) =>
        assert.strictEqual(error.check, "Timestamp")
      )
    )
  }

  it.effect("needs secrets that can sign", () =>
    Effect.gen(function* () {
      for (const wrong of [Redacted.make(""), [secret, Redacted.make("")], []]) {
        const error = yield* Effect.flip(Webhooks.sign({ payload, secret: wrong }))
        assert.strictEqual(error.check, "Signature")
        assert.match(error.message, /empty/)
      }
    })
  )

  it.effect.prop(
    "is good for its payload, time and secret, whatever they are",
    {
      text: FastCheck.oneof(FastCheck.fullUnicodeString(), FastCheck.uint8Array()),
      at: FastCheck.integer({ min: 0, max: 4_000_000_000 }),
      key: FastCheck.string({ minLength: 1 })
    },
    ({ at, key, text }) =>
      Effect.gen(function* () {
        const own = Redacted.make(key)
        const signed = yield* Webhooks.sign({ payload: text, secret: own, timestamp: at })
        const outcome = yield* Effect.either(verifyAt(at, { payload: text, headers: signed, secret: own }))
        // Few texts are events: what was signed gets as far as that.
        if (outcome._tag === "Left") assert.strictEqual(outcome.left.check, "Payload")
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
