/**
 * Finished spans in one shape, whatever set-up of OpenTelemetry they went through.
 */
import { type ExportResult, ExportResultCode } from "@opentelemetry/core"
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base"

export interface Shown {
  readonly name: string
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer"
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly status: "unset" | "ok" | "error"
  readonly description: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
  readonly events: ReadonlyArray<{ readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }>
  readonly scope: {
    readonly name: string
    readonly version?: string | undefined
    readonly schemaUrl?: string | undefined
  }
}

/** Keeps what it is given: `InMemorySpanExporter` forgets its spans when it is shut down. */
export class Recorder implements SpanExporter {
  readonly spans: Array<Shown> = []

  export(spans: Array<ReadableSpan>, done: (result: ExportResult) => void): void {
    this.spans.push(...spans.map(fromReadable))
    done({ code: ExportResultCode.SUCCESS })
  }

  async shutdown(): Promise<void> {}

  /** What was recorded since the last time. */
  take(): ReadonlyArray<Shown> {
    return this.spans.splice(0)
  }
}

const kinds = ["internal", "server", "client", "producer", "consumer"] as const
const statuses = ["unset", "ok", "error"] as const

const fromReadable = (span: ReadableSpan): Shown => ({
  name: span.name,
  kind: kinds[span.kind] ?? "internal",
  traceId: span.spanContext().traceId,
  spanId: span.spanContext().spanId,
  parentSpanId: span.parentSpanContext?.spanId,
  status: statuses[span.status.code] ?? "unset",
  description: span.status.message,
  attributes: span.attributes,
  events: span.events.map(({ attributes = {}, name }) => ({ name, attributes })),
  scope: span.instrumentationScope
})

/** The body of an OTLP/JSON request. */
export interface OtlpTraces {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource: { readonly attributes: ReadonlyArray<OtlpAttribute> }
    readonly scopeSpans: ReadonlyArray<{
      readonly scope: { readonly name: string; readonly version?: string }
      readonly schemaUrl?: string
      readonly spans: ReadonlyArray<OtlpSpan>
    }>
  }>
}

interface OtlpAttribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface OtlpSpan {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly status?: { readonly code?: number; readonly message?: string }
  readonly attributes?: ReadonlyArray<OtlpAttribute>
  readonly events?: ReadonlyArray<{ readonly name: string; readonly attributes?: ReadonlyArray<OtlpAttribute> }>
}

export const fromOtlp = (body: OtlpTraces): ReadonlyArray<Shown> =>
  body.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ schemaUrl, scope, spans }) =>
      spans.map((span) => ({
        name: span.name,
        kind: kinds[span.kind - 1] ?? "internal",
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        status: statuses[span.status?.code ?? 0] ?? "unset",
        description: span.status?.message,
        attributes: record(span.attributes),
        events: (span.events ?? []).map(({ attributes, name }) => ({ name, attributes: record(attributes) })),
        scope: { name: scope.name, version: scope.version, schemaUrl }
      }))
    )
  )

/** One point of a metric, as a backend would show it. */
export interface Measured {
  readonly scope: string
  readonly metric: string
  readonly unit: string | undefined
  readonly kind: "histogram" | "sum" | "gauge"
  readonly attributes: Readonly<Record<string, unknown>>
  readonly count: number
  /** Of a histogram its sum. */
  readonly value: number
  readonly boundaries: ReadonlyArray<number>
}

interface OtlpPoint {
  readonly attributes?: ReadonlyArray<OtlpAttribute>
  readonly count?: number | string
  readonly sum?: number
  readonly asInt?: number | string
  readonly asDouble?: number
  readonly explicitBounds?: ReadonlyArray<number>
}

/** The body of an OTLP/JSON request. */
export interface OtlpMetrics {
  readonly resourceMetrics: ReadonlyArray<{
    readonly scopeMetrics: ReadonlyArray<{
      readonly scope: { readonly name: string }
      readonly metrics: ReadonlyArray<
        { readonly name: string; readonly unit?: string } & {
          readonly [Kind in Measured["kind"]]?: { readonly dataPoints: ReadonlyArray<OtlpPoint> }
        }
      >
    }>
  }>
}

export const fromOtlpMetrics = (body: OtlpMetrics): ReadonlyArray<Measured> =>
  body.resourceMetrics.flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics, scope }) =>
      metrics.flatMap((metric) =>
        (["histogram", "sum", "gauge"] as const).flatMap((kind) =>
          (metric[kind]?.dataPoints ?? []).map((point) => ({
            scope: scope.name,
            metric: metric.name,
            unit: metric.unit,
            kind,
            attributes: record(point.attributes),
            count: Number(point.count ?? 0),
            value: Number(point.sum ?? point.asDouble ?? point.asInt ?? 0),
            boundaries: point.explicitBounds ?? []
          }))
        )
      )
    )
  )

const record = (attributes: ReadonlyArray<OtlpAttribute> = []): Record<string, unknown> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [type, plain] = Object.entries(value)[0] ?? []
      return [key, type === "intValue" ? Number(plain) : plain]
    })
  )
