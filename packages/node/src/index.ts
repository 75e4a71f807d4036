/**
 * The HTTP layer of effect-gr4vy for Node: Gr4vy with everything wired, retry policies, OpenTelemetry and signed tokens.
 *
 * @since 0.1.0
 */
export * as Gr4vy from "./Gr4vy.js"
export * as OtelTracer from "./OtelTracer.js"
export * as RetryPolicy from "./RetryPolicy.js"
export * as SignedCredentials from "./SignedCredentials.js"
export * as Telemetry from "./Telemetry.js"
