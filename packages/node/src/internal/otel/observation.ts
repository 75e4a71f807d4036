/**
 * The CLIENT span and the duration of one request on the wire, by the semantic conventions for HTTP clients
 * (https://opentelemetry.io/docs/specs/semconv/http/).
 */
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { hideCards } from "@effect-gr4vy/core/unstable/Cards"
import { isEndpointRequest } from "@effect-gr4vy/core/unstable/EndpointRequest"
import type { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import { interrupted, start, timedOutBySignal } from "@effect-gr4vy/core/unstable/Span"
import type { TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import * as Otel from "@opentelemetry/api"
import * as Cause from "effect/Cause"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import type { Metrics } from "../../Telemetry.js"
import type { Call } from "../pipeline/call.js"
import { monotonicMillis } from "../timer.js"
import type { Received } from "../transport/transport.js"
import { ignoreThrow } from "./context.js"
import { durationPoints, type Points, recordDuration, retryPoints, type Source } from "./metric.js"
import { bridged, toHrTime } from "./span.js"

/** The attributes that all requests of one kind share. */
export interface Route {
  readonly name: string
  readonly attributes: Otel.Attributes
  /** The base URL that the request's path is appended to. */
  readonly baseUrl: string
  readonly durations: Points
  readonly retries: Points
}

/** The telemetry of one request: started before it is sent, ended exactly once. */
export class Observation {
  /** Absent if no tracer records it. */
  readonly span: Tracer.Span | undefined
  private readonly start: number

  constructor(
    private readonly call: Call,
    private readonly route: Route,
    private readonly metrics: Metrics
  ) {
    this.span = startSpan(call, route)
    this.start = monotonicMillis(call.clock)
  }

  end(exit: Exit.Exit<BufferedResponse, TransportFailure | RequestFailed>, received: Received | undefined): void {
    const { call, metrics, route, span, start } = this
    if (span === undefined && metrics === "off") return
    const seconds = (monotonicMillis(call.clock) - start) / 1000
    const errorType = errorTypeOf(call, exit)
    const { protocolVersion, status } = received ?? {}
    const isPlain = status !== undefined && errorType === undefined && protocolVersion === undefined
    if (span === undefined && isPlain) {
      recordDuration(metrics, seconds, route.durations.ofStatus(status))
      return
    }
    const result: Otel.Attributes = {}
    if (status !== undefined) result["http.response.status_code"] = status
    if (protocolVersion !== undefined) result["network.protocol.version"] = protocolVersion
    if (errorType !== undefined) result["error.type"] = errorType
    recordDuration(metrics, seconds, isPlain ? route.durations.ofStatus(status) : route.durations.of(result))
    if (span === undefined) return
    ignoreThrow(() => {
      if (received?.peer !== undefined) {
        result["network.peer.address"] = received.peer.address
        result["network.peer.port"] = received.peer.port
      }
      const requestId = Exit.isSuccess(exit) ? exit.value.requestId : undefined
      if (requestId !== undefined) result["gr4vy.request_id"] = requestId
      endSpan(call, span, result, errorType)
    })
  }
}

/** Finds the shared attributes of a call's requests. */
export type Router = (call: Call) => Route

/** Names a request after its endpoint; a plain request after its method alone. */
export const router = (baseUrl: string): Router => {
  const prefix = new URL(baseUrl).pathname.replace(/\/$/, "")
  const server = serverOf(baseUrl)
  const make = (method: string, template: string | undefined): Route => {
    const attributes = {
      "http.request.method": method,
      ...server,
      ...(template === undefined ? {} : { "url.template": template })
    }
    return {
      name: template === undefined ? method : `${method} ${template}`,
      attributes,
      baseUrl,
      durations: durationPoints(attributes),
      retries: retryPoints(attributes)
    }
  }
  const endpoints = new WeakMap<object, Route>()
  const methods = new Map<string, Route>()
  return ({ endpoint, request: { method } }) => {
    const known = endpoint === undefined ? methods.get(method) : endpoints.get(endpoint)
    if (known !== undefined) return known
    const route = make(method, endpoint && prefix + endpoint.path)
    if (endpoint === undefined) methods.set(method, route)
    else endpoints.set(endpoint, route)
    return route
  }
}

/** The server of a base URL, as OpenTelemetry names servers. */
export const serverOf = (baseUrl: string): Source["server"] => {
  const { hostname, port, protocol } = new URL(baseUrl)
  return {
    "server.address": hostname.replace(/^\[|\]$/g, ""),
    "server.port": port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)
  }
}

const errorTypeOf = (
  { request }: Call,
  exit: Exit.Exit<BufferedResponse, TransportFailure | RequestFailed>
): string | undefined => {
  if (Exit.isFailure(exit)) {
    if (Cause.isInterruptedOnly(exit.cause)) return interrupted
    const failure = Cause.failureOption(exit.cause)
    return Option.isSome(failure) ? failure.value.reason : "_OTHER"
  }
  const response = exit.value
  if (response.status >= 400) return String(response.status)
  // Decoded here or later, a response is decoded once.
  const unusable =
    response.status >= 200 &&
    response.status < 300 &&
    isEndpointRequest(request) &&
    Either.isLeft(response.decodedBy(request))
  return unusable ? "InvalidResponse" : undefined
}

// `Effect.useSpan` does not fit: the end of the span must distinguish a received 503 from a success, and no effect inside
// needs the span as its parent. Effect's native tracer does not export spans, so none is created for it.
const startSpan = (call: Call, route: Route): Tracer.Span | undefined =>
  start(call.fiber, route.name, "client", () => {
    const attributes: Otel.Attributes = Object.assign({}, route.attributes)
    // The URL shows a secret parameter as its name, and no card number.
    attributes["url.full"] = hideCards(
      isEndpointRequest(call.request) ? route.baseUrl + call.request.shownUrl : call.url
    )
    if (call.attempts > 0) attributes["http.request.resend_count"] = call.attempts
    return attributes
  })

const endSpan = (call: Call, span: Tracer.Span, result: Otel.Attributes, errorType: string | undefined): void => {
  const endTime = call.clock.unsafeCurrentTimeNanos()
  for (const key in result) span.attribute(key, result[key])
  // An interruption by the caller is not an error; a time limit is one, even if the caller set it.
  const isError = errorType !== undefined && (errorType !== interrupted || timedOutBySignal(call.fiber))
  // Wrappers of `end` (e.g. Effect's DevTools) rely on this call.
  const otel = Object.hasOwn(span, "end") ? undefined : bridged(span)
  if (otel !== undefined) {
    // Both bridges would set OK on success and a description on error; the conventions set neither.
    if (isError) otel.setStatus({ code: Otel.SpanStatusCode.ERROR })
    otel.end(toHrTime(endTime))
  } else {
    span.end(
      endTime,
      isError ? Exit.fail(errorType) : errorType === interrupted ? Exit.interrupt(FiberId.none) : Exit.void
    )
  }
}
