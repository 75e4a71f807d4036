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

const record = (attributes: ReadonlyArray<OtlpAttribute> = []): Record<string, unknown> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [type, plain] = Object.entries(value)[0] ?? []
      return [key, type === "intValue" ? Number(plain) : plain]
    })
  )
