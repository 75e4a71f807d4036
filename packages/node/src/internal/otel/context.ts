/**
 * Which OpenTelemetry context is active where. Nothing that OpenTelemetry throws gets out of here.
 */
import * as Otel from "@opentelemetry/api"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

export const ignoreThrow = <A>(f: () => A): A | undefined => {
  try {
    return f()
  } catch {
    return undefined
  }
}

// The SDK's own key (`suppressTracing` of @opentelemetry/core), reached without the SDK: contexts are keyed by
// `Symbol.for`. Derived from the root, so that a socket made meanwhile does not hold on to the caller's context.
const suppressed = Otel.ROOT_CONTEXT.setValue(
  Otel.createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING"),
  true
)

/**
 * Runs `f` with an OpenTelemetry context active. A context manager that throws is ignored; what `f` throws is not.
 */
export const runIn = <A>(context: Otel.Context, f: () => A): A => {
  if (activeContext() === context) return f()
  let ran = false
  try {
    return Otel.context.with(context, () => {
      ran = true
      return f()
    })
  } catch (error) {
    if (ran) throw error
    return f()
  }
}

/**
 * The OpenTelemetry context that is active here.
 */
export const activeContext = (): Otel.Context => {
  try {
    return Otel.context.active()
  } catch {
    return Otel.ROOT_CONTEXT
  }
}

/**
 * Runs `f` where auto-instrumentation makes no spans and injects nothing: this layer has done both.
 */
export const withoutInstrumentation = (f: () => void): void => runIn(suppressed, f)

/**
 * The same function, to be called from a socket's callback as if from here: otherwise the caller's program would go on
 * in the context in which the socket was made.
 */
export const resumeWhereItBegan = <A>(resume: (a: A) => void): ((a: A) => void) => {
  const context = activeContext()
  return (a) => runIn(context, () => resume(a))
}

/**
 * An effect run where auto-instrumentation makes no spans, for clients that are effects themselves.
 */
export const suppressInstrumentation = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.withFiberRuntime((fiber) => {
    const tracer = fiber.currentTracer
    return Effect.withTracer(
      effect,
      Tracer.make({ span: (...args) => tracer.span(...args), context: (f) => runIn(suppressed, f) })
    )
  })
