/**
 * What the process has registered of OpenTelemetry: its SDK, the tracers, and the spans behind Effect's.
 */
import * as Otel from "@opentelemetry/api"
import type * as Tracer from "effect/Tracer"
import { schemaUrl } from "../../Telemetry.js"
import { name as tracerName, version } from "../version.js"

let delegate: Otel.TracerProvider | undefined
let delegateIsSdk = false

/** Returns whether a provider is registered. Until then the API has a proxy without a delegate. */
export const hasSdk = (): boolean => {
  try {
    const registered = Otel.trace.getTracerProvider()
    if (!(registered instanceof Otel.ProxyTracerProvider)) return true
    // Runs before every operation of a fiber, so the result for a delegate is cached.
    const latest = registered.getDelegate()
    if (latest !== delegate) {
      delegateIsSdk = registered.getDelegateTracer(tracerName, version, { schemaUrl }) !== undefined
      delegate = latest
    }
    return delegateIsSdk
  } catch {
    // A provider that throws still counts as registered.
    return true
  }
}

/** The instrumentation scope of spans that the program itself creates and this package only exports. */
export const programScope = "effect"

interface Tracers {
  readonly provider: Otel.TracerProvider
  readonly own: Otel.Tracer
  readonly program: Otel.Tracer
}

let current: Tracers | undefined

// A tracer belongs to the provider that created it. Until one is registered, the API's no-op tracer is used.
export const tracers = (): Tracers => {
  const provider = Otel.trace.getTracerProvider()
  if (current?.provider !== provider) {
    current = {
      provider,
      own: provider.getTracer(tracerName, version, { schemaUrl }),
      program: provider.getTracer(programScope)
    }
  }
  return current
}

const registry = Symbol.for("opentelemetry.js.api.1")

/**
 * Returns whether the process has set up any part of OpenTelemetry's tracing. If so, a missing or empty propagator is on
 * purpose (`OTEL_PROPAGATORS=none`). Reads the API's global registry, because the API has no function for this.
 */
export const hasOpenTelemetry = (): boolean => {
  const api: unknown = Reflect.get(globalThis, registry)
  return typeof api === "object" && api !== null && ("propagation" in api || "trace" in api || "context" in api)
}

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
