/**
 * Finds the OpenTelemetry span behind an Effect span.
 */
import * as Otel from "@opentelemetry/api"
import type * as Tracer from "effect/Tracer"

/**
 * Returns the OpenTelemetry span inside an Effect span of a bridge: `OtelTracer` or `@effect/opentelemetry`.
 */
export const bridged = (span: Tracer.AnySpan): Otel.Span | undefined =>
  "span" in span &&
  typeof span.span === "object" &&
  span.span !== null &&
  "spanContext" in span.span &&
  "setStatus" in span.span
    ? // Both bridges keep their span under this name. An OpenTelemetry span can only be recognized by its methods.
      (span.span as Otel.Span)
    : undefined

export const toHrTime = (nanos: bigint): Otel.HrTime => [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)]

export const spanContextOf = (span: Tracer.AnySpan): Otel.SpanContext => ({
  traceId: span.traceId,
  spanId: span.spanId,
  traceFlags: span.sampled ? Otel.TraceFlags.SAMPLED : Otel.TraceFlags.NONE,
  isRemote: span._tag === "ExternalSpan"
})
