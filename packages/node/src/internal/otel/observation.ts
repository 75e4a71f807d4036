/**
 * Spans and durations: of one request on the wire, by the semantic conventions for HTTP clients
 * (https://opentelemetry.io/docs/specs/semconv/http/), of a call, and of the wait for a token.
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { isEndpointRequest } from "@effect-gr4vy/core/spi/EndpointRequest"
import type { OnRefused } from "@effect-gr4vy/core/spi/Refused"
import type { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import { shownUrl } from "@effect-gr4vy/core/spi/ShownUrl"
import { start, timedOutBySignal } from "@effect-gr4vy/core/spi/Span"
import { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import * as Otel from "@opentelemetry/api"
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { monotonicMillis } from "../pending.js"
import { ignoreThrow } from "./context.js"
import { Points, record, type Sink, type Source } from "./metric.js"
import { bridged, toHrTime } from "./sdk.js"

/** A call, as far as telemetry looks at it. */
export interface Observed {
  readonly request: HttpClientRequest.HttpClientRequest
  /** Absent for a plain request. */
  readonly endpoint: Endpoint.Any | undefined
  /** The URL of its requests. */
  readonly url: string
  readonly merchantAccountId: string | undefined
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  readonly clock: Clock.Clock
  /** The OpenTelemetry context that was active where it began. */
  readonly context: Otel.Context
  /** The number of requests started so far. */
  readonly attempts: number
  /** The trace that its requests start if there is no span. */
  traceId: string | undefined
}

type Outcome = Exit.Exit<BufferedResponse, TransportFailure | RequestFailed>

/** The beginning of a response, also of one that never came to its end. */
export interface Seen {
  /** Absent while no response has begun. */
  readonly status: number | undefined
  readonly protocolVersion?: string | undefined
  readonly peer?: { readonly address: string; readonly port: number } | undefined
}

/** The attributes that all requests of one kind share. */
export interface Route {
  readonly name: string
  readonly attributes: Otel.Attributes
  /** The base URL that the request's path is appended to. */
  readonly baseUrl: string
  readonly durations: Points
  readonly calls: Points
  readonly retries: Points
}

/** The number of requests on the wire. */
export interface InFlight {
  requests: number
}

/** The telemetry of one request: started before it is sent, ended exactly once. */
export class Observation {
  /** Absent if no tracer records it. */
  readonly span: Tracer.Span | undefined
  private readonly start: number
  private stopped: { readonly millis: number; readonly nanos: bigint } | undefined = undefined

  constructor(
    private readonly call: Observed,
    private readonly route: Route,
    private readonly options: { readonly metrics: Sink; readonly inFlight: InFlight }
  ) {
    options.inFlight.requests++
    this.span = startSpan(call, route)
    this.start = monotonicMillis(call.clock)
  }

  /** The last byte has arrived: what is decoded later, or resumes late, is no part of the request. */
  stop(): { readonly millis: number; readonly nanos: bigint } {
    const { clock } = this.call
    this.stopped ??= {
      millis: monotonicMillis(clock),
      nanos: this.span === undefined ? 0n : clock.unsafeCurrentTimeNanos()
    }
    return this.stopped
  }

  end(exit: Outcome, received: Seen | undefined): void {
    const { call, options, route, span, start } = this
    const { metrics } = options
    options.inFlight.requests--
    if (span === undefined && metrics === "off") return
    const { millis, nanos } = this.stop()
    const seconds = (millis - start) / 1000
    const ending = endingOf(call, exit)
    const { protocolVersion, status } = received ?? {}
    const isPlain = status !== undefined && ending === success && protocolVersion === undefined
    if (span === undefined && isPlain) {
      record(metrics, "requests", seconds, route.durations.ofStatus(status))
      return
    }
    const result: Otel.Attributes = {}
    if (status !== undefined) result["http.response.status_code"] = status
    if (protocolVersion !== undefined) result["network.protocol.version"] = protocolVersion
    Object.assign(result, ending.attributes)
    record(metrics, "requests", seconds, isPlain ? route.durations.ofStatus(status) : route.durations.of(result))
    if (span === undefined) return
    ignoreThrow(() => {
      if (received?.peer !== undefined) {
        result["network.peer.address"] = received.peer.address
        result["network.peer.port"] = received.peer.port
      }
      const { code, requestId } = detailsOf(exit)
      if (code !== undefined) result["gr4vy.error.code"] = code
      if (requestId !== undefined) result["gr4vy.request_id"] = requestId
      endSpan(nanos, span, result, ending)
    })
  }
}

/** Finds the shared attributes of a call's requests. */
export type Router = (call: Pick<Observed, "endpoint" | "request">) => Route

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
      durations: new Points(attributes, "requests"),
      calls: new Points(attributes, "calls"),
      retries: new Points(attributes, "retries")
    }
  }
  const endpoints = new WeakMap<object, Route>()
  const routes = new Map<string, Route>()
  return ({ endpoint, request: { method } }) => {
    const known = endpoint === undefined ? routes.get(method) : endpoints.get(endpoint)
    if (known !== undefined) return known
    // The promise package makes an endpoint for each request.
    const template = endpoint && prefix + endpoint.path
    const name = template === undefined ? method : `${method} ${template}`
    const route = routes.get(name) ?? make(method, template)
    if (routes.size < maxRoutes) routes.set(name, route)
    if (endpoint !== undefined) endpoints.set(endpoint, route)
    return route
  }
}

/** The most names that are remembered for endpoints of one request each. */
const maxRoutes = 1000

/** The server of a base URL, as OpenTelemetry names servers. */
export const serverOf = (baseUrl: string): Source["server"] => {
  const { hostname, port, protocol } = new URL(baseUrl)
  return {
    "server.address": hostname.replace(/^\[|\]$/g, ""),
    "server.port": port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)
  }
}

/** Runs a call, and records its duration and its end, also if it sends nothing. */
export const observeCall =
  (routeOf: Router, metrics: Sink) =>
  (
    call: Observed,
    outcome: Effect.Effect<BufferedResponse, RequestFailed>
  ): Effect.Effect<BufferedResponse, RequestFailed> => {
    onCallSpan(call, "gr4vy.merchant_account_id", call.merchantAccountId)
    if (metrics === "off") return outcome
    return timed(call, outcome, (seconds, exit) => {
      const ending = endingOf(call, exit)
      const { calls } = routeOf(call)
      if (ending === success) return record(metrics, "calls", seconds, calls.of(ending.attributes))
      const delivered = deliveredOf(call, exit)
      const attributes = delivered === undefined ? {} : { "gr4vy.delivered": delivered }
      record(metrics, "calls", seconds, calls.of({ ...ending.attributes, ...attributes }))
    })
  }

/** Counts a call that was refused before it had a request. */
export const countRefused =
  (routeOf: Router, metrics: Sink): OnRefused =>
  (endpoint, { delivered, reason }) =>
    Effect.sync(() =>
      ignoreThrow(() => {
        const { calls } = routeOf({ endpoint, request: HttpClientRequest.make(endpoint.method)(endpoint.path) })
        record(metrics, "calls", 0, calls.of({ "error.type": reason, "gr4vy.delivered": delivered }))
      })
    )

/** Runs the wait of a call for a token, and records its duration. */
export const observeToken = (server: Source["server"], metrics: Sink) => {
  const points = new Points(server, "tokens")
  return <A, E extends TransportFailure | RequestFailed>(
    call: Observed,
    token: Effect.Effect<A, E>
  ): Effect.Effect<A, E> =>
    metrics === "off" || Exit.isExit(token)
      ? token
      : timed(call, token, (seconds, exit) =>
          record(metrics, "tokens", seconds, points.of(Exit.isSuccess(exit) ? {} : failureOf(call, exit).attributes))
        )
}

/** Inside a call everything is uninterruptible but its waits, so that each end is seen here. */
const timed = <A, E>(
  { clock }: Observed,
  effect: Effect.Effect<A, E>,
  onEnd: (seconds: number, exit: Exit.Exit<A, E>) => void
): Effect.Effect<A, E> => {
  const start = monotonicMillis(clock)
  const end = (exit: Exit.Exit<A, E>): Exit.Exit<A, E> => {
    ignoreThrow(() => onEnd((monotonicMillis(clock) - start) / 1000, exit))
    return exit
  }
  return Effect.matchCauseEffect(effect, {
    onFailure: (cause) => end(Exit.failCause(cause)),
    onSuccess: (value) => end(Exit.succeed(value))
  })
}

/** Sets an attribute of the call's own span, never of a span of the program. */
export const onCallSpan = ({ endpoint, fiber }: Observed, key: string, value: unknown): void => {
  const span = fiber.currentSpan
  if (value !== undefined && span?._tag === "Span" && span.name === endpoint?.name)
    ignoreThrow(() => span.attribute(key, value))
}

/** Whether a response is one that nobody can use: a 2xx of another shape. */
export const isUnusable = ({ request }: Observed, response: BufferedResponse): boolean =>
  response.status >= 200 && response.status < 300 && isEndpointRequest(request) && isUnread(response.decodedBy(request))

/** Whether a response belongs to another request: whatever comes next on its connection would as well. */
export const isMisdirected = ({ request }: Pick<Observed, "request">, response: BufferedResponse): boolean => {
  if (response.status < 200 || response.status >= 300 || !isEndpointRequest(request)) return false
  const success = response.decodedBy(request)
  return Either.isLeft(success) && success.left.misdirected
}

const isUnread = (decoded: ReturnType<BufferedResponse["decodedBy"]>): boolean =>
  Either.isLeft(decoded) && decoded.left.later === undefined

/** How a request or a call ended. */
interface Ending {
  readonly kind: "success" | "error" | "cancelled"
  readonly attributes: Readonly<Record<string, string | boolean>>
}

const success: Ending = { kind: "success", attributes: {} }
// The conventions leave `error.type` out where the caller has cancelled a request.
const cancelled: Ending = { kind: "cancelled", attributes: { "gr4vy.cancelled": true } }
const failed = (errorType: string): Ending => ({ kind: "error", attributes: { "error.type": errorType } })

const endingOf = (call: Observed, exit: Outcome): Ending => {
  if (Exit.isFailure(exit)) return failureOf(call, exit)
  const response = exit.value
  // A redirect is never followed, so it is the end of the call.
  if (response.status >= 300) return failed(String(response.status))
  return isUnusable(call, response) ? failed("InvalidResponse") : success
}

const failureOf = ({ fiber }: Observed, { cause }: Exit.Failure<unknown, TransportFailure | RequestFailed>): Ending => {
  // A time limit is an error, even if the caller set it.
  if (Cause.isInterruptedOnly(cause)) return timedOutBySignal(fiber) ? failed("Timeout") : cancelled
  const failure = Cause.failureOption(cause)
  return failed(Option.isSome(failure) ? failure.value.reason : "_OTHER")
}

const deliveredOf = (call: Observed, exit: Outcome): string | undefined =>
  Exit.isSuccess(exit)
    ? isMisdirected(call, exit.value)
      ? "unknown"
      : "yes"
    : Option.getOrUndefined(Option.map(Cause.failureOption(exit.cause), ({ delivered }) => delivered))

const detailsOf = (exit: Outcome): { readonly code?: string | undefined; readonly requestId?: string | undefined } => {
  if (Exit.isSuccess(exit)) return { requestId: exit.value.requestId }
  const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
  return failure === undefined
    ? {}
    : { code: failure instanceof TransportFailure ? failure.code : undefined, requestId: failure.requestId }
}

// `Effect.useSpan` does not fit: the end of the span must distinguish a received 503 from a success, and no effect inside
// needs the span as its parent. Effect's native tracer does not export spans, so none is created for it.
const startSpan = (call: Observed, route: Route): Tracer.Span | undefined =>
  start(call.fiber, route.name, "client", () => {
    const attributes: Otel.Attributes = Object.assign({}, route.attributes)
    // The URL shows a secret parameter as its name, and no card number.
    attributes["url.full"] = shownUrl(
      isEndpointRequest(call.request) ? route.baseUrl + call.request.shownUrl : call.url
    )
    if (call.attempts > 0) attributes["http.request.resend_count"] = call.attempts
    return attributes
  })

const endSpan = (endTime: bigint, span: Tracer.Span, result: Otel.Attributes, { kind }: Ending): void => {
  for (const key in result) span.attribute(key, result[key])
  // Wrappers of `end` (e.g. Effect's DevTools) rely on this call.
  const otel = Object.hasOwn(span, "end") ? undefined : bridged(span)
  if (otel !== undefined) {
    // Both bridges would set OK on success and a description on error; the conventions set neither.
    if (kind === "error") otel.setStatus({ code: Otel.SpanStatusCode.ERROR })
    otel.end(toHrTime(endTime))
  } else {
    span.end(
      endTime,
      kind === "error"
        ? Exit.fail(result["error.type"])
        : kind === "cancelled"
          ? Exit.interrupt(FiberId.none)
          : Exit.void
    )
  }
}
