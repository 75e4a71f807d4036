import { assert, describe, it, layer } from "@effect/vitest"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect, Random } from "effect"
import { created, outcome, request } from "./support.js"

const sessions = "/checkout/sessions"
const script = (text: string) => ({ "x-sandbox-script": text })

const outcomes = (count: number, headers: Record<string, string> = {}) =>
  Effect.replicateEffect(outcome("POST", sessions, headers), count)

layer(Sandbox.layer(), { excludeTestServices: true })("a fault", (it) => {
  it.effect("with a status responds in the API's form, with code, message and Retry-After", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      yield* failNext({ status: 429, code: "too_many_requests", message: "Slow down.", retryAfterSeconds: 2 })
      const { body, headers, status } = yield* request("POST", sessions)
      assert.strictEqual(status, 429)
      assert.strictEqual(headers["retry-after"], "2")
      assert.deepStrictEqual(body, {
        type: "error",
        code: "too_many_requests",
        status: 429,
        message: "Slow down.",
        details: []
      })
    })
  )

  const cuts: ReadonlyArray<readonly [string, Sandbox.Fault, number]> = [
    ["before the work: it is not done", { reset: "before" }, 204],
    ["after the work: it is done", { reset: "after" }, 404],
    ["by `true`: after the work", { reset: true }, 404],
    ["by truncating what has no body: after the work", { truncate: true }, 404]
  ]
  for (const [name, fault, then] of cuts) {
    it.effect(`cuts ${name}`, () =>
      Effect.gen(function* () {
        const { failNext, seen } = yield* Sandbox.Sandbox
        const path = yield* created
        yield* failNext(fault)
        assert.strictEqual(yield* outcome("DELETE", path), "cut")
        assert.notProperty((yield* seen).at(-1), "status")
        assert.strictEqual(yield* outcome("DELETE", path), then)
      })
    )
  }

  it.effect("truncates a response: status and headers arrive, the body does not", () =>
    Effect.gen(function* () {
      const { baseUrl, failNext } = yield* Sandbox.Sandbox
      yield* failNext({ truncate: true })
      const headers = { authorization: "Bearer any" }
      const response = yield* Effect.promise(() => fetch(`${baseUrl}${sessions}`, { method: "POST", headers }))
      assert.strictEqual(response.status, 201)
      assert.isTrue(yield* Effect.isFailure(Effect.tryPromise(() => response.text())))
    })
  )

  it.effect("delays a response", () =>
    Effect.gen(function* () {
      const { failNext, seen } = yield* Sandbox.Sandbox
      yield* failNext({ delayMillis: 50 })
      assert.strictEqual(yield* outcome("POST", sessions), 201)
      assert.isAtLeast((yield* seen).at(-1)?.millis ?? 0, 45)
    })
  )

  it.effect("by header applies to the requests of one key, step by step, and to no others", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = script("mine; 503 retry-after=1, reset, ok, reset-before")
      yield* failNext({ status: 418 })
      assert.deepStrictEqual(yield* outcomes(2, mine), [503, "cut"])
      assert.deepStrictEqual(yield* outcomes(1, script("other; 500")), [500])
      assert.deepStrictEqual(yield* outcomes(3, mine), [201, "cut", 201])
      assert.deepStrictEqual(yield* outcomes(2), [418, 201])
    })
  )

  it.effect("by header starts again if a key has a different script", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* outcomes(2, script("again; 503")), [503, 201])
      assert.deepStrictEqual(yield* outcomes(2, script("again; 500 delay=1ms code=mine")), [500, 201])
    })
  )

  const bad = [
    "",
    "key",
    "key;",
    "; 503",
    "key; 503,",
    "key; 99",
    "key; 503x",
    "key; ok 503",
    "key; delay=5",
    "key; code=",
    "key; 700",
    "key; code=declined",
    "key; retry-after=2",
    "key; 204 code=no",
    "key; 503 reset",
    "key; reset truncate",
    "key; 503, 503 504"
  ]
  for (const text of bad) {
    it.effect(`by header that cannot be read ("${text}") is a 400 that says how to write one`, () =>
      Effect.gen(function* () {
        const { body, status } = yield* request("POST", sessions, { headers: script(text) })
        assert.deepStrictEqual([status, body["code"]], [400, "bad_request"])
        const [detail] = Array.isArray(body["details"]) ? body["details"] : []
        assert.deepInclude(detail, { location: "header", pointer: "x-sandbox-script" })
        assert.match(detail.message, /Write|write|needs|leave|no place|twice/)
      })
    )
  }
})

describe("a sandbox is built with", () => {
  it.live("faults for its first requests", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* outcomes(4), [503, 201, "cut", 201])
    }).pipe(Effect.provide(Sandbox.layer({ faults: [{ status: 503 }, undefined, { reset: true }] })))
  )

  it.live("random faults, repeatable by a seed", () => {
    const flaky = Effect.suspend(() =>
      Effect.withRandom(
        Effect.provide(
          outcomes(60),
          Sandbox.layer({
            faultRates: [
              { rate: 0.2, fault: { status: 503 } },
              { rate: 0.1, fault: { reset: true } }
            ]
          })
        ),
        Random.make("seed")
      )
    )
    return Effect.gen(function* () {
      const first = yield* flaky
      assert.deepStrictEqual(yield* flaky, first)
      const count = (of: number | "cut") => first.filter((one) => one === of).length
      assert.isTrue(count(503) > 3 && count(503) < 25 && count("cut") > 0 && count(201) > 25)
    })
  })

  it.live("a latency for many concurrent requests, without a leak warning", () =>
    Effect.gen(function* () {
      const warnings: Array<string> = []
      const warn = ({ message }: Error) => void warnings.push(message)
      yield* Effect.acquireRelease(
        Effect.sync(() => process.on("warning", warn)),
        () => Effect.sync(() => process.off("warning", warn))
      )
      yield* Effect.all(
        Array.from({ length: 20 }, () => outcome("POST", sessions)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(warnings, [])
    }).pipe(Effect.scoped, Effect.provide(Sandbox.layer({ latency: "100 millis" })))
  )

  it.live("a latency for every response, and closes at once while responses are pending", () =>
    Effect.gen(function* () {
      const answered = yield* Effect.provide(
        Effect.race(outcome("POST", sessions), Effect.delay(Effect.succeed("none yet"), "50 millis")),
        Sandbox.layer({ latency: "1 hour" })
      )
      assert.strictEqual(answered, "none yet")
    })
  )
})
