/**
 * The failure of a call that cannot be sent as it was given.
 */
import { RequestFailed } from "../Errors.js"

export const invalidRequest = (problem: string): RequestFailed =>
  new RequestFailed({
    reason: "InvalidRequest",
    delivered: "no",
    attempts: 0,
    message: `Nothing was sent: ${problem}.`
  })
