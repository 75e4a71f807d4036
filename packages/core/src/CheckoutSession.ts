/**
 * A Checkout Session: Gr4vy's short-lived record that holds a buyer's card until a transaction uses it.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CheckoutSessionId } from "./internal/checkoutSessionId.js"
import { says } from "./internal/explain.js"
import { checkoutSessionFields } from "./models/CheckoutSession.js"
import { silent } from "./spi/Model.js"

export {
  type CardScheme,
  type CardType,
  CheckoutSessionCreate,
  type CheckoutSessionCreateEncoded,
  type CheckoutSessionPaymentMethod,
  type CheckoutSessionPaymentMethodDetails,
  CheckoutSessionUpdate,
  type CheckoutSessionUpdateEncoded,
  type TransactionIntent,
  type TransactionPaymentSource
} from "./models/CheckoutSession.js"
export { CheckoutSessionId }

class Fields extends Schema.Struct(checkoutSessionFields) {
  static override readonly ast = silent(super.ast)
}

type SessionFields = typeof checkoutSessionFields

// The type is written, so that the declarations refer to the fields by name: an inferred type loses their comments.
const Base: Schema.Class<
  CheckoutSession,
  SessionFields,
  Schema.Struct.Encoded<SessionFields>,
  Schema.Struct.Context<SessionFields>,
  Schema.Struct.Constructor<SessionFields>,
  Record<never, never>,
  Record<never, never>
> = Schema.Class<CheckoutSession>("CheckoutSession")(Fields, [
  { description: "A short-lived session that holds a buyer's card data.", ...says("a CheckoutSession") },
  {
    identifier: "CheckoutSession",
    description: "A short-lived session that holds a buyer's card data.",
    ...says("a Checkout Session")
  },
  says("an object")
])

/**
 * A Checkout Session. It expires 1 hour after its creation, or after `expiresIn`, and 5 minutes after its secure fields
 * were stored.
 *
 * Responses are checked for types only, not for limits. `null` becomes an absent property. A new scheme or type decodes as
 * a string.
 *
 * @see https://docs.gr4vy.com/reference/checkout-sessions
 * @since 0.1.0
 * @category models
 */
export class CheckoutSession extends Base {
  /**
   * Whether the session has expired, by Effect's `Clock`. The server's clock decides: `get` of an expired session fails
   * with `NotFound`.
   *
   * @since 0.1.0
   */
  get isExpired(): Effect.Effect<boolean> {
    return Effect.map(DateTime.now, DateTime.greaterThanOrEqualTo(this.expiresAt))
  }

  /**
   * The remaining lifetime by Effect's `Clock`: zero if the session has expired, never negative.
   *
   * @since 0.1.0
   */
  get timeLeft(): Effect.Effect<Duration.Duration> {
    return Effect.map(DateTime.now, (now) => Duration.millis(Math.max(0, DateTime.distance(now, this.expiresAt))))
  }
}
