/**
 * Detects a registered OpenTelemetry SDK and provides its tracers.
 */
import * as Otel from "@opentelemetry/api"
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
