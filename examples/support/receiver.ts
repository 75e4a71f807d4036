/**
 * An OTLP/HTTP receiver in this process, from npm, which prints the received data.
 */
import { MockOtlpServer } from "@elastic/mockotlpserver"
import { Effect } from "effect"
import { drawTrace } from "./drawTrace.js"
import { fromOtlp, type OtlpAttribute, type OtlpTraces, record } from "./trace.js"

interface Point {
  readonly attributes?: ReadonlyArray<OtlpAttribute>
  readonly count?: number | string
  readonly sum?: number
  readonly asDouble?: number
  readonly asInt?: number | string
}

interface OtlpMetrics {
  readonly resourceMetrics: ReadonlyArray<{
    readonly scopeMetrics: ReadonlyArray<{
      readonly metrics: ReadonlyArray<
        { readonly name: string } & {
          readonly [Kind in "histogram" | "sum" | "gauge"]?: { readonly dataPoints: ReadonlyArray<Point> }
        }
      >
    }>
  }>
}

interface OtlpLogs {
  readonly resourceLogs: ReadonlyArray<{
    readonly scopeLogs: ReadonlyArray<{
      readonly logRecords: ReadonlyArray<{
        readonly severityText?: string
        readonly body: { readonly stringValue?: string }
        readonly attributes?: ReadonlyArray<OtlpAttribute>
      }>
    }>
  }>
}

/** Listens for as long as the scope lives. */
export const receiver = Effect.acquireRelease(
  Effect.promise(async () => {
    const traces: Array<OtlpTraces> = []
    const metrics: Array<OtlpMetrics> = []
    const logs: Array<OtlpLogs> = []
    // The package has no types: these are the shapes of OTLP/JSON.
    const server = new MockOtlpServer({
      logLevel: "fatal",
      services: ["http"],
      httpHostname: "127.0.0.1",
      httpPort: 0,
      onTrace: (trace) => traces.push(trace as OtlpTraces),
      onMetrics: (metric) => metrics.push(metric as OtlpMetrics),
      onLogs: (log) => logs.push(log as OtlpLogs)
    })
    await server.start()
    return {
      server,
      url: server.httpUrl.origin,
      arrived: () =>
        [
          "Trace",
          drawTrace(traces.flatMap(fromOtlp)),
          "",
          "Metrics",
          // Exports are cumulative: the last one holds them all.
          ...metrics.slice(-1).flatMap(drawMetrics),
          "",
          "Log",
          ...logs.flatMap(drawLogs)
        ].join("\n")
    }
  }),
  ({ server }) => Effect.promise(() => server.close())
)

const drawMetrics = ({ resourceMetrics }: OtlpMetrics): ReadonlyArray<string> =>
  resourceMetrics
    .flatMap((_) => _.scopeMetrics)
    .flatMap((_) => _.metrics)
    // Effect also reports metrics of its fibers.
    .filter(({ name }) => /^(http|gr4vy)\.client\./.test(name))
    .flatMap((metric) =>
      (metric.histogram ?? metric.sum ?? metric.gauge)?.dataPoints.map((point) => {
        const { "server.address": _, "server.port": __, unit, ...attributes } = record(point.attributes)
        const value =
          point.count === undefined
            ? String(point.asDouble ?? point.asInt)
            : `${point.count} in ${(point.sum ?? 0).toFixed(4)} ${String(unit)}`
        return `${metric.name}  ${Object.values(attributes).join(" ")}`.trimEnd().padEnd(90) + value
      })
    )
    .filter((_) => _ !== undefined)
    .sort()

const drawLogs = ({ resourceLogs }: OtlpLogs): ReadonlyArray<string> =>
  resourceLogs
    .flatMap((_) => _.scopeLogs)
    .flatMap((_) => _.logRecords)
    .map(({ body, severityText }) => `${severityText}  ${body.stringValue}`)
