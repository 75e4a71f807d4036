/**
 * The engine of this package for a face over another runtime, which gives each call its clock, tracer and logger. It has no
 * semver, and nothing in its types belongs to a runtime.
 */
import { CheckoutSessions, type CheckoutSessionsService } from "@effect-gr4vy/core/CheckoutSessions"
import * as CheckoutSessionsMemory from "@effect-gr4vy/core/CheckoutSessionsMemory"
import { Credentials } from "@effect-gr4vy/core/Credentials"
import * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { checkoutSessions } from "@effect-gr4vy/core/Endpoints"
import * as Errors from "@effect-gr4vy/core/Errors"
import { Gr4vyHttpClient } from "@effect-gr4vy/core/Gr4vyHttpClient"
import * as Webhooks from "@effect-gr4vy/core/Webhooks"
import * as Gr4vy from "@effect-gr4vy/node/Gr4vy"
import * as OtelTracer from "@effect-gr4vy/node/OtelTracer"
import * as RetryPolicy from "@effect-gr4vy/node/RetryPolicy"
import * as SignedCredentials from "@effect-gr4vy/node/SignedCredentials"
import { metricSink } from "@effect-gr4vy/node/spi/MetricSink"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import { constUndefined, identity } from "effect/Function"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Tracer from "effect/Tracer"
import { RequestFailed as Refused } from "../errors.js"
import { request } from "../internal/request.js"

// --- what the host gives ---------------------------------------------------------------------------------------------

/** Work of the host: it tells its outcome once. The returned function ends it, and its outcome still comes. */
export type Work = (done: (outcome: Outcome) => void) => () => void

/** How a call or a work ended, in the host's own values. */
export type Outcome =
  | { readonly _tag: "Success"; readonly value: unknown }
  | { readonly _tag: "Failure"; readonly error: unknown }
  | { readonly _tag: "Defect"; readonly defect: unknown }
  | { readonly _tag: "Interrupted" }

/** A time, a duration or a secret among the host's values, as both sides know it. */
export type Known =
  | { readonly _tag: "Instant"; readonly millis: number }
  | { readonly _tag: "Duration"; readonly millis: number }
  | { readonly _tag: "Secret"; readonly value: unknown }
  | { readonly _tag: "WipedSecret" }

/** The host's own values. */
export interface Values {
  /** Tells what a value of the host is; `undefined` for any other. */
  readonly known: (value: object) => Known | undefined
  readonly instant: (millis: number) => unknown
  readonly duration: (millis: number) => unknown
  readonly secret: (value: unknown) => unknown
  /** An error from its fields and its `_tag`. */
  readonly error: (fields: { readonly _tag: string } & Readonly<Record<string, unknown>>) => unknown
}

export interface HostClock {
  readonly millis: () => number
  /** Nanoseconds since 1970, which never go back. */
  readonly nanos: () => bigint
  readonly sleep: (millis: number) => Work
}

/** A span of the host, also one of another process. */
export interface HostParent {
  readonly spanId: string
  readonly traceId: string
  readonly sampled: boolean
  /** The span of OpenTelemetry behind it, if there is one. */
  readonly otel: unknown
  /** The span as the host has it. */
  readonly own: unknown
}

export interface HostSpan extends HostParent {
  readonly attribute: (key: string, value: unknown) => void
  readonly event: (name: string, nanos: bigint, attributes: Readonly<Record<string, unknown>>) => void
  readonly end: (nanos: bigint, outcome: Outcome) => void
}

/** Starts a span of a call. `parent` is the `own` of the span around it, absent for the call's own. */
export type HostTracer = (name: string, kind: SpanKind, parent: unknown) => HostSpan

export type SpanKind = "internal" | "server" | "client" | "producer" | "consumer"

export interface LogLine {
  readonly level: "Fatal" | "Error" | "Warn" | "Info" | "Debug" | "Trace"
  readonly message: ReadonlyArray<unknown>
  readonly annotations: Readonly<Record<string, unknown>>
  /** The `own` of the span it belongs to. */
  readonly span: unknown
}

/** A retry policy; durations are in milliseconds. */
export interface Policy {
  readonly maxAttempts: number
  readonly baseDelay: number
  readonly maxDelay: number
  readonly maxRetryAfter: number
  readonly creates: "at-most-once" | "at-least-once"
  readonly renewToken: boolean
}

/** What the host gives to one call. What is absent is the machine's, or OpenTelemetry's if the process has it. */
export interface Host {
  readonly clock: HostClock | undefined
  readonly random: (() => number) | undefined
  readonly tracer: HostTracer | "off" | undefined
  /** The current span. */
  readonly parent: HostParent | undefined
  readonly log: (line: LogLine) => void
  readonly policy: Policy | undefined
}

/** Where the host keeps metrics: durations in seconds, and attributes that are the same object each time. */
export interface HostMetrics {
  readonly duration: (
    metric: Metric,
    boundaries: ReadonlyArray<number>,
    seconds: number,
    attributes: Readonly<Record<string, unknown>>
  ) => void
  readonly count: (metric: Metric, attributes: Readonly<Record<string, unknown>>) => void
  readonly gauge: (
    metric: Metric & { readonly sum: boolean },
    attributes: Readonly<Record<string, unknown>>,
    read: () => number | undefined
  ) => () => void
}

export interface Metric {
  readonly metric: string
  readonly description: string
  readonly unit: string
}

/** The client's options as the host has them: its times and secrets are told by `Values`, and durations are milliseconds. */
export interface Settings {
  readonly options: Readonly<Record<string, unknown>>
  /** The configuration, for what the options leave out; absent if the options are all. */
  readonly config: Readonly<Record<string, string>> | undefined
  /** Gets a token and its expiry, `{ token, expiresAt }`. */
  readonly getToken: Work | undefined
  readonly policy: Policy | undefined
  readonly metrics: HostMetrics
}

// --- what the engine gives -------------------------------------------------------------------------------------------

/** The name of an operation on Checkout Sessions. */
export type Operation = "add" | "get" | "update" | "updateFields" | "delete"

export interface Engine {
  /**
   * Starts a call. `done` is called once, when nothing of it is left; the returned function interrupts it. Options of the call
   * are the last argument; their `beforeSend` takes an attempt's number and returns `Work`.
   */
  readonly call: (
    operation: Operation,
    args: ReadonlyArray<unknown>,
    host: Host,
    done: (outcome: Outcome) => void
  ) => () => void
  /** Sends any other request, as `request` of this package does, and gives the JSON of the response as it is. */
  readonly request: (
    request: {
      readonly method: string
      readonly path: string
      readonly body: unknown
      readonly idempotencyKey: string | undefined
    },
    host: Host,
    done: (outcome: Outcome) => void
  ) => () => void
  /** Resolves once every socket is closed. */
  readonly close: () => Promise<void>
}

/** An option or a variable that cannot be used. */
export class Unusable extends Error {
  override readonly name = "Unusable"
}

/** Opens a client. Rejects with `Unusable` if an option or a variable cannot be used. */
export const open = async (settings: Settings, values: Values): Promise<Engine> => {
  const provide = Layer.mergeAll(
    OtelTracer.layer,
    Logger.remove(Logger.defaultLogger),
    Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(settings.config ?? {}))))
  )
  const client = Layer.suspend(() => layerOf(settings, values)).pipe(
    Layer.locally(metricSink, settings.metrics),
    Layer.provideMerge(provide)
  )
  const runtime = ManagedRuntime.make(client)
  const built = await runtime.runPromiseExit(Effect.all({ sessions: CheckoutSessions, http: Gr4vyHttpClient }))
  if (Exit.isSuccess(built)) {
    const { http, sessions } = built.value
    return engineOf(sessions, runtime, await runtime.runtime(), values, { http })
  }
  await runtime.dispose()
  throw unusable(Cause.squash(built.cause))
}

/** The service in memory. */
export const openMemory = async (lifetime: number | undefined, values: Values): Promise<Engine> => {
  const options = lifetime === undefined ? {} : { lifetime }
  const runtime = ManagedRuntime.make(
    Layer.provideMerge(
      Layer.effect(CheckoutSessions, CheckoutSessionsMemory.make(options)),
      Logger.remove(Logger.defaultLogger)
    )
  )
  return engineOf(await runtime.runPromise(CheckoutSessions), runtime, await runtime.runtime(), values)
}

/** The service over functions of the host, which get the arguments of the call once they are checked. */
export const openFake = async (
  handlers: Readonly<Record<Operation, (args: ReadonlyArray<unknown>) => Work>>,
  values: Values
): Promise<Engine> => {
  const handlerOf = (operation: Operation) => () =>
    Effect.flatMap(FiberRef.get(calling), (call) => fromHost(handlers[operation](call?.args ?? [])))
  const implemented = {
    add: handlerOf("add"),
    get: handlerOf("get"),
    update: handlerOf("update"),
    updateFields: handlerOf("updateFields"),
    delete: handlerOf("delete")
  }
  // What a handler gives is the host's, and goes back to it as it is.
  const service = Endpoint.implement(checkoutSessions, implemented as unknown as CheckoutSessionsService)
  const runtime = ManagedRuntime.make(Logger.remove(Logger.defaultLogger))
  return engineOf(service, runtime, await runtime.runtime(), values, { toHost: identity })
}

/** Checks a policy, and throws an error that says what is wrong with it. */
export const checkPolicy = (options: Partial<Policy>): void => {
  RetryPolicy.make(options)
}

/** What is called without a client. Its options are the host's, and checked where they are used. */
export type Tool = "verifyWebhook" | "signWebhook" | "embedToken"

/** Runs a tool. An option that cannot be used is an `Unusable`; the event of a webhook keeps its `target` as it is. */
export const callTool = (
  tool: Tool,
  options: Readonly<Record<string, unknown>>,
  host: Host,
  values: Values,
  done: (outcome: Outcome) => void
): (() => void) => {
  const effect = Effect.suspend(() => tools[tool](fromHostValue(options, values)))
  return run(effect, Runtime.defaultRuntime, { host, args: [] }, values, done, (value) =>
    Object.hasOwn(Object(value), "target")
      ? // It is JSON, and may be deeper than the stack.
        { ...Object(toHostValue({ ...Object(value), target: undefined }, values)), target: Object(value).target }
      : toHostValue(value, values)
  )
}

const tools: Readonly<Record<Tool, (options: unknown) => Effect.Effect<unknown, unknown>>> = {
  // Each checks its options itself.
  verifyWebhook: (options) => Webhooks.verify(options as Parameters<typeof Webhooks.verify>[0]),
  signWebhook: (options) => Webhooks.sign(options as Parameters<typeof Webhooks.sign>[0]),
  embedToken: (options) => SignedCredentials.embedToken(options as Parameters<typeof SignedCredentials.embedToken>[0])
}

// --- the client ------------------------------------------------------------------------------------------------------

const layerOf = (
  { config, getToken, options: given, policy }: Settings,
  values: Values
): Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError> => {
  const options = Object.assign(
    {},
    fromHostValue(given, values),
    policy === undefined ? {} : { retry: policyOf(policy) }
  )
  // The pipeline checks the options: their names, and each value.
  if (getToken !== undefined) {
    return Gr4vy.layerWithoutCredentials(options as Parameters<typeof Gr4vy.layerWithoutCredentials>[0]).pipe(
      Layer.provide(Credentials.layerSource({ get: tokenOf(getToken, values) }))
    )
  }
  return config === undefined
    ? Gr4vy.layer(options as Gr4vy.Options)
    : Gr4vy.layerConfig(options as Parameters<typeof Gr4vy.layerConfig>[0])
}

const tokenOf = (getToken: Work, values: Values) =>
  Effect.flatMap(fromHost(getToken), (value) => {
    const { expiresAt, token } = Object(fromHostValue(value, values))
    return Redacted.isRedacted(token) && DateTime.isDateTime(expiresAt)
      ? // Whether it is a string is checked where it becomes a header.
        Effect.succeed({ token: token as Redacted.Redacted, expiresAt: DateTime.toUtc(expiresAt) })
      : // A source's failure is named by its tag alone.
        Effect.fail({ _tag: "getToken must succeed with { token, expiresAt }, a Redacted and a DateTime" })
  })

const unusable = (error: unknown): unknown => (ConfigError.isConfigError(error) ? new Unusable(String(error)) : error)

const policies = new WeakMap<Policy, RetryPolicy.RetryPolicy>()

const policyOf = (policy: Policy): RetryPolicy.RetryPolicy => {
  const known = policies.get(policy)
  if (known !== undefined) return known
  const made = RetryPolicy.make(policy)
  policies.set(policy, made)
  return made
}

const engineOf = (
  sessions: CheckoutSessionsService,
  managed: { readonly dispose: () => Promise<void> },
  runtime: Runtime.Runtime<never>,
  values: Values,
  options: {
    readonly toHost?: (value: unknown) => unknown
    /** Absent where there is no API. */
    readonly http?: Gr4vyHttpClient["Type"]
  } = {}
): Engine => {
  const operations = sessions as unknown as Readonly<
    Record<Operation, (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>>
  >
  const { http, toHost = (value: unknown) => toHostValue(value, values) } = options
  const withPolicy = <A, E>(effect: Effect.Effect<A, E>, { policy }: Host) =>
    policy === undefined ? effect : RetryPolicy.withPolicy(effect, policyOf(policy))
  return {
    request: ({ body, idempotencyKey, method, path }, host, done) => {
      const effect = Effect.suspend(() => {
        if (http === undefined) return Effect.dieMessage("There is no API behind this service.")
        return refusing(() =>
          request(http, method, path, { body, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) })
        )
      })
      // JSON is plain as it is, and may be deeper than the stack.
      return run(withPolicy(effect, host), runtime, { host, args: [] }, values, done, identity)
    },
    call: (operation, args, host, done) => {
      const effect = Effect.suspend(() => operations[operation](...argumentsOf(args, values)))
      return run(withPolicy(effect, host), runtime, { host, args }, values, done, toHost)
    },
    close: () => managed.dispose()
  }
}

/** What this package throws for arguments that cannot be used is a failure here. */
const refusing = <A, E>(make: () => Effect.Effect<A, E>): Effect.Effect<A, E | Refused> => {
  try {
    return make()
  } catch (error) {
    return error instanceof Refused ? Effect.fail(error) : Effect.die(error)
  }
}

/** The arguments of a call, with what its options ask of the host. */
const argumentsOf = (args: ReadonlyArray<unknown>, values: Values): ReadonlyArray<unknown> =>
  args.map((arg) => {
    const beforeSend: unknown = Predicate.hasProperty(arg, "beforeSend") ? arg.beforeSend : undefined
    if (!Predicate.isRecord(arg) || !Predicate.isFunction(beforeSend)) return fromHostValue(arg, values)
    // The face has made it: see `Engine`.
    const work = beforeSend as (attempt: number) => Work
    return { ...arg, beforeSend: (attempt: number) => fromHost(work(attempt)) }
  })

// --- a call of the host ----------------------------------------------------------------------------------------------

interface Calling {
  readonly host: Host
  readonly args: ReadonlyArray<unknown>
}

/** The call that a fiber belongs to. */
const calling = FiberRef.unsafeMake<Calling | undefined>(undefined)

/** Runs an effect in the time, the trace and the log of the host. */
const run = <A, E>(
  effect: Effect.Effect<A, E>,
  runtime: Runtime.Runtime<never>,
  call: Calling,
  values: Values,
  done: (outcome: Outcome) => void,
  toHost: (value: A) => unknown
): (() => void) => {
  const fiber = Runtime.runFork(
    Runtime.make({
      context: contextOf(runtime, call.host),
      runtimeFlags: runtime.runtimeFlags,
      fiberRefs: refsOf(runtime, call, values)
    })
  )(effect)
  fiber.addObserver((exit) => done(outcomeOf(exit, values, toHost)))
  return () => fiber.unsafeInterruptAsFork(FiberId.none)
}

interface Base {
  readonly host: Pick<Host, "clock" | "random">
  readonly services: Context.Context<DefaultServices.DefaultServices>
  readonly refs: FiberRefs.FiberRefs
}

/** The references of the latest call of a runtime: the next one nearly always has the same clock and random. */
const bases = new WeakMap<Runtime.Runtime<never>, Base>()

const refsOf = (runtime: Runtime.Runtime<never>, call: Calling, values: Values): FiberRefs.FiberRefs => {
  const { clock, random, tracer } = call.host
  let base = bases.get(runtime)
  if (base === undefined || base.host.clock !== clock || base.host.random !== random) {
    base = baseOf(runtime, { clock, random })
    bases.set(runtime, base)
  }
  let refs = set(base.refs, calling, call)
  if (tracer === "off") refs = set(refs, FiberRef.currentTracerEnabled, false)
  else if (tracer !== undefined) {
    const services = Context.add(base.services, Tracer.Tracer, tracerOf(tracer, values))
    refs = set(refs, DefaultServices.currentServices, services)
  }
  return refs
}

/** The host's span around the call. */
const contextOf = ({ context }: Runtime.Runtime<never>, { parent }: Host): Context.Context<never> =>
  parent === undefined ? context : Context.add(context, Tracer.ParentSpan, new Parent(parent))

const baseOf = (runtime: Runtime.Runtime<never>, host: Base["host"]): Base => {
  const { clock, random } = host
  let services = FiberRefs.getOrDefault(runtime.fiberRefs, DefaultServices.currentServices)
  if (clock !== undefined) services = Context.add(services, Clock.Clock, clockOf(clock))
  if (random !== undefined) services = Context.add(services, Random.Random, randomOf(random))
  const served = set(runtime.fiberRefs, DefaultServices.currentServices, services)
  // The host decides which lines are written.
  const logging = set(served, FiberRef.currentMinimumLogLevel, LogLevel.All)
  return { host, services, refs: set(logging, FiberRef.currentLoggers, HashSet.make(logger)) }
}

const set = <A>(refs: FiberRefs.FiberRefs, fiberRef: FiberRef.FiberRef<A>, value: A): FiberRefs.FiberRefs =>
  FiberRefs.updateAs(refs, { fiberId: FiberId.none as FiberId.Single, fiberRef, value })

const outcomeOf = <A, E>(exit: Exit.Exit<A, E>, values: Values, toHost: (value: A) => unknown): Outcome => {
  if (Exit.isSuccess(exit)) return { _tag: "Success", value: toHost(exit.value) }
  if (Cause.isInterruptedOnly(exit.cause)) return { _tag: "Interrupted" }
  const failure = Cause.failureOption(exit.cause)
  return Option.isSome(failure)
    ? { _tag: "Failure", error: errorOf(failure.value, values) }
    : { _tag: "Defect", defect: Cause.squash(exit.cause) }
}

/** The work of the host as an effect. */
const fromHost = (work: Work): Effect.Effect<unknown, never> =>
  Effect.async<unknown, unknown>((resume) => {
    let stop: (() => void) | undefined
    const ended = new Promise<void>((resolve) => {
      stop = work((outcome) => {
        resume(effectOf(outcome))
        resolve()
      })
    })
    return Effect.suspend(() => {
      stop?.()
      return Effect.promise(() => ended)
    })
    // A failure of the host is one of the service's errors.
  }) as Effect.Effect<unknown, never>

const effectOf = (outcome: Outcome): Effect.Effect<unknown, unknown> => {
  switch (outcome._tag) {
    case "Success":
      return Effect.succeed(outcome.value)
    case "Failure":
      return Effect.fail(outcome.error)
    case "Defect":
      return Effect.die(outcome.defect)
    case "Interrupted":
      return Effect.interrupt
  }
}

// --- values ----------------------------------------------------------------------------------------------------------

/** The properties of a plain object or the items of an array, without running a getter. */
const partsOf = (value: object): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([key, { enumerable, value: part }]) =>
    enumerable === true ? [[key, part] as const] : []
  )

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Replaces times and secrets of the host. An object without any stays itself, so that the codec judges what it is. */
const fromHostValue = (value: unknown, values: Values, depth = 0): unknown => {
  if (typeof value !== "object" || value === null || depth > maxDepth) return value
  const known = values.known(value)
  if (known !== undefined) return fromKnown(known)
  if (!Array.isArray(value) && !isPlain(value)) return value
  let copy: Record<string, unknown> | Array<unknown> | undefined
  for (const [key, part] of partsOf(value)) {
    const read = fromHostValue(part, values, depth + 1)
    if (read === part) continue
    copy ??= Array.isArray(value) ? [...value] : Object.create(null, Object.getOwnPropertyDescriptors(value))
    Object.defineProperty(copy, key, { value: read, enumerable: true, configurable: true, writable: true })
  }
  return copy ?? value
}

const fromKnown = (known: Known): unknown => {
  switch (known._tag) {
    case "Instant":
      return DateTime.unsafeMake(known.millis)
    case "Duration":
      return Duration.millis(known.millis)
    case "Secret":
      return Redacted.make(known.value)
    case "WipedSecret": {
      const secret = Redacted.make("")
      Redacted.unsafeWipe(secret)
      return secret
    }
  }
}

/** A cycle ends here; the codec refuses it. */
const maxDepth = 100

/** A value of the service as the host's. */
const toHostValue = (value: unknown, values: Values): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((part) => toHostValue(part, values))
  if (DateTime.isDateTime(value)) return values.instant(DateTime.toEpochMillis(value))
  if (Redacted.isRedacted(value)) return values.secret(Redacted.value(value))
  if (Duration.isDuration(value)) return values.duration(Duration.toMillis(value))
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const part: unknown = Reflect.get(value, key)
    if (key === "__proto__") Object.defineProperty(copy, key, { value: part, enumerable: true })
    else copy[key] = toHostValue(part, values)
  }
  return copy
}

type OwnError = Errors.CheckoutSessionsError | Webhooks.WebhookInvalid | Refused

const isOwnError = (error: unknown): error is OwnError =>
  error instanceof Errors.RequestFailed ||
  error instanceof Refused ||
  error instanceof Errors.NotFound ||
  error instanceof Errors.Generic ||
  error instanceof Errors.Unauthorized ||
  error instanceof Webhooks.WebhookInvalid

/** An error of the service as the host's; the host's own as it is. */
const errorOf = (error: unknown, values: Values): unknown => {
  if (ConfigError.isConfigError(error)) return new Unusable(String(error))
  if (!isOwnError(error)) return error
  const fields: Record<string, unknown> = {}
  for (const key of Object.keys(error)) fields[key] = toHostValue(Reflect.get(error, key), values)
  return values.error({ ...fields, message: error.message, _tag: error._tag })
}

// --- the host's services ---------------------------------------------------------------------------------------------

/** The service of a value of the host: the same each time. */
const memoized = <A extends object, B>(make: (value: A) => B): ((value: A) => B) => {
  const made = new WeakMap<A, B>()
  return (value) => {
    const known = made.get(value)
    if (known !== undefined) return known
    const service = make(value)
    made.set(value, service)
    return service
  }
}

const clockOf = memoized(
  (clock: HostClock): Clock.Clock => ({
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: clock.millis,
    unsafeCurrentTimeNanos: clock.nanos,
    currentTimeMillis: Effect.sync(clock.millis),
    currentTimeNanos: Effect.sync(clock.nanos),
    sleep: (duration) => Effect.asVoid(fromHost(clock.sleep(Duration.toMillis(duration))))
  })
)

const randomOf = memoized((next: () => number): Random.Random => {
  const range = (min: number, max: number) => Effect.sync(() => min + next() * (max - min))
  const int = (min: number, max: number) => Effect.map(range(min, max), Math.floor)
  return {
    [Random.RandomTypeId]: Random.RandomTypeId,
    next: Effect.sync(next),
    nextBoolean: Effect.sync(() => next() >= 0.5),
    nextInt: int(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    nextRange: range,
    nextIntBetween: int,
    shuffle: (elements) =>
      Effect.sync(() => {
        const items = [...elements]
        for (let i = items.length - 1; i > 0; i--) {
          const j = Math.floor(next() * (i + 1))
          items.splice(j, 1, ...items.splice(i, 1, ...items.slice(j, j + 1)))
        }
        return Chunk.unsafeFromArray(items)
      })
  }
})

/** The host's current span. */
class Parent implements Tracer.ExternalSpan {
  readonly _tag = "ExternalSpan"
  readonly context = Context.empty()
  readonly spanId: string
  readonly traceId: string
  readonly sampled: boolean
  readonly span: unknown

  constructor(readonly host: HostParent) {
    this.spanId = host.spanId
    this.traceId = host.traceId
    this.sampled = host.sampled
    this.span = host.otel
  }
}

/** A span of the host, for the pipeline. */
class Span implements Tracer.Span {
  readonly _tag = "Span"
  readonly spanId: string
  readonly traceId: string
  readonly sampled: boolean
  /** The pipeline finds the span of OpenTelemetry under this name. */
  readonly span: unknown
  readonly attributes = new Map<string, unknown>()
  status: Tracer.SpanStatus

  constructor(
    readonly host: HostSpan,
    private readonly values: Values,
    readonly name: string,
    readonly parent: Option.Option<Tracer.AnySpan>,
    readonly context: Context.Context<never>,
    readonly links: ReadonlyArray<Tracer.SpanLink>,
    startTime: bigint,
    readonly kind: Tracer.SpanKind
  ) {
    this.spanId = host.spanId
    this.traceId = host.traceId
    this.sampled = host.sampled
    this.span = host.otel
    this.status = { _tag: "Started", startTime }
  }

  attribute(key: string, value: unknown): void {
    if (this.attributes.get(key) === value) return
    this.attributes.set(key, value)
    this.host.attribute(key, value)
  }

  event(name: string, startTime: bigint, attributes: Record<string, unknown> = {}): void {
    this.host.event(name, startTime, attributes)
  }

  // The pipeline links nothing.
  addLinks(): void {}

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit }
    this.host.end(endTime, outcomeOf(exit, this.values, constUndefined))
  }
}

const tracerOf = (start: HostTracer, values: Values): Tracer.Tracer =>
  Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const around = Option.getOrUndefined(parent)
      // The host knows its current span itself.
      const span = start(name, kind, around instanceof Span ? around.host.own : undefined)
      return new Span(span, values, name, parent, context, links, startTime, kind)
    },
    context: (f) => f()
  })

/** The span of the host behind one of the pipeline. */
const ownOf = (span: unknown): unknown => (span instanceof Span || span instanceof Parent ? span.host.own : undefined)

/** Hands each line to the host of its call. */
const logger = Logger.make<unknown, void>(({ annotations, context, logLevel, message }) => {
  const call = FiberRefs.getOrDefault(context, calling)
  const span = Context.getOption(
    FiberRefs.getOrDefault(context, FiberRef.currentContext) as Context.Context<Tracer.ParentSpan>,
    Tracer.ParentSpan
  )
  call?.host.log({
    level: levelOf(logLevel),
    message: Array.isArray(message) ? message : [message],
    annotations: Object.fromEntries(HashMap.toEntries(annotations)),
    span: ownOf(Option.getOrUndefined(span))
  })
})

const levelOf = ({ _tag }: LogLevel.LogLevel): LogLine["level"] => {
  switch (_tag) {
    case "Warning":
      return "Warn"
    case "All":
    case "None":
      return "Trace"
    default:
      return _tag
  }
}
