/**
 * A line of the cart of a Checkout Session.
 *
 * @since 0.1.0
 */
export { CartItem, type CartItemEncoded, type CartItemOutput, type ProductType } from "./models/CartItem.js"
