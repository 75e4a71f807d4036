/**
 * The metrics of a client: the durations of requests, calls and waits for a token, its retries, its connections, the
 * requests that wait for one, and its retry budget. They go to one sink: OpenTelemetry's meter, or Effect's own `Metric`.
 */
import * as Otel from "@opentelemetry/api"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricKey from "effect/MetricKey"
import * as MetricLabel from "effect/MetricLabel"
import * as MetricState from "effect/MetricState"
import * as MutableHashMap from "effect/MutableHashMap"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type { MetricSink } from "../../spi/MetricSink.js"
import {
  activeRequestsMetric,
  callDurationMetric,
  durationBoundaries,
  durationMetric,
  type Metrics,
  openConnectionsMetric,
  pendingRequestsMetric,
  retriesMetric,
  retryBudgetMetric,
  retryBudgetSizeMetric,
  schemaUrl,
  tokenDurationMetric
} from "../../Telemetry.js"
import { name, version } from "../version.js"
import { ignoreThrow } from "./context.js"

/** Where the metrics of one client go. A sink of the host is "auto" with that sink in place of Effect's. */
export type Sink = Metrics | MetricSink

/** One set of attributes. Created once, because both sinks use it as the key of their aggregates. */
export class Point {
  private made: ReadonlyArray<MetricLabel.MetricLabel> | undefined = undefined

  constructor(
    readonly attributes: Otel.Attributes,
    private readonly unit: string
  ) {}

  /** The same array each time: Effect keeps its histogram under the array's identity. */
  get labels(): ReadonlyArray<MetricLabel.MetricLabel> {
    this.made ??= Object.entries({ ...this.attributes, unit: this.unit }).map(([key, value]) =>
      MetricLabel.make(key, String(value))
    )
    return this.made
  }
}

/** The most sets of attributes per kind of request: a server may send any number as a status. */
const maxPoints = 200

/** The sets of attributes of one kind of event at one kind of request, by the attributes that vary. */
export class Points {
  private readonly points = new Map<string, Point>()
  private readonly byStatus = new Map<number, Point>()

  constructor(
    private readonly common: Otel.Attributes,
    private readonly kind: keyof typeof kinds
  ) {}

  of(added: Otel.Attributes): Point {
    let key = ""
    for (const name in added) key += `${name}=${added[name]} `
    return this.points.get(key) ?? this.add(key, added)
  }

  /** The same by the status alone, without creating a key: this covers nearly all responses. */
  ofStatus(status: number): Point {
    let point = this.byStatus.get(status)
    if (point === undefined) {
      point = this.of({ "http.response.status_code": status })
      this.byStatus.set(status, point)
    }
    return point
  }

  private add(key: string, added: Otel.Attributes): Point {
    if (this.points.size >= maxPoints && key !== overflow) {
      // OpenTelemetry's SDKs use the same attribute when they merge sets.
      return this.points.get(overflow) ?? this.add(overflow, { "otel.metric.overflow": true })
    }
    const point = new Point(Object.assign({}, this.common, added), kinds[this.kind].unit)
    this.points.set(key, point)
    return point
  }
}

const overflow = "otel.metric.overflow"

const kinds = {
  requests: { metric: durationMetric, description: "Duration of HTTP client requests.", unit: "s" },
  calls: {
    metric: callDurationMetric,
    description: "Duration of calls: every request and every wait, also of calls that sent nothing.",
    unit: "s"
  },
  tokens: { metric: tokenDurationMetric, description: "Duration of a call's wait for a token.", unit: "s" },
  retries: { metric: retriesMetric, description: "Retries that were made or abandoned.", unit: "{retry}" }
} as const

/** What has a duration. */
type Timed = Exclude<keyof typeof kinds, "retries">

const effectHistogram = ({ description, metric }: (typeof kinds)[Timed]) =>
  Metric.histogram(metric, MetricBoundaries.fromIterable(durationBoundaries), description)

const effectDurations = {
  requests: effectHistogram(kinds.requests),
  calls: effectHistogram(kinds.calls),
  tokens: effectHistogram(kinds.tokens)
}
const effectRetries = Metric.counter(kinds.retries.metric, {
  description: kinds.retries.description,
  incremental: true
})

/** Records a duration. Never throws. */
export const record = (metrics: Sink, kind: Timed, seconds: number, point: Point): void => {
  if (metrics === "off") return
  ignoreThrow(() => {
    const meter = metrics === "effect" ? undefined : instruments()
    if (meter !== undefined) meter[kind].record(seconds, point.attributes)
    else if (typeof metrics === "object") {
      metrics.duration(kinds[kind], durationBoundaries, seconds, point.attributes)
    } else if (metrics !== "otel") effectDurations[kind].unsafeUpdate(seconds, point.labels)
  })
}

/** Counts one decision about a retry. Never throws. */
export const count = (metrics: Sink, point: Point): void => {
  if (metrics === "off") return
  ignoreThrow(() => {
    const meter = metrics === "effect" ? undefined : instruments()
    if (meter !== undefined) meter.retries.add(1, point.attributes)
    else if (typeof metrics === "object") metrics.count(kinds.retries, point.attributes)
    else if (metrics !== "otel") effectRetries.unsafeUpdate(1, point.labels)
  })
}

/** Whether the metrics of a client go to OpenTelemetry's meter. */
export const goesToMeter = (metrics: Sink): boolean =>
  (typeof metrics === "object" || metrics === "auto" || metrics === "otel") && ignoreThrow(instruments) !== undefined

const goesToEffect = (metrics: Sink): boolean => metrics === "effect" || (metrics === "auto" && !goesToMeter(metrics))

interface Instruments extends Readonly<Record<Timed, Otel.Histogram>> {
  readonly retries: Otel.Counter
}

let meterProvider: Otel.MeterProvider | undefined
let current: Instruments | undefined

/** Absent if no meter provider is registered. */
const instruments = (): Instruments | undefined => {
  const provider = Otel.metrics.getMeterProvider()
  // Instruments belong to the provider that created them. A provider that is registered later gets new ones.
  if (provider !== meterProvider) {
    meterProvider = provider
    current = undefined
    const meter = provider.getMeter(name, version, { schemaUrl })
    if (meter !== Otel.createNoopMeter()) {
      const histogram = ({ description, metric, unit }: (typeof kinds)[Timed]) =>
        meter.createHistogram(metric, {
          description,
          unit,
          advice: { explicitBucketBoundaries: [...durationBoundaries] }
        })
      const { description, metric, unit } = kinds.retries
      current = {
        requests: histogram(kinds.requests),
        calls: histogram(kinds.calls),
        tokens: histogram(kinds.tokens),
        retries: meter.createCounter(metric, { description, unit })
      }
      ignoreThrow(() => observeWith(meter))
    }
  }
  return current
}

/** A client that is observed. */
export interface Source {
  readonly server: { readonly "server.address": string; readonly "server.port": number }
  readonly metrics: Sink
  /** Absent if the transport cannot tell. */
  readonly usage: (() => { readonly active: number; readonly idle: number; readonly pending: number }) | undefined
  readonly budget: { readonly available: number; readonly capacity: number }
  readonly inFlight: { readonly requests: number }
}

interface Gauge {
  readonly metric: string
  readonly description: string
  readonly unit: string
  readonly sum: boolean
  readonly attributes?: Otel.Attributes
  readonly of: (source: Source) => number | undefined
}

const openConnections = {
  metric: openConnectionsMetric,
  description: "Connections that are open or being made.",
  unit: "{connection}",
  sum: true
}

const gauges: ReadonlyArray<Gauge> = [
  { ...openConnections, attributes: { "http.connection.state": "active" }, of: (_) => _.usage?.().active },
  { ...openConnections, attributes: { "http.connection.state": "idle" }, of: (_) => _.usage?.().idle },
  {
    metric: activeRequestsMetric,
    description: "Number of active HTTP requests.",
    unit: "{request}",
    sum: true,
    of: (_) => _.inFlight.requests
  },
  {
    metric: pendingRequestsMetric,
    description: "Requests that wait for a connection.",
    unit: "{request}",
    sum: true,
    of: (_) => _.usage?.().pending
  },
  {
    metric: retryBudgetMetric,
    description: "Tokens left in the retry budget; a retry takes 10, or 5 after a 429.",
    unit: "{token}",
    sum: false,
    of: (_) => _.budget.available
  },
  {
    metric: retryBudgetSizeMetric,
    description: "Tokens of a full retry budget.",
    unit: "{token}",
    sum: false,
    of: (_) => _.budget.capacity
  }
]

const sources = new Set<Source>()

/** Observes a client until the scope closes. Its gauges are read only when a reader collects, so calls cost nothing more. */
export const observe = (source: Source): Effect.Effect<void, never, Scope.Scope> =>
  Effect.zipRight(registered(source), shownToHost(source))

const registered = (source: Source): Effect.Effect<unknown, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      sources.add(source)
      closed.delete(keyOf(source))
      if (goesToEffect(source.metrics)) ignoreThrow(() => observeWithEffect(source))
    }),
    () =>
      Effect.sync(() => {
        sources.delete(source)
        if (!isOpen(keyOf(source))) ignoreThrow(() => close(keyOf(source)))
      })
  )

/** Shows the client's gauges to its host, unless the process has a meter. */
const shownToHost = (source: Source): Effect.Effect<void, never, Scope.Scope> => {
  const { metrics, server } = source
  if (typeof metrics !== "object" || goesToMeter(metrics)) return Effect.void
  const show = (gauge: Gauge) => {
    if (gauge.of(source) === undefined) return []
    const value = () => read(gauge, keyOf(source), (other) => other === metrics)
    return [metrics.gauge(gauge, { ...server, ...gauge.attributes }, value)]
  }
  return Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => ignoreThrow(() => gauges.flatMap(show)) ?? []),
      (shown) => Effect.sync(() => shown.forEach((stop) => void ignoreThrow(stop)))
    )
  )
}

const isOpen = (key: string): boolean => Array.from(sources).some((source) => keyOf(source) === key)

/** The servers whose clients are all closed, oldest first, and whose last values no reader of Effect's metrics has seen. */
const closed = new Set<string>()

/** The most servers that wait for a reader: there may be none. */
const maxClosed = 100

const close = (key: string): void => {
  closed.add(key)
  const [oldest] = closed
  if (oldest !== undefined && closed.size > maxClosed) forget(oldest)
}

/** A reader has seen the last values of a server's closed clients. */
const wasRead = (key: string): void => {
  // Not while the reader walks through the registry.
  if (closed.has(key)) void Promise.resolve().then(() => closed.has(key) && ignoreThrow(() => forget(key)))
}

/** Removes every series of a server from Effect's registry. */
const forget = (key: string): void => {
  closed.delete(key)
  // Effect has no function for this.
  const registered: unknown = Reflect.get(Metric.globalMetricRegistry, "map")
  if (!isKeyed(registered)) return
  for (const metricKey of MutableHashMap.keys(registered)) {
    if (ours.has(metricKey.name) && serverIn(metricKey) === key) MutableHashMap.remove(registered, metricKey)
  }
}

const isKeyed = (map: unknown): map is MutableHashMap.MutableHashMap<MetricKey.MetricKey.Untyped, unknown> =>
  Predicate.hasProperty(map, "buckets") && Predicate.hasProperty(map, "referential")

const ours: ReadonlySet<string> = new Set([...Object.values(kinds), ...gauges].map(({ metric }) => metric))

const serverIn = ({ tags }: MetricKey.MetricKey.Untyped): string => {
  const valueOf = (name: string) => tags.find(({ key }) => key === name)?.value
  return `${valueOf("server.address")}:${valueOf("server.port")}`
}

const keyOf = ({ server }: Source): string => `${server["server.address"]}:${server["server.port"]}`

/** The sum over all clients of one server, for one line on a dashboard; absent if no client can tell. */
const read = (gauge: Gauge, key: string, observed: (metrics: Sink) => boolean): number | undefined => {
  let total: number | undefined
  for (const source of sources) {
    const value = keyOf(source) === key && observed(source.metrics) ? gauge.of(source) : undefined
    if (value !== undefined) total = (total ?? 0) + value
  }
  return total
}

const observeWith = (meter: Otel.Meter): void => {
  for (const metric of new Set(gauges.map((_) => _.metric))) {
    const parts = gauges.filter((_) => _.metric === metric)
    const [{ description, sum, unit } = openConnections] = parts
    const options = { description, unit }
    const instrument = sum
      ? meter.createObservableUpDownCounter(metric, options)
      : meter.createObservableGauge(metric, options)
    const shown = new Map<string, { readonly part: Gauge; readonly source: Source }>()
    instrument.addCallback((result) => {
      for (const source of sources) {
        for (const part of parts) {
          if (part.of(source) !== undefined) shown.set(`${keyOf(source)} ${gauges.indexOf(part)}`, { part, source })
        }
      }
      for (const [name, { part, source }] of shown) {
        const value = read(part, keyOf(source), goesToMeter)
        // SDKs repeat the last value of a closed client, which has no connections and no budget.
        result.observe(value ?? 0, { ...source.server, ...part.attributes })
        if (value === undefined) shown.delete(name)
      }
    })
  }
}

// Effect's gauges are written, not observed. A snapshot reads their hooks, so these hooks read the client at that moment.
// Otherwise every request would have to write the gauges.
const observeWithEffect = (source: Source): void => {
  const key = keyOf(source)
  for (const gauge of gauges) {
    if (gauge.of(source) === undefined) continue
    const { labels } = new Point({ ...source.server, ...gauge.attributes }, gauge.unit)
    const { description, metric, sum } = gauge
    const value = () => {
      wasRead(key)
      return read(gauge, key, goesToEffect) ?? 0
    }
    if (sum) {
      const hook = Metric.globalMetricRegistry.get(
        MetricKey.taggedWithLabels(MetricKey.counter(metric, { description }), labels)
      )
      hook.get = () => MetricState.counter(value())
    } else {
      const hook = Metric.globalMetricRegistry.get(
        MetricKey.taggedWithLabels(MetricKey.gauge(metric, { description }), labels)
      )
      hook.get = () => MetricState.gauge(value())
    }
  }
}
