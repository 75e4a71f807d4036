/**
 * The scheme of a card by its number.
 *
 * @since 0.1.0
 */
import type { CardScheme } from "../CheckoutSession.js"

/** The first match counts. */
const schemes: ReadonlyArray<readonly [CardScheme, RegExp]> = [
  ["visa", /^4/],
  ["mastercard", /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/],
  ["amex", /^3[47]/],
  ["diners-club", /^(30[0-5]|3095|36|38|39)/],
  ["jcb", /^35(2[89]|[3-8])/],
  ["discover", /^(6011|64[4-9]|65)/],
  ["unionpay", /^(62|81)/],
  ["mir", /^220[0-4]/],
  ["maestro", /^(50|5[6-9]|6)/]
]

/**
 * Returns the scheme that a card number's first digits belong to; `"other"` if none.
 *
 * @since 0.1.0
 * @category conversions
 */
export const schemeOf = (number: string): CardScheme =>
  schemes.find(([, digits]) => digits.test(number))?.[0] ?? "other"
