/**
 * Whether the process has registered an OpenTelemetry SDK, and its tracer for us.
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

let provider: Otel.TracerProvider | undefined
let current: Otel.Tracer | undefined

// Tracers are bound to the provider that made them; the API's own stands in until a provider is registered.
export const tracer = (): Otel.Tracer => {
  const registered = Otel.trace.getTracerProvider()
  if (current === undefined || registered !== provider) {
    current = registered.getTracer(tracerName, version, { schemaUrl })
    provider = registered
  }
  return current
}
