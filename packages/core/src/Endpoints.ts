/**
 * The four endpoints as plain facts. The contract (`CheckoutSessionsApi`) and the client are both made of them, so that
 * a program that only calls the API does not load what describes and serves one.
 *
 * @see https://docs.gr4vy.com/reference/checkout-sessions
 * @since 0.1.0
 */
import { CheckoutSession } from "./CheckoutSession.js"
import { CheckoutSessionSecureFieldsUpdate } from "./SecureFields.js"

/**
 * `POST /checkout/sessions`
 *
 * @since 0.1.0
 * @category endpoints
 */
export const add = {
  method: "POST",
  path: "/checkout/sessions",
  success: CheckoutSession
} as const

/**
 * `GET /checkout/sessions/{checkout_session_id}`
 *
 * @since 0.1.0
 * @category endpoints
 */
export const get = {
  method: "GET",
  path: "/checkout/sessions/:checkout_session_id",
  success: CheckoutSession
} as const

/**
 * `PUT /checkout/sessions/{checkout_session_id}/fields`; its body is optional, its success is 204 without one.
 *
 * @since 0.1.0
 * @category endpoints
 */
export const updateFields = {
  method: "PUT",
  path: "/checkout/sessions/:checkout_session_id/fields",
  payload: CheckoutSessionSecureFieldsUpdate
} as const

const delete_ = {
  method: "DELETE",
  path: "/checkout/sessions/:checkout_session_id"
} as const

export {
  /**
   * `DELETE /checkout/sessions/{checkout_session_id}`; its success is 204 without a body.
   *
   * @since 0.1.0
   * @category endpoints
   */
  delete_ as delete
}
