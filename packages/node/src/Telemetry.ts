/**
 * The names in traces and metrics, and the sink of metrics.
 *
 * @since 0.1.0
 */

/**
 * The semantic conventions these names come from.
 *
 * @since 0.1.0
 * @category conventions
 */
export const schemaUrl = "https://opentelemetry.io/schemas/1.44.0"

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

/**
 * The metric of every call: a histogram in seconds, over all its requests and waits, also if it sent nothing. A call that
 * failed has `error.type` and `gr4vy.delivered`, one that its caller cancelled has `gr4vy.cancelled`.
 *
 * @since 0.1.0
 * @category conventions
 */
export const callDurationMetric = "gr4vy.client.call.duration"

/**
 * The metric of every wait of a call for a token: a histogram in seconds. A wait that failed has `error.type`.
 *
 * @since 0.1.0
 * @category conventions
 */
export const tokenDurationMetric = "gr4vy.client.token.duration"

/**
 * Retries that were made or abandoned, by `error.type` of the failed request. An abandoned one has the reason in
 * `gr4vy.retry.abandoned`: `unsafe`, `attempts`, `budget`, `deadline` or `retry-after`.
 *
 * @since 0.1.0
 * @category conventions
 */
export const retriesMetric = "gr4vy.client.retries"

/**
 * The connections of a client, by `http.connection.state`: `active` or `idle`.
 *
 * @since 0.1.0
 * @category conventions
 */
export const openConnectionsMetric = "http.client.open_connections"

/**
 * The requests on the wire.
 *
 * @since 0.1.0
 * @category conventions
 */
export const activeRequestsMetric = "http.client.active_requests"

/**
 * The requests that wait for a connection.
 *
 * @since 0.1.0
 * @category conventions
 */
export const pendingRequestsMetric = "gr4vy.client.pending_requests"

/**
 * The tokens left in the retry budget, 500 at most per client. A retry takes 10, or 5 after a 429.
 *
 * @since 0.1.0
 * @category conventions
 */
export const retryBudgetMetric = "gr4vy.client.retry_budget"

/**
 * The tokens of a full retry budget: 500 per client, 0 once all clients of a server are closed.
 *
 * @since 0.1.0
 * @category conventions
 */
export const retryBudgetSizeMetric = "gr4vy.client.retry_budget.size"

/**
 * The sink of metrics.
 *
 * - `"auto"`: to OpenTelemetry's meter if the process has registered a meter provider, else to Effect's `Metric`
 * - `"otel"`: to OpenTelemetry's meter
 * - `"effect"`: to Effect's `Metric`, which `@effect/opentelemetry`'s `NodeSdk` and `Otlp` export
 * - `"off"`: nowhere
 *
 * @since 0.1.0
 * @category options
 */
export type Metrics = "auto" | "otel" | "effect" | "off"
