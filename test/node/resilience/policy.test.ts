import { assert, describe, it } from "@effect/vitest"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Cause, Duration, Effect, FastCheck, Redacted } from "effect"

const refuses = (options: object, message: RegExp) => {
  // Programs without types get here with anything.
  throws(() => Reflect.apply(RetryPolicy.make, undefined, [options]), message)
}

const throws = (f: () => unknown, message: RegExp) => {
  try {
    f()
  } catch (error) {
    assert(Cause.isIllegalArgumentException(error))
    assert.match(error.message, message)
    return
  }
  assert.fail("accepted")
}

describe("RetryPolicy.make", () => {
  for (const maxAttempts of [0, -1, 1.5, 101, Number.NaN, Number.POSITIVE_INFINITY, "3"]) {
    it(`refuses ${JSON.stringify(maxAttempts)} (${maxAttempts}) as maxAttempts`, () =>
      refuses({ maxAttempts }, /^RetryPolicy: maxAttempts must be a whole number from 1 to 100$/))
  }

  for (const field of ["baseDelay", "maxDelay", "maxRetryAfter"]) {
    const nonsense: Readonly<Record<string, unknown>> = {
      "a negative number": -1,
      "negative nanoseconds": -1n,
      "negative seconds": "-5 seconds",
      "a negative pair": [-1, 0],
      "a pair with NaN": [0, Number.NaN],
      NaN: Number.NaN,
      Infinity: Number.POSITIVE_INFINITY,
      "Duration.infinity": Duration.infinity,
      "a word": "soon",
      "a number without a unit": "5",
      "an object": {}
    }
    for (const [name, value] of Object.entries(nonsense)) {
      it(`refuses ${name} as ${field}`, () =>
        refuses({ [field]: value }, new RegExp(`^RetryPolicy: ${field} must be a finite duration`)))
    }
  }

  it("refuses another word for creates", () => refuses({ creates: "once" }, /^RetryPolicy: creates must be "at-most/))

  it("without options is the standard policy", () => {
    assert.deepStrictEqual(RetryPolicy.make({}), RetryPolicy.standard)
    assert.deepStrictEqual(RetryPolicy.standard, {
      maxAttempts: 3,
      baseDelay: Duration.millis(250),
      maxDelay: Duration.seconds(8),
      maxRetryAfter: Duration.seconds(30),
      creates: "at-most-once",
      renewToken: true
    })
  })

  for (const [input, millis] of [
    ["5 seconds", 5000],
    [5, 5],
    [0, 0],
    [1_000_000n, 1],
    [0n, 0],
    [[1, 1_000_000], 1001],
    [[0, 0], 0],
    [Duration.millis(7), 7]
  ] as const) {
    it(`takes ${String(input)} (${typeof input}) as a delay`, () => {
      assert.strictEqual(Duration.toMillis(RetryPolicy.make({ maxDelay: input }).maxDelay), millis)
    })
  }

  it.prop(
    "keeps what it is given",
    { maxAttempts: FastCheck.integer({ min: 1, max: 100 }), millis: FastCheck.nat() },
    ({ maxAttempts, millis }) => {
      const policy = RetryPolicy.make({ maxAttempts, baseDelay: millis, creates: "at-least-once", renewToken: false })
      assert.deepStrictEqual(policy, {
        ...RetryPolicy.standard,
        maxAttempts,
        baseDelay: Duration.millis(millis),
        creates: "at-least-once",
        renewToken: false
      })
    }
  )
})

it("RetryPolicy.none differs from the standard policy in one request, and in no new token", () => {
  assert.deepStrictEqual(RetryPolicy.none, { ...RetryPolicy.standard, maxAttempts: 1, renewToken: false })
})

describe("a policy that was not built with make is validated where it is used", () => {
  for (const maxAttempts of [0, -1, 2.5, 101, Number.NaN, Number.POSITIVE_INFINITY]) {
    const policy: RetryPolicy.RetryPolicy = { ...RetryPolicy.standard, maxAttempts }
    const message = /RetryPolicy: maxAttempts must be a whole number from 1 to 100/

    it.scoped(`${maxAttempts} attempts`, () =>
      Effect.gen(function* () {
        throws(() => RetryPolicy.withPolicy(Effect.void, policy), message)
        throws(() => Effect.void.pipe(RetryPolicy.withPolicy(policy)), message)
        const error = yield* Effect.flip(
          Gr4vy.make({ baseUrl: "http://127.0.0.1:9", token: Redacted.make("token"), retry: policy })
        )
        assert.match(String(error), /^\(Invalid data at retry: /)
        assert.match(String(error), message)
      })
    )
  }

  it("a string or a partial policy is refused, and the error says what to give", () => {
    for (const [policy, missing] of [
      ["none", "maxAttempts"],
      [{ maxAttempts: 5 }, "baseDelay"],
      [undefined, "maxAttempts"]
    ]) {
      throws(
        () => RetryPolicy.withPolicy(Effect.void, policy as unknown as RetryPolicy.RetryPolicy),
        new RegExp(`has no ${missing}\\. Give RetryPolicy\\.none, RetryPolicy\\.standard or RetryPolicy\\.make`)
      )
    }
  })
})
