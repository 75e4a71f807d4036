/**
 * Gr4vy Checkout Sessions as typed Effect programs: models, errors and the service.
 *
 * @since 0.1.0
 */
export { Airline } from "./Airline.js"
export { Buyer } from "./Buyer.js"
export { CartItem } from "./CartItem.js"
export { CheckoutSession, CheckoutSessionCreate, CheckoutSessionUpdate } from "./CheckoutSession.js"
export { CheckoutSessions, type CheckoutSessionsService } from "./CheckoutSessions.js"
export * as CheckoutSessionsMemory from "./CheckoutSessionsMemory.js"
export { Credentials, type CredentialsService, type ExpiringToken, type TokenSource } from "./Credentials.js"
export * as Endpoint from "./Endpoint.js"
export {
  CheckoutSessionsError,
  Delivered,
  ErrorDetail,
  Generic,
  NotFound,
  RequestFailed,
  RequestFailedReason,
  Unauthorized
} from "./Errors.js"
export { type Address, Gr4vyHttpClient } from "./Gr4vyHttpClient.js"
export { CheckoutSessionId } from "./internal/checkoutSessionId.js"
export { CardRequest, CheckoutSessionSecureFieldsUpdate } from "./SecureFields.js"
export * as Webhooks from "./Webhooks.js"
