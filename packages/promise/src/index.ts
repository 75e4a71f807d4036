/**
 * Gr4vy Checkout Sessions as plain promises, for Node.
 *
 * @since 0.1.0
 */
export { create, embedToken } from "./client.js"
export {
  type Delivered,
  type ErrorDetail,
  Generic,
  NotFound,
  RequestFailed,
  type RequestFailedReason,
  Unauthorized
} from "./errors.js"
export type {
  CallOptions,
  CardRequest,
  CheckoutSession,
  CheckoutSessionSecureFieldsUpdate,
  Client,
  Duration,
  Embed,
  EmbedOptions,
  ExpiringToken,
  Options,
  RetryOptions
} from "./models.js"
