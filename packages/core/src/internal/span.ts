/**
 * The span of one public method: `Effect.withSpan` for less.
 *
 * Under a tracer that shows its spans to nobody there is none to make. `withSpan` puts the span into the fiber's context
 * by a scoped change of a `FiberRef`, which makes it the dearest step of a call (14 µs here, 9 as below, next to nothing
 * without a tracer). Nothing but this library's own code runs inside, so setting and resetting the reference around it
 * is enough.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Tracer from "effect/Tracer"

export const spanned = (name: string): (<A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>) => {
  const makeSpan = Effect.makeSpan(name, { kind: "internal", captureStackTrace: false })
  return (effect) =>
    Effect.withFiberRuntime((fiber) =>
      isSilent(fiber.currentTracer) || !fiber.getFiberRef(FiberRef.currentTracerEnabled)
        ? effect
        : Effect.matchCauseEffect(makeSpan, {
            // A tracer that throws costs the span, not the call.
            onFailure: () => effect,
            onSuccess: (span) => {
              const context = fiber.currentContext
              setContext(fiber, Context.add(context, Tracer.ParentSpan, span))
              return Effect.onExit(effect, (exit) => {
                setContext(fiber, context)
                const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
                try {
                  span.end(clock.unsafeCurrentTimeNanos(), exit)
                } catch {}
                return Effect.void
              })
            }
          })
    )
}

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Effect's own tracer shows its spans to nobody; one that may have no listener says so under this name. */
const silent: unique symbol = Symbol.for("@effect-gr4vy/core/Tracer/silent")

const isSilent = (tracer: Tracer.Tracer): boolean =>
  tracer === nativeTracer || (silent in tracer && tracer[silent] === true)

// `RuntimeFiber` leaves out the setter that every fiber has.
const setContext = (fiber: Fiber.RuntimeFiber<unknown, unknown>, context: Context.Context<never>): void =>
  (fiber as unknown as { setFiberRef: <A>(ref: FiberRef.FiberRef<A>, value: A) => void }).setFiberRef(
    FiberRef.currentContext,
    context
  )
