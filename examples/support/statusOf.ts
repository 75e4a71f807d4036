/**
 * The HTTP status for each error, as the table in docs/http-service.md has it.
 */
import type { CheckoutSessionsError, RequestFailedReason } from "@effect-gr4vy/core"
import { Match } from "effect"

const statusOfReason: Record<RequestFailedReason, number> = {
  InvalidRequest: 400,
  Credentials: 500,
  Connect: 503,
  Timeout: 504,
  Disconnected: 502,
  InvalidResponse: 502,
  ResponseTooLarge: 502
}

const statusOfApi = (status: number): number => {
  if (status === 400 || status === 409 || status === 422) return status
  if (status === 429 || status === 503) return 503
  return status >= 500 ? 502 : 500
}

export const statusOf: (error: CheckoutSessionsError) => number = Match.typeTags<CheckoutSessionsError>()({
  NotFound: () => 404,
  Unauthorized: () => 500,
  Generic: ({ status }) => statusOfApi(status),
  RequestFailed: ({ reason }) => statusOfReason[reason]
})
