/**
 * Which OpenTelemetry context is active where. Nothing that OpenTelemetry throws gets out of here.
 */
import { channel } from "node:diagnostics_channel"
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
export const runIn = <A>(context: Otel.Context, f: () => A): A =>
  activeContext() === context ? f() : activate(context, f)

/** {@link runIn} without a look at the active context. */
export const activate = <A>(context: Otel.Context, f: () => A): A => {
  waiting = f
  try {
    // What `runWaiting` runs is this `f`, so its result is an `A`.
    return Otel.context.with(context, runWaiting) as A
  } catch (error) {
    if (waiting !== f) throw error
    waiting = undefined
    return f()
  }
}

// Handed over here instead of in a closure: this happens at every operation of a traced fiber, and a context manager
// calls its function at once. What is left here was not called.
let waiting: (() => unknown) | undefined

const runWaiting = (): unknown => {
  const f = waiting
  waiting = undefined
  return f?.()
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

/** undici, the one in Node too, announces each request here when it makes it. */
const created = channel("undici:request:create")

/**
 * Runs `f` where auto-instrumentation makes no spans and injects nothing: this layer has done both. With `counted`, it
 * counts nothing either, because this layer does.
 */
export const withoutInstrumentation = <A>(f: () => A, counted: () => boolean): A =>
  runIn(suppressed, created.hasSubscribers && counted() ? () => unannounced(f) : f)

// `@opentelemetry/instrumentation-undici` records its own duration of every request that was announced, also in a
// suppressed context, and whoever registers it by `--import` has no place for its `ignoreRequestHook`. undici asks this
// property before it announces a request; the request is made before `f` returns, so that nobody else's is missed.
const unannounced = <A>(f: () => A): A => {
  Object.defineProperty(created, "hasSubscribers", { value: false, configurable: true })
  try {
    return f()
  } finally {
    Reflect.deleteProperty(created, "hasSubscribers")
  }
}

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
export const suppressInstrumentation =
  (counted: () => boolean) =>
  <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.withFiberRuntime((fiber) => {
      const tracer = fiber.currentTracer
      return Effect.withTracer(
        effect,
        Tracer.make({
          span: (...args) => tracer.span(...args),
          context: (f) => withoutInstrumentation(f, counted)
        })
      )
    })
