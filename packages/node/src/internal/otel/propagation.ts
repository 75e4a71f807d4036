/**
 * The trace's context in a request's headers: as the globally registered propagator writes it, or as W3C `traceparent`.
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
 * The span a request belongs to, its own or else the program's. Where the tracer shows its spans to nobody, only a
 * span of another process is recorded anywhere.
 */
const spanContextIn = (call: Call, own: Tracer.AnySpan | undefined): Otel.SpanContext | undefined => {
  const span = own ?? nearestExported(call.fiber.currentSpan)
  if (span === undefined) return undefined
  const context = bridgedContext(span) ?? spanContextOf(span)
  if (own !== undefined || span._tag === "ExternalSpan" || !isInactive(call.fiber.currentTracer)) return context
  return { ...context, traceFlags: Otel.TraceFlags.NONE }
}

/** With its `tracestate`, where OpenTelemetry knows the span. */
const bridgedContext = (span: Tracer.AnySpan): Otel.SpanContext | undefined => bridged(span)?.spanContext()

const registry = Symbol.for("opentelemetry.js.api.1")

/**
 * Whether the process has set up OpenTelemetry's tracing in any part. Then a propagator that is missing, or that has no
 * fields, was asked for (`OTEL_PROPAGATORS=none`). Read where the API keeps what was registered: it does not tell.
 */
const hasOpenTelemetry = (): boolean => {
  const api: unknown = Reflect.get(globalThis, registry)
  return typeof api === "object" && api !== null && ("propagation" in api || "trace" in api || "context" in api)
}

/** Takes what HTTP can carry: a propagator's slip must not cost the request. */
const setter: Otel.TextMapSetter<Record<string, string>> = {
  set: (carrier, key, value) => {
    if (headerValue.test(value)) carrier[key.toLowerCase()] = value
  }
}

const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * https://www.w3.org/TR/trace-context/#traceparent-header; a trace begins here where there is no span at all, and nobody
 * records it.
 */
const traceparent = (call: Call, span: Otel.SpanContext | undefined): string => {
  if (span !== undefined) return `00-${span.traceId}-${span.spanId}-${(span.traceFlags & 1) === 0 ? "00" : "01"}`
  call.traceId ??= randomHex(16)
  return `00-${call.traceId}-${randomHex(8)}-00`
}

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

/** The OpenTelemetry context of a request: the one the call was made in, with the request's own span in it. */
const contextOf = (call: Call, span: Otel.SpanContext | undefined): Otel.Context => {
  // Where Effect's spans go nowhere, a span that is active in OpenTelemetry is the better parent.
  const unseen = isInactive(call.fiber.currentTracer) && Otel.trace.getSpan(call.context) !== undefined
  return span === undefined || unseen ? call.context : Otel.trace.setSpanContext(call.context, span)
}
