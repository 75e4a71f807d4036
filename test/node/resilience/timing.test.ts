import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { RetryPolicy } from "@effect-gr4vy/node"
import { Duration, Effect, Either, FastCheck } from "effect"
import { lost, refused, silent, simulated, start, status } from "../../support/simulated.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const fine = status(200)
const httpDate = (seconds: number) => new Date(start + seconds * 1000).toUTCString()

const gapsOf = (times: ReadonlyArray<number>) => times.slice(1).map((time, n) => time - (times[n] ?? 0))
const errorOf = <A, E>(outcome: Either.Either<A, E>) => Either.getOrThrow(Either.flip(outcome))

describe("the wait before a retry", () => {
  it.effect.prop(
    "is full jitter, below 250 ms × 2ⁿ and below 8 s, for every seed, and the same again for the same seed",
    { seed: FastCheck.integer() },
    ({ seed }) =>
      Effect.gen(function* () {
        const gaps = Effect.gen(function* () {
          const { run, sentAt, sessions } = simulated([status(503)], {
            retry: RetryPolicy.make({ maxAttempts: 9 }),
            deadline: 3_600_000
          })
          yield* run(sessions.get(id), seed)
          return gapsOf(sentAt)
        })
        const first = yield* gaps
        assert.strictEqual(first.length, 8)
        first.forEach((gap, n) => {
          assert.isBelow(gap, Math.min(8000, 250 * 2 ** n) + 1e-3)
          assert.isAtLeast(gap, 0)
        })
        assert.deepStrictEqual(yield* gaps, first)
      })
  )

  it.effect("spreads over the whole range: over 500 seeds the mean of the first is near 125 ms", () =>
    Effect.gen(function* () {
      const gaps: Array<number> = []
      for (let seed = 0; seed < 500; seed++) {
        const { run, sentAt, sessions } = simulated([status(503), fine])
        yield* run(sessions.get(id), seed)
        gaps.push(...gapsOf(sentAt))
      }
      assert.strictEqual(gaps.length, 500)
      assert.approximately(gaps.reduce((sum, gap) => sum + gap, 0) / 500, 125, 20)
      assert.isBelow(Math.min(...gaps), 25)
      assert.isAbove(Math.max(...gaps), 225)
    })
  )
})

describe("Retry-After", () => {
  for (const code of [408, 425, 429, 500, 502, 503, 504]) {
    it.effect(`is a minimum wait with a ${code}, in seconds or as a date`, () =>
      Effect.gen(function* () {
        for (const value of ["7", httpDate(7)]) {
          const { run, sentAt, sessions } = simulated([status(code, { "retry-after": value }), fine])
          assert(Either.isRight(yield* run(sessions.get(id))))
          assert.deepStrictEqual(sentAt, [0, 7000])
        }
      })
    )
  }

  it.effect("below the jitter changes nothing", () =>
    Effect.gen(function* () {
      const wait = (headers: Readonly<Record<string, string>>) => {
        const retry = RetryPolicy.make({ baseDelay: "8 seconds" })
        const { run, sentAt, sessions } = simulated([status(429, headers), fine], { retry })
        return Effect.map(run(sessions.get(id), "a late one"), () => sentAt)
      }
      const [, jitter] = yield* wait({})
      assert.isAbove(jitter ?? 0, 1000)
      assert.deepStrictEqual(yield* wait({ "retry-after": "1" }), [0, jitter])
    })
  )

  for (const [name, value, deadline, seconds] of [
    ["31 seconds", "31", 60_000, 31],
    ["a date in an hour", httpDate(3600), 60_000, 3600],
    ["longer than a timer can wait", "2147484", 2 ** 31 - 1, 2_147_484],
    ["more seconds than a number holds", "9".repeat(400), 2 ** 31 - 1, Number.MAX_SAFE_INTEGER / 1000],
    ["as long as the deadline", "30", 30_000, 30],
    ["past the deadline", "5", 2000, 5]
  ] as const) {
    it.effect(`of ${name} is not waited for: the API's error is returned at once with its retryAfter`, () =>
      Effect.gen(function* () {
        for (const call of ["get", "add"] as const) {
          const sim = simulated([status(429, { "retry-after": value })], { deadline })
          const error = errorOf(yield* sim.run(call === "get" ? sim.sessions.get(id) : sim.sessions.add()))
          assert.deepStrictEqual([sim.sentAt, sim.elapsed(), sim.budget.available], [[0], 0, 500])
          assert(error._tag === "Generic" && error.retryAfter !== undefined)
          assert.strictEqual(Duration.toSeconds(error.retryAfter), seconds)
        }
      })
    )
  }

  it.effect("of 30 seconds is waited for where the deadline allows it", () =>
    Effect.gen(function* () {
      const { run, sentAt, sessions } = simulated([status(429, { "retry-after": "30" }), fine], { deadline: 60_000 })
      assert(Either.isRight(yield* run(sessions.get(id))))
      assert.deepStrictEqual(sentAt, [0, 30_000])
    })
  )

  for (const value of ["0", httpDate(-60), httpDate(0)]) {
    it.effect(`of "${value}" means no wait: a 503 is sent again at once, a POST too`, () =>
      Effect.gen(function* () {
        const { elapsed, run, sentAt, sessions } = simulated([status(503, { "retry-after": value }), status(201)])
        assert(Either.isRight(yield* run(sessions.add())))
        assert.strictEqual(sentAt.length, 2)
        assert.isBelow(elapsed(), 250)
      })
    )
  }

  for (const value of ["-5", "abc", "1e309", "", "1.5", "NaN"]) {
    it.effect(`of "${value.slice(0, 40)}" is as if absent`, () =>
      Effect.gen(function* () {
        const created = simulated([status(503, { "retry-after": value })])
        assert.isUndefined(Reflect.get(errorOf(yield* created.run(created.sessions.add())), "retryAfter"))
        assert.deepStrictEqual(created.sentAt, [0])

        const got = simulated([status(503, { "retry-after": value }), fine])
        yield* got.run(got.sessions.get(id))
        assert.strictEqual(got.sentAt.length, 2)
        assert.isBelow(got.elapsed(), 250)
      })
    )
  }

  it.effect.prop(
    "makes no call longer than its deadline, whatever it says",
    {
      value: FastCheck.oneof(FastCheck.string(), FastCheck.bigInt().map(String)),
      code: FastCheck.constantFrom(429, 503)
    },
    ({ code, value }) =>
      Effect.gen(function* () {
        const { elapsed, run, sentAt, sessions } = simulated([status(code, { "retry-after": value })])
        yield* run(sessions.get(id))
        assert.isBelow(elapsed(), 30_000)
        assert.isAtMost(sentAt.length, 3)
      })
  )
})

describe("the time limits", () => {
  it.effect("an attempt ends after 10 s and is retried; the third has the time that the deadline leaves", () =>
    Effect.gen(function* () {
      const { elapsed, run, sentAt, sessions } = simulated([silent])
      const error = errorOf(yield* run(sessions.get(id)))
      assert.deepInclude(error, { _tag: "RequestFailed", reason: "Timeout", delivered: "unknown", attempts: 3 })
      assert.strictEqual(elapsed(), 30_000)
      assert.isTrue(gapsOf(sentAt).every((gap) => gap >= 10_000))
    })
  )

  it.effect("a POST without a response ends after 10 s, after one request", () =>
    Effect.gen(function* () {
      const { elapsed, run, sessions } = simulated([silent])
      const error = errorOf(yield* run(sessions.add()))
      assert.deepInclude(error, { _tag: "RequestFailed", reason: "Timeout", delivered: "unknown", attempts: 1 })
      assert.strictEqual(elapsed(), 10_000)
    })
  )

  it.effect("a deadline below the attempt's limit ends the first attempt", () =>
    Effect.gen(function* () {
      const { elapsed, run, sentAt, sessions } = simulated([silent], { deadline: 2000 })
      assert.deepInclude(errorOf(yield* run(sessions.get(id))), { reason: "Timeout", attempts: 1 })
      assert.deepStrictEqual([sentAt, elapsed()], [[0], 2000])
    })
  )

  it.effect("a wait beyond the deadline does not begin: the last response is the outcome", () =>
    Effect.gen(function* () {
      const { elapsed, run, sentAt, sessions } = simulated([status(503, {}, 1990)], {
        deadline: 2000,
        retry: RetryPolicy.make({ baseDelay: "8 seconds" })
      })
      assert.deepInclude(errorOf(yield* run(sessions.get(id))), { _tag: "Generic", status: 503 })
      assert.deepStrictEqual([sentAt, elapsed()], [[0], 1990])
    })
  )
})

describe("a wall clock that is set", () => {
  for (const [name, setClock] of [
    ["back by an hour", -3_600_000],
    ["forth by an hour", 3_600_000]
  ] as const) {
    it.effect(`${name} during a call changes neither its deadline nor its attempts`, () =>
      Effect.gen(function* () {
        const { elapsed, run, sentAt, sessions } = simulated([silent], { attempt: 1000, deadline: 2500, setClock })
        assert.deepInclude(errorOf(yield* run(sessions.get(id))), { reason: "Timeout", attempts: 3 })
        assert.deepStrictEqual([sentAt.length, elapsed()], [3, 2500])
      })
    )
  }

  it.effect("otherwise than the server's leaves the wait of a Retry-After date as it is", () =>
    Effect.gen(function* () {
      const headers = { date: httpDate(0), "retry-after": httpDate(7) }
      const { run, sentAt, sessions } = simulated([status(503, headers), fine], { setClock: -3_600_000 })
      assert(Either.isRight(yield* run(sessions.get(id))))
      assert.deepStrictEqual(sentAt, [0, 7000])
    })
  )
})

describe("an attempt that would begin after the deadline does not", () => {
  it.effect("because the token took so long: nothing was sent", () =>
    Effect.gen(function* () {
      for (const tokenTakes of [30_000, 31_000]) {
        const { run, sentAt, sessions } = simulated([fine], { tokenTakes })
        const error = errorOf(yield* run(sessions.get(id)))
        assert.deepInclude(error, { _tag: "RequestFailed", reason: "Timeout", delivered: "no", attempts: 0 })
        assert.include(error.message, "deadline has passed")
        assert.deepStrictEqual(sentAt, [])
      }
    })
  )

  it.effect("because the wait before it ended late: delivered covers the earlier attempts", () =>
    Effect.gen(function* () {
      for (const [first, delivered] of [
        [status(503), "unknown"],
        [refused, "no"]
      ] as const) {
        const { run, sentAt, sessions } = simulated([first, fine], { lag: 30_000 })
        const error = errorOf(yield* run(sessions.get(id)))
        assert.deepInclude(error, { _tag: "RequestFailed", reason: "Timeout", delivered, attempts: 1 })
        assert.deepStrictEqual(sentAt, [0])
      }
    })
  )
})

describe("delivered", () => {
  const table = {
    "lost, then refused: an earlier copy may have arrived": [[lost, refused], "unknown"],
    "503, then refused: an earlier copy may have had an effect": [[status(503), refused], "unknown"],
    "refused every time: none arrived": [[refused], "no"],
    "429, then refused: none had an effect": [[status(429), refused], "no"],
    "refused, then lost": [[refused, lost], "unknown"]
  } as const
  for (const [name, [answers, delivered]] of Object.entries(table)) {
    it.effect(`describes the whole call, not its last request: ${name}`, () =>
      Effect.gen(function* () {
        const retry = RetryPolicy.make({ creates: "at-least-once" })
        const calls = [
          (_: ReturnType<typeof simulated>["sessions"]) => _.add(),
          (_: ReturnType<typeof simulated>["sessions"]) => _.delete(id)
        ]
        for (const call of calls) {
          const { run, sessions } = simulated(answers, { retry })
          const error = errorOf(yield* run(Effect.asVoid(call(sessions))))
          assert.deepInclude(error, { _tag: "RequestFailed", delivered, attempts: 3 })
        }
      })
    )
  }
})
