/**
 * A Checkout Session as merchants send and get it: a cart of three, a buyer with addresses, metadata, and a stored card
 * in the response. About 2.5 kB.
 */
import type { CheckoutSessionCreate } from "@effect-gr4vy/core"

export const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"

export const create = {
  amount: 14997,
  currency: "EUR",
  cartItems: [1, 2, 3].map((n) => ({
    name: `Assam Gold, second flush, ${n} kg`,
    quantity: n,
    unitAmount: 4999,
    discountAmount: 0,
    taxAmount: 798,
    externalIdentifier: `line-${n}`,
    sku: `TEA-ASSAM-${n}`,
    upc: "012345678905",
    productUrl: `https://shop.example.com/tea/assam-gold-${n}`,
    imageUrl: `https://shop.example.com/images/assam-gold-${n}.jpg`,
    categories: ["drinks", "tea"],
    productType: "physical" as const,
    sellerCountry: "GB"
  })),
  buyer: {
    displayName: "Ada Lovelace",
    externalIdentifier: "customer-4711",
    billingDetails: {
      firstName: "Ada",
      lastName: "Lovelace",
      emailAddress: "ada@example.com",
      phoneNumber: "+442079460958",
      address: {
        city: "London",
        country: "GB",
        postalCode: "SW1Y 4LB",
        state: "Greater London",
        stateCode: "GB-LND",
        houseNumberOrName: "12",
        line1: "St James's Square",
        line2: "Second floor",
        organization: "Analytical Engines Ltd"
      },
      taxId: { value: "GB123456789", kind: "gb.vat" as const }
    },
    shippingDetails: {
      firstName: "Ada",
      lastName: "Lovelace",
      emailAddress: "ada@example.com",
      phoneNumber: "+442079460958",
      address: {
        city: "Ockham",
        country: "GB",
        postalCode: "GU23 6NQ",
        houseNumberOrName: "1",
        line1: "Ockham Park"
      }
    }
  },
  metadata: { order_id: "order-4711", channel: "web", campaign: "autumn", cohort: "b", locale: "en-GB" }
} satisfies CheckoutSessionCreate

/** The same on the wire, as a plain client sends it. */
export const createOnTheWire = {
  amount: 14997,
  currency: "EUR",
  cart_items: [1, 2, 3].map((n) => ({
    name: `Assam Gold, second flush, ${n} kg`,
    quantity: n,
    unit_amount: 4999,
    discount_amount: 0,
    tax_amount: 798,
    external_identifier: `line-${n}`,
    sku: `TEA-ASSAM-${n}`,
    upc: "012345678905",
    product_url: `https://shop.example.com/tea/assam-gold-${n}`,
    image_url: `https://shop.example.com/images/assam-gold-${n}.jpg`,
    categories: ["drinks", "tea"],
    product_type: "physical",
    seller_country: "GB"
  })),
  buyer: {
    display_name: "Ada Lovelace",
    external_identifier: "customer-4711",
    billing_details: {
      first_name: "Ada",
      last_name: "Lovelace",
      email_address: "ada@example.com",
      phone_number: "+442079460958",
      address: {
        city: "London",
        country: "GB",
        postal_code: "SW1Y 4LB",
        state: "Greater London",
        state_code: "GB-LND",
        house_number_or_name: "12",
        line1: "St James's Square",
        line2: "Second floor",
        organization: "Analytical Engines Ltd"
      },
      tax_id: { value: "GB123456789", kind: "gb.vat" }
    },
    shipping_details: {
      first_name: "Ada",
      last_name: "Lovelace",
      email_address: "ada@example.com",
      phone_number: "+442079460958",
      address: {
        city: "Ockham",
        country: "GB",
        postal_code: "GU23 6NQ",
        house_number_or_name: "1",
        line1: "Ockham Park"
      }
    }
  },
  metadata: { order_id: "order-4711", channel: "web", campaign: "autumn", cohort: "b", locale: "en-GB" }
} as const

/** The response: what was sent, and what Gr4vy adds. */
export const answer = {
  type: "checkout-session",
  id,
  expires_at: "2030-01-01T00:00:00+00:00",
  ...createOnTheWire,
  airline: null,
  payment_service_id: null,
  payment_method: {
    type: "payment-method",
    id: "ef9496d8-53a5-4aad-8ca2-00eb68334389",
    method: "card",
    label: "1111",
    scheme: "visa",
    fingerprint: "a50b85c200ee0795d6fd33a5c66f37a4564f554355c5b46a756aac485dd168a4",
    details: { bin: "411111", card_country: "GB", card_type: "credit", card_issuer_name: "Barclays" }
  }
}

export const bareId = "8724fd24-5489-4a5d-90fd-0604df7d3b84"
export const bare = { type: "checkout-session", id: bareId, expires_at: "2030-01-01T00:00:00+00:00" }

export const emptyId = "8724fd24-5489-4a5d-90fd-0604df7d3b85"

/** A session without contents, each of which the API writes as `null`. */
export const empty = {
  ...bare,
  id: emptyId,
  cart_items: null,
  metadata: null,
  buyer: null,
  airline: null,
  amount: null,
  currency: null,
  payment_service_id: null,
  payment_method: null
}

/** A resource of a user's own, with 20 fields. */
export const own = {
  id: "1",
  ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`text_${i}`, `a text of some length, number ${i}`])),
  ...Object.fromEntries(Array.from({ length: 4 }, (_, i) => [`amount_${i}`, 1299 + i])),
  ...Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`flag_${i}`, i === 0])),
  ...Object.fromEntries(Array.from({ length: 2 }, (_, i) => [`at_${i}`, "2030-01-01T00:00:00.000Z"])),
  tags: ["one", "two", "three"],
  note: null
}
