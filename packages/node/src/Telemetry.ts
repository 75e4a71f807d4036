/**
 * What OpenTelemetry gets to see: one CLIENT span and one duration per request on the wire, context injection, and no
 * second span from auto-instrumentation. Follows the semantic conventions for HTTP client spans and metrics
 * (https://opentelemetry.io/docs/specs/semconv/http/). Reaches OpenTelemetry through its API alone, and never fails a
 * request.
 *
 * @since 0.1.0
 */

import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { isEndpointRequest } from "@effect-gr4vy/core/unstable/EndpointRequest"
import { start } from "@effect-gr4vy/core/unstable/Span"
import * as Otel from "@opentelemetry/api"
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { ignoreThrow } from "./internal/otel/context.js"
import { traceHeaders } from "./internal/otel/propagation.js"
import { bridged, toHrTime } from "./internal/otel/span.js"
import type { Limits } from "./internal/pipeline/startCall.js"
import { clockOf } from "./internal/timer.js"
import {
  type Begun,
  type Call,
  type Outcome,
  type Received,
  type Send,
  type Transport,
  timedOut,
  WireRequest
} from "./internal/transport/transport.js"
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
      const millis = Math.min(options.limits.attempt, call.timeLeft)
      if (millis <= 0) return Effect.fail(timedOut("The call's deadline has passed.", false))
      return transport(() => new Attempt(request, call, millis, routeOf(request), options.propagateTrace))
    }
}

/** One request of a call, from its beginning to its end. */
class Attempt implements Begun {
  readonly request: WireRequest
  readonly clock: Clock.Clock
  private readonly span: Tracer.Span | undefined
  private readonly histogram: Otel.Histogram | undefined
  private readonly startTime: bigint | undefined

  constructor(
    request: HttpClientRequest.HttpClientRequest,
    call: Call,
    readonly millis: number,
    private readonly route: Route,
    propagateTrace: boolean
  ) {
    this.clock = call.clock
    this.span = startSpan(call, route)
    this.histogram = ignoreThrow(durationHistogram)
    this.startTime = this.histogram && call.clock.unsafeCurrentTimeNanos()
    call.attempts++
    const trace = propagateTrace ? traceHeaders(call, this.span) : undefined
    // V8 merges objects by `assign` ten times faster than by spreads: 3 µs of a call.
    this.request = new WireRequest(request, call.url, Object.assign({}, request.headers, call.headers, trace))
  }

  onEnd(outcome: Outcome | undefined, received: Received | undefined): void {
    const { histogram, route, span, startTime } = this
    if (span === undefined && startTime === undefined) return
    const endTime = this.clock.unsafeCurrentTimeNanos()
    const result = resultAttributes(outcome, received)
    if (startTime !== undefined) {
      const seconds = Number(endTime - startTime) / 1e9
      ignoreThrow(() => histogram?.record(seconds, Object.assign({}, route.attributes, result)))
    }
    if (span !== undefined) ignoreThrow(() => endSpan(span, endTime, result, outcome))
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
  return (request) => {
    if (!isEndpointRequest(request)) {
      return { name: request.method, attributes: { "http.request.method": request.method, ...server } }
    }
    const { method, path } = request.endpoint
    const template = prefix + path
    return {
      name: `${method} ${template}`,
      attributes: { "http.request.method": method, ...server, "url.template": template }
    }
  }
}

const resultAttributes = (outcome: Outcome | undefined, received: Received | undefined): Otel.Attributes => {
  const attributes: Otel.Attributes = {}
  if (received !== undefined) {
    attributes["http.response.status_code"] = received.status
    if (received.protocolVersion !== undefined) attributes["network.protocol.version"] = received.protocolVersion
  }
  if (outcome === undefined) return attributes
  if (Exit.isFailure(outcome)) {
    const failure = Cause.failureOption(outcome.cause)
    attributes["error.type"] = Option.isSome(failure) ? failure.value.reason : "_OTHER"
  } else if (outcome.value.status >= 400) {
    attributes["error.type"] = String(outcome.value.status)
  }
  return attributes
}

const setAttributes = (span: Tracer.Span, attributes: Otel.Attributes): void => {
  for (const key in attributes) span.attribute(key, attributes[key])
}

// Made by hand rather than by `Effect.useSpan`: its end has to tell a 503 that arrived from a success, and nothing
// beneath it is an effect that would need it as a parent. Effect's native tracer shows its spans to nobody, so there is
// none to make: the caller's span speaks for the request.
const startSpan = (call: Call, route: Route): Tracer.Span | undefined =>
  start(call.fiber, route.name, "client", () => {
    const attributes: Otel.Attributes = Object.assign({}, route.attributes)
    attributes["url.full"] = call.url
    if (call.attempts > 0) attributes["http.request.resend_count"] = call.attempts
    return attributes
  })

const endSpan = (span: Tracer.Span, endTime: bigint, result: Otel.Attributes, outcome: Outcome | undefined): void => {
  setAttributes(span, result)
  const error = result["error.type"]
  // Who has wrapped `end` (Effect's DevTools do) waits for it to be called.
  const otel = Object.hasOwn(span, "end") ? undefined : bridged(span)
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

let meterProvider: Otel.MeterProvider | undefined
let durations: Otel.Histogram | undefined

// Instruments are bound to the provider that made them: one registered later gets its own.
const durationHistogram = (): Otel.Histogram | undefined => {
  const provider = Otel.metrics.getMeterProvider()
  if (provider !== meterProvider) {
    meterProvider = provider
    durations = undefined
    const meter = provider.getMeter(name, version, { schemaUrl })
    if (meter !== Otel.createNoopMeter()) {
      durations = meter.createHistogram(durationMetric, {
        description: "Duration of HTTP client requests.",
        unit: "s",
        advice: { explicitBucketBoundaries: [...durationBoundaries] }
      })
    }
  }
  return durations
}
