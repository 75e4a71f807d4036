/**
 * A line of the cart of a Checkout Session.
 *
 * @since 0.1.0
 */
import {
  amount,
  anyText,
  country,
  type Field,
  flag,
  list,
  type Model,
  model,
  nullish,
  object,
  oneOf,
  quantity,
  required,
  text,
  type Wire
} from "./internal/model.js"

/**
 * A line of the cart. Amounts are whole numbers in the smallest unit of the session's currency (cents), 0–99,999,999.
 *
 * @example
 * ```ts
 * import type { CartItem } from "@effect-gr4vy/core"
 *
 * const item: CartItem = { name: "Tea", quantity: 2, unitAmount: 450, productType: "physical" }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface CartItem {
  /** The name of the product, 1–255 characters, e.g. `"Tea"`. */
  readonly name: string
  /** The quantity, a whole number from 1 to 99,999,999. */
  readonly quantity: number
  /** The price of one unit, in the currency's smallest unit, e.g. `450`. */
  readonly unitAmount: number
  /** The discount on the whole line, in the smallest unit; 0 by default. */
  readonly discountAmount?: number | null | undefined
  /** The tax on the whole line, in the smallest unit; 0 by default. */
  readonly taxAmount?: number | null | undefined
  /** Your own identifier of the line, 1–200 characters, e.g. `"line-1"`. */
  readonly externalIdentifier?: string | null | undefined
  /** The stock keeping unit, 1–200 characters, e.g. `"TEA-250"`. */
  readonly sku?: string | null | undefined
  /** The universal product code, 1–50 characters, e.g. `"012345678905"`. */
  readonly upc?: string | null | undefined
  /** The URL of the product's page, e.g. `"https://example.com/tea"`. */
  readonly productUrl?: string | null | undefined
  /** The URL of the product's image, e.g. `"https://example.com/tea.png"`. */
  readonly imageUrl?: string | null | undefined
  /** The product's categories, each 1–50 characters, e.g. `["drinks"]`. */
  readonly categories?: ReadonlyArray<string> | null | undefined
  /** The kind of product, e.g. `"physical"`. */
  readonly productType?:
    | "physical"
    | "discount"
    | "shipping_fee"
    | "sales_tax"
    | "digital"
    | "gift_card"
    | "store_credit"
    | "surcharge"
    | null
    | undefined
  /** The country of the seller, 2 capital letters (ISO 3166-1 alpha-2), e.g. `"GB"`. */
  readonly sellerCountry?: string | null | undefined
  /** Whether the line is exempt from tax. */
  readonly taxExempt?: boolean | null | undefined
  /** The unit of the quantity, 1–50 characters, e.g. `"kg"`. */
  readonly unitOfMeasure?: string | null | undefined
  /** The commodity code of the product, 1–50 characters, e.g. `"0902"`. */
  readonly commodityCode?: string | null | undefined
  /** A description of the product, 1–255 characters, e.g. `"Green tea, 250 g"`. */
  readonly description?: string | null | undefined
  /** The duty on the whole line, in the smallest unit. */
  readonly dutyAmount?: number | null | undefined
  /** The shipping cost of the whole line, in the smallest unit. */
  readonly shippingAmount?: number | null | undefined
}

/** @internal */
export const cartItem: Field<CartItem> = object<CartItem>("CartItem", "A line of the cart.", () => ({
  name: required(text(1, 255, ["The name of the product.", "Tea"])),
  quantity: required(quantity(["The number of units.", 2])),
  unitAmount: required(amount(["The price of one, in the smallest unit of the currency.", 450])),
  discountAmount: nullish(amount(["The discount on the whole line, in the smallest unit of the currency.", 0])),
  taxAmount: nullish(amount(["The tax on the whole line, in the smallest unit of the currency.", 90])),
  externalIdentifier: nullish(text(1, 200, ["Your own identifier of the line.", "line-1"])),
  sku: nullish(text(1, 200, ["The stock keeping unit.", "TEA-250"])),
  upc: nullish(text(1, 50, ["The universal product code.", "012345678905"])),
  productUrl: nullish(anyText(["The address of the product's page.", "https://example.com/tea"])),
  imageUrl: nullish(anyText(["The address of the product's picture.", "https://example.com/tea.png"])),
  categories: nullish(list(text(1, 50, ["A category of the product.", "drinks"]), ["The product's categories."])),
  productType: nullish(
    oneOf(
      ["physical", "discount", "shipping_fee", "sales_tax", "digital", "gift_card", "store_credit", "surcharge"],
      ["The kind of product.", "physical"]
    )
  ),
  sellerCountry: nullish(country(["The country of the seller (ISO 3166-1 alpha-2).", "GB"])),
  taxExempt: nullish(flag(["Whether the line is free of tax.", false])),
  unitOfMeasure: nullish(text(1, 50, ["The unit in which the quantity is counted.", "kg"])),
  commodityCode: nullish(text(1, 50, ["The commodity code of the product.", "0902"])),
  description: nullish(text(1, 255, ["The description of the product.", "Green tea, 250 g"])),
  dutyAmount: nullish(amount(["The duty on the whole line, in the smallest unit of the currency.", 0])),
  shippingAmount: nullish(amount(["The shipping of the whole line, in the smallest unit of the currency.", 300]))
}))

/**
 * The schema of a {@link CartItem} in a request: camelCase in TypeScript, snake_case on the wire.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CartItem: Model<CartItem, Wire<CartItem>> = model(cartItem.sent)
