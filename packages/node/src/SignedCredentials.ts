/**
 * Tokens signed with the merchant's private key: minted when needed, cached, renewed before they expire and after a 401.
 *
 * A token is a JWT signed with ES512 (P-521). Its `kid` is the RFC 7638 thumbprint of the public key.
 *
 * @see https://docs.gr4vy.com/reference/authentication
 * @since 0.1.0
 */

import { type KeyObject, randomUUID } from "node:crypto"
import type { CheckoutSessionId } from "@effect-gr4vy/core/CheckoutSession"
import { Credentials, type CredentialsService } from "@effect-gr4vy/core/Credentials"
import * as Clock from "effect/Clock"
import * as ConfigError from "effect/ConfigError"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { privateKeyFrom } from "./internal/p521.js"
import { name, version } from "./internal/version.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The private key of your Gr4vy instance: PEM, P-521. Line breaks may be written as `\n` in two characters. */
  readonly privateKey: Redacted.Redacted
  /** What the tokens allow: `checkout-sessions.read` and `checkout-sessions.write` by default. */
  readonly scopes?: ReadonlyArray<string>
  /** How long a token is good for: 5 minutes by default, 30 seconds to 24 hours. */
  readonly lifetime?: Duration.DurationInput
}

/**
 * What this SDK's calls need, and no more. Write does not imply read.
 *
 * @since 0.1.0
 * @category scopes
 */
export const defaultScopes: ReadonlyArray<string> = ["checkout-sessions.read", "checkout-sessions.write"]

/** Tokens are good from a little before they are made, so that a clock a little ahead of the server's does no harm. */
const backdatedSeconds = 5

const defaultLifetime = Duration.minutes(5)

/**
 * Credentials that sign their own tokens. Fails with a `ConfigError` when the key is not a P-521 private key; the
 * message never shows the key.
 *
 * A 401 also corrects the clock: the answer's `Date` tells how far this machine's clock is off, and the next tokens are
 * dated by the server's.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<CredentialsService, ConfigError.ConfigError, Scope.Scope> =>
  Effect.gen(function* () {
    const lifetime = yield* checkLifetime(options.lifetime)
    const sign = yield* makeSigner(options.privateKey)
    const scopes = options.scopes ?? defaultScopes
    let offsetMillis = 0
    return yield* Credentials.makeSource({
      get: Clock.clockWith((clock) => {
        const now = clock.unsafeCurrentTimeMillis()
        return Effect.map(sign(now + offsetMillis, lifetime, { scopes }), (token) => ({
          token,
          expiresAt: DateTime.unsafeMake(now + Duration.toMillis(lifetime))
        }))
      }),
      onRejected: (serverTime) =>
        Clock.clockWith((clock) => {
          if (Option.isSome(serverTime)) {
            const off = DateTime.toEpochMillis(serverTime.value) - clock.unsafeCurrentTimeMillis()
            offsetMillis = Math.abs(off) < backdatedSeconds * 1000 ? 0 : off
          }
          return Effect.void
        })
    })
  })

/**
 * {@link make} as a layer.
 *
 * @example
 * ```ts
 * import { SignedCredentials } from "@effect-gr4vy/node"
 * import { Redacted } from "effect"
 *
 * const Signed = SignedCredentials.layer({ privateKey: Redacted.make("-----BEGIN PRIVATE KEY-----\n...") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Credentials, ConfigError.ConfigError> =>
  Layer.scoped(Credentials, make(options))

/**
 * What a payment form is for, fixed by your server: the page cannot change it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Embed {
  /** In the currency's smallest unit: 1299 is 12.99 USD. */
  readonly amount: number
  /** ISO 4217, e.g. `USD`. */
  readonly currency: string
  readonly buyerId?: string
  readonly buyerExternalIdentifier?: string
  readonly merchantAccountId?: string
  readonly cartItems?: ReadonlyArray<Readonly<Record<string, unknown>>>
  /** Its keys are yours, and pass through unchanged. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Its keys are those of the API, and pass through unchanged. */
  readonly connectionOptions?: Readonly<Record<string, unknown>>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface EmbedOptions {
  /** The private key of your Gr4vy instance: PEM, P-521. */
  readonly privateKey: Redacted.Redacted
  /** Pins the token to one Checkout Session. */
  readonly checkoutSessionId?: CheckoutSessionId
  /** What the form is for; names become snake_case on the wire, nested ones too. */
  readonly embed?: Embed
  /** How long the token is good for: 1 hour by default, 30 seconds to 24 hours. */
  readonly lifetime?: Duration.DurationInput
}

/**
 * A token for the page that hosts the payment form: its one scope is `embed`, so it is safe in a browser. Fails with a
 * `ConfigError` when the key is not a P-521 private key, or the lifetime is out of bounds.
 *
 * @example
 * ```ts
 * import { SignedCredentials } from "@effect-gr4vy/node"
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
export const embedToken = (options: EmbedOptions): Effect.Effect<Redacted.Redacted, ConfigError.ConfigError> =>
  Effect.gen(function* () {
    const lifetime = yield* checkLifetime(options.lifetime ?? Duration.hours(1))
    const sign = yield* makeSigner(options.privateKey)
    return yield* sign(yield* Clock.currentTimeMillis, lifetime, {
      scopes: ["embed"],
      ...(options.checkoutSessionId === undefined ? {} : { checkout_session_id: options.checkoutSessionId }),
      ...(options.embed === undefined ? {} : { embed: snakeCaseKeys(options.embed) })
    })
  })

const snakeCaseKeys = (record: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      snakeCase(key),
      key === "metadata" || key === "connectionOptions" ? value : snakeCaseNested(value)
    ])
  )

const snakeCaseNested = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(snakeCaseNested) : Predicate.isRecord(value) ? snakeCaseKeys(value) : value

const snakeCase = (key: string): string =>
  key
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase()

/** Makes a token that is good from now on, for as long as `lifetime` says. */
type Sign = (
  nowMillis: number,
  lifetime: Duration.Duration,
  claims: Readonly<Record<string, unknown>>
) => Effect.Effect<Redacted.Redacted>

const makeSigner = (privateKey: Redacted.Redacted): Effect.Effect<Sign, ConfigError.ConfigError> =>
  Effect.gen(function* () {
    const key = yield* parseKey(privateKey)
    // Only those who bring a key pay for loading jose.
    const jose = yield* Effect.promise(() => import("jose"))
    const kid = yield* Effect.promise(async () => jose.calculateJwkThumbprint(await jose.exportJWK(key)))
    return (nowMillis, lifetime, claims) =>
      Effect.promise(() => {
        const now = Math.floor(nowMillis / 1000)
        return new jose.SignJWT({ ...claims })
          .setProtectedHeader({ alg: "ES512", typ: "JWT", kid })
          .setIssuer(`${name} ${version}`)
          .setIssuedAt(now - backdatedSeconds)
          .setNotBefore(now - backdatedSeconds)
          .setExpirationTime(now + Math.floor(Duration.toSeconds(lifetime)))
          .setJti(randomUUID())
          .sign(key)
      }).pipe(Effect.map((token) => Redacted.make(token)))
  })

const parseKey = (privateKey: Redacted.Redacted): Either.Either<KeyObject, ConfigError.ConfigError> =>
  Either.mapLeft(privateKeyFrom(Redacted.value(privateKey)), (found) =>
    ConfigError.InvalidData(
      ["privateKey"],
      `Found ${found}; expected the private key of your Gr4vy instance: PEM (PKCS#8), curve P-521.`
    )
  )

const checkLifetime = (
  input: Duration.DurationInput = defaultLifetime
): Effect.Effect<Duration.Duration, ConfigError.ConfigError> => {
  const lifetime = Duration.decodeUnknown(input)
  return Option.isSome(lifetime) && Duration.between(lifetime.value, { minimum: "30 seconds", maximum: "24 hours" })
    ? Effect.succeed(lifetime.value)
    : Effect.fail(ConfigError.InvalidData(["tokenLifetime"], "A token's lifetime must be 30 seconds to 24 hours."))
}
