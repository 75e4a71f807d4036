import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, Endpoint } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, FastCheck, Redacted, Schema } from "effect"
import { RetryBudget } from "../../../packages/node/dist/internal/call/retryBudget.js"
import * as Script from "../../support/script.js"
import { type Answer, lost, refused, silent, simulated, status } from "../../support/simulated.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const html: Answer = { outcome: { status: 200, headers: {}, body: "<!doctype html>" }, takes: 0 }
const quick = RetryPolicy.make({ baseDelay: 1, maxDelay: 2 })

/** The tokens left after one GET that finds 400 of 500. */
const tokensAfter = (...answers: Parameters<typeof simulated>[0]) =>
  Effect.gen(function* () {
    const { budget, run, sentAt, sessions } = simulated(answers)
    for (let n = 0; n < 10; n++) budget.take(false)
    yield* run(sessions.get(id))
    return { tokens: budget.available - 400, wire: sentAt.length }
  })

describe("a call", () => {
  const throttled = status(503, { "retry-after": "1" })
  const fine = status(200)
  const table = {
    "that succeeds at once gives 1": [[fine], 1],
    "whose retry works takes 10 and gives them back": [[status(503), fine], 0],
    "whose second retry works gets back what that one took": [[status(503), status(500), fine], -10],
    "that fails after two retries takes 20": [[status(503)], -20],
    "that is throttled twice takes 10": [[status(429)], -10],
    "that gets Retry-After takes 5 each time": [[throttled], -10],
    "throttled, then fine, gives back the 5": [[throttled, fine], 0],
    "whose connections are lost takes 20": [[lost], -20],
    "whose connections are refused takes 20": [[refused], -20],
    "that ends with a 404 gives 1, because the API works": [[status(404)], 1],
    "that ends with a 501 gives nothing": [[status(501)], 0],
    "that ends with a 302 gives nothing": [[status(302)], 0],
    "that ends with an unusable 200 gives nothing": [[html], 0],
    "whose retry ends with a 302 gets nothing back": [[status(503), status(302)], -10],
    "whose retry ends with a 501 gets nothing back": [[status(502), status(501)], -10],
    "whose retry ends with an unusable 200 gets nothing back": [[status(503), html], -10],
    "whose retry ends with a 422 gets 1, because the API works and the retry did not": [[status(503), status(422)], -9],
    "told to wait for a minute takes nothing": [[status(429, { "retry-after": "60" })], 0]
  } as const
  for (const [name, [answers, tokens]] of Object.entries(table)) {
    it.effect(name, () => Effect.map(tokensAfter(...answers), (after) => assert.strictEqual(after.tokens, tokens)))
  }
})

describe("the budget", () => {
  it("holds 500 tokens, which are 50 retries or 100 throttled ones in a row", () => {
    const retriesOf = (isThrottled: boolean) => {
      const budget = new RetryBudget()
      let retries = 0
      while (budget.take(isThrottled) > 0) retries++
      return retries
    }
    assert.deepStrictEqual([retriesOf(false), retriesOf(true)], [50, 100])
  })

  it.prop(
    "never holds less than nothing or more than 500, whatever happens",
    {
      events: FastCheck.array(FastCheck.constantFrom("retry", "throttled", "success", "recovery"), { maxLength: 500 })
    },
    ({ events }) => {
      const budget = new RetryBudget()
      for (const event of events) {
        if (event === "success") budget.succeeded(0)
        else if (event === "recovery") budget.succeeded(budget.take(false))
        else budget.take(event === "throttled")
        assert(budget.available >= 0 && budget.available <= 500)
      }
    }
  )

  it.effect("that is empty allows one request per call and no wait; ten successes pay for the next retry", () =>
    Effect.gen(function* () {
      const down = simulated([status(503)])
      for (let n = 0; n < 50; n++) down.budget.take(false)
      yield* down.run(down.sessions.get(id))
      assert.deepStrictEqual([down.sentAt.length, down.elapsed()], [1, 0])

      const back = simulated([...Array.from({ length: 10 }, () => status(200)), status(503), status(200)])
      for (let n = 0; n < 50; n++) back.budget.take(false)
      for (let n = 0; n < 11; n++) yield* back.run(back.sessions.get(id))
      assert.strictEqual(back.sentAt.length, 12)
      assert.strictEqual(back.budget.available, 10)
    })
  )

  it.live("1,000 calls against a server that always responds with 503 send at most 1,200 requests", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(Script.status(503))
      const make = Gr4vy.make({ baseUrl: server.baseUrl, token: Redacted.make("token"), retry: quick })
      const sessions = yield* make
      yield* Effect.forEach(Array.from({ length: 1000 }), () => Effect.exit(sessions.get(id)), { concurrency: 32 })
      assert.strictEqual(server.requests.length, 1050)

      // Another layer has a budget of its own.
      const other = yield* make
      yield* Effect.exit(other.get(id))
      assert.strictEqual(server.requests.length, 1053)
    }).pipe(Effect.scoped)
  )

  it.effect.each([401, 403, 409, 413, 422])(
    "lets 1,000 calls that end in a %d after a 503 send at most 1,200 requests",
    (code) =>
      Effect.gen(function* () {
        const failing = simulated(Array.from({ length: 1_200 }, (_, n) => status(n % 2 === 0 ? 503 : code)))
        let sent = 0
        for (let n = 0; n < 300; n++) {
          yield* failing.run(failing.sessions.get(id))
          sent = failing.sentAt.length
        }
        assert.isAtMost(sent, 720)
      })
  )

  const Pay = Endpoint.post("Own.pay", "/own", { success: Schema.Struct({ id: Schema.String }), resend: "keyed" })

  it.effect.prop(
    "allows at most 1,200 requests for 1,000 calls, whatever the mixture of failures",
    {
      mixture: FastCheck.array(
        FastCheck.constantFrom(
          ...[300, 302, 304, 408, 425, 429, 500, 501, 502, 503, 504, 505, 511, 520, 530, 599].map((code) =>
            status(code)
          ),
          status(503, { "retry-after": "0" }),
          status(503, { "retry-after": "1" }),
          html,
          lost,
          refused,
          silent
        ),
        { minLength: 1, maxLength: 5 }
      ),
      method: FastCheck.constantFrom("get" as const, "add" as const, "pay" as const)
    },
    ({ method, mixture }) =>
      Effect.gen(function* () {
        const answers = Array.from({ length: 3000 }, (_, n) => mixture[n % mixture.length] ?? lost)
        const { http, run, sentAt, sessions } = simulated(answers)
        const { pay } = Endpoint.clientOf({ pay: Pay }, http)
        const calls = { get: sessions.get(id), add: sessions.add(), pay: pay({ idempotencyKey: "order-1" }) }
        for (let n = 0; n < 1000; n++) yield* run<unknown, unknown>(calls[method])
        assert.isAtMost(sentAt.length, 1200)
      }),
    { fastCheck: { numRuns: 4 } }
  )

  it.live.each([
    ["502 and 500 for a keyed POST", [502, 500]],
    ["503 and 302", [503, 302]],
    ["503, 504 and 501", [503, 504, 501]]
  ] as const)("1,000 calls send at most 1,200 requests to a server that answers with %s in turn", ([, codes]) =>
    Effect.gen(function* () {
      const answers = Array.from({ length: 3000 }, (_, n) => Script.status(codes[n % codes.length] ?? 500))
      const server = yield* Script.script(...answers)
      const http = yield* Gr4vy.makeClient({ baseUrl: server.baseUrl, token: Redacted.make("token"), retry: quick })
      const { pay } = Endpoint.clientOf({ pay: Pay }, http)
      const call: Effect.Effect<unknown, unknown> =
        codes[0] === 502 ? pay({ idempotencyKey: "order-1" }) : http.get("/own")
      yield* Effect.forEach(Array.from({ length: 1000 }), () => Effect.exit(call), { discard: true })
      assert.isAtMost(server.requests.length, 1200)
    }).pipe(Effect.scoped)
  )

  it.effect("is refunded for retries that were interrupted while they waited: 70 of them cost nothing", () =>
    Effect.gen(function* () {
      const { budget, run, sentAt, sessions } = simulated([status(503)])
      const interrupted = Effect.clockWith((clock) =>
        Effect.withClock(sessions.get(id), { ...clock, sleep: () => Effect.interrupt })
      )
      for (let n = 0; n < 70; n++) yield* Effect.exit(run(interrupted))
      assert.deepStrictEqual([budget.available, sentAt.length], [500, 70])
    })
  )

  it.effect("is refunded for a retry whose wait ended after the deadline", () =>
    Effect.gen(function* () {
      const { budget, run, sentAt, sessions } = simulated([status(503)], { lag: 30_000 })
      yield* run(sessions.get(id))
      assert.deepStrictEqual([budget.available, sentAt.length], [500, 1])
    })
  )

  it.effect("is spent before the wait", () =>
    Effect.gen(function* () {
      const { budget, run, sessions } = simulated([status(503)], {
        retry: RetryPolicy.make({ maxAttempts: 2 })
      })
      const seen: Array<number> = []
      yield* run(
        Effect.clockWith((clock) =>
          sessions.get(id).pipe(
            Effect.withClock({
              ...clock,
              sleep: (duration) => {
                seen.push(budget.available)
                return clock.sleep(duration)
              }
            })
          )
        )
      )
      assert.deepStrictEqual(seen, [490])
    })
  )
})
