/**
 * The histogram that every request's duration goes to.
 */
import * as Otel from "@opentelemetry/api"
import { durationBoundaries, durationMetric, schemaUrl } from "../../Telemetry.js"
import { name, version } from "../version.js"

let meterProvider: Otel.MeterProvider | undefined
let durations: Otel.Histogram | undefined

/** Absent where no meter provider is registered. Instruments are bound to the provider that made them. */
export const durationHistogram = (): Otel.Histogram | undefined => {
  const provider = Otel.metrics.getMeterProvider()
  if (provider !== meterProvider) {
    meterProvider = provider
    durations = undefined
    const meter = provider.getMeter(name, version, { schemaUrl })
    if (meter !== Otel.createNoopMeter()) {
      durations = meter.createHistogram(durationMetric, {
        description: "Duration of HTTP client requests.",
        unit: "s",
        advice: { explicitBucketBoundaries: [...durationBoundaries] }
      })
    }
  }
  return durations
}
