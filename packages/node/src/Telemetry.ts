/**
 * The names under which requests are shown to OpenTelemetry.
 *
 * @since 0.1.0
 */

/**
 * The semantic conventions these names come from.
 *
 * @since 0.1.0
 * @category conventions
 */
export const schemaUrl = "https://opentelemetry.io/schemas/1.40.0"

/**
 * The metric of every request on the wire: a histogram in seconds.
 *
 * @since 0.1.0
 * @category conventions
 */
export const durationMetric = "http.client.request.duration"

/**
 * The boundaries of its buckets in seconds, as the semantic conventions advise.
 *
 * @since 0.1.0
 * @category conventions
 */
export const durationBoundaries: ReadonlyArray<number> = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10
]
