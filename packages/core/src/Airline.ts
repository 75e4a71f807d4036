/**
 * The airline ticket that a Checkout Session pays for, with the data that card schemes ask for.
 *
 * @since 0.1.0
 */
export {
  Airline,
  AirlineLeg,
  AirlineLegOutput,
  AirlineOutput,
  AirlinePassenger,
  AirlinePassengerOutput
} from "./models/Airline.js"
