/**
 * Gr4vy Checkout Sessions as plain promises, for Node.
 *
 * @since 0.1.0
 */
export { create, embedToken, signWebhook, verifyWebhook } from "./client.js"
export {
  type Delivered,
  type ErrorDetail,
  Generic,
  NotFound,
  RequestFailed,
  type RequestFailedReason,
  Unauthorized,
  WebhookInvalid
} from "./errors.js"
export type {
  CallOptions,
  Client,
  Embed,
  EmbedOptions,
  ExpiringToken,
  Options,
  RequestOptions,
  RetryOptions,
  SigningOptions,
  WebhookOptions
} from "./models.js"
export type {
  Address,
  Airline,
  AirlineLeg,
  AirlinePassenger,
  BillingDetails,
  Buyer,
  CardOfBuyer,
  CardOfExternalBuyer,
  CardRequest,
  CardScheme,
  CartItem,
  CheckoutSession,
  CheckoutSessionCreate,
  CheckoutSessionPaymentMethod,
  CheckoutSessionPaymentMethodDetails,
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessionUpdate,
  ClickToPayRequest,
  Duration,
  HeadersInput,
  ShippingDetails,
  StoredPaymentMethodRequest,
  TaxId,
  TaxIdKind,
  WebhookEvent
} from "./sessions.js"
