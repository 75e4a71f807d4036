/**
 * Finished spans in one shape, from any source, for the drawings in this directory.
 */
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base"
import { Effect, Exit, Layer, Option, Tracer } from "effect"

export interface TraceSpan {
  readonly id: string
  readonly parentId: string | undefined
  readonly traceId: string
  readonly name: string
  readonly service: string
  readonly kind: string
  /** Nanoseconds since the epoch. */
  readonly start: bigint
  readonly end: bigint
  readonly failed: boolean
  readonly attributes: Readonly<Record<string, unknown>>
  readonly events: ReadonlyArray<{ readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }>
}

/** A tracer that keeps its spans, for programs without an OpenTelemetry SDK. */
export const keepSpans = () => {
  const kept: Array<Tracer.Span> = []
  const layer = Layer.unwrapEffect(
    Effect.map(Effect.tracer, (native) =>
      Layer.setTracer(
        Tracer.make({
          span: (...args) => {
            const span = native.span(...args)
            kept.push(span)
            return span
          },
          context: (f, fiber) => native.context(f, fiber)
        })
      )
    )
  )
  return { layer, spans: () => kept.flatMap(fromEffect) }
}

const fromEffect = (span: Tracer.Span): ReadonlyArray<TraceSpan> => {
  if (span.status._tag !== "Ended") return []
  const events: ReadonlyArray<[string, bigint, Record<string, unknown>?]> =
    "events" in span && Array.isArray(span.events) ? span.events : []
  return [
    {
      id: span.spanId,
      parentId: Option.getOrUndefined(Option.map(span.parent, (_) => _.spanId)),
      traceId: span.traceId,
      name: span.name,
      service: "",
      kind: span.kind,
      start: span.status.startTime,
      end: span.status.endTime,
      failed: Exit.isFailure(span.status.exit) && !Exit.isInterrupted(span.status.exit),
      attributes: Object.fromEntries(span.attributes),
      events: events.map(([name, , attributes = {}]) => ({ name, attributes }))
    }
  ]
}

const kinds = ["internal", "server", "client", "producer", "consumer"]

export const fromOpenTelemetry = (span: ReadableSpan): TraceSpan => ({
  id: span.spanContext().spanId,
  parentId: span.parentSpanContext?.spanId,
  traceId: span.spanContext().traceId,
  name: span.name,
  service: String(span.resource.attributes["service.name"] ?? ""),
  kind: kinds[span.kind] ?? "internal",
  start: nanos(span.startTime),
  end: nanos(span.endTime),
  failed: span.status.code === 2,
  attributes: span.attributes,
  events: span.events.map(({ attributes = {}, name }) => ({ name, attributes }))
})

const nanos = ([seconds, rest]: readonly [number, number]): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(rest)

/** The part of an OTLP/JSON request that a drawing needs. */
export interface OtlpTraces {
  readonly resourceSpans: ReadonlyArray<{
    readonly resource?: { readonly attributes?: ReadonlyArray<OtlpAttribute> }
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<OtlpSpan> }>
  }>
}

export interface OtlpAttribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status?: { readonly code?: number }
  readonly attributes?: ReadonlyArray<OtlpAttribute>
  readonly events?: ReadonlyArray<{ readonly name: string; readonly attributes?: ReadonlyArray<OtlpAttribute> }>
}

export const fromOtlp = (body: OtlpTraces): ReadonlyArray<TraceSpan> =>
  body.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        id: span.spanId,
        parentId: span.parentSpanId,
        traceId: span.traceId,
        name: span.name,
        service: String(record(resource?.attributes)["service.name"] ?? ""),
        kind: kinds[span.kind - 1] ?? "internal",
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        failed: span.status?.code === 2,
        attributes: record(span.attributes),
        events: (span.events ?? []).map(({ attributes, name }) => ({ name, attributes: record(attributes) }))
      }))
    )
  )

export const record = (attributes: ReadonlyArray<OtlpAttribute> = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** One line of a drawing: a span, or a note about the span above it. */
export interface Row {
  readonly span: TraceSpan
  /** The lines of the tree before the text. */
  readonly branch: string
  readonly depth: number
  readonly text: string
  /** Status code or error, if there is one. */
  readonly result: string
  readonly note: boolean
}

/** The spans as a tree, top to bottom, with a note for each wait before a retry. */
export const rows = (spans: ReadonlyArray<TraceSpan>): ReadonlyArray<Row> => {
  const ids = new Set(spans.map((_) => _.id))
  const childrenOf = (id: string | undefined) =>
    spans
      .filter((_) => (id === undefined ? _.parentId === undefined || !ids.has(_.parentId) : _.parentId === id))
      .sort((a, b) => ascending(a.start, b.start))
  const below = (parent: TraceSpan | undefined, indent: string, depth: number): ReadonlyArray<Row> => {
    const children = childrenOf(parent?.id)
    const waits = parent?.events.filter((_) => _.name === "gr4vy.retry") ?? []
    return children.flatMap((span, index): ReadonlyArray<Row> => {
      const last = index === children.length - 1
      const row = {
        span,
        branch: parent === undefined ? "" : `${indent}${last ? "└─ " : "├─ "}`,
        depth,
        text: span.name,
        result: String(span.attributes["error.type"] ?? span.attributes["http.response.status_code"] ?? ""),
        note: false
      }
      const inner = below(span, parent === undefined ? "" : `${indent}${last ? "   " : "│  "}`, depth + 1)
      const wait = span.kind === "client" && !last ? waits[countClients(children.slice(0, index))] : undefined
      if (wait === undefined) return [row, ...inner]
      const text = `retried after ${String(wait.attributes["gr4vy.retry.delay_ms"])} ms`
      return [row, ...inner, { ...row, branch: `${indent}│  `, text, result: "", note: true }]
    })
  }
  return below(undefined, "", 0)
}

const countClients = (spans: ReadonlyArray<TraceSpan>): number => spans.filter((_) => _.kind === "client").length

/** The start of the first span and the end of the last one. */
export const extent = (spans: ReadonlyArray<TraceSpan>): { readonly start: bigint; readonly nanos: number } => {
  const start = spans.map((_) => _.start).sort(ascending)[0] ?? 0n
  const end =
    spans
      .map((_) => _.end)
      .sort(ascending)
      .at(-1) ?? start
  return { start, nanos: Math.max(1, Number(end - start)) }
}

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

/** Formats milliseconds with a useful number of digits. */
export const duration = (span: TraceSpan): string => {
  const millis = Number(span.end - span.start) / 1e6
  return `${millis < 10 ? millis.toFixed(2) : millis < 100 ? millis.toFixed(1) : millis.toFixed(0)} ms`
}
