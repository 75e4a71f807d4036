/**
 * The data that a buyer enters into the payment form. Card number and security code are `Redacted`, and no message of
 * these schemas quotes a value.
 *
 * @since 0.1.0
 */
export {
  type CardOfBuyer,
  type CardOfBuyerEncoded,
  type CardOfExternalBuyer,
  type CardOfExternalBuyerEncoded,
  CardRequest,
  type CardRequestEncoded,
  CheckoutSessionSecureFieldsUpdate,
  type CheckoutSessionSecureFieldsUpdateEncoded,
  type ClickToPayRequest,
  type StoredPaymentMethodRequest
} from "./models/SecureFields.js"
