/**
 * The airline ticket that a Checkout Session pays for, with the data that card schemes ask for.
 *
 * @since 0.1.0
 */
export {
  Airline,
  type AirlineEncoded,
  type AirlineLeg,
  type AirlineLegOutput,
  type AirlineOutput,
  type AirlinePassenger,
  type AirlinePassengerOutput
} from "./models/Airline.js"
