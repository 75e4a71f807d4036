/**
 * What the API's description does not say of the models of a Checkout Session: names, texts for people, examples, secrets,
 * and the corrections of the description. Limits, types and wire names are the description's own.
 *
 * A field is `[text, example, more]`, or an object with these and with corrections. `text` is one sentence; its limits and
 * the example are added to it. `more` is what a hover says beyond that.
 */

/**
 * Models in the order of their files, each with a schema of its own. What a model refers to is written into the first file
 * that needs it.
 */
export const files = {
  CartItem: {
    about: "A line of the cart of a Checkout Session.",
    models: ["CartItem"]
  },
  Buyer: {
    about: "The buyer of a Checkout Session, as a guest: name, billing address, shipping address.",
    models: ["GuestBuyer"]
  },
  Airline: {
    about: "The airline ticket that a Checkout Session pays for, with the data that card schemes ask for.",
    models: ["Airline"]
  },
  SecureFields: {
    about: "The data that a buyer enters into the payment form. Card number and security code are `Redacted`.",
    models: ["CheckoutSessionCardPaymentMethod", "CheckoutSessionSecureFields"]
  },
  CheckoutSession: {
    about: "The contents of a Checkout Session, as they are sent and as they are read.",
    models: ["CheckoutSessionCreate", "CheckoutSessionUpdate", "CheckoutSession"]
  }
}

/** Schemas that other resources do not take from core: a session's own, and one that is also a whole body elsewhere. */
export const ofSessions = ["CheckoutSessionCreate", "CheckoutSessionUpdate", "CheckoutSession", "ShippingDetailsCreate"]

/** The models that requests and responses begin with. A model of both has a second form for responses, `…Output`. */
export const sent = ["CheckoutSessionCreate", "CheckoutSessionUpdate", "CheckoutSessionSecureFields"]
export const read = ["CheckoutSession"]

/** Our name of a schema, where it is another. */
export const names = {
  GuestBuyer: "Buyer",
  ShippingDetailsCreate: "ShippingDetails",
  CheckoutSessionSecureFields: "CheckoutSessionSecureFieldsUpdate",
  CheckoutSessionCardPaymentMethod: "CardRequest",
  CheckoutSessionClickToPayPaymentMethod: "ClickToPayRequest",
  CheckoutSessionIdPaymentMethod: "StoredPaymentMethodRequest"
}

const person = {
  first_name: ["The first name.", "Ada"],
  last_name: ["The last name.", "Lovelace"],
  email_address: ["The email address.", "ada@example.com"],
  phone_number: ["The phone number.", "+442079460123"],
  address: ["The address."]
}

const firstContract = "Part of the first version of the API."
const undocumented = "Gr4vy's guides do not mention it."
const ifReturned = "Present if the API returns it."
const cents = "in the smallest unit of the currency"

const securityCode = {
  text: "The security code of the card, also known as CVV or CVD.",
  example: "123",
  secret: true,
  pattern: "^\\d{3,4}$"
}

export const models = {
  CartItem: {
    text: "A line of the cart.",
    more: "Amounts are whole numbers in the smallest unit of the session's currency (cents), 0–99,999,999.",
    example: `
      const item: CartItem = { name: "Tea", quantity: 2, unitAmount: 450, productType: "physical" }`,
    fields: {
      name: ["The name of the product.", "Tea"],
      quantity: ["The number of units.", 2],
      unit_amount: [`The price of one unit, ${cents}.`, 450],
      discount_amount: [`The discount on the whole line, ${cents}.`, 0],
      tax_amount: [`The tax on the whole line, ${cents}.`, 90],
      external_identifier: ["Your own identifier of the line.", "line-1"],
      sku: ["The stock keeping unit.", "TEA-250"],
      upc: ["The universal product code.", "012345678905"],
      product_url: ["The URL of the product's page.", "https://example.com/tea"],
      image_url: ["The URL of the product's image.", "https://example.com/tea.png"],
      categories: ["The product's categories.", ["drinks"]],
      product_type: ["The kind of product.", "physical"],
      seller_country: ["The country of the seller.", "GB"],
      tax_exempt: ["Whether the line is exempt from tax.", false],
      unit_of_measure: ["The unit of the quantity.", "kg"],
      commodity_code: ["The commodity code of the product.", "0902"],
      description: ["The description of the product.", "Green tea, 250 g"],
      duty_amount: [`The duty on the whole line, ${cents}.`, 0],
      shipping_amount: [`The shipping cost of the whole line, ${cents}.`, 300],
      brand: ["The brand of the product.", "Acme"],
      subcategories: ["The product's subcategories.", ["green tea"]]
    }
  },
  ProductType: { text: "The kinds of product that the API accepts." },
  Address: {
    text: "A postal address.",
    fields: {
      city: ["The city.", "London"],
      country: ["The country.", "GB"],
      postal_code: ["The postal code or ZIP.", "SW1A 1AA"],
      state: ["The state, county or province.", "California"],
      state_code: ["The state's code.", "US-CA"],
      house_number_or_name: ["The house's number or name.", "10"],
      line1: ["The first line of the address.", "10 Downing Street"],
      line2: ["The second line of the address.", "Flat 2"],
      organization: ["The company or organization.", "Acme"]
    }
  },
  TaxIdKind: { text: 'The kinds of tax ID that the API accepts: country, dot, kind, e.g. `"gb.vat"`.' },
  TaxId: {
    text: "A tax ID of a buyer.",
    fields: {
      value: ["The tax ID itself.", "GB123456789"],
      kind: ["The kind of tax ID.", "gb.vat"]
    }
  },
  ShippingDetailsCreate: { text: "The recipient and the shipping address.", fields: person },
  BillingDetails: {
    text: "The payer and the billing address.",
    fields: { ...person, tax_id: ["The tax ID."] }
  },
  GuestBuyer: {
    text: "A buyer who has no account with the merchant.",
    example: `
      const buyer: Buyer = {
        displayName: "Ada Lovelace",
        billingDetails: { firstName: "Ada", lastName: "Lovelace", address: { city: "London", country: "GB" } }
      }`,
    fields: {
      display_name: ["The name that Gr4vy's dashboard shows.", "Ada Lovelace"],
      external_identifier: ["Your own identifier of the buyer.", "user-789123"],
      billing_details: ["The payer and the billing address."],
      account_number: ["The number of the buyer's account with you.", "AC-1029"],
      shipping_details: ["The recipient and the shipping address."]
    }
  },
  AirlineLeg: {
    text: "One flight of a ticket.",
    more: "Times keep their offset, which gives the local time at the airport.",
    fields: {
      arrival_airport: ["The airport of arrival (IATA).", "LHR"],
      arrival_at: { text: "The time of arrival.", example: "2027-07-16T19:23:00+01:00", localTime: true },
      arrival_city: ["The city of arrival.", "London"],
      arrival_country: ["The country of arrival.", "GB"],
      carrier_code: ["The code of the carrier.", "BA"],
      carrier_name: ["The name of the carrier.", "British Airways"],
      iata_designator: ["The IATA designator of the carrier.", "BA"],
      icao_code: ["The ICAO code of the carrier.", "BAW"],
      coupon_number: ["The number of the coupon.", "1"],
      departure_airport: ["The airport of departure (IATA).", "JFK"],
      departure_at: { text: "The time of departure.", example: "2027-07-16T09:00:00-04:00", localTime: true },
      departure_city: ["The city of departure.", "New York"],
      departure_country: ["The country of departure.", "US"],
      departure_tax_amount: [`The tax on departure, ${cents}.`, 1200],
      fare_amount: [`The fare, ${cents}.`, 129900],
      fare_basis_code: ["The fare basis code.", "FY"],
      fee_amount: [`The fee, ${cents}.`, 1200],
      flight_class: ["The class of the flight.", "E"],
      flight_number: ["The number of the flight.", "BA178"],
      route_type: ["Whether the flight is one way or part of a round trip.", "round_trip"],
      seat_class: ["The class of the seat.", "F"],
      stop_over: ["Whether a stopover is allowed.", false],
      tax_amount: [`The tax, ${cents}.`, 1200]
    }
  },
  AirlinePassenger: {
    text: "A passenger of a ticket.",
    fields: {
      age_group: ["Whether the passenger is an adult or an infant.", "adult"],
      date_of_birth: ["The date of birth.", "1990-12-10"],
      email_address: ["The email address.", "ada@example.com"],
      first_name: ["The first name.", "Ada"],
      frequent_flyer_number: ["The number of the frequent flyer.", "15885566"],
      last_name: ["The last name.", "Lovelace"],
      passport_number: ["The number of the passport.", "11117700225"],
      phone_number: ["The phone number.", "+442079460123"],
      ticket_number: ["The number of the passenger's ticket.", "BA1236699999"],
      title: ["The title.", "Ms."],
      country_code: ["The country of the passenger.", "GB"]
    }
  },
  Airline: {
    text: "The ticket that is paid for, with its flights and passengers.",
    fields: {
      booking_code: ["The booking code.", "X36Q9C"],
      is_cardholder_traveling: ["Whether the cardholder travels.", true],
      issued_address: ["The address of the office that issued the ticket.", "123 Broadway, New York"],
      issued_at: { text: "The time the ticket was issued.", example: "2027-07-01T19:23:00+00:00", localTime: true },
      issuing_carrier_code: ["The code of the carrier that issued the ticket.", "BA"],
      issuing_carrier_name: ["The name of the carrier that issued the ticket.", "British Airways"],
      issuing_iata_designator: ["The IATA designator of the carrier that issued the ticket.", "BA"],
      issuing_icao_code: ["The ICAO code of the carrier that issued the ticket.", "BAW"],
      legs: ["The flights."],
      passenger_name_record: ["The passenger name record.", "JOHN L"],
      passengers: ["The passengers."],
      reservation_system: ["The reservation system.", "Amadeus"],
      restricted_ticket: ["Whether the ticket cannot be refunded.", false],
      ticket_delivery_method: ["The way the ticket is delivered.", "electronic"],
      ticket_number: ["The number of the ticket.", "123-1234-151555"],
      travel_agency_code: ["The code of the travel agency.", "12345"],
      travel_agency_invoice_number: ["The number of the travel agency's invoice.", "EG15555155"],
      travel_agency_name: ["The name of the travel agency.", "ACME Agency"],
      travel_agency_plan_name: ["The name of the travel agency's plan.", "B733"]
    }
  },
  CheckoutSessionCardPaymentMethod: {
    text: "Card details to use in a transaction, or to store as a payment method.",
    moreOnTheWire: "Give `buyer_id` or `buyer_external_identifier`, never both.",
    moreInCode: "Give `buyerId` or `buyerExternalIdentifier`, never both.",
    example: `
      const card: CardRequest = {
        method: "card",
        number: Redacted.make("4111111111111111"),
        expirationDate: "11/29",
        securityCode: Redacted.make("123")
      }`,
    // The description of today knows the plain card alone; the first contract has the others as well, and asks for the code.
    never: {
      together: ["buyer_id", "buyer_external_identifier"],
      common: { name: "CardFields", text: "The fields of every card." },
      members: [
        { name: "CardOfBuyer", text: "A card of a buyer with a Gr4vy id, or without a known buyer." },
        { name: "CardOfExternalBuyer", text: "A card of a buyer with your own identifier." }
      ],
      expected: "a card with either buyerId or buyerExternalIdentifier, not both"
    },
    fields: {
      method: ["Always `card`."],
      number: { text: "The card number.", example: "4111111111111111", secret: true, pattern: "^[0-9]{13,19}$" },
      expiration_date: {
        text: "The expiration date of the card.",
        example: "11/29",
        pattern: "^(0[1-9]|1[0-2])/\\d{2}$"
      },
      security_code: { ...securityCode, required: true },
      external_identifier: {
        text: "Your own identifier of the card.",
        example: "card-323444",
        more: firstContract,
        schema: { anyOf: [{ type: "string" }, { type: "null" }] }
      },
      buyer_id: {
        text: "The ID of the card's buyer.",
        example: "fe26475d-ec3e-4884-9553-f7356683f7f9",
        more: "Never together with `buyerExternalIdentifier`.",
        schema: { type: "string", format: "uuid" }
      },
      buyer_external_identifier: {
        text: "Your own identifier of the card's buyer.",
        example: "user-789123",
        more: "Never together with `buyerId`.",
        schema: { type: "string" }
      },
      redirect_url: {
        text: "The URL to which the buyer returns after approval.",
        example: "https://example.com/callback",
        more: firstContract,
        schema: { anyOf: [{ type: "string" }, { type: "null" }] }
      }
    }
  },
  CheckoutSessionClickToPayPaymentMethod: {
    text: "A card from the buyer's Click to Pay wallet, by the ids from its checkout.",
    fields: {
      method: ["Always `click-to-pay`."],
      merchant_transaction_id: ["The ID of the transaction, from Click to Pay.", "0a4e0d3-5f0e-4b5b-8e4d-8e9d5c8a1b2c"],
      src_correlation_id: ["The correlation ID, from Click to Pay.", "9f9b3b6a-6d7c-4a8e-9a2f-0d5b3f7c1e11"],
      src_dpa_id: [
        "The ID of the digital payment application, from Click to Pay.",
        "b6e06cc6-3018-4c4c-bbf5-9fb232615090"
      ],
      src_cx_flow_id: ["The ID of the checkout flow, from Click to Pay.", "34f4a04b.3a0c5f36.5c"]
    }
  },
  CheckoutSessionIdPaymentMethod: {
    text: "A payment method that is already stored at Gr4vy.",
    fields: {
      method: ["Always `id`."],
      id: ["The ID of the stored payment method.", "ef9496d8-53a5-4aad-8ca2-00eb68334389"],
      security_code: { ...securityCode, more: "For a buyer who entered it again." }
    }
  },
  CheckoutSessionSecureFields: {
    text: "The secure fields to store on a Checkout Session.",
    moreInCode: `
      The body of \`updateFields\`. Use the session within 5 minutes after that.

      Sending a card from a server requires PCI DSS certification. In a shop the browser sends it.`,
    fields: {
      payment_method: {
        text: "The payment method to store.",
        more: "A card, a card from Click to Pay, or a stored payment method by its id. Today's API asks for one.",
        // The first contract lets it out.
        required: false
      },
      postal_code: ["The postal code of the buyer, for the address check (AVS).", "SW1A 1AA"]
    }
  },
  TransactionPaymentSource: { text: "The sources of a payment." },
  TransactionIntent: { text: "Whether to only authorize an amount, or to capture it at once." },
  CardType: { text: "The types of a card." },
  CardScheme: { text: "The card schemes of today; the API may add to them." },
  CheckoutSessionPaymentMethodDetails: {
    text: "The facts about a card's issuer.",
    fields: {
      bin: ["The first digits of the card number, which identify the issuer (BIN).", "411111"],
      card_country: {
        text: "The country of the card's issuer (ISO 3166-1 alpha-2).",
        example: "US",
        schema: { type: "string" }
      },
      card_type: { text: "The type of the card.", example: "credit", isOpen: true },
      card_issuer_name: ["The name of the card's issuer.", "JPMorgan Chase"]
    }
  },
  CheckoutSessionPaymentMethod: {
    text: "The payment method of a Checkout Session, present after its secure fields were stored.",
    fields: {
      type: { text: "Always `payment-method` today.", example: "payment-method", isOpen: true },
      id: {
        text: "The ID of the stored payment method, a UUID.",
        example: "ef9496d8-53a5-4aad-8ca2-00eb68334389",
        more: "Absent for a card that is not stored.",
        schema: { type: "string" }
      },
      details: ["The facts about the card's issuer."],
      label: ["The last four digits of the card.", "1111"],
      method: { text: "The method: `card` today.", example: "card", isOpen: true },
      scheme: { text: "The scheme of the card.", example: "visa", isOpen: true },
      fingerprint: [
        "A string that is the same for the same card and reveals nothing else.",
        "a50b85c200ee0795d6fd33a5c66f37a4"
      ]
    }
  },
  CheckoutSessionCreate: {
    like: "CheckoutSessionUpdate",
    text: "The contents of a new Checkout Session.",
    more: "Every property is optional; `null` is sent as `null`.",
    example: `
      const session: CheckoutSessionCreate = {
        amount: 1299,
        currency: "EUR",
        cartItems: [{ name: "Tea", quantity: 1, unitAmount: 1299 }],
        metadata: { order_id: "4711" },
        expiresIn: "2 hours"
      }`,
    fields: {
      cart_items: ["The lines of the cart."],
      metadata: ["Your own key-value pairs.", { order_id: "4711" }, "Keys and strings are sent unchanged."],
      buyer: ["The buyer, who has no account with you."],
      airline: ["The ticket that is paid for."],
      amount: ["The amount in the smallest unit of the currency (cents).", 1299],
      currency: ["The currency.", "EUR"],
      payment_service_id: [
        "The ID of the payment service to use.",
        "fffd152a-9532-4087-9a4f-de58754210f0",
        "If absent, Gr4vy's routing decides."
      ],
      expires_in: {
        text: "The session's lifetime from now.",
        example: 3600,
        hoverExample: "2 hours",
        // In the description a default; the API gives a session an hour only when it creates it.
        default: undefined,
        more: "The API's default is 1 hour. A plain number is milliseconds.",
        duration: {
          expected: 'a duration of 1 to 24 hours, e.g. "2 hours" (a number is milliseconds: 3600000 is 1 hour)',
          limits: "1 to 24 hours, rounded down to seconds"
        }
      },
      country: { text: "The country of the payment.", example: "DE", more: undocumented },
      is_subsequent_payment: {
        text: "Whether the payment follows an earlier one with the same card.",
        example: false,
        more: undocumented
      },
      merchant_initiated: {
        text: "Whether the merchant starts the payment, not the buyer.",
        example: false,
        more: undocumented
      },
      payment_source: { text: "Where the payment comes from.", example: "ecommerce", more: undocumented },
      intent: {
        text: "Whether to only authorize the amount, or to capture it at once.",
        example: "authorize",
        more: undocumented
      }
    }
  },
  CheckoutSessionUpdate: {
    text: "The changes to a Checkout Session.",
    more: "An absent property does not change; `null` is sent as `null`.",
    extends: "CheckoutSessionCreate",
    fields: {
      expires_in: { more: "If absent, the expiry does not change. A plain number is milliseconds." }
    }
  },
  CheckoutSession: {
    text: "A short-lived session that holds a buyer's card data.",
    isClass: true,
    fields: {
      type: { text: "Always `checkout-session`.", isClosed: true },
      id: { text: "The ID of the session.", code: "CheckoutSessionId" },
      expires_at: {
        text: "The date and time when the Checkout Session will expire.",
        example: "2022-01-01T00:00:00+00:00",
        more: "That is 1 hour after its creation by default, or 5 minutes after its secure fields were received."
      },
      cart_items: ["The lines of the cart."],
      metadata: ["Your own key-value pairs.", { order_id: "4711" }],
      buyer: ["The buyer, who has no account with you."],
      airline: ["The ticket that is paid for."],
      amount: ["The amount in the smallest unit of the currency (cents).", 1299],
      currency: ["The currency (ISO 4217).", "EUR"],
      payment_service_id: ["The ID of the payment service to use.", "fffd152a-9532-4087-9a4f-de58754210f0"],
      payment_method: ["The payment method, present after the secure fields were stored."],
      // The description has these in a request alone.
      country: { from: "CheckoutSessionUpdate", text: "The country of the payment.", example: "DE", more: ifReturned },
      is_subsequent_payment: {
        from: "CheckoutSessionUpdate",
        text: "Whether the payment follows an earlier one with the same card.",
        example: false,
        more: ifReturned
      },
      merchant_initiated: {
        from: "CheckoutSessionUpdate",
        text: "Whether the merchant starts the payment.",
        example: false,
        more: ifReturned
      },
      payment_source: {
        from: "CheckoutSessionUpdate",
        text: "Where the payment comes from.",
        example: "ecommerce",
        more: ifReturned
      },
      intent: {
        from: "CheckoutSessionUpdate",
        text: "Whether the amount is only authorized, or captured at once.",
        example: "authorize",
        more: ifReturned
      }
    }
  }
}
