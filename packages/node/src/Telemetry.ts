/**
 * What OpenTelemetry gets to see: one CLIENT span and one duration per request on the wire, context injection, and no
 * second span from auto-instrumentation. Follows the semantic conventions for HTTP client spans and metrics
 * (https://opentelemetry.io/docs/specs/semconv/http/). Reaches OpenTelemetry through its API alone, and never fails a
 * request.
 *
 * @since 0.1.0
 */
import * as Api from "@effect-gr4vy/core/CheckoutSessionsApi"
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import type { TransportFailure } from "@effect-gr4vy/core/TransportFailure"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Otel from "@opentelemetry/api"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { BufferedResponse } from "./internal/BufferedResponse.js"
import type { Limits } from "./internal/open.js"
import { clockOf } from "./internal/timer.js"
import { type Send, timedOut, timeLeft, type Transport } from "./internal/transport.js"
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
  const server = serverOf(options.baseUrl)
  return (transport: Transport): Send => (request, call) =>
    Effect.withFiberRuntime<BufferedResponse, TransportFailure | RequestFailed>((fiber) => {
      const millis = Math.min(options.limits.attempt, timeLeft(call))
      if (millis <= 0) return Effect.fail(timedOut("The call's deadline has passed.", false))
      const template = server.template(request)
      const attributes = requestAttributes(server, request.method, template)
      const startTime = call.clock.unsafeCurrentTimeNanos()
      const span = startSpan(fiber, template === undefined ? request.method : `${request.method} ${template}`, startTime)
      if (span !== undefined) {
        ignoreThrow(() => {
          setAttributes(span, attributes)
          span.attribute("url.full", request.url)
          if (call.attempts > 0) span.attribute("http.request.resend_count", call.attempts)
        })
      }
      call.attempts++
      return Effect.onExit(
        transport(options.propagateTrace ? inject(request, fiber, span) : request, millis),
        (exit) =>
          Effect.sync(() => {
            const endTime = call.clock.unsafeCurrentTimeNanos()
            const outcome = outcomeAttributes(exit)
            ignoreThrow(() => record(Number(endTime - startTime) / 1e9, { ...attributes, ...outcome }))
            if (span !== undefined) ignoreThrow(() => endSpan(span, endTime, outcome, exit))
          })
      )
    })
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
export const resumeWhereItBegan = <A>(resume: (a: A) => void): (a: A) => void => {
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
  "span" in span && typeof span.span === "object" && span.span !== null && "spanContext" in span.span &&
    "setStatus" in span.span
    // Both bridges keep their span under this name; what is an OpenTelemetry span shows by its methods alone.
    ? span.span as Otel.Span
    : undefined

/**
 * @internal
 */
export const toHrTime = (nanos: bigint): Otel.HrTime => [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)]

interface Server {
  readonly address: string
  readonly port: number
  readonly template: (request: HttpClientRequest.HttpClientRequest) => string | undefined
}

const serverOf = (baseUrl: string): Server => {
  const url = new URL(baseUrl)
  const prefix = url.pathname === "/" ? "" : url.pathname
  const routes = [Api.add, Api.get, Api.updateFields, Api.delete].map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}$`),
    template: prefix + path.replace(/:(\w+)/g, "{$1}")
  }))
  return {
    address: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
    template: (request) => {
      const path = request.url.slice(baseUrl.length)
      return routes.find((route) => route.method === request.method && route.pattern.test(path))?.template
    }
  }
}

const requestAttributes = (server: Server, method: string, template: string | undefined): Otel.Attributes => ({
  "http.request.method": method,
  "server.address": server.address,
  "server.port": server.port,
  ...(template === undefined ? {} : { "url.template": template })
})

const outcomeAttributes = (exit: Exit.Exit<BufferedResponse, TransportFailure>): Otel.Attributes => {
  if (Exit.isSuccess(exit)) {
    const status = exit.value.status
    return {
      "http.response.status_code": status,
      "network.protocol.version": "1.1",
      ...(status >= 400 ? { "error.type": String(status) } : {})
    }
  }
  if (Cause.isInterruptedOnly(exit.cause)) return {}
  return { "error.type": Option.match(Cause.failureOption(exit.cause), { onNone: () => "_OTHER", onSome: (_) => _.reason }) }
}

const setAttributes = (span: Tracer.Span, attributes: Otel.Attributes): void => {
  for (const key in attributes) span.attribute(key, attributes[key])
}

const tracerOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Tracer.Tracer =>
  Context.get(fiber.currentDefaultServices, Tracer.Tracer)

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

// Made by hand rather than by `Effect.useSpan`: its end has to tell a 503 that arrived from a success, and nothing
// beneath it is an effect that would need it as a parent.
const startSpan = (
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  spanName: string,
  startTime: bigint
): Tracer.Span | undefined =>
  fiber.getFiberRef(FiberRef.currentTracerEnabled)
    ? ignoreThrow(() =>
      tracerOf(fiber).span(
        spanName,
        Option.fromNullable(fiber.currentSpan),
        Context.empty(),
        [],
        startTime,
        "client",
        { captureStackTrace: false }
      )
    )
    : undefined

const endSpan = (
  span: Tracer.Span,
  endTime: bigint,
  outcome: Otel.Attributes,
  exit: Exit.Exit<BufferedResponse, TransportFailure>
): void => {
  setAttributes(span, outcome)
  const error = outcome["error.type"]
  const otel = bridged(span)
  if (otel !== undefined) {
    // Both bridges would call a success OK and give an error a description; the conventions leave both out.
    if (error !== undefined) otel.setStatus({ code: Otel.SpanStatusCode.ERROR })
    otel.end(toHrTime(endTime))
  } else {
    span.end(endTime, error === undefined || Exit.isFailure(exit) ? exit : Exit.fail(error))
  }
}

const inject = (
  request: HttpClientRequest.HttpClientRequest,
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  span: Tracer.Span | undefined
): HttpClientRequest.HttpClientRequest => {
  const headers = ignoreThrow(() => {
    if (Otel.propagation.fields().length === 0) {
      return span === undefined
        ? {}
        : { traceparent: `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}` }
    }
    const carrier: Record<string, string> = {}
    Otel.propagation.inject(contextOf(fiber, span), carrier)
    return carrier
  })
  return headers === undefined ? request : HttpClientRequest.setHeaders(request, headers)
}

/** The OpenTelemetry context of a request: the active one, with the request's own span in it. */
const contextOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>, span: Tracer.Span | undefined): Otel.Context => {
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
const record = (seconds: number, attributes: Otel.Attributes): void => {
  const provider = Otel.metrics.getMeterProvider()
  if (provider !== meterProvider || histogram === undefined) {
    meterProvider = provider
    histogram = provider.getMeter(name, version, { schemaUrl }).createHistogram(durationMetric, {
      description: "Duration of HTTP client requests.",
      unit: "s",
      advice: { explicitBucketBoundaries: [...durationBoundaries] }
    })
  }
  histogram.record(seconds, attributes)
}

const ignoreThrow = <A>(f: () => A): A | undefined => {
  try {
    return f()
  } catch {
    return undefined
  }
}
