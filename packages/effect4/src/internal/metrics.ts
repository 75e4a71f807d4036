/**
 * The engine's metrics as metrics of Effect 4.
 */
import type { Metric as Described, HostMetrics } from "@effect-gr4vy/promise/spi/bridge"
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"

type Attributes = Readonly<Record<string, unknown>>

/** One for each registry: clients of one server show one gauge together. */
const sinks = new WeakMap<Metric.MetricRegistry, HostMetrics>()

export const metricsIn = (context: Context.Context<never>): HostMetrics => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const known = sinks.get(registry)
  if (known !== undefined) return known
  const made = make(Context.make(Metric.MetricRegistry, registry))
  sinks.set(registry, made)
  return made
}

const make = (context: Context.Context<never>): HostMetrics => {
  const histograms = new WeakMap<Attributes, Metric.Histogram<number>>()
  const counters = new WeakMap<Attributes, Metric.Counter<number>>()
  const gauges = new Map<string, { clients: number; readonly registration: Metric.Registration }>()

  const remembered = <A>(cache: WeakMap<Attributes, A>, attributes: Attributes, create: () => A): A => {
    const known = cache.get(attributes)
    if (known !== undefined) return known
    const metric = create()
    cache.set(attributes, metric)
    return metric
  }

  return {
    duration: (metric, boundaries, seconds, attributes) =>
      remembered(histograms, attributes, () =>
        Metric.histogram(metric.metric, { ...optionsOf(metric, attributes), boundaries })
      ).updateUnsafe(seconds, context),
    count: (metric, attributes) =>
      remembered(counters, attributes, () =>
        Metric.counter(metric.metric, { ...optionsOf(metric, attributes), incremental: true })
      ).updateUnsafe(1, context),
    gauge: (metric, attributes, read) => {
      const options = optionsOf(metric, attributes)
      const key = JSON.stringify([metric.metric, options.attributes])
      const shown = gauges.get(key) ?? { clients: 0, registration: register(metric, options, read, context) }
      gauges.set(key, shown)
      shown.clients++
      return () => {
        shown.clients--
        if (shown.clients > 0) return
        gauges.delete(key)
        shown.registration.remove()
      }
    }
  }
}

const optionsOf = ({ description, unit }: Described, attributes: Attributes) => ({
  description,
  // Effect's exporters read the unit from here.
  attributes: Object.fromEntries(Object.entries({ ...attributes, unit }).map(([key, value]) => [key, String(value)]))
})

const register = (
  { metric, sum }: Described & { readonly sum: boolean },
  options: ReturnType<typeof optionsOf>,
  read: () => number | undefined,
  context: Context.Context<never>
): Metric.Registration => {
  const update = () => {}
  return sum
    ? Metric.registerUnsafe(Metric.counter(metric, options), context, {
        get: () => ({ count: read() ?? 0, incremental: false }),
        update,
        modify: update
      })
    : Metric.registerUnsafe(Metric.gauge(metric, options), context, {
        get: () => ({ value: read() ?? 0 }),
        update,
        modify: update
      })
}
