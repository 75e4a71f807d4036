/**
 * Gr4vy Checkout Sessions for Effect 4.
 *
 * @since 0.1.0
 */
export * from "./CheckoutSessions.js"
export * from "./Errors.js"
export {
  type Address as ClientAddress,
  type Authentication,
  type ClientOptions,
  type ExpiringToken,
  Gr4vy,
  type Options,
  type Overrides,
  request
} from "./Gr4vy.js"
export * as RetryPolicy from "./RetryPolicy.js"
export * as SignedCredentials from "./SignedCredentials.js"
export type * from "./sessions.js"
export type { DurationInput } from "./values.js"
export * as Webhooks from "./Webhooks.js"
