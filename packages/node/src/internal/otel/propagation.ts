/**
 * Writes the trace context into a request's headers: by the globally registered propagator, or as W3C `traceparent`.
 */
import { randomFillSync } from "node:crypto"
import { isInactive, nearestExported } from "@effect-gr4vy/core/unstable/Span"
import * as Otel from "@opentelemetry/api"
import type * as Tracer from "effect/Tracer"
import type { Call } from "../pipeline/call.js"
import { bridged, spanContextOf } from "./span.js"

export const traceHeaders = (call: Call, span: Tracer.AnySpan | undefined): Readonly<Record<string, string>> => {
  try {
    const current = spanContextIn(call, span)
    if (Otel.propagation.fields().length > 0) {
      const carrier: Record<string, string> = {}
      Otel.propagation.inject(contextOf(call, current), carrier, setter)
      return carrier
    }
    return hasOpenTelemetry() ? {} : { traceparent: traceparent(call, current) }
  } catch {
    return {}
  }
}

/**
 * Returns the span of a request: its own, or else the program's. If the tracer does not export spans, only a span of
 * another process counts, because that one is recorded.
 */
const spanContextIn = (call: Call, own: Tracer.AnySpan | undefined): Otel.SpanContext | undefined => {
  const span = own ?? nearestExported(call.fiber.currentSpan)
  if (span === undefined) return undefined
  const context = bridgedContext(span) ?? spanContextOf(span)
  if (own !== undefined || span._tag === "ExternalSpan" || !isInactive(call.fiber.currentTracer)) return context
  return { ...context, traceFlags: Otel.TraceFlags.NONE }
}

/** Includes `tracestate` if OpenTelemetry knows the span. */
const bridgedContext = (span: Tracer.AnySpan): Otel.SpanContext | undefined => bridged(span)?.spanContext()

const registry = Symbol.for("opentelemetry.js.api.1")

/**
 * Returns whether the process has set up any part of OpenTelemetry's tracing. If so, a missing or empty propagator is on
 * purpose (`OTEL_PROPAGATORS=none`). Reads the API's global registry, because the API has no function for this.
 */
const hasOpenTelemetry = (): boolean => {
  const api: unknown = Reflect.get(globalThis, registry)
  return typeof api === "object" && api !== null && ("propagation" in api || "trace" in api || "context" in api)
}

/** Drops headers that HTTP cannot carry, so that a faulty propagator does not fail the request. */
const setter: Otel.TextMapSetter<Record<string, string>> = {
  set: (carrier, key, value) => {
    if (headerValue.test(value)) carrier[key.toLowerCase()] = value
  }
}

const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Builds a `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header). Without any span it starts a new
 * trace that is not sampled.
 */
const traceparent = (call: Call, span: Otel.SpanContext | undefined): string => {
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
const contextOf = (call: Call, span: Otel.SpanContext | undefined): Otel.Context => {
  // If Effect's spans are not exported, the active OpenTelemetry span is the better parent.
  const unseen = isInactive(call.fiber.currentTracer) && Otel.trace.getSpan(call.context) !== undefined
  return span === undefined || unseen ? call.context : Otel.trace.setSpanContext(call.context, span)
}
