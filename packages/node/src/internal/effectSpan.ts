/**
 * Effect's spans, as OpenTelemetry knows spans.
 */
import * as Otel from "@opentelemetry/api"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

export const tracerOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Tracer.Tracer =>
  Context.get(fiber.currentDefaultServices, Tracer.Tracer)

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Under this name a tracer tells whether nobody would see its spans; core asks for it too. */
export const silent: unique symbol = Symbol.for("@effect-gr4vy/core/Tracer/silent")

/** Whether a tracer's spans reach nobody: Effect's own, and `OtelTracer` without an SDK. */
export const isSilent = (tracer: Tracer.Tracer): boolean =>
  tracer === nativeTracer || (silent in tracer && tracer[silent] === true)

/**
 * The OpenTelemetry span inside an Effect span, where a bridge made it: `OtelTracer`, or `@effect/opentelemetry`.
 */
export const bridged = (span: Tracer.AnySpan): Otel.Span | undefined =>
  "span" in span &&
  typeof span.span === "object" &&
  span.span !== null &&
  "spanContext" in span.span &&
  "setStatus" in span.span
    ? // Both bridges keep their span under this name; what is an OpenTelemetry span shows by its methods alone.
      (span.span as Otel.Span)
    : undefined

export const toHrTime = (nanos: bigint): Otel.HrTime => [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)]

/**
 * The span that others are to see: not one that was made while tracing was off, nor one that OpenTelemetry gave no id.
 */
export const propagated = (span: Tracer.AnySpan | undefined): Tracer.AnySpan | undefined => {
  let visible = span
  while (visible !== undefined && Context.get(visible.context, Tracer.DisablePropagation)) {
    visible = visible._tag === "Span" ? Option.getOrUndefined(visible.parent) : undefined
  }
  return visible?.traceId === Otel.INVALID_TRACEID ? undefined : visible
}

export const spanContextOf = (span: Tracer.AnySpan): Otel.SpanContext => ({
  traceId: span.traceId,
  spanId: span.spanId,
  traceFlags: span.sampled ? Otel.TraceFlags.SAMPLED : Otel.TraceFlags.NONE,
  isRemote: span._tag === "ExternalSpan"
})
