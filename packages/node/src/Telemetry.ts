/**
 * What OpenTelemetry gets to see: one CLIENT span and one duration per request on the wire, context injection, and no
 * second span from auto-instrumentation. Follows the semantic conventions for HTTP client spans and metrics
 * (https://opentelemetry.io/docs/specs/semconv/http/). Reaches OpenTelemetry through its API alone, and never fails a
 * request.
 *
 * @since 0.1.0
 */

import { randomFillSync } from "node:crypto"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Api from "@effect-gr4vy/core/CheckoutSessionsApi"
import * as Otel from "@opentelemetry/api"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { Limits } from "./internal/open.js"
import { clockOf } from "./internal/timer.js"
import { type Outcome, type Send, type Transport, timedOut, timeLeft } from "./internal/transport.js"
import { name, version } from "./internal/version.js"

/**
 * The semantic conventions these names come from.
 *
 * @since 0.1.0
 * @category conventions
 */
export const schemaUrl = "https://opentelemetry.io/schemas/1.40.0"

/**
 * The metric of every request on the wire: a histogram in seconds.
 *
 * @since 0.1.0
 * @category conventions
 */
export const durationMetric = "http.client.request.duration"

/**
 * The boundaries of its buckets in seconds, as the semantic conventions advise.
 *
 * @since 0.1.0
 * @category conventions
 */
export const durationBoundaries: ReadonlyArray<number> = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10
]

/**
 * The stage of the pipeline that sends one request: counts it, limits its time, and shows it to OpenTelemetry.
 *
 * @since 0.1.0
 * @category stages
 */
export const attempt = (options: {
  readonly baseUrl: string
  readonly limits: Limits
  readonly propagateTrace: boolean
}) => {
  const routeOf = router(options.baseUrl)
  return (transport: Transport): Send =>
    (request, call) => {
      const millis = Math.min(options.limits.attempt, timeLeft(call))
      if (millis <= 0) return Effect.fail(timedOut("The call's deadline has passed.", false))
      const route = routeOf(request)
      const startTime = call.clock.unsafeCurrentTimeNanos()
      const span = ignoreThrow(() => startSpan(call.fiber, route.name, startTime))
      if (span !== undefined) {
        ignoreThrow(() => {
          setAttributes(span, route.attributes)
          span.attribute("url.full", request.url)
          if (call.attempts > 0) span.attribute("http.request.resend_count", call.attempts)
        })
      }
      call.attempts++
      const traced = options.propagateTrace ? { ...call.headers, ...traceHeaders(call.fiber, span) } : call.headers
      return transport(HttpClientRequest.setHeaders(request, traced), millis, call.clock, (outcome) => {
        const endTime = call.clock.unsafeCurrentTimeNanos()
        const result = resultAttributes(outcome)
        ignoreThrow(() => recordDuration(endTime - startTime, route.attributes, result))
        if (span !== undefined) ignoreThrow(() => endSpan(span, endTime, result, outcome))
      })
    }
}

/**
 * Leaves an event on the caller's span: a request will be sent again after a wait.
 *
 * @internal
 */
export const retryScheduled = (reason: string, millis: number): Effect.Effect<void> =>
  Effect.withFiberRuntime((fiber) => {
    const span = fiber.currentSpan
    if (span?._tag === "Span") {
      ignoreThrow(() =>
        span.event("retry", clockOf(fiber).unsafeCurrentTimeNanos(), {
          "error.type": reason,
          "retry.delay_ms": Math.round(millis)
        })
      )
    }
    return Effect.void
  })

// The SDK's own key (`suppressTracing` of @opentelemetry/core), reached without the SDK: contexts are keyed by
// `Symbol.for`. Derived from the root, so that a socket made meanwhile does not hold on to the caller's context.
const suppressed = Otel.ROOT_CONTEXT.setValue(
  Otel.createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING"),
  true
)

/**
 * Runs `f` where auto-instrumentation makes no spans and injects nothing: this layer has done both.
 *
 * @internal
 */
export const withoutInstrumentation = (f: () => void): void => {
  let ran = false
  const once = () => {
    ran = true
    f()
  }
  ignoreThrow(() => Otel.context.with(suppressed, once))
  if (!ran) f()
}

/**
 * The same function, to be called from a socket's callback as if from here: otherwise the caller's program would go on
 * in the context in which the socket was made.
 *
 * @internal
 */
export const resumeWhereItBegan = <A>(resume: (a: A) => void): ((a: A) => void) => {
  const context = ignoreThrow(() => Otel.context.active()) ?? Otel.ROOT_CONTEXT
  return (a) => {
    let ran = false
    ignoreThrow(() =>
      Otel.context.with(context, () => {
        ran = true
        resume(a)
      })
    )
    if (!ran) resume(a)
  }
}

/**
 * An effect run where auto-instrumentation makes no spans, for clients that are effects themselves.
 *
 * @internal
 */
export const withoutInstrumentationEffect = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.withFiberRuntime((fiber) => {
    const tracer = tracerOf(fiber)
    return Effect.withTracer(
      effect,
      Tracer.make({
        span: (...args) => tracer.span(...args),
        context: (f) => Otel.context.with(suppressed, f)
      })
    )
  })

/**
 * The OpenTelemetry span inside an Effect span, where a bridge made it: `OtelTracer`, or `@effect/opentelemetry`.
 *
 * @internal
 */
export const bridged = (span: Tracer.AnySpan): Otel.Span | undefined =>
  "span" in span &&
  typeof span.span === "object" &&
  span.span !== null &&
  "spanContext" in span.span &&
  "setStatus" in span.span
    ? // Both bridges keep their span under this name; what is an OpenTelemetry span shows by its methods alone.
      (span.span as Otel.Span)
    : undefined

/**
 * @internal
 */
export const toHrTime = (nanos: bigint): Otel.HrTime => [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)]

/** What all requests of one kind have in common. */
interface Route {
  readonly name: string
  readonly attributes: Otel.Attributes
}

/** Finds the route of a request by the contract's paths; one outside the contract is named by its method alone. */
const router = (baseUrl: string): ((request: HttpClientRequest.HttpClientRequest) => Route) => {
  const url = new URL(baseUrl)
  const prefix = url.pathname === "/" ? "" : url.pathname
  const server = {
    "server.address": url.hostname.replace(/^\[|\]$/g, ""),
    "server.port": url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port)
  }
  const routes = [Api.add, Api.get, Api.updateFields, Api.delete].map(({ method, path }) => {
    const template = prefix + path.replace(/:(\w+)/g, "{$1}")
    return {
      method,
      pattern: new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`),
      name: `${method} ${template}`,
      attributes: { "http.request.method": method, ...server, "url.template": template }
    }
  })
  return ({ method, url }) => {
    const path = url.slice(baseUrl.length)
    return (
      routes.find((route) => route.method === method && route.pattern.test(path)) ?? {
        name: method,
        attributes: { "http.request.method": method, ...server }
      }
    )
  }
}

const resultAttributes = (outcome: Outcome | undefined): Otel.Attributes => {
  if (outcome === undefined) return {}
  if (Exit.isFailure(outcome)) {
    return {
      "error.type": Option.match(Cause.failureOption(outcome.cause), {
        onNone: () => "_OTHER",
        onSome: (_) => _.reason
      })
    }
  }
  const status = outcome.value.status
  return {
    "http.response.status_code": status,
    "network.protocol.version": "1.1",
    ...(status >= 400 ? { "error.type": String(status) } : {})
  }
}

const setAttributes = (span: Tracer.Span, attributes: Otel.Attributes): void => {
  for (const key in attributes) span.attribute(key, attributes[key])
}

const tracerOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Tracer.Tracer =>
  Context.get(fiber.currentDefaultServices, Tracer.Tracer)

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

// Made by hand rather than by `Effect.useSpan`: its end has to tell a 503 that arrived from a success, and nothing
// beneath it is an effect that would need it as a parent. Effect's native tracer shows its spans to nobody, so there is
// none to make: the caller's span speaks for the request.
const startSpan = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  spanName: string,
  startTime: bigint
): Tracer.Span | undefined => {
  const tracer = tracerOf(fiber)
  return tracer !== nativeTracer && fiber.getFiberRef(FiberRef.currentTracerEnabled)
    ? tracer.span(
        spanName,
        Option.fromNullable(fiber.currentSpan),
        Context.empty(),
        [],
        startTime,
        "client",
        spanOptions
      )
    : undefined
}

const spanOptions = { captureStackTrace: false } as const

const endSpan = (span: Tracer.Span, endTime: bigint, result: Otel.Attributes, outcome: Outcome | undefined): void => {
  setAttributes(span, result)
  const error = result["error.type"]
  const otel = bridged(span)
  if (otel !== undefined) {
    // Both bridges would call a success OK and give an error a description; the conventions leave both out.
    if (error !== undefined) otel.setStatus({ code: Otel.SpanStatusCode.ERROR })
    otel.end(toHrTime(endTime))
  } else {
    span.end(
      endTime,
      outcome === undefined ? Exit.interrupt(FiberId.none) : error === undefined ? Exit.void : Exit.fail(error)
    )
  }
}

const traceHeaders = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  span: Tracer.Span | undefined
): Readonly<Record<string, string>> => {
  const current = span ?? fiber.currentSpan
  if (Otel.propagation.fields().length === 0) return { traceparent: traceparent(current) }
  const carrier: Record<string, string> = {}
  ignoreThrow(() => Otel.propagation.inject(contextOf(fiber, current), carrier))
  return carrier
}

/** https://www.w3.org/TR/trace-context/#traceparent-header; a trace begins here where there is no span at all. */
const traceparent = (span: Tracer.AnySpan | undefined): string =>
  span === undefined
    ? `00-${randomHex(16)}-${randomHex(8)}-01`
    : `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}`

const random = Buffer.alloc(6144)
let used = random.length

// Not Effect's `Random`: a seeded program must not repeat the ids of its traces. Drawn in bulk, which is 10 times cheaper.
const randomHex = (bytes: number): string => {
  if (used + bytes > random.length) {
    randomFillSync(random)
    used = 0
  }
  used += bytes
  return random.toString("hex", used - bytes, used)
}

/** The OpenTelemetry context of a request: the active one, with the request's own span in it. */
const contextOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>, span: Tracer.AnySpan | undefined): Otel.Context => {
  const active = Otel.context.active()
  // Effect's native spans go nowhere: a span that is active in OpenTelemetry is the better parent.
  const unseen = tracerOf(fiber) === nativeTracer && Otel.trace.getSpan(active) !== undefined
  if (span === undefined || unseen) return active
  return Otel.trace.setSpan(active, bridged(span) ?? Otel.trace.wrapSpanContext(spanContextOf(span)))
}

/**
 * @internal
 */
export const spanContextOf = (span: Tracer.AnySpan): Otel.SpanContext => ({
  traceId: span.traceId,
  spanId: span.spanId,
  traceFlags: span.sampled ? Otel.TraceFlags.SAMPLED : Otel.TraceFlags.NONE,
  isRemote: span._tag === "ExternalSpan"
})

let meterProvider: Otel.MeterProvider | undefined
let histogram: Otel.Histogram | undefined

// Instruments are bound to the provider that made them: one registered later gets its own.
const recordDuration = (nanos: bigint, request: Otel.Attributes, result: Otel.Attributes): void => {
  const provider = Otel.metrics.getMeterProvider()
  if (provider !== meterProvider) {
    meterProvider = provider
    const meter = provider.getMeter(name, version, { schemaUrl })
    histogram =
      meter === Otel.createNoopMeter()
        ? undefined
        : meter.createHistogram(durationMetric, {
            description: "Duration of HTTP client requests.",
            unit: "s",
            advice: { explicitBucketBoundaries: [...durationBoundaries] }
          })
  }
  histogram?.record(Number(nanos) / 1e9, { ...request, ...result })
}

const ignoreThrow = <A>(f: () => A): A | undefined => {
  try {
    return f()
  } catch {
    return undefined
  }
}
