/**
 * The requests and responses of the service, as plain values: the models of the `core` package with `Date`s and
 * strings. A type test derives each of them from its model there.
 */
/**
 * A duration: milliseconds, or a number with its unit, e.g. `"10 seconds"`.
 *
 * @since 0.1.0
 * @category models
 */
export type Duration = number | `${number} ${"milli" | "second" | "minute" | "hour" | "day"}${"" | "s"}`

/**
 * A line of the cart. Amounts are whole numbers in the smallest unit of the session's currency (cents), 0–99,999,999.
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

/**
 * A postal address.
 *
 * @since 0.1.0
 * @category models
 */
export interface Address {
  /** The city, 1–100 characters, e.g. `"London"`. */
  readonly city?: string | null | undefined
  /** The country, 2 capital letters (ISO 3166-1 alpha-2), e.g. `"GB"`. */
  readonly country?: string | null | undefined
  /** The postal code or ZIP, 1–50 characters, e.g. `"SW1A 1AA"`. */
  readonly postalCode?: string | null | undefined
  /** The state, county or province, 1–255 characters, e.g. `"California"`. */
  readonly state?: string | null | undefined
  /** The state's code (ISO 3166-2): country, dash, 1–3 capital letters or digits, e.g. `"US-CA"`. */
  readonly stateCode?: string | null | undefined
  /** The house's number or name, 1–255 characters, e.g. `"10"`. */
  readonly houseNumberOrName?: string | null | undefined
  /** The first line of the address, 1–255 characters, e.g. `"10 Downing Street"`. */
  readonly line1?: string | null | undefined
  /** The second line of the address, 1–255 characters, e.g. `"Flat 2"`. */
  readonly line2?: string | null | undefined
  /** The company or organization, 1–255 characters, e.g. `"Acme"`. */
  readonly organization?: string | null | undefined
}

/**
 * The kinds of tax ID that the API accepts: country, dot, kind, e.g. `"gb.vat"`.
 *
 * @since 0.1.0
 * @category models
 */
export type TaxIdKind =
  | "ae.trn"
  | "au.abn"
  | "ar.dni"
  | "ar.cuil"
  | "ar.cuit"
  | "br.cnpj"
  | "br.cpf"
  | "ca.bn"
  | "ca.gst_hst"
  | "ca.pst_bc"
  | "ca.pst_mb"
  | "ca.pst_sk"
  | "ca.qst"
  | "ch.vat"
  | "cl.tin"
  | "co.itin"
  | "co.nit"
  | "co.cc"
  | "co.ce"
  | "co.de"
  | "co.rc"
  | "co.ti"
  | "co.passport"
  | "es.cif"
  | "eu.vat"
  | "gb.vat"
  | "hk.br"
  | "id.nik"
  | "id.npwp"
  | "in.gst"
  | "in.pan"
  | "jp.cn"
  | "jp.rn"
  | "kr.brn"
  | "li.uid"
  | "mx.curp"
  | "mx.rfc"
  | "my.frp"
  | "my.itn"
  | "my.nric"
  | "my.sst"
  | "no.vat"
  | "nz.gst"
  | "pe.ruc"
  | "ph.tin"
  | "ru.inn"
  | "ru.kpp"
  | "sa.vat"
  | "sg.gst"
  | "sg.uen"
  | "th.id"
  | "th.vat"
  | "tw.vat"
  | "us.ein"
  | "za.vat"
  | "bo.ci"
  | "uy.rut"
  | "uy.ci"

/**
 * A tax ID of a buyer.
 *
 * @since 0.1.0
 * @category models
 */
export interface TaxId {
  /** The tax ID itself, 1–50 characters, e.g. `"GB123456789"`. */
  readonly value: string
  /** The kind of tax ID, e.g. `"gb.vat"`. */
  readonly kind: TaxIdKind
}

/**
 * The recipient and the shipping address.
 *
 * @since 0.1.0
 * @category models
 */
export interface ShippingDetails {
  /** The first name, 1–255 characters, e.g. `"Ada"`. */
  readonly firstName?: string | null | undefined
  /** The last name, 1–255 characters, e.g. `"Lovelace"`. */
  readonly lastName?: string | null | undefined
  /** The email address, 1–320 characters, e.g. `"ada@example.com"`. */
  readonly emailAddress?: string | null | undefined
  /** The phone number with `+` and country code (E.164), e.g. `"+442079460123"`. */
  readonly phoneNumber?: string | null | undefined
  /** The address. */
  readonly address?: Address | null | undefined
}

/**
 * The payer and the billing address.
 *
 * @since 0.1.0
 * @category models
 */
export interface BillingDetails {
  /** The first name, 1–255 characters, e.g. `"Ada"`. */
  readonly firstName?: string | null | undefined
  /** The last name, 1–255 characters, e.g. `"Lovelace"`. */
  readonly lastName?: string | null | undefined
  /** The email address, 1–320 characters, e.g. `"ada@example.com"`. */
  readonly emailAddress?: string | null | undefined
  /** The phone number with `+` and country code (E.164), e.g. `"+442079460123"`. */
  readonly phoneNumber?: string | null | undefined
  /** The address. */
  readonly address?: Address | null | undefined
  /** The tax ID. */
  readonly taxId?: TaxId | null | undefined
}

/**
 * A buyer who has no account with the merchant.
 *
 * @since 0.1.0
 * @category models
 */
export interface Buyer {
  /** The name that Gr4vy's dashboard shows, 1–200 characters, e.g. `"Ada Lovelace"`. */
  readonly displayName?: string | null | undefined
  /** Your own identifier of the buyer, 1–200 characters, e.g. `"user-789123"`. */
  readonly externalIdentifier?: string | null | undefined
  /** The payer and the billing address. */
  readonly billingDetails?: BillingDetails | null | undefined
  /** The number of the buyer's account with you, 1–200 characters, e.g. `"AC-1029"`. */
  readonly accountNumber?: string | null | undefined
  /** The recipient and the shipping address. */
  readonly shippingDetails?: ShippingDetails | null | undefined
}

/**
 * One flight of a ticket. Times keep their offset, which gives the local time at the airport.
 *
 * @since 0.1.0
 * @category models
 */
export interface AirlineLeg {
  /** The airport of arrival, 3 characters (IATA), e.g. `"LHR"`. */
  readonly arrivalAirport?: string | null | undefined
  /** The time of arrival with its offset (RFC 3339), e.g. `"2027-07-16T19:23:00+01:00"`. */
  readonly arrivalAt?: string | null | undefined
  /** The city of arrival, 1–100 characters, e.g. `"London"`. */
  readonly arrivalCity?: string | null | undefined
  /** The country of arrival, 2 capital letters (ISO 3166-1 alpha-2), e.g. `"GB"`. */
  readonly arrivalCountry?: string | null | undefined
  /** The code of the carrier, 2 or 3 characters, e.g. `"BA"`. */
  readonly carrierCode?: string | null | undefined
  /** The name of the carrier, at least 1 character, e.g. `"British Airways"`. */
  readonly carrierName?: string | null | undefined
  /** The IATA designator of the carrier, 2 characters, e.g. `"BA"`. */
  readonly iataDesignator?: string | null | undefined
  /** The ICAO code of the carrier, 3 characters, e.g. `"BAW"`. */
  readonly icaoCode?: string | null | undefined
  /** The number of the coupon, 1–50 characters, e.g. `"1"`. */
  readonly couponNumber?: string | null | undefined
  /** The airport of departure, 3 characters (IATA), e.g. `"JFK"`. */
  readonly departureAirport?: string | null | undefined
  /** The time of departure with its offset (RFC 3339), e.g. `"2027-07-16T09:00:00-04:00"`. */
  readonly departureAt?: string | null | undefined
  /** The city of departure, 1–100 characters, e.g. `"New York"`. */
  readonly departureCity?: string | null | undefined
  /** The country of departure, 2 capital letters (ISO 3166-1 alpha-2), e.g. `"US"`. */
  readonly departureCountry?: string | null | undefined
  /** The tax on departure, in the smallest unit of the currency, 0–99,999,999. */
  readonly departureTaxAmount?: number | null | undefined
  /** The fare, in the smallest unit of the currency, 0–99,999,999. */
  readonly fareAmount?: number | null | undefined
  /** The fare basis code, 1–8 characters, e.g. `"FY"`. */
  readonly fareBasisCode?: string | null | undefined
  /** The fee, in the smallest unit of the currency, 0–99,999,999. */
  readonly feeAmount?: number | null | undefined
  /** The class of the flight, 1–5 characters, e.g. `"E"`. */
  readonly flightClass?: string | null | undefined
  /** The number of the flight, 3–6 characters, e.g. `"BA178"`. */
  readonly flightNumber?: string | null | undefined
  /** Whether the flight is one way or part of a round trip. */
  readonly routeType?: "round_trip" | "one_way" | null | undefined
  /** The class of the seat, 1–5 characters, e.g. `"F"`. */
  readonly seatClass?: string | null | undefined
  /** Whether a stopover is allowed. */
  readonly stopOver?: boolean | null | undefined
  /** The tax, in the smallest unit of the currency, 0–99,999,999. */
  readonly taxAmount?: number | null | undefined
}

/**
 * A passenger of a ticket.
 *
 * @since 0.1.0
 * @category models
 */
export interface AirlinePassenger {
  /** Whether the passenger is an adult or an infant. */
  readonly ageGroup?: "adult" | "infant" | null | undefined
  /** The date of birth as `YYYY-MM-DD`, e.g. `"1990-12-10"`. */
  readonly dateOfBirth?: string | null | undefined
  /** The email address, 1–320 characters, e.g. `"ada@example.com"`. */
  readonly emailAddress?: string | null | undefined
  /** The first name, 1–255 characters, e.g. `"Ada"`. */
  readonly firstName?: string | null | undefined
  /** The number of the frequent flyer, 5–50 characters, e.g. `"15885566"`. */
  readonly frequentFlyerNumber?: string | null | undefined
  /** The last name, 1–255 characters, e.g. `"Lovelace"`. */
  readonly lastName?: string | null | undefined
  /** The number of the passport, 1–50 characters, e.g. `"11117700225"`. */
  readonly passportNumber?: string | null | undefined
  /** The phone number with `+` and country code (E.164), e.g. `"+442079460123"`. */
  readonly phoneNumber?: string | null | undefined
  /** The number of the passenger's ticket, 1–50 characters, e.g. `"BA1236699999"`. */
  readonly ticketNumber?: string | null | undefined
  /** The title, 1–50 characters, e.g. `"Ms."`. */
  readonly title?: string | null | undefined
  /** The country of the passenger, 2 capital letters (ISO 3166-1 alpha-2), e.g. `"GB"`. */
  readonly countryCode?: string | null | undefined
}

/**
 * The ticket that is paid for, with its flights and passengers.
 *
 * @since 0.1.0
 * @category models
 */
export interface Airline {
  /** The booking code, 1–50 characters, e.g. `"X36Q9C"`. */
  readonly bookingCode?: string | null | undefined
  /** Whether the cardholder travels. */
  readonly isCardholderTraveling?: boolean | null | undefined
  /** The address of the office that issued the ticket, 1–255 characters, e.g. `"123 Broadway, New York"`. */
  readonly issuedAddress?: string | null | undefined
  /** When the ticket was issued, with its offset (RFC 3339), e.g. `"2027-07-01T19:23:00+00:00"`. */
  readonly issuedAt?: string | null | undefined
  /** The code of the carrier that issued the ticket, 2 or 3 characters, e.g. `"BA"`. */
  readonly issuingCarrierCode?: string | null | undefined
  /** The name of the carrier that issued the ticket, at least 1 character, e.g. `"British Airways"`. */
  readonly issuingCarrierName?: string | null | undefined
  /** The IATA designator of the carrier that issued the ticket, 2 characters, e.g. `"BA"`. */
  readonly issuingIataDesignator?: string | null | undefined
  /** The ICAO code of the carrier that issued the ticket, 3 characters, e.g. `"BAW"`. */
  readonly issuingIcaoCode?: string | null | undefined
  /** The flights, up to 20. */
  readonly legs?: ReadonlyArray<AirlineLeg> | null | undefined
  /** The passenger name record, 1–50 characters, e.g. `"JOHN L"`. */
  readonly passengerNameRecord?: string | null | undefined
  /** The passengers, up to 20. */
  readonly passengers?: ReadonlyArray<AirlinePassenger> | null | undefined
  /** The reservation system, 1–200 characters, e.g. `"Amadeus"`. */
  readonly reservationSystem?: string | null | undefined
  /** Whether the ticket cannot be refunded. */
  readonly restrictedTicket?: boolean | null | undefined
  /** How the ticket is delivered; `"electronic"` by default. */
  readonly ticketDeliveryMethod?: "electronic" | "other" | null | undefined
  /** The number of the ticket, 1–50 characters, e.g. `"123-1234-151555"`. */
  readonly ticketNumber?: string | null | undefined
  /** The code of the travel agency, 1–50 characters, e.g. `"12345"`. */
  readonly travelAgencyCode?: string | null | undefined
  /** The number of the travel agency's invoice, 1–50 characters, e.g. `"EG15555155"`. */
  readonly travelAgencyInvoiceNumber?: string | null | undefined
  /** The name of the travel agency, 1–200 characters, e.g. `"ACME Agency"`. */
  readonly travelAgencyName?: string | null | undefined
  /** The name of the travel agency's plan, 1–200 characters, e.g. `"B733"`. */
  readonly travelAgencyPlanName?: string | null | undefined
}

/**
 * The properties of a new Checkout Session. Every one is optional; `null` is sent as `null`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionCreate {
  /** The lines of the cart. */
  readonly cartItems?: ReadonlyArray<CartItem> | null | undefined
  /** Your own key-value pairs; keys and strings are sent unchanged, e.g. `{ order_id: "4711" }`. */
  readonly metadata?: Readonly<Record<string, string>> | null | undefined
  /** The buyer, who has no account with you. */
  readonly buyer?: Buyer | null | undefined
  /** The ticket that is paid for. */
  readonly airline?: Airline | null | undefined
  /** The amount in the smallest unit of the currency (cents), a whole number from 0 to 99,999,999, e.g. `1299`. */
  readonly amount?: number | null | undefined
  /** The currency, 3 capital letters (ISO 4217), e.g. `"EUR"`. */
  readonly currency?: string | null | undefined
  /** The payment service to use, a UUID. If absent, Gr4vy's routing decides. */
  readonly paymentServiceId?: string | null | undefined
  /**
   * The session's lifetime from now: 1 to 24 hours, rounded down to seconds, e.g. `"2 hours"`. The API's default is 1
   * hour. A plain number is milliseconds.
   */
  readonly expiresIn?: Duration | undefined
  /** The country of the payment, 2 capital letters (ISO 3166-1 alpha-2), e.g. `"DE"`. Not in the vendor's docs. */
  readonly country?: string | null | undefined
  /** Whether the payment follows an earlier one with the same card. Not in the vendor's docs. */
  readonly isSubsequentPayment?: boolean | null | undefined
  /** Whether the merchant starts the payment, not the buyer. Not in the vendor's docs. */
  readonly merchantInitiated?: boolean | null | undefined
  /** Where the payment comes from, e.g. `"ecommerce"`. Not in the vendor's docs. */
  readonly paymentSource?: "ecommerce" | "moto" | "recurring" | "installment" | "card_on_file" | null | undefined
  /** Whether to only authorize the amount, or to capture it at once. Not in the vendor's docs. */
  readonly intent?: "authorize" | "capture" | null | undefined
}

/**
 * The changes to a Checkout Session. An absent property does not change; `null` is sent as `null`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionUpdate extends CheckoutSessionCreate {
  /**
   * The session's lifetime from now: 1 to 24 hours, rounded down to seconds, e.g. `"2 hours"`. If absent, the expiry
   * does not change. A plain number is milliseconds.
   */
  readonly expiresIn?: Duration | undefined
}

/** An open set: the values of today; the API may add others. */
type Open<Known extends string> = Known | (string & {})

/**
 * Facts about a card's issuer.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionPaymentMethodDetails {
  /** The first digits of the card number, which identify the issuer (BIN), e.g. `"411111"`. */
  readonly bin?: string
  /** The country of the card's issuer (ISO 3166-1 alpha-2), e.g. `"US"`. */
  readonly cardCountry?: string
  /** The type of the card; an open set. */
  readonly cardType?: Open<"credit" | "debit" | "prepaid">
  /** The name of the card's issuer, e.g. `"JPMorgan Chase"`. */
  readonly cardIssuerName?: string
}

/**
 * The payment method of a Checkout Session, present after its secure fields were stored.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionPaymentMethod {
  /** Always `"payment-method"` today. */
  readonly type?: Open<"payment-method">
  /** The id of the stored payment method, a UUID; absent for a card that is not stored. */
  readonly id?: string
  /** Facts about the card's issuer. */
  readonly details?: CheckoutSessionPaymentMethodDetails
  /** The last four digits of the card, e.g. `"1111"`. */
  readonly label?: string
  /** The method, `"card"` today; an open set. */
  readonly method?: Open<"card">
  /** The scheme of the card, e.g. `"visa"`; an open set. */
  readonly scheme?: Open<CardScheme>
  /** A string that is the same for the same card and reveals nothing else. */
  readonly fingerprint?: string
}

/**
 * The card schemes of today; the API may add to them.
 *
 * @since 0.1.0
 * @category models
 */
export type CardScheme =
  | "accel"
  | "amex"
  | "bancontact"
  | "carte-bancaire"
  | "cirrus"
  | "culiance"
  | "dankort"
  | "diners-club"
  | "discover"
  | "eftpos-australia"
  | "elo"
  | "hipercard"
  | "jcb"
  | "maestro"
  | "mastercard"
  | "mir"
  | "nyce"
  | "other"
  | "pulse"
  | "qcard"
  | "rupay"
  | "star"
  | "uatp"
  | "unionpay"
  | "visa"

/** The response type of a request type: nothing is `null`, and a set of values is open to new ones. */
type Answered<T> = T extends null | undefined
  ? never
  : T extends string
    ? string extends T
      ? T
      : Open<T>
    : T extends ReadonlyArray<infer Item>
      ? ReadonlyArray<Answered<Item>>
      : T extends object
        ? { readonly [K in keyof T]: Answered<T[K]> }
        : T

/**
 * A Checkout Session: Gr4vy's short-lived record that holds a buyer's card until a transaction uses it. What the API
 * leaves out, or answers as `null`, is absent.
 *
 * @see https://docs.gr4vy.com/reference/checkout-sessions
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSession {
  readonly type: "checkout-session"
  /** The id of the session. */
  readonly id: string
  /** When the session expires: 1 hour after its creation by default, or 5 minutes after its secure fields were received. */
  readonly expiresAt: Date
  /** The lines of the cart. */
  readonly cartItems?: ReadonlyArray<Answered<CartItem>>
  /** Your own key-value pairs. */
  readonly metadata?: Readonly<Record<string, string>>
  /** The buyer, who has no account with you. */
  readonly buyer?: Answered<Buyer>
  /** The ticket that is paid for. */
  readonly airline?: Answered<Airline>
  /** The amount in the smallest unit of the currency (cents), e.g. `1299`. */
  readonly amount?: number
  /** The currency (ISO 4217), e.g. `"EUR"`. */
  readonly currency?: string
  /** The id of the payment service to use. */
  readonly paymentServiceId?: string
  /** The payment method, present after the secure fields were stored. */
  readonly paymentMethod?: CheckoutSessionPaymentMethod
  /** The country of the payment, if the API returns it. */
  readonly country?: string
  /** Whether the payment follows an earlier one with the same card, if the API returns it. */
  readonly isSubsequentPayment?: boolean
  /** Whether the merchant starts the payment, if the API returns it. */
  readonly merchantInitiated?: boolean
  /** Where the payment comes from, if the API returns it; an open set. */
  readonly paymentSource?: Open<"ecommerce" | "moto" | "recurring" | "installment" | "card_on_file">
  /** Whether the amount is only authorized or captured at once, if the API returns it; an open set. */
  readonly intent?: Open<"authorize" | "capture">
}

/** The fields of every card. */
interface CardFields {
  /** Always `"card"`. */
  readonly method: "card"
  /** The card number, 13–19 digits, e.g. `"4111111111111111"`. */
  readonly number: string
  /** The expiration date as `MM/YY`, e.g. `"11/29"`. */
  readonly expirationDate: string
  /** The security code (CVV, CVD), 3 or 4 digits, e.g. `"123"`. */
  readonly securityCode: string
  /** Your own identifier of the card, e.g. `"card-323444"`. Part of the first version of the API. */
  readonly externalIdentifier?: string | null
  /** The URL to which the buyer returns after approval, e.g. `"https://example.com/callback"`. Part of the first version of the API. */
  readonly redirectUrl?: string | null
}

/**
 * A card of a buyer with a Gr4vy id, or without a known buyer.
 *
 * @since 0.1.0
 * @category models
 */
export interface CardOfBuyer extends CardFields {
  /** The id of the card's buyer, a UUID. Never together with `buyerExternalIdentifier`. */
  readonly buyerId?: string
  readonly buyerExternalIdentifier?: never
}

/**
 * A card of a buyer with your own identifier.
 *
 * @since 0.1.0
 * @category models
 */
export interface CardOfExternalBuyer extends CardFields {
  readonly buyerId?: never
  /** Your own identifier of the card's buyer, e.g. `"user-789123"`. Never together with `buyerId`. */
  readonly buyerExternalIdentifier?: string
}

/**
 * Card details, as `PUT /checkout/sessions/{id}/fields` takes them.
 *
 * - `number`: 13–19 digits
 * - `expirationDate`: `MM/YY`
 * - `securityCode`: 3 or 4 digits
 * - `buyerId` (a UUID) never together with `buyerExternalIdentifier`
 *
 * @since 0.1.0
 * @category models
 */
export type CardRequest = CardOfBuyer | CardOfExternalBuyer

/**
 * A card from the buyer's Click to Pay wallet, by the ids from its checkout.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClickToPayRequest {
  /** Always `"click-to-pay"`. */
  readonly method: "click-to-pay"
  /** The id of the transaction, from Click to Pay. */
  readonly merchantTransactionId: string
  /** The correlation id, from Click to Pay. */
  readonly srcCorrelationId: string
  /** The id of the digital payment application, from Click to Pay. */
  readonly srcDpaId: string
  /** The id of the checkout flow, from Click to Pay. */
  readonly srcCxFlowId?: string | null
}

/**
 * A payment method that is already stored at Gr4vy.
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredPaymentMethodRequest {
  /** Always `"id"`. */
  readonly method: "id"
  /** The id of the stored payment method, a UUID. */
  readonly id: string
  /** The security code (CVV, CVD), 3 or 4 digits, if the buyer entered it again. */
  readonly securityCode?: string | null
}

/**
 * The body of `updateFields`: the secure fields to store on a Checkout Session. Use the session within 5 minutes after
 * that.
 *
 * Sending a card from a server requires PCI DSS certification. In a shop the browser sends it.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionSecureFieldsUpdate {
  /** A card, a card from Click to Pay, or a stored payment method by its id. Today's API asks for one. */
  readonly paymentMethod?: CardRequest | ClickToPayRequest | StoredPaymentMethodRequest
  /** The postal code of the buyer, 1–50 characters, for the address check (AVS), e.g. `"SW1A 1AA"`. */
  readonly postalCode?: string | null
}

/**
 * The event of a webhook.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebhookEvent {
  /** Always `"event"` today. */
  readonly type: string
  /** The id of the event: the same for each delivery. Store it to handle an event once. */
  readonly id: string
  /** The name of the event, e.g. `"transaction.captured"`; an open set. */
  readonly name: string
  /** The time of the event; absent if the API sent no date and time with an offset. */
  readonly createdAt?: Date
  /** The merchant account of the event, e.g. `"default"`. */
  readonly merchantAccountId?: string
  /** The resource of the event, as the API sent it, with names in snake_case, e.g. `target["id"]`. */
  readonly target: Readonly<Record<string, unknown>>
}

/**
 * Headers in any form: a record (names in any case), a `Headers`, a `Map`, or pairs.
 *
 * @since 0.1.0
 * @category models
 */
export type HeadersInput =
  | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  | Iterable<readonly [name: string, value: string | ReadonlyArray<string> | undefined]>
  // `Headers`: its iterator is not part of every runtime's types.
  | { readonly get: (name: string) => string | null }
