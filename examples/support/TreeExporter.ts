/**
 * An OpenTelemetry exporter that prints each trace as a tree, once its root span has ended.
 */
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base"
import { drawTrace } from "./drawTrace.js"
import { fromOpenTelemetry, type TraceSpan } from "./trace.js"

export class TreeExporter implements SpanExporter {
  private readonly traces = new Map<string, Array<TraceSpan>>()

  constructor(private readonly print: (text: string) => void) {}

  export(spans: Array<ReadableSpan>, done: Parameters<SpanExporter["export"]>[1]): void {
    for (const span of spans.map(fromOpenTelemetry)) {
      const trace = [...(this.traces.get(span.traceId) ?? []), span]
      this.traces.set(span.traceId, trace)
      if (span.parentId !== undefined) continue
      this.traces.delete(span.traceId)
      this.print(`trace ${span.traceId}\n${drawTrace(trace)}`)
    }
    done({ code: 0 })
  }

  async shutdown(): Promise<void> {}
}
