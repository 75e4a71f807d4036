/**
 * The operations on Checkout Sessions, listed once. The client, the in-memory service, the contract, the server and the
 * promise client are derived from this record.
 *
 * @see https://docs.gr4vy.com/reference/checkout-sessions
 * @since 0.1.0
 */
import { CheckoutSession, CheckoutSessionCreate, CheckoutSessionId, CheckoutSessionUpdate } from "./CheckoutSession.js"
import * as Endpoint from "./Endpoint.js"
import { NotFound } from "./Errors.js"
import { CheckoutSessionSecureFieldsUpdate } from "./SecureFields.js"

const params = { checkout_session_id: CheckoutSessionId }

// UUIDs are the same in either case.
const belongs = (session: CheckoutSession, { checkout_session_id }: { readonly checkout_session_id: string }) =>
  session.id === checkout_session_id || session.id.toLowerCase() === checkout_session_id.toLowerCase()

/**
 * The operations, by the names of the service's methods.
 *
 * @since 0.1.0
 * @category endpoints
 */
export const checkoutSessions = {
  /** `POST /checkout/sessions`; its body is optional. A second copy creates a second session, which expires by itself. */
  add: Endpoint.post("CheckoutSessions.add", "/checkout/sessions", {
    payload: Endpoint.optional(CheckoutSessionCreate),
    success: CheckoutSession,
    resend: "create",
    scope: "checkout-sessions.write",
    docs: {
      identifier: "add-checkout-session",
      summary: "Create a new Checkout Session",
      payload: "session",
      description: "Creates a new Checkout Session.",
      example: {
        amount: 1299,
        currency: "EUR",
        cart_items: [{ name: "Tea", quantity: 1, unit_amount: 1299 }],
        metadata: { order_id: "4711" },
        expires_in: 7200
      },
      success: "Returns the new Checkout Session."
    }
  }),
  /** `GET /checkout/sessions/{checkout_session_id}` */
  get: Endpoint.get("CheckoutSessions.get", "/checkout/sessions/{checkout_session_id}", {
    params,
    success: CheckoutSession,
    errors: [NotFound],
    scope: "checkout-sessions.read",
    belongs,
    docs: {
      identifier: "get-checkout-session",
      summary: "Get a Checkout Session",
      description: "Gets details about a current Checkout Session.",
      success: "Returns details about a current Checkout Session."
    }
  }),
  /** `PUT /checkout/sessions/{checkout_session_id}`: an absent property does not change. */
  update: Endpoint.put("CheckoutSessions.update", "/checkout/sessions/{checkout_session_id}", {
    params,
    payload: CheckoutSessionUpdate,
    success: CheckoutSession,
    errors: [NotFound],
    scope: "checkout-sessions.write",
    belongs,
    docs: {
      identifier: "update-checkout-session",
      summary: "Update a Checkout Session",
      payload: "session",
      description:
        "Updates the Checkout Session: a property that is absent stays as it is, `null` clears it. `expires_in` counts from now on.",
      success: "Returns the updated Checkout Session.",
      example: { amount: 1599, buyer: { display_name: "Ada Lovelace" } }
    }
  }),
  /** `PUT /checkout/sessions/{checkout_session_id}/fields`; its body is optional, its success is 204. */
  updateFields: Endpoint.put("CheckoutSessions.updateFields", "/checkout/sessions/{checkout_session_id}/fields", {
    params,
    payload: Endpoint.optional(CheckoutSessionSecureFieldsUpdate),
    errors: [NotFound],
    scope: "checkout-sessions.write",
    docs: {
      identifier: "update-checkout-session-fields",
      summary: "Update a Checkout Session's Secure Fields",
      payload: "update",
      description:
        "Updates the Secure Fields of the Checkout Session. Once the fields have been received the `expires_at` will be updated to 5 minutes from the time of receipt.",
      success: "Returns when the Checkout Session was updated.",
      example: {
        payment_method: {
          method: "card",
          number: "4111111111111111",
          expiration_date: "12/39",
          security_code: "123"
        }
      }
    }
  }),
  /** `DELETE /checkout/sessions/{checkout_session_id}`; its success is 204. */
  delete: Endpoint.delete("CheckoutSessions.delete", "/checkout/sessions/{checkout_session_id}", {
    params,
    errors: [NotFound],
    scope: "checkout-sessions.write",
    docs: {
      identifier: "delete-checkout-session",
      summary: "Delete a Checkout Session",
      description: "Deletes a Checkout Session.",
      success: "Returns an empty response."
    }
  })
}
