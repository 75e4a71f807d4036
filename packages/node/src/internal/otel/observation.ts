/**
 * The CLIENT span and the duration of one request on the wire, by the semantic conventions for HTTP clients
 * (https://opentelemetry.io/docs/specs/semconv/http/).
 */
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { isEndpointRequest } from "@effect-gr4vy/core/unstable/EndpointRequest"
import type { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import { start } from "@effect-gr4vy/core/unstable/Span"
import type { TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import * as Otel from "@opentelemetry/api"
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { Call } from "../pipeline/call.js"
import type { Received } from "../transport/transport.js"
import { ignoreThrow } from "./context.js"
import { durationHistogram } from "./metric.js"
import { bridged, toHrTime } from "./span.js"

/** What all requests of one kind have in common. */
export interface Route {
  readonly name: string
  readonly attributes: Otel.Attributes
  /** The base URL that the request's path is appended to. */
  readonly baseUrl: string
}

/** One request that OpenTelemetry is told of: opened before it goes out, and ended once. */
export class Observation {
  /** Absent where nobody would see it. */
  readonly span: Tracer.Span | undefined
  private readonly histogram: Otel.Histogram | undefined
  private readonly startTime: bigint | undefined

  constructor(
    private readonly call: Call,
    private readonly route: Route
  ) {
    this.span = startSpan(call, route)
    this.histogram = ignoreThrow(durationHistogram)
    this.startTime = this.histogram && call.clock.unsafeCurrentTimeNanos()
  }

  end(exit: Exit.Exit<BufferedResponse, TransportFailure>, received: Received | undefined): void {
    const { histogram, route, span, startTime } = this
    if (span === undefined && startTime === undefined) return
    const endTime = this.call.clock.unsafeCurrentTimeNanos()
    const result = resultAttributes(exit, received)
    if (startTime !== undefined) {
      const seconds = Number(endTime - startTime) / 1e9
      ignoreThrow(() => histogram?.record(seconds, Object.assign({}, route.attributes, result)))
    }
    if (span !== undefined) ignoreThrow(() => endSpan(span, endTime, result, isInterrupted(exit)))
  }
}

/** Names a request after its endpoint; a plain request after its method alone. */
export const router = (baseUrl: string): ((call: Call) => Route) => {
  const url = new URL(baseUrl)
  const prefix = url.pathname === "/" ? "" : url.pathname
  const server = {
    "server.address": url.hostname.replace(/^\[|\]$/g, ""),
    "server.port": url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port)
  }
  const byMethod = new Map<string, Route>()
  const byEndpoint = new WeakMap<Endpoint.Any, Route>()
  return ({ endpoint, request: { method } }) => {
    const known = endpoint === undefined ? byMethod.get(method) : byEndpoint.get(endpoint)
    if (known !== undefined) return known
    if (endpoint === undefined) {
      const route = { name: method, baseUrl, attributes: { "http.request.method": method, ...server } }
      byMethod.set(method, route)
      return route
    }
    const template = prefix + endpoint.path
    const attributes = { "http.request.method": method, ...server, "url.template": template }
    const route = { name: `${method} ${template}`, baseUrl, attributes }
    byEndpoint.set(endpoint, route)
    return route
  }
}

const isInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)

const resultAttributes = (
  exit: Exit.Exit<BufferedResponse, TransportFailure>,
  received: Received | undefined
): Otel.Attributes => {
  const attributes: Otel.Attributes = {}
  if (received !== undefined) {
    attributes["http.response.status_code"] = received.status
    if (received.protocolVersion !== undefined) attributes["network.protocol.version"] = received.protocolVersion
  }
  if (isInterrupted(exit)) return attributes
  if (Exit.isFailure(exit)) {
    const failure = Cause.failureOption(exit.cause)
    attributes["error.type"] = Option.isSome(failure) ? failure.value.reason : "_OTHER"
  } else if (exit.value.status >= 400) {
    attributes["error.type"] = String(exit.value.status)
  }
  return attributes
}

// Made by hand rather than by `Effect.useSpan`: its end has to tell a 503 that arrived from a success, and nothing
// beneath it is an effect that would need it as a parent. Effect's native tracer shows its spans to nobody, so there is
// none to make: the caller's span speaks for the request.
const startSpan = (call: Call, route: Route): Tracer.Span | undefined =>
  start(call.fiber, route.name, "client", () => {
    const attributes: Otel.Attributes = Object.assign({}, route.attributes)
    // A secret parameter is in the URL by its name alone.
    attributes["url.full"] = isEndpointRequest(call.request) ? route.baseUrl + call.request.shownUrl : call.url
    if (call.attempts > 0) attributes["http.request.resend_count"] = call.attempts
    return attributes
  })

const endSpan = (span: Tracer.Span, endTime: bigint, result: Otel.Attributes, interrupted: boolean): void => {
  for (const key in result) span.attribute(key, result[key])
  const error = result["error.type"]
  // Who has wrapped `end` (Effect's DevTools do) waits for it to be called.
  const otel = Object.hasOwn(span, "end") ? undefined : bridged(span)
  if (otel !== undefined) {
    // Both bridges would call a success OK and give an error a description; the conventions leave both out.
    if (error !== undefined) otel.setStatus({ code: Otel.SpanStatusCode.ERROR })
    otel.end(toHrTime(endTime))
  } else {
    span.end(endTime, interrupted ? Exit.interrupt(FiberId.none) : error === undefined ? Exit.void : Exit.fail(error))
  }
}
