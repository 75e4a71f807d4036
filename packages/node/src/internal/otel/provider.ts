/**
 * Whether the process has registered an OpenTelemetry SDK, and its tracers.
 */
import * as Otel from "@opentelemetry/api"
import { schemaUrl } from "../../Telemetry.js"
import { name as tracerName, version } from "../version.js"

let delegate: Otel.TracerProvider | undefined
let delegateIsSdk = false

/** Whether a provider is registered: until then the API's own proxy stands in, and has nobody to ask for a tracer. */
export const hasSdk = (): boolean => {
  try {
    const registered = Otel.trace.getTracerProvider()
    if (!(registered instanceof Otel.ProxyTracerProvider)) return true
    // Asked before every operation of a fiber, so what a delegate is, is found out once.
    const latest = registered.getDelegate()
    if (latest !== delegate) {
      delegateIsSdk = registered.getDelegateTracer(tracerName, version, { schemaUrl }) !== undefined
      delegate = latest
    }
    return delegateIsSdk
  } catch {
    // A provider that throws is one.
    return true
  }
}

/** The scope of the spans that a program makes itself: they are not this library's, only their way out is. */
export const programScope = "effect"

interface Tracers {
  readonly provider: Otel.TracerProvider
  readonly own: Otel.Tracer
  readonly program: Otel.Tracer
}

let current: Tracers | undefined

// Tracers are bound to the provider that made them; the API's own stands in until a provider is registered.
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
