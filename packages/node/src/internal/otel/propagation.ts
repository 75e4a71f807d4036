/**
 * Writes the trace context into a request's headers: by the globally registered propagator, or as W3C `traceparent`.
 */
import { randomFillSync } from "node:crypto"
import { isInactive, nearestExported } from "@effect-gr4vy/core/spi/Span"
import * as Otel from "@opentelemetry/api"
import type * as Tracer from "effect/Tracer"
import { ignoreThrow } from "./context.js"
import type { Observed } from "./observation.js"
import { bridged, hasOpenTelemetry, spanContextOf } from "./sdk.js"

/** What requests carry besides their own headers. */
export interface Propagated {
  /** The trace context. */
  readonly trace: boolean
  /** OpenTelemetry's baggage. */
  readonly baggage: boolean
}

/**
 * Returns the headers of the trace context, for a request that has the headers `sent` already. A propagator is code of
 * others: it can neither stop a request nor change one of its headers.
 */
export const traceHeaders = (
  call: Observed,
  span: Tracer.AnySpan | undefined,
  { baggage, trace }: Propagated,
  sent: Readonly<Record<string, string>>
): Readonly<Record<string, string>> => {
  const injects = ignoreThrow(() => Otel.propagation.fields().length > 0) === true
  if (!injects) {
    if (!trace || "traceparent" in sent || hasOpenTelemetry()) return none
    return ignoreThrow(() => ({ traceparent: traceparent(call, spanContextIn(call, span)) })) ?? none
  }
  const carrier: Record<string, unknown> = Object.create(null)
  ignoreThrow(() => {
    const context = contextOf(call, spanContextIn(call, span))
    const traced = trace ? context : Otel.trace.deleteSpan(context)
    Otel.propagation.inject(baggage ? traced : Otel.propagation.deleteBaggage(traced), carrier, setter)
  })
  return allowed(carrier, sent)
}

const none: Readonly<Record<string, string>> = {}

const allowed = (
  carrier: Readonly<Record<string, unknown>>,
  sent: Readonly<Record<string, string>>
): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = {}
  for (const key in carrier) {
    const name = key.toLowerCase()
    const value = carrier[key]
    if (Object.hasOwn(sent, name) || !isFree(name)) continue
    if (typeof value === "string" && value.length <= maxValueLength && headerValue.test(value)) headers[name] = value
  }
  return headers
}

/** The headers that decide how a request is read, whether it is set or not. */
const reserved =
  /^(?:accept(?:-.+)?|authorization|connection|content-.+|cookie|expect|host|idempotency-key|if-.+|keep-alive|proxy-.+|range|te|trailer|transfer-encoding|upgrade|user-agent|x-gr4vy-.+|x-http-method(?:-override)?|x-method-override)$/

/** A token of RFC 9110, section 5.6.2. */
const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/

// A propagator has the same few names at every request.
const free = new Map<string, boolean>()
const isFree = (name: string): boolean => {
  const known = free.get(name)
  if (known !== undefined) return known
  const is = headerName.test(name) && !reserved.test(name)
  if (free.size < 64) free.set(name, is)
  return is
}

const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** As long as W3C lets baggage be. Servers refuse requests whose headers are much longer. */
const maxValueLength = 8192

const setter: Otel.TextMapSetter<Record<string, unknown>> = {
  set: (carrier, key, value) => {
    carrier[key] = value
  }
}

/**
 * Returns the span of a request: its own, or else the program's. If the tracer does not export spans, only a span of
 * another process counts, because that one is recorded.
 */
const spanContextIn = (call: Observed, own: Tracer.AnySpan | undefined): Otel.SpanContext | undefined => {
  const span = own ?? nearestExported(call.fiber.currentSpan)
  if (span === undefined) return undefined
  const context = bridgedContext(span) ?? spanContextOf(span)
  if (own !== undefined || span._tag === "ExternalSpan" || !isInactive(call.fiber.currentTracer)) return context
  return { ...context, traceFlags: Otel.TraceFlags.NONE }
}

/** Includes `tracestate` if OpenTelemetry knows the span. */
const bridgedContext = (span: Tracer.AnySpan): Otel.SpanContext | undefined => bridged(span)?.spanContext()

/**
 * Builds a `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header). Without any span it starts a new
 * trace that is not sampled.
 */
const traceparent = (call: Observed, span: Otel.SpanContext | undefined): string => {
  if (span !== undefined) return `00-${span.traceId}-${span.spanId}-${(span.traceFlags & 1) === 0 ? "00" : "01"}`
  call.traceId ??= randomHex(16)
  return `00-${call.traceId}-${randomHex(8)}-00`
}

const random = Buffer.alloc(6144)
let used = random.length

// Not Effect's `Random`: a seeded program must not repeat its trace ids. Random bytes in bulk cost a tenth.
const randomHex = (bytes: number): string => {
  if (used + bytes > random.length) {
    randomFillSync(random)
    used = 0
  }
  used += bytes
  return random.toString("hex", used - bytes, used)
}

/** The OpenTelemetry context of a request: the context of the call, with the request's span. */
const contextOf = (call: Observed, span: Otel.SpanContext | undefined): Otel.Context => {
  // If Effect's spans are not exported, the active OpenTelemetry span is the better parent.
  const unseen = isInactive(call.fiber.currentTracer) && Otel.trace.getSpan(call.context) !== undefined
  return span === undefined || unseen ? call.context : Otel.trace.setSpanContext(call.context, span)
}
