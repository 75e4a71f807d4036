/** An option or a fault that the sandbox cannot use is refused in one sentence. Plain JavaScript gets here. */
import { assert, describe, it } from "@effect/vitest"
import { Endpoint } from "@effect-gr4vy/core"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Cause, Duration, Effect } from "effect"
import { newPair, pkcs8 } from "../support/keys.js"
import { outcome } from "./support.js"

/** Starts a sandbox past the types of its options. */
const start = (options: unknown) =>
  Effect.gen(function* () {
    yield* Sandbox.Sandbox
  }).pipe(
    // What TypeScript refuses is the point.
    Effect.provide(Sandbox.layer(options as Sandbox.Options))
  )

const failNext = (fault: unknown) =>
  Effect.flatMap(Sandbox.Sandbox, ({ failNext }) => failNext(fault as Sandbox.Fault | undefined))

/** Endpoints alone: nothing implements them. */
const bare = { one: Endpoint.delete("Things.one", "/things", {}) }

const key = newPair()

const options: ReadonlyArray<readonly [options: unknown, says: RegExp]> = [
  [{ port: -1 }, /^Sandbox: port must be a whole number from 0 to 65535\.$/],
  [{ port: 65_536 }, /port must be a whole number/],
  [{ port: 80.5 }, /port must be a whole number/],
  [{ port: "8787" }, /port must be a whole number/],
  [{ port: Number.NaN }, /port must be a whole number/],
  [{ host: "" }, /host must be an address of this machine/],
  [{ host: 127 }, /host must be an address of this machine/],
  [{ sessionLifetime: "soon" }, /sessionLifetime must be a duration/],
  [{ sessionLifetime: Duration.infinity }, /sessionLifetime must be a duration of at most 36500 days/],
  [{ sessionLifetime: -1 }, /sessionLifetime must be a duration/],
  [{ sessionLifetime: "-1 seconds" }, /sessionLifetime must be a duration/],
  [{ latency: "soon" }, /latency must be a duration of at most 7 days, e\.g\. "500 millis", "2 seconds", "1 hour"\.$/],
  [{ latency: "30 days" }, /latency must be a duration of at most 7 days/],
  [{ latency: Number.NaN }, /latency must be a duration/],
  [{ latency: Number.POSITIVE_INFINITY }, /latency must be a duration/],
  [{ tracing: "yes" }, /tracing must be true or false/],
  [{ publicKey: 1 }, /publicKey must be a string/],
  [{ publicKey: "nonsense" }, /publicKey: found a string that is neither.*; expected a public key.*P-521\.$/],
  [{ publicKey: pkcs8(key.privateKey) }, /publicKey: found a private key/],
  [{ endpoints: {} }, /endpoints must be a list of implementations, from Endpoint\.implement/],
  [{ endpoints: [{}] }, /endpoints must be a list of implementations/],
  [{ endpoints: [bare] }, /endpoints must be a list of implementations/],
  [{ endpoints: [Effect.succeed(bare)] }, /endpoints must be a list of implementations/],
  [{ endpoints: [null] }, /endpoints must be a list of implementations/],
  [{ onRequest: "log" }, /onRequest must be a function/],
  [{ faults: { status: 503 } }, /faults must be a list of faults/],
  [{ faults: [503] }, /faults must be a list of faults/],
  [{ faultRates: { rate: 1 } }, /faultRates must be a list of \{ rate, fault \}/],
  [{ faultRates: [{ rate: 0.5 }] }, /faultRates must be a list of \{ rate, fault \}/],
  [{ faultRates: [{ rate: 50, fault: { status: 503 } }] }, /rate must be a number from 0 to 1/],
  [{ faultRates: [{ rate: "0.5", fault: { status: 503 } }] }, /rate must be a number from 0 to 1/],
  [{ faultRates: [{ rate: Number.NaN, fault: { status: 503 } }] }, /rate must be a number from 0 to 1/],
  [{ faultRates: [{ rat: 1, fault: { status: 503 } }] }, /there is no option "rat" \(did you mean rate\?\)/],
  [{ faultRates: [{ rate: 1, fault: { status: 700 } }] }, /status must be a whole number from 200 to 599/],
  [{ latancy: 1 }, /there is no option "latancy" \(did you mean latency\?\)/],
  ["8787", /give an object of options/]
]

const faults: ReadonlyArray<readonly [fault: unknown, says: RegExp]> = [
  [{ status: 700 }, /status must be a whole number from 200 to 599/],
  [{ status: 199 }, /status must be/],
  [{ status: 503.5 }, /status must be/],
  [{ status: "503" }, /status must be/],
  [{ status: Number.NaN }, /status must be/],
  [{ status: 503, code: "" }, /code must be a string that is not empty/],
  [{ status: 503, code: 7 }, /code must be/],
  [{ status: 503, message: 7 }, /message must be a string/],
  [{ status: 503, retryAfterSeconds: -1 }, /retryAfterSeconds must be a whole number of seconds, 0 or more/],
  [{ status: 503, retryAfterSeconds: 0.5 }, /retryAfterSeconds must be/],
  [{ status: 503, retryAfterSeconds: "2" }, /retryAfterSeconds must be/],
  [{ status: 503, retryAfterSeconds: Number.POSITIVE_INFINITY }, /retryAfterSeconds must be/],
  [{ reset: "never" }, /reset must be true, false, "before" or "after"/],
  [{ reset: 1 }, /reset must be/],
  [{ truncate: "half" }, /truncate must be true or false/],
  [{ delayMillis: -5 }, /delayMillis must be a number from 0 to 604800000 \(7 days\)/],
  [{ delayMillis: 2 ** 31 }, /delayMillis must be/],
  [{ delayMillis: "2 seconds" }, /delayMillis must be/],
  [{ delayMillis: Number.NaN }, /delayMillis must be/],
  [{ code: "declined" }, /code needs a status/],
  [{ message: "No.", delayMillis: 5 }, /message needs a status/],
  [{ retryAfterSeconds: 2 }, /retryAfterSeconds needs a status/],
  [{ status: 204, message: "No." }, /message has no place in a response of status 204, which has no body/],
  [{ status: 304, code: "no" }, /code has no place in a response of status 304/],
  [{ status: 503, reset: "before" }, /reset closes the connection without a response: leave status out/],
  [{ status: 503, reset: true }, /leave status out/],
  [{ truncate: true, reset: true }, /leave truncate out/],
  [{ retryAfter: 2 }, /did you mean retryAfterSeconds\?/],
  ["503", /a fault must be an object/],
  [503, /a fault must be an object/]
]

/** A table's value, printed for the name of a test. */
const shown = (value: unknown) =>
  JSON.stringify(value, (_, each) =>
    typeof each === "number" && !Number.isFinite(each) ? String(each) : Effect.isEffect(each) ? "effect" : each
  ).slice(0, 80)

describe("a sandbox does not start", () => {
  for (const [given, says] of options) {
    it.live(`with ${shown(given)}: it says why`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(start(given))
        assert.strictEqual(error._tag, "ServeError")
        assert(Cause.isIllegalArgumentException(error.cause))
        assert.match(error.message, says)
        assert.include(String(error), error.message)
      })
    )
  }

  for (const [fault, says] of faults.filter(([fault]) => typeof fault === "object")) {
    it.live(`with the fault ${shown(fault)}: it says why`, () =>
      Effect.gen(function* () {
        const first = yield* Effect.flip(start({ faults: [undefined, fault] }))
        assert.match(first.message, says)
        assert.match(first.message, /^Sandbox: .*\.$/)
        const random = yield* Effect.flip(start({ faultRates: [{ rate: 0, fault }] }))
        assert.match(random.message, says)
      })
    )
  }

  it.live("on a port in use: it says which, and what to do", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Sandbox.Sandbox
      const port = Number(new URL(baseUrl).port)
      const error = yield* Effect.flip(start({ port }))
      assert.strictEqual(
        error.message,
        `Sandbox: port ${port} is in use. Stop what listens there, or choose another port (0 is a free one).`
      )
      assert.strictEqual(Object(error.cause).code, "EADDRINUSE")
    }).pipe(Effect.provide(Sandbox.layer()))
  )

  it.live("on a host that is not this machine's: it says which", () =>
    Effect.gen(function* () {
      // From a block that is reserved for documentation.
      const error = yield* Effect.flip(start({ host: "192.0.2.1" }))
      assert.strictEqual(error.message, "Sandbox: 192.0.2.1 is no address of this machine. Choose another host.")
    })
  )
})

describe("a fault for the next request", () => {
  for (const [fault, says] of faults) {
    it.live(`that cannot be used is a defect, and sets none: ${shown(fault)}`, () =>
      Effect.gen(function* () {
        const cause = yield* Effect.flip(Effect.sandbox(failNext(fault)))
        const defect = Cause.squash(cause)
        assert(Cause.isIllegalArgumentException(defect))
        assert.match(defect.message, says)
        assert.strictEqual(yield* outcome("POST", "/checkout/sessions"), 201)
      }).pipe(Effect.provide(Sandbox.layer()))
    )
  }
})

describe("a sandbox starts", () => {
  const good: ReadonlyArray<Sandbox.Options> = [
    {},
    { port: 0, host: "127.0.0.1", latency: "7 days", sessionLifetime: "36500 days", tracing: false, faults: [] },
    { latency: 0, sessionLifetime: 0, endpoints: [], faultRates: [{ rate: 0, fault: {} }] },
    { faults: [undefined, {}, { status: 204, retryAfterSeconds: 0 }, { status: 599, delayMillis: 0, truncate: true }] },
    {
      faults: [
        { reset: false, status: 503 },
        { reset: "after", delayMillis: 604_800_000 }
      ]
    }
  ]
  for (const each of good) {
    it.live(`with ${shown(each)}`, () => start(each))
  }
})
