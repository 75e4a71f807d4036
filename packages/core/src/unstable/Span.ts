/**
 * Spans at a lower cost than `Effect.withSpan`, and no spans if nobody records them.
 *
 * `withSpan` puts a span into the fiber's context by a scoped change of a `FiberRef`, which makes it the most expensive step
 * of a call. Nothing but this library's own code runs inside these, so setting and resetting the reference is enough.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Tracer from "effect/Tracer"

/**
 * Under this name a tracer tells whether nobody would see its spans.
 *
 * @since 0.1.0
 * @category visibility
 */
export const inactive: unique symbol = Symbol.for("@effect-gr4vy/core/Span/inactive")

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/**
 * Whether a tracer's spans reach nobody: those of Effect's own tracer do not.
 *
 * @since 0.1.0
 * @category visibility
 */
export const isInactive = (tracer: Tracer.Tracer): boolean =>
  tracer === nativeTracer || (inactive in tracer && tracer[inactive] === true)

/**
 * The context of every span that {@link start} makes: a tracer tells this library's spans from a program's by it.
 *
 * @since 0.1.0
 * @category visibility
 */
export const ownSpan: Context.Context<never> = Context.unsafeMake(new Map())

/** What OpenTelemetry gives a span that belongs to no trace (https://www.w3.org/TR/trace-context/#trace-id). */
const invalidTraceId = "0".repeat(32)

/**
 * The nearest span that others are to see: not one that was made while tracing was off, nor one without an id.
 *
 * @since 0.1.0
 * @category visibility
 */
export const nearestExported = (span: Tracer.AnySpan | undefined): Tracer.AnySpan | undefined => {
  let nearest = span
  while (nearest !== undefined && Context.get(nearest.context, Tracer.DisablePropagation)) {
    nearest = nearest._tag === "Span" ? Option.getOrUndefined(nearest.parent) : undefined
  }
  return nearest?.traceId === invalidTraceId ? undefined : nearest
}

/**
 * Starts a span as `Effect.makeSpan` does, in the trace of a fiber, or none where nobody would see it. A tracer that
 * throws costs the span, not the call.
 *
 * @since 0.1.0
 * @category constructors
 */
export const start = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  name: string,
  kind: Tracer.SpanKind,
  attributesOf?: () => Readonly<Record<string, unknown>>
): Tracer.Span | undefined => {
  const services = fiber.currentDefaultServices
  const tracer = Context.get(services, Tracer.Tracer)
  if (isInactive(tracer) || !fiber.getFiberRef(FiberRef.currentTracerEnabled)) return undefined
  const attributes = attributesOf?.() ?? {}
  const links = Chunk.toReadonlyArray(fiber.getFiberRef(FiberRef.currentTracerSpanLinks))
  const startTime = Context.get(services, Clock.Clock).unsafeCurrentTimeNanos()
  try {
    const parent = Option.fromNullable(nearestExported(fiber.currentSpan))
    // Samplers see what is in the options; some tracers keep no more than what is set afterwards.
    const span = tracer.span(name, parent, ownSpan, links, startTime, kind, {
      captureStackTrace: false,
      attributes
    })
    HashMap.forEach(fiber.getFiberRef(FiberRef.currentTracerSpanAnnotations), (value, key) =>
      span.attribute(key, value)
    )
    for (const key in attributes) span.attribute(key, attributes[key])
    return span
  } catch {
    return undefined
  }
}

/**
 * Runs an effect inside a span of its own. The effect is made inside, when it is run.
 *
 * @since 0.1.0
 * @category combinators
 */
export const spanned =
  (name: string) =>
  <A, E>(evaluate: () => Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.withFiberRuntime((fiber) =>
      isInactive(fiber.currentTracer)
        ? evaluate()
        : Effect.uninterruptibleMask((restore) => {
            const span = start(fiber, name, "internal")
            if (span === undefined) return restore(evaluate())
            const leave = enter(fiber, span)
            const end = (exit: Exit.Exit<A, E>): Exit.Exit<A, E> => {
              leave()
              try {
                const ending = Exit.isSuccess(exit) ? exit : describeFailure(fiber, span, exit)
                span.end(Context.get(fiber.currentDefaultServices, Clock.Clock).unsafeCurrentTimeNanos(), ending)
              } catch {}
              return exit
            }
            return Effect.matchCauseEffect(restore(made(evaluate)), {
              onFailure: (cause) => end(Exit.failCause(cause)),
              onSuccess: (value) => end(Exit.succeed(value))
            })
          })
    )

/** An exception is a defect, as in `Effect.suspend`, for an operation less. */
const made = <A, E>(evaluate: () => Effect.Effect<A, E>): Effect.Effect<A, E> => {
  try {
    return evaluate()
  } catch (defect) {
    return Effect.die(defect)
  }
}

/**
 * The `AbortSignal` that ends a fiber, where its program has one: an interruption does not tell its reason, the signal
 * does.
 *
 * @since 0.1.0
 * @category interruption
 */
export const callerSignal: FiberRef.FiberRef<CallerSignal | undefined> = globalValue(
  Symbol.for("@effect-gr4vy/core/Span/callerSignal"),
  () => FiberRef.unsafeMake<CallerSignal | undefined>(undefined)
)

/**
 * What is read of an `AbortSignal`.
 *
 * @since 0.1.0
 * @category interruption
 */
export interface CallerSignal {
  readonly aborted: boolean
  readonly reason: unknown
}

/**
 * Whether a fiber's {@link callerSignal} was an `AbortSignal.timeout` that has run out.
 *
 * @since 0.1.0
 * @category interruption
 */
export const timedOutBySignal = (fiber: Fiber.RuntimeFiber<unknown, unknown>): boolean => {
  const signal = fiber.getFiberRef(callerSignal)
  return (
    signal?.aborted === true && Predicate.hasProperty(signal.reason, "name") && signal.reason.name === "TimeoutError"
  )
}

/**
 * The `error.type` of a request or a call that its caller gave up.
 *
 * @since 0.1.0
 * @category interruption
 */
export const interrupted = "Interrupted"

const describeFailure = <E>(
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  span: Tracer.Span,
  exit: Exit.Failure<unknown, E>
): Exit.Exit<unknown, unknown> => {
  if (Cause.isInterruptedOnly(exit.cause)) {
    span.attribute("error.type", interrupted)
    // A time limit is an error, whoever set it; for every tracer an interruption is none.
    return timedOutBySignal(fiber) ? Exit.fail("The call's AbortSignal timed out.") : exit
  }
  const { attempts, delivered, type } = factsOf(Option.getOrUndefined(Cause.failureOption(exit.cause)))
  span.attribute("error.type", type)
  if (delivered !== undefined) span.attribute("gr4vy.delivered", delivered)
  if (attempts !== undefined) span.attribute("gr4vy.attempts", attempts)
  return exit
}

/** The facts of a typed error, one of ours or a user's own. */
const factsOf = (error: unknown) => {
  if (!Predicate.isRecord(error)) return { type: "_OTHER" }
  const { _tag, attempts, delivered, reason, status } = error
  return {
    type: Predicate.isNumber(status)
      ? String(status)
      : Predicate.isString(reason)
        ? reason
        : Predicate.isString(_tag)
          ? _tag
          : "_OTHER",
    // An error with a status is the API's own word.
    delivered: Predicate.isString(delivered) ? delivered : Predicate.isNumber(status) ? "yes" : undefined,
    attempts: Predicate.isNumber(attempts) ? attempts : undefined
  }
}

// The public `FiberRef.set` would be an operation of its own: 3.5 µs of a traced call. `RuntimeFiber` leaves out the
// setter that every fiber has.
interface Refs {
  readonly setFiberRef: <A>(ref: FiberRef.FiberRef<A>, value: A) => void
}

/** Makes a span a fiber's current one; the returned function undoes that. */
const enter = (fiber: Fiber.RuntimeFiber<unknown, unknown>, span: Tracer.Span): (() => void) => {
  // See `Refs`.
  const refs = fiber as unknown as Refs
  const context = fiber.currentContext
  refs.setFiberRef(FiberRef.currentContext, Context.add(context, Tracer.ParentSpan, span))
  return () => refs.setFiberRef(FiberRef.currentContext, context)
}
