/**
 * The airline ticket that a Checkout Session pays for, with the data that card schemes ask for.
 *
 * @since 0.1.0
 */
import {
  amount,
  country,
  date,
  dateTime,
  type Field,
  flag,
  list,
  type Model,
  model,
  nullish,
  object,
  oneOf,
  phoneNumber,
  text,
  type Wire
} from "./internal/model.js"

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

const leg = object<AirlineLeg>("AirlineLeg", "A flight of a ticket.", () => ({
  arrivalAirport: nullish(text(3, 3, ["The airport of arrival (IATA).", "LHR"])),
  arrivalAt: nullish(dateTime(["The time of arrival with its offset.", "2027-07-16T19:23:00+01:00"])),
  arrivalCity: nullish(text(1, 100, ["The city of arrival.", "London"])),
  arrivalCountry: nullish(country(["The country of arrival (ISO 3166-1 alpha-2).", "GB"])),
  carrierCode: nullish(text(2, 3, ["The code of the carrier.", "BA"])),
  carrierName: nullish(text(1, undefined, ["The name of the carrier.", "British Airways"])),
  iataDesignator: nullish(text(2, 2, ["The IATA designator of the carrier.", "BA"])),
  icaoCode: nullish(text(3, 3, ["The ICAO code of the carrier.", "BAW"])),
  couponNumber: nullish(text(1, 50, ["The number of the coupon.", "1"])),
  departureAirport: nullish(text(3, 3, ["The airport of departure (IATA).", "JFK"])),
  departureAt: nullish(dateTime(["The time of departure with its offset.", "2027-07-16T09:00:00-04:00"])),
  departureCity: nullish(text(1, 100, ["The city of departure.", "New York"])),
  departureCountry: nullish(country(["The country of departure (ISO 3166-1 alpha-2).", "US"])),
  departureTaxAmount: nullish(amount(["The tax on departure, in the smallest unit of the currency.", 1200])),
  fareAmount: nullish(amount(["The fare, in the smallest unit of the currency.", 129900])),
  fareBasisCode: nullish(text(1, 8, ["The fare basis code.", "FY"])),
  feeAmount: nullish(amount(["The fee, in the smallest unit of the currency.", 1200])),
  flightClass: nullish(text(1, 5, ["The class of the flight.", "E"])),
  flightNumber: nullish(text(3, 6, ["The number of the flight.", "BA178"])),
  routeType: nullish(oneOf(["round_trip", "one_way"], ["The type of the route.", "round_trip"])),
  seatClass: nullish(text(1, 5, ["The class of the seat.", "F"])),
  stopOver: nullish(flag(["Whether a stop over is allowed.", false])),
  taxAmount: nullish(amount(["The tax, in the smallest unit of the currency.", 1200]))
}))

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

const passenger = object<AirlinePassenger>("AirlinePassenger", "A traveller on a ticket.", () => ({
  ageGroup: nullish(oneOf(["adult", "infant"], ["The age group of the passenger.", "adult"])),
  dateOfBirth: nullish(date(["The date of birth.", "1990-12-10"])),
  emailAddress: nullish(text(1, 320, ["The email address.", "ada@example.com"])),
  firstName: nullish(text(1, 255, ["The first name.", "Ada"])),
  frequentFlyerNumber: nullish(text(5, 50, ["The number of the frequent flyer.", "15885566"])),
  lastName: nullish(text(1, 255, ["The last name.", "Lovelace"])),
  passportNumber: nullish(text(1, 50, ["The number of the passport.", "11117700225"])),
  phoneNumber: nullish(phoneNumber(["The phone number (E.164).", "+442079460123"])),
  ticketNumber: nullish(text(1, 50, ["The number of the passenger's ticket.", "BA1236699999"])),
  title: nullish(text(1, 50, ["The title of the passenger.", "Ms."])),
  countryCode: nullish(country(["The country of the passenger (ISO 3166-1 alpha-2).", "GB"]))
}))

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

/** @internal */
export const airline: Field<Airline> = object<Airline>("Airline", "The ticket that is paid for.", () => ({
  bookingCode: nullish(text(1, 50, ["The booking code.", "X36Q9C"])),
  isCardholderTraveling: nullish(flag(["Whether the card's holder travels.", true])),
  issuedAddress: nullish(text(1, 255, ["The address of the office that issued the ticket.", "123 Broadway, New York"])),
  issuedAt: nullish(dateTime(["The time the ticket was issued, with its offset.", "2027-07-01T19:23:00+00:00"])),
  issuingCarrierCode: nullish(text(2, 3, ["The code of the carrier that issued the ticket.", "BA"])),
  issuingCarrierName: nullish(
    text(1, undefined, ["The name of the carrier that issued the ticket.", "British Airways"])
  ),
  issuingIataDesignator: nullish(text(2, 2, ["The IATA designator of the carrier that issued the ticket.", "BA"])),
  issuingIcaoCode: nullish(text(3, 3, ["The ICAO code of the carrier that issued the ticket.", "BAW"])),
  legs: nullish(list(leg, ["The flights, up to 20."], 20)),
  passengerNameRecord: nullish(text(1, 50, ["The passenger name record.", "JOHN L"])),
  passengers: nullish(list(passenger, ["The passengers, up to 20."], 20)),
  reservationSystem: nullish(text(1, 200, ["The reservation system.", "Amadeus"])),
  restrictedTicket: nullish(flag(["Whether the ticket cannot be refunded.", false])),
  ticketDeliveryMethod: nullish(oneOf(["electronic", "other"], ["The way the ticket is delivered.", "electronic"])),
  ticketNumber: nullish(text(1, 50, ["The number of the ticket.", "123-1234-151555"])),
  travelAgencyCode: nullish(text(1, 50, ["The code of the travel agency.", "12345"])),
  travelAgencyInvoiceNumber: nullish(text(1, 50, ["The number of the travel agency's invoice.", "EG15555155"])),
  travelAgencyName: nullish(text(1, 200, ["The name of the travel agency.", "ACME Agency"])),
  travelAgencyPlanName: nullish(text(1, 200, ["The name of the travel agency's plan.", "B733"]))
}))

/**
 * The schema of an {@link Airline} in a request: camelCase in TypeScript, snake_case on the wire.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Airline: Model<Airline, Wire<Airline>> = model(airline.sent)
