/**
 * Tokens that are signed with the private key of a Gr4vy instance. The client signs its own: see `privateKey` of its options.
 *
 * @since 0.1.0
 */
import { callTool, type Unusable } from "@effect-gr4vy/promise/spi/bridge"
import type * as Config from "effect/Config"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { configError, durationsOf } from "./Gr4vy.js"
import { run } from "./internal/host.js"
import { values } from "./internal/values.js"
import type { CartItem } from "./sessions.js"

/**
 * The content of a payment form, fixed by your server: the page cannot change it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Embed {
  /** In the currency's smallest unit, a whole number from 0 to 99,999,999: 1299 is 12.99 USD. */
  readonly amount: number
  /** ISO 4217, e.g. `USD`. */
  readonly currency: string
  readonly buyerId?: string
  readonly buyerExternalIdentifier?: string
  readonly merchantAccountId?: string
  /** The lines of the cart, with the limits of those of a Checkout Session. */
  readonly cartItems?: ReadonlyArray<CartItem>
  /** Your own keys, sent unchanged. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Keys of the API, sent unchanged: whatever JSON can hold. */
  readonly connectionOptions?: Readonly<Record<string, unknown>>
}

/**
 * A token for the page that hosts the payment form: its one scope is `embed`, so it is safe in a browser. Fails with a
 * `ConfigError` that says what to change; it never shows the key.
 *
 * @example
 * ```ts
 * import { SignedCredentials } from "@effect-gr4vy/effect4"
 * import { Redacted } from "effect"
 *
 * const token = SignedCredentials.embedToken({
 *   privateKey: Redacted.make("-----BEGIN PRIVATE KEY-----\n..."),
 *   embed: { amount: 1299, currency: "USD" }
 * })
 * ```
 *
 * @since 0.1.0
 * @category embed
 */
export const embedToken = (options: {
  /** The private key of your Gr4vy instance: PEM, P-521. */
  readonly privateKey: Redacted.Redacted<string>
  /** Restricts the token to one Checkout Session. */
  readonly checkoutSessionId?: string
  /** The content of the form. */
  readonly embed?: Embed
  /** The lifetime of the token: 1 hour by default, 30 seconds to 24 hours. */
  readonly lifetime?: Duration.Input
}): Effect.Effect<Redacted.Redacted<string>, Config.ConfigError> =>
  // Its only failure is an option that cannot be used.
  Effect.mapError(
    run<Redacted.Redacted<string>, Unusable>((host, done) =>
      callTool("embedToken", durationsOf(options), host, values, done)
    ),
    configError
  )
