import { assert, describe, it } from "@effect/vitest"
import { NotFound, RequestFailed } from "@effect-gr4vy/core"
import { spanned } from "@effect-gr4vy/core/spi/Span"
import { Data, Deferred, Effect, Exit, Fiber, FiberRef, Option, Tracer } from "effect"

/** A tracer that keeps what has ended. */
const recording = () => {
  const ended: Array<readonly [name: string, outcome: string]> = []
  const native = Tracer.make({
    context: (f) => f(),
    span: (name, parent, context, links, startTime, kind) => {
      const span: Tracer.Span = {
        _tag: "Span",
        name,
        spanId: name,
        traceId: "1".repeat(32),
        sampled: true,
        parent,
        context,
        links,
        kind,
        status: { _tag: "Started", startTime },
        attributes: new Map(),
        attribute: () => {},
        event: () => {},
        addLinks: () => {},
        end: (_, exit) =>
          void ended.push([
            name,
            Exit.isSuccess(exit) ? "success" : Exit.isInterrupted(exit) ? "interrupted" : "failure"
          ])
      }
      return span
    }
  })
  return { ended, tracer: native }
}

const current = Effect.map(Effect.option(Effect.currentSpan), (span) => Option.getOrUndefined(span)?.name)

describe("spanned", () => {
  it.scoped("is the current span inside, and leaves the fiber as it was", () =>
    Effect.gen(function* () {
      const { ended, tracer } = recording()
      const ref = yield* FiberRef.make("before")
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* spanned("quiet")(() => current), "quiet")
        assert.deepStrictEqual(yield* current, "outer")
        // What is changed inside stays changed.
        yield* spanned("loud")(() => FiberRef.set(ref, "after"))
        assert.strictEqual(yield* FiberRef.get(ref), "after")
        assert.deepStrictEqual(yield* current, "outer")
        yield* Effect.exit(spanned("failing")(() => Effect.fail("no")))
        assert.deepStrictEqual(yield* current, "outer")
      }).pipe(Effect.withSpan("outer"), Effect.withTracer(tracer))
      assert.deepStrictEqual(ended, [
        ["quiet", "success"],
        ["loud", "success"],
        ["failing", "failure"],
        ["outer", "success"]
      ])
    })
  )

  it.effect("ends with an interruption", () =>
    Effect.gen(function* () {
      const { ended, tracer } = recording()
      const begun = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        spanned("waiting")(() => Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)).pipe(
          Effect.withTracer(tracer)
        )
      )
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(ended, [["waiting", "interrupted"]])
    })
  )

  const ended = <E>(effect: Effect.Effect<unknown, E>, interrupt = false) =>
    Effect.gen(function* () {
      const seen = new Map<string, unknown>()
      const { tracer } = recording()
      const keeping = Tracer.make({
        context: (f) => f(),
        span: (...args) =>
          Object.assign(tracer.span(...args), { attribute: (key: string, value: unknown) => void seen.set(key, value) })
      })
      const fiber = yield* Effect.fork(
        Effect.withTracer(
          spanned("call")(() => effect),
          keeping
        )
      )
      yield* Effect.yieldNow()
      if (interrupt) yield* Fiber.interrupt(fiber)
      yield* Fiber.await(fiber)
      return Object.fromEntries(seen)
    })

  class Conflict extends Data.TaggedError("Conflict")<{ readonly status?: number }> {}

  it.effect.each([
    { name: "a status", error: new NotFound({ message: "no" }), facts: ["404", "yes", 1] },
    {
      name: "no usable answer",
      error: new RequestFailed({ reason: "Timeout", delivered: "unknown", message: "late", attempts: 3 }),
      facts: ["Timeout", "unknown", 3]
    },
    {
      name: "a user's own error with a status",
      error: new Conflict({ status: 409 }),
      facts: ["409", "yes", undefined]
    },
    { name: "a user's own error without", error: new Conflict({}), facts: ["Conflict", undefined, undefined] },
    {
      name: "a user's own error that a server filled in",
      error: { _tag: "Own", status: "x".repeat(2000), reason: "card 4111", delivered: "no", attempts: "many" },
      facts: ["Own", undefined, undefined]
    },
    { name: "a status that is none", error: { _tag: "Own", status: 1e9 }, facts: ["Own", undefined, undefined] },
    { name: "anything else", error: "no", facts: ["_OTHER", undefined, undefined] }
  ])("tells of a failure its type, whether it was delivered, and the requests it took: $name", ({ error, facts }) =>
    Effect.gen(function* () {
      const attributes = yield* ended(Effect.fail(error))
      assert.deepStrictEqual(
        ["error.type", "gr4vy.delivered", "gr4vy.attempts"].map((key) => attributes[key]),
        facts
      )
    })
  )

  it.effect("marks an interruption, and nothing on success", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* ended(Effect.never, true), { "gr4vy.cancelled": true })
      assert.deepStrictEqual(yield* ended(Effect.succeed(1)), {})
    })
  )
})
