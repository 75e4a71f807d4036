/**
 * Gr4vy's API as plain promises, for Node.
 *
 * @since 0.1.0
 */
export type * as Api from "./api/index.js"
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
  FreeHeaders,
  KeyedCallOptions,
  LogAttributes,
  Logger,
  Options,
  RequestOptions,
  RetryOptions,
  SigningOptions,
  WebhookOptions
} from "./models.js"
export type {
  Address,
  AddressOutput,
  Airline,
  AirlineLeg,
  AirlineLegOutput,
  AirlineOutput,
  AirlinePassenger,
  AirlinePassengerOutput,
  BillingDetails,
  BillingDetailsOutput,
  Buyer,
  BuyerOutput,
  CardOfBuyer,
  CardOfExternalBuyer,
  CardRequest,
  CardScheme,
  CardType,
  CartItem,
  CartItemOutput,
  CheckoutSession,
  CheckoutSessionCreate,
  CheckoutSessionPaymentMethod,
  CheckoutSessionPaymentMethodDetails,
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessionUpdate,
  ClickToPayRequest,
  ProductType,
  ShippingDetails,
  ShippingDetailsOutput,
  StoredPaymentMethodRequest,
  TaxId,
  TaxIdKind,
  TaxIdOutput,
  TransactionIntent,
  TransactionPaymentSource
} from "./sessions.js"
export type { Dispatcher, Duration, HeadersInput, List, Query } from "./values.js"
export type {
  KnownWebhookEvent,
  UnknownWebhookEvent,
  WebhookEvent,
  WebhookEventName,
  WebhookTargets
} from "./webhooks.js"
