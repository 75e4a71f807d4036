/**
 * The trace's context in a request's headers: as the globally registered propagator writes it, or as W3C `traceparent`.
 */
import { randomFillSync } from "node:crypto"
import { isInactive, nearestExported } from "@effect-gr4vy/core/unstable/Span"
import * as Otel from "@opentelemetry/api"
import type * as Tracer from "effect/Tracer"
import type { Call } from "../pipeline/call.js"
import { bridged, spanContextOf } from "./span.js"

export const traceHeaders = (call: Call, span: Tracer.Span | undefined): Readonly<Record<string, string>> => {
  const current = span ?? nearestExported(call.fiber.currentSpan)
  try {
    if (Otel.propagation.fields().length === 0) return { traceparent: traceparent(call, current) }
    const carrier: Record<string, string> = {}
    Otel.propagation.inject(contextOf(call, current), carrier, setter)
    return carrier
  } catch {
    return {}
  }
}

/** Takes what HTTP can carry: a propagator's slip must not cost the request. */
const setter: Otel.TextMapSetter<Record<string, string>> = {
  set: (carrier, key, value) => {
    if (headerValue.test(value)) carrier[key.toLowerCase()] = value
  }
}

const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** https://www.w3.org/TR/trace-context/#traceparent-header; a trace begins here where there is no span at all. */
const traceparent = (call: Call, span: Tracer.AnySpan | undefined): string => {
  if (span !== undefined) return `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}`
  call.traceId ??= randomHex(16)
  return `00-${call.traceId}-${randomHex(8)}-01`
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
const contextOf = (call: Call, span: Tracer.AnySpan | undefined): Otel.Context => {
  // Where Effect's spans go nowhere, a span that is active in OpenTelemetry is the better parent.
  const unseen = isInactive(call.fiber.currentTracer) && Otel.trace.getSpan(call.context) !== undefined
  if (span === undefined || unseen) return call.context
  return Otel.trace.setSpan(call.context, bridged(span) ?? Otel.trace.wrapSpanContext(spanContextOf(span)))
}
