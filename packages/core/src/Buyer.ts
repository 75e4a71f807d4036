/**
 * The buyer of a Checkout Session, as a guest: name, billing address, shipping address.
 *
 * @since 0.1.0
 */
export {
  Address,
  AddressOutput,
  BillingDetails,
  BillingDetailsOutput,
  Buyer,
  BuyerOutput,
  ShippingDetails,
  ShippingDetailsOutput,
  TaxId,
  type TaxIdKind,
  TaxIdOutput
} from "./models/Buyer.js"
