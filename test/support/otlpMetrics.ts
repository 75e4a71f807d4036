/**
 * Receives metrics over OTLP/JSON and shows them as Prometheus' text, named as the OpenTelemetry Collector names them:
 * https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
import { createServer } from "node:http"
import { text as textOf } from "node:stream/consumers"
import { Effect } from "effect"
import { loopback } from "./loopback.js"

interface Point {
  readonly attributes?: ReadonlyArray<{ readonly key: string; readonly value: Readonly<Record<string, unknown>> }>
  readonly asDouble?: number
  readonly asInt?: number
  readonly count?: number
  readonly sum?: number
  readonly bucketCounts?: ReadonlyArray<number>
  readonly explicitBounds?: ReadonlyArray<number>
}

interface Points {
  readonly dataPoints: ReadonlyArray<Point>
}

interface OtlpMetric {
  readonly name: string
  readonly unit?: string
  readonly gauge?: Points
  readonly sum?: Points & { readonly isMonotonic?: boolean }
  readonly histogram?: Points
}

/** The body of an OTLP/JSON request. */
interface OtlpMetrics {
  readonly resourceMetrics: ReadonlyArray<{
    readonly scopeMetrics: ReadonlyArray<{ readonly metrics: ReadonlyArray<OtlpMetric> }>
  }>
}

const underscored = (name: string): string => name.replaceAll(/[^a-zA-Z0-9_:]/g, "_")

const labelsOf = ({ attributes = [] }: Point, le?: string): string =>
  [
    ...attributes.map(({ key, value }) => `${underscored(key)}=${JSON.stringify(String(Object.values(value)[0]))}`),
    ...(le === undefined ? [] : [`le="${le}"`])
  ].join(",")

/** A unit in braces is an annotation, and no part of the name. */
const nameOf = ({ name, unit }: OtlpMetric): string => `${underscored(name)}${unit === "s" ? "_seconds" : ""}`

const linesOf = (metric: OtlpMetric): ReadonlyArray<string> => {
  const name = nameOf(metric)
  const numbers = (suffix: string) => (point: Point) =>
    `${name}${suffix}{${labelsOf(point)}} ${point.asDouble ?? point.asInt}`
  return [
    ...(metric.gauge?.dataPoints ?? []).map(numbers("")),
    ...(metric.sum?.dataPoints ?? []).map(numbers(metric.sum?.isMonotonic === true ? "_total" : "")),
    ...(metric.histogram?.dataPoints ?? []).flatMap((point) => {
      let total = 0
      const bounds = [...(point.explicitBounds ?? []).map(String), "+Inf"]
      return [
        `${name}_count{${labelsOf(point)}} ${point.count}`,
        `${name}_sum{${labelsOf(point)}} ${point.sum}`,
        ...bounds.map((bound, index) => {
          total += Number(point.bucketCounts?.[index] ?? 0)
          return `${name}_bucket{${labelsOf(point, bound)}} ${total}`
        })
      ]
    })
  ]
}

/** A receiver for as long as the scope lives. Exports are cumulative: the last one holds them all. */
export const otlpMetrics = Effect.gen(function* () {
  let last: OtlpMetrics = { resourceMetrics: [] }
  const { port } = yield* loopback(
    createServer((request, response) => {
      void textOf(request).then((body) => {
        // Its own exporter writes it.
        if (request.url === "/v1/metrics") last = JSON.parse(body) as OtlpMetrics
        response.writeHead(200, { "content-type": "application/json" }).end("{}")
      })
    })
  )
  const text = (): string =>
    last.resourceMetrics
      .flatMap((_) => _.scopeMetrics)
      .flatMap((_) => _.metrics)
      .filter(({ name }) => /^(?:http|gr4vy)\.client\./.test(name))
      .flatMap(linesOf)
      .map((line) => `${line}\n`)
      .join("")
  return { url: `http://127.0.0.1:${port}`, text }
})
