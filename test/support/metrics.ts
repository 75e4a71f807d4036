/**
 * Metrics as a reader of OpenTelemetry's SDK collects them, in a few words.
 */
import type { Attributes } from "@opentelemetry/api"
import { DataPointType, type Histogram, MetricReader, type ScopeMetrics } from "@opentelemetry/sdk-metrics"
import { Effect } from "effect"

export class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export const collect = (reader: Reader): Effect.Effect<ReadonlyArray<ScopeMetrics>> =>
  Effect.map(
    Effect.promise(() => reader.collect()),
    ({ resourceMetrics }) => resourceMetrics.scopeMetrics
  )

export interface Durations {
  readonly scope: string
  readonly points: ReadonlyArray<{ readonly attributes: Attributes; readonly count: number; readonly value: Histogram }>
}

/** What was recorded of a histogram, by scope. */
export const durations = (
  scopes: ReadonlyArray<ScopeMetrics>,
  name = "http.client.request.duration"
): ReadonlyArray<Durations> =>
  scopes.flatMap(({ metrics, scope }) =>
    metrics.flatMap((metric) =>
      metric.descriptor.name === name && metric.dataPointType === DataPointType.HISTOGRAM
        ? [
            {
              scope: scope.name,
              points: metric.dataPoints.map(({ attributes, value }) => ({ attributes, count: value.count, value }))
            }
          ]
        : []
    )
  )

export interface Gauge {
  readonly attributes: Attributes
  readonly value: number
}

/** The points of a gauge or an up-down counter. */
export const gauge = (scopes: ReadonlyArray<ScopeMetrics>, name: string): ReadonlyArray<Gauge> =>
  scopes.flatMap(({ metrics }) =>
    metrics.flatMap((metric) =>
      metric.descriptor.name === name &&
      (metric.dataPointType === DataPointType.GAUGE || metric.dataPointType === DataPointType.SUM)
        ? metric.dataPoints.map(({ attributes, value }) => ({ attributes, value }))
        : []
    )
  )
