import { assert, describe, it } from "@effect/vitest"
import { spanned } from "@effect-gr4vy/core/unstable/Span"
import { Deferred, Effect, Exit, Fiber, FiberRef, Option, Tracer } from "effect"

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

const current = Effect.map(
  Effect.option(Effect.currentSpan),
  Option.map((span) => span.name)
)

describe("spanned", () => {
  it.scoped("is the current span inside, and leaves the fiber as it was", () =>
    Effect.gen(function* () {
      const { ended, tracer } = recording()
      const ref = yield* FiberRef.make("before")
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* spanned("quiet")(() => current), Option.some("quiet"))
        assert.deepStrictEqual(yield* current, Option.some("outer"))
        // What is changed inside stays changed.
        yield* spanned("loud")(() => FiberRef.set(ref, "after"))
        assert.strictEqual(yield* FiberRef.get(ref), "after")
        assert.deepStrictEqual(yield* current, Option.some("outer"))
        yield* Effect.exit(spanned("failing")(() => Effect.fail("no")))
        assert.deepStrictEqual(yield* current, Option.some("outer"))
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
})
