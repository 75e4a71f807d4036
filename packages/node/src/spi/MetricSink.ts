/**
 * Where a host of the pipeline that is no program of Effect 3 gets the metrics that would go to Effect's own `Metric`.
 *
 * @since 0.1.0
 */
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"

/**
 * A metric, as both its sinks describe it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Described {
  readonly metric: string
  readonly description: string
  readonly unit: string
}

/**
 * @since 0.1.0
 * @category models
 */
export type Attributes = Readonly<Record<string, unknown>>

/**
 * The sink. A set of attributes is the same object each time, so that it may be a key.
 *
 * @since 0.1.0
 * @category models
 */
export interface MetricSink {
  /** Records a duration, in a histogram with these boundaries. */
  readonly duration: (
    metric: Described,
    boundaries: ReadonlyArray<number>,
    seconds: number,
    attributes: Attributes
  ) => void
  /** Adds 1 to a counter. */
  readonly count: (metric: Described, attributes: Attributes) => void
  /** Shows a value that is read when somebody looks; `sum` for one that is added up. Returns how to take it back. */
  readonly gauge: (
    metric: Described & { readonly sum: boolean },
    attributes: Attributes,
    read: () => number | undefined
  ) => () => void
}

/**
 * The sink of the clients that are built in a fiber.
 *
 * @since 0.1.0
 * @category references
 */
export const metricSink: FiberRef.FiberRef<MetricSink | undefined> = globalValue(
  Symbol.for("@effect-gr4vy/node/MetricSink"),
  () => FiberRef.unsafeMake<MetricSink | undefined>(undefined)
)
