/**
 * What a fiber of Effect 4 gives to a call of the engine: its clock, random, tracer, current span, logger and policy.
 */
import type {
  Host,
  HostClock,
  HostParent,
  HostSpan,
  HostTracer,
  LogLine,
  Outcome,
  Policy,
  Work
} from "@effect-gr4vy/promise/spi/bridge"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Result from "effect/Result"
import * as Scheduler from "effect/Scheduler"
import * as Tracer from "effect/Tracer"
import { CurrentRetryPolicy, type RetryPolicy } from "../RetryPolicy.js"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/**
 * Runs work of the engine in the fiber's time, trace and log. An interruption ends the work, and waits until nothing of it is
 * left.
 */
export const run = <A, E>(start: (host: Host, done: (outcome: Outcome) => void) => () => void): Effect.Effect<A, E> =>
  Effect.withFiber((fiber) =>
    Effect.callback<A, E>((resume) => {
      let ended: (() => void) | true | undefined
      const stop = start(hostOf(fiber), (outcome) => {
        resume(effectOf<A, E>(outcome))
        if (typeof ended === "function") ended()
        ended = true
      })
      return Effect.callback<void>((resume) => {
        if (ended === true) {
          resume(Effect.void)
          return
        }
        ended = () => resume(Effect.void)
        stop()
      })
    })
  )

/** An effect as work that the engine waits for. */
export const workOf =
  <R>(effect: Effect.Effect<unknown, unknown, R>, context: Context.Context<R>): Work =>
  (done) =>
    Effect.runCallbackWith(context)(effect, { onExit: (exit) => done(outcomeOf(exit)) })

const effectOf = <A, E>(outcome: Outcome): Effect.Effect<A, E> => {
  switch (outcome._tag) {
    case "Success":
      // The engine is given the types of its operations by the service.
      return Effect.succeed(outcome.value as A)
    case "Failure":
      return Effect.fail(outcome.error as E)
    case "Defect":
      return Effect.die(outcome.defect)
    case "Interrupted":
      return Effect.interrupt
  }
}

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): Outcome => {
  if (Exit.isSuccess(exit)) return { _tag: "Success", value: exit.value }
  if (Cause.hasInterruptsOnly(exit.cause)) return { _tag: "Interrupted" }
  const failure = Cause.findError(exit.cause)
  return Result.isSuccess(failure)
    ? { _tag: "Failure", error: failure.success }
    : { _tag: "Defect", defect: Cause.squash(exit.cause) }
}

export const hostOf = (fiber: AnyFiber): Host => {
  const { context } = fiber
  const clock = Context.getOrUndefined(context, Clock.Clock)
  const random = Context.getOrUndefined(context, Random.Random)
  const policy = Context.getOrUndefined(context, CurrentRetryPolicy)
  const tracer = tracerOf(fiber)
  return {
    clock: clock === undefined ? undefined : clockOf(clock, context),
    random: random === undefined ? undefined : randomOf(random),
    tracer,
    parent: parentOf(fiber, typeof tracer === "function"),
    log: (line) => log(line, context),
    policy: policy === undefined ? undefined : policyOf(policy)
  }
}

/** What is made of a key once, and the same each time. */
const memoized = <K extends object, A, Args extends ReadonlyArray<unknown>>(make: (key: K, ...args: Args) => A) => {
  const made = new WeakMap<K, A>()
  return (key: K, ...args: Args): A => {
    const known = made.get(key)
    if (known !== undefined) return known
    const value = make(key, ...args)
    made.set(key, value)
    return value
  }
}

const clockOf = memoized((clock: Clock.Clock, context: Context.Context<never>): HostClock => {
  // A test's clock comes with a scheduler, which its sleeps run on. Nothing else of the first fiber is kept.
  const scheduler = Context.getOrUndefined(context, Scheduler.Scheduler)
  const alone = Context.make(Clock.Clock, clock)
  const world = scheduler === undefined ? alone : Context.add(alone, Scheduler.Scheduler, scheduler)
  const origin = clock.currentTimeNanosUnsafe() - clock.monotonicTimeNanosUnsafe()
  return {
    millis: () => clock.currentTimeMillisUnsafe(),
    nanos: () => origin + clock.monotonicTimeNanosUnsafe(),
    sleep: (millis) => workOf(clock.sleep(Duration.millis(millis)), world)
  }
})

const randomOf = memoized(
  (random: (typeof Random.Random)["Service"]): (() => number) =>
    () =>
      random.nextDoubleUnsafe()
)

export const policyOf = memoized(
  (policy: RetryPolicy): Policy => ({
    ...policy,
    baseDelay: Duration.toMillis(policy.baseDelay),
    maxDelay: Duration.toMillis(policy.maxDelay),
    maxRetryAfter: Duration.toMillis(policy.maxRetryAfter)
  })
)

// --- traces ----------------------------------------------------------------------------------------------------------

const tracerOf = (fiber: AnyFiber): HostTracer | "off" | undefined => {
  if (!fiber.getRef(References.TracerEnabled)) return "off"
  const tracer = Context.getOrUndefined(fiber.context, Tracer.Tracer)
  // Effect's own tracer exports nothing: an SDK of OpenTelemetry that the process has registered does.
  if (tracer === undefined || tracer === Tracer.nativeTracer) return undefined
  const make = Effect.runSyncWith(fiber.context)
  return (name, kind, parent) =>
    // Parents are spans that this function has made.
    spanOf(make(Effect.makeSpan(name, { kind, ...(parent === undefined ? {} : { parent: parent as Tracer.Span }) })))
}

const spanOf = (span: Tracer.Span): HostSpan => ({
  ...parentFields(span),
  attribute: (key, value) => span.attribute(key, value),
  event: (name, nanos, attributes) => span.event(name, nanos, attributes),
  end: (nanos, outcome) => span.end(nanos, exitOf(outcome))
})

const parentFields = (span: Tracer.AnySpan): HostParent => ({
  spanId: span.spanId,
  traceId: span.traceId,
  sampled: span.sampled,
  // A wrapper of `end` would not see the end of a span that is ended by OpenTelemetry.
  otel: Object.hasOwn(span, "end") ? undefined : Reflect.get(span, "span"),
  own: span
})

const exitOf = (outcome: Outcome): Exit.Exit<unknown, unknown> => {
  switch (outcome._tag) {
    case "Success":
      return Exit.void
    case "Failure":
      return Exit.fail(outcome.error)
    case "Defect":
      return Exit.die(outcome.defect)
    case "Interrupted":
      return Exit.interrupt()
  }
}

/** The current span. One that no tracer exports belongs to a trace that is not sampled. */
const parentOf = (fiber: AnyFiber, isExported: boolean): HostParent | undefined => {
  let span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
  while (span !== undefined && Context.get(span.annotations, Tracer.DisablePropagation)) {
    span = span._tag === "Span" ? Option.getOrUndefined(span.parent) : undefined
  }
  if (span === undefined) return undefined
  const fields = parentFields(span)
  return isExported || span._tag === "ExternalSpan" ? fields : { ...fields, sampled: false }
}

// --- logs ------------------------------------------------------------------------------------------------------------

const log = ({ annotations, level, message, span }: LogLine, context: Context.Context<never>): void => {
  // The engine gives back what it was given as `own`.
  const within = span === undefined ? context : Context.add(context, Tracer.ParentSpan, span as Tracer.AnySpan)
  Effect.runSyncWith(within)(Effect.annotateLogs(Effect.logWithLevel(level)(...message), annotations))
}
