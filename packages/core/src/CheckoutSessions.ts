/**
 * The service: create, read, update, fill and delete Checkout Sessions.
 *
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Effect from "effect/Effect"
import type {
  CheckoutSession,
  CheckoutSessionCreate,
  CheckoutSessionId,
  CheckoutSessionUpdate
} from "./CheckoutSession.js"
import * as Endpoint from "./Endpoint.js"
import { checkoutSessions } from "./Endpoints.js"
import type { Generic, NotFound, RequestFailed, Unauthorized } from "./Errors.js"
import type { CheckoutSessionSecureFieldsUpdate } from "./SecureFields.js"

/**
 * The operations on Checkout Sessions.
 *
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionsService {
  /**
   * Creates a Checkout Session. Its lifetime is 1 hour by default; `session.expiresIn` sets another. Without `session` the
   * request has no body. By default it is sent at most once, because a second request could create a second session; a
   * retry policy with `creates: "at-least-once"` changes that.
   */
  readonly add: (
    session?: CheckoutSessionCreate,
    options?: Endpoint.CallOptions
  ) => Effect.Effect<CheckoutSession, Unauthorized | Generic | RequestFailed>
  /** Reads a Checkout Session. */
  readonly get: (
    id: CheckoutSessionId,
    options?: Endpoint.CallOptions
  ) => Effect.Effect<CheckoutSession, Unauthorized | NotFound | Generic | RequestFailed>
  /**
   * Changes a Checkout Session and returns it. An absent property does not change; `null` clears it. `expiresIn` counts
   * from now; without it the expiry does not change.
   */
  readonly update: (
    id: CheckoutSessionId,
    session: CheckoutSessionUpdate,
    options?: Endpoint.CallOptions
  ) => Effect.Effect<CheckoutSession, Unauthorized | NotFound | Generic | RequestFailed>
  /**
   * Stores secure fields on a Checkout Session, which then expires in 5 minutes; `get` returns the new expiry. Without
   * `update` the request has no body. Sending a card from a server requires PCI DSS certification.
   */
  readonly updateFields: (
    id: CheckoutSessionId,
    update?: CheckoutSessionSecureFieldsUpdate,
    options?: Endpoint.CallOptions
  ) => Effect.Effect<void, Unauthorized | NotFound | Generic | RequestFailed>
  /** Deletes a Checkout Session. */
  readonly delete: (
    id: CheckoutSessionId,
    options?: Endpoint.CallOptions
  ) => Effect.Effect<void, Unauthorized | NotFound | Generic | RequestFailed>
}

/**
 * Gr4vy Checkout Sessions. Its layers: {@link CheckoutSessions.layer} over any `Gr4vyHttpClient`, `Gr4vy.layer` of
 * `@effect-gr4vy/node` with everything wired, and `CheckoutSessionsMemory.layer` for tests.
 *
 * @example
 * ```ts
 * import { CheckoutSessions } from "@effect-gr4vy/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const sessions = yield* CheckoutSessions
 *   const session = yield* sessions.add({ amount: 1299, currency: "EUR" })
 *   return yield* sessions.get(session.id)
 * })
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export class CheckoutSessions extends Endpoint.Service<CheckoutSessions, CheckoutSessionsService>()(
  "@effect-gr4vy/core/CheckoutSessions",
  checkoutSessions
) {}

/**
 * Creates the service over a `Gr4vyHttpClient`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (client: HttpClient.HttpClient.With<RequestFailed>): CheckoutSessionsService =>
  Endpoint.clientOf(checkoutSessions, client)
