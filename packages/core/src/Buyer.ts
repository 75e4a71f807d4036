/**
 * The buyer of a Checkout Session, as a guest: name, billing address, shipping address.
 *
 * @since 0.1.0
 */
export {
  type Address,
  type AddressOutput,
  type BillingDetails,
  type BillingDetailsOutput,
  Buyer,
  type BuyerEncoded,
  type BuyerOutput,
  type ShippingDetails,
  type ShippingDetailsOutput,
  type TaxId,
  type TaxIdKind,
  type TaxIdOutput
} from "./models/Buyer.js"
