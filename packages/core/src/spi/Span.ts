/**
 * Spans at a lower cost than `Effect.withSpan`. No span is created if no tracer records it.
 *
 * `withSpan` changes the fiber's context by a scoped `FiberRef`, which would be the most expensive step of a call. Only this
 * library's code runs inside these spans, so setting and resetting the reference is enough.
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
import { RequestFailed } from "../Errors.js"

/**
 * The property by which a tracer says that it does not export its spans.
 *
 * @since 0.1.0
 * @category visibility
 */
export const inactive: unique symbol = Symbol.for("@effect-gr4vy/core/Span/inactive")

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/**
 * Returns whether a tracer does not export its spans, as Effect's native tracer.
 *
 * @since 0.1.0
 * @category visibility
 */
export const isInactive = (tracer: Tracer.Tracer): boolean =>
  tracer === nativeTracer || (inactive in tracer && tracer[inactive] === true)

/**
 * The context of every span of {@link start}. A tracer uses it to distinguish this library's spans from the program's.
 *
 * @since 0.1.0
 * @category visibility
 */
export const ownSpan: Context.Context<never> = Context.unsafeMake(new Map())

/** The trace id of an OpenTelemetry span that belongs to no trace (https://www.w3.org/TR/trace-context/#trace-id). */
const invalidTraceId = "0".repeat(32)

/**
 * Returns the nearest span that is exported: not one that was created while tracing was off, nor one without an id.
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
 * Starts a span in the trace of a fiber, as `Effect.makeSpan` does. Returns none if no tracer records it, or if the tracer
 * throws: the call continues without a span.
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
    // Samplers read the attributes in the options; some tracers only keep attributes that are set afterwards.
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
 * Runs an effect inside a new span. The effect is created inside the span, when it runs.
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
 * The `AbortSignal` that ends a fiber, if its program has one. An interruption has no reason; the signal has one.
 *
 * @since 0.1.0
 * @category interruption
 */
export const callerSignal: FiberRef.FiberRef<CallerSignal | undefined> = globalValue(
  Symbol.for("@effect-gr4vy/core/Span/callerSignal"),
  () => FiberRef.unsafeMake<CallerSignal | undefined>(undefined)
)

/**
 * The properties of an `AbortSignal` that are used.
 *
 * @since 0.1.0
 * @category interruption
 */
export interface CallerSignal {
  readonly aborted: boolean
  readonly reason: unknown
}

/**
 * Returns whether a fiber's {@link callerSignal} is an `AbortSignal.timeout` that has expired.
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

const describeFailure = <E>(
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  span: Tracer.Span,
  exit: Exit.Failure<unknown, E>
): Exit.Exit<unknown, unknown> => {
  if (Cause.isInterruptedOnly(exit.cause)) {
    // An expired time limit is an error, even if the caller set it; to tracers an interruption is not an error.
    const timedOut = timedOutBySignal(fiber)
    if (timedOut) span.attribute("error.type", "Timeout")
    else span.attribute("gr4vy.cancelled", true)
    return timedOut ? Exit.fail("The call's AbortSignal timed out.") : exit
  }
  const { attempts, delivered, type } = factsOf(Option.getOrUndefined(Cause.failureOption(exit.cause)))
  span.attribute("error.type", type)
  if (delivered !== undefined) span.attribute("gr4vy.delivered", delivered)
  if (attempts !== undefined) span.attribute("gr4vy.attempts", attempts)
  return exit
}

/** The span attributes of a typed error. What a server may have put into a user's own error is not among them. */
const factsOf = (error: unknown) => {
  if (!Predicate.isRecord(error)) return { type: "_OTHER" }
  const { _tag, attempts, status } = error
  // An error with a status is a response of the API.
  const isResponse = Predicate.isNumber(status) && Number.isInteger(status) && status >= 100 && status <= 999
  const failed = error instanceof RequestFailed ? error : undefined
  return {
    type: isResponse ? String(status) : (failed?.reason ?? (Predicate.isString(_tag) ? _tag : "_OTHER")),
    delivered: isResponse ? "yes" : failed?.delivered,
    attempts: Predicate.isNumber(attempts) ? attempts : undefined
  }
}

// The public `FiberRef.set` would cost one more operation: 3.5 µs of a traced call. The type `RuntimeFiber` lacks this
// setter, which every fiber has.
interface Refs {
  readonly setFiberRef: <A>(ref: FiberRef.FiberRef<A>, value: A) => void
}

/** Sets a fiber's current span; the returned function restores the previous one. */
const enter = (fiber: Fiber.RuntimeFiber<unknown, unknown>, span: Tracer.Span): (() => void) => {
  // See `Refs`.
  const refs = fiber as unknown as Refs
  const context = fiber.currentContext
  refs.setFiberRef(FiberRef.currentContext, Context.add(context, Tracer.ParentSpan, span))
  return () => refs.setFiberRef(FiberRef.currentContext, context)
}
