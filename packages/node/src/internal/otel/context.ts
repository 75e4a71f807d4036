/**
 * Reads and sets the active OpenTelemetry context. Errors that OpenTelemetry throws are ignored.
 */
import { channel } from "node:diagnostics_channel"
import * as Otel from "@opentelemetry/api"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

export const ignoreThrow = <A>(f: () => A): A | undefined => {
  try {
    return f()
  } catch {
    return undefined
  }
}

// The SDK's own key (`suppressTracing` of @opentelemetry/core), reached without the SDK: contexts are keyed by
// `Symbol.for`. Derived from the root context, so that a socket that is created inside does not keep the caller's context.
const suppressed = Otel.ROOT_CONTEXT.setValue(
  Otel.createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING"),
  true
)

/**
 * Runs `f` with an OpenTelemetry context active. Errors of the context manager are ignored; errors of `f` are thrown.
 */
export const runIn = <A>(context: Otel.Context, f: () => A): A =>
  activeContext() === context ? f() : activate(context, f)

/** {@link runIn} without a look at the active context. */
export const activate = <A>(context: Otel.Context, f: () => A): A => {
  const outer = waiting
  waiting = f
  try {
    // What `runWaiting` runs is this `f`, so its result is an `A`.
    return Otel.context.with(context, runWaiting) as A
  } catch (error) {
    // It threw after `f`, which must not run twice.
    if (returned === f) return result as A
    if (waiting !== f) throw error
    waiting = undefined
    return f()
  } finally {
    waiting = outer
    returned = undefined
    result = undefined
  }
}

// Handed over here instead of in a closure: this happens at every operation of a traced fiber, and a context manager
// calls its function at once. What is left here was not called. A context manager that runs a traced fiber of its own
// before that, e.g. to write a log line, comes here a second time: then the outer function is put back.
let waiting: (() => unknown) | undefined
let returned: (() => unknown) | undefined
let result: unknown

const runWaiting = (): unknown => {
  const f = waiting
  waiting = undefined
  const own = f?.()
  returned = f
  result = own
  return own
}

/**
 * Returns the active OpenTelemetry context.
 */
export const activeContext = (): Otel.Context => {
  try {
    return Otel.context.active()
  } catch {
    return Otel.ROOT_CONTEXT
  }
}

/** The diagnostics channel on which undici, also the copy in Node, announces each new request. */
const created = channel("undici:request:create")

/**
 * Runs `f` without spans and headers of auto-instrumentation, because this package has added its own. With `counted`,
 * auto-instrumentation records no metrics either.
 */
export const withoutInstrumentation = <A>(f: () => A, counted: () => boolean): A =>
  runIn(suppressed, created.hasSubscribers && counted() ? () => unannounced(f) : f)

// `@opentelemetry/instrumentation-undici` records the duration of every announced request, even in a suppressed context,
// and an application that registers it by `--import` cannot set its `ignoreRequestHook`. undici reads this property before
// it announces a request. Our request is created before `f` returns, so requests of other code are still announced.
const unannounced = <A>(f: () => A): A => {
  Object.defineProperty(created, "hasSubscribers", { value: false, configurable: true })
  try {
    return f()
  } finally {
    Reflect.deleteProperty(created, "hasSubscribers")
  }
}

/**
 * Binds a function to the current async context. A socket's callback would otherwise run the caller's program in the
 * context in which the socket was created.
 */
export const resumeWhereItBegan = <A>(resume: (a: A) => void): ((a: A) => void) => {
  const context = activeContext()
  return (a) => runIn(context, () => resume(a))
}

/**
 * Runs an effect without spans of auto-instrumentation, for HTTP clients that are effects.
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

interface Ambient {
  readonly context: Otel.Context
  /** The fiber that captured it; absent in a forked fiber. */
  readonly owner: FiberId.FiberId | undefined
}

// Effect resumes many fibers from one callback, so the context that is active later may belong to another fiber. A fiber
// therefore inherits it from the fiber that forks it. A runtime that was captured in a fiber (e.g. a `ManagedRuntime`)
// gives the same references to every fiber that it starts; those fibers are not the owner.
const ambient: FiberRef.FiberRef<Ambient | undefined> = globalValue(
  Symbol.for("@effect-gr4vy/node/OtelTracer/ambient"),
  () =>
    FiberRef.unsafeMake<Ambient | undefined>(undefined, {
      fork: (inherited) => {
        if (inherited === undefined) return undefined
        const forking = Option.getOrUndefined(Fiber.getCurrentFiber())
        return forking?.id() === inherited.owner ? { context: inherited.context, owner: undefined } : undefined
      },
      join: (parent) => parent
    })
)

/** The OpenTelemetry context that was active when a fiber, or its root fiber, started. */
export const ambientOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Otel.Context => {
  const known = fiber.getFiberRef(ambient)
  if (known?.owner === fiber.id()) return known.context
  const context = known !== undefined && known.owner === undefined ? known.context : activeContext()
  // The type `RuntimeFiber` lacks this setter, which every fiber has.
  ;(fiber as unknown as { setFiberRef: <A>(ref: FiberRef.FiberRef<A>, value: A) => void }).setFiberRef(ambient, {
    context,
    owner: fiber.id()
  })
  return context
}
