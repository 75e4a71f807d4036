/**
 * Tokens signed with the merchant's private key. They are cached and renewed before they expire and after a 401.
 *
 * A token is a JWT signed with ES512 (P-521). Its `kid` is the RFC 7638 thumbprint of the public key.
 *
 * @see https://docs.gr4vy.com/reference/authentication
 * @since 0.1.0
 */

import { type KeyObject, randomUUID } from "node:crypto"
import { CartItem } from "@effect-gr4vy/core/CartItem"
import { CheckoutSessionId } from "@effect-gr4vy/core/CheckoutSession"
import { Credentials, type CredentialsService } from "@effect-gr4vy/core/Credentials"
import { copyJson } from "@effect-gr4vy/core/spi/Json"
import { namesIn, unknownName } from "@effect-gr4vy/core/spi/Names"
import { problems } from "@effect-gr4vy/core/spi/Serving"
import * as Clock from "effect/Clock"
import * as ConfigError from "effect/ConfigError"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { checkNames, type Names } from "./internal/options.js"
import { privateKeyFrom } from "./internal/p521.js"
import { name, version } from "./internal/version.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The private key of your Gr4vy instance: PEM, P-521. Its line breaks may be missing or escaped as `\n`. */
  readonly privateKey: Redacted.Redacted
  /** The scopes of the tokens: `checkout-sessions.read` and `checkout-sessions.write` by default. */
  readonly scopes?: ReadonlyArray<string>
  /** The lifetime of a token: 5 minutes by default, 30 seconds to 24 hours. */
  readonly lifetime?: Duration.DurationInput
}

/**
 * The scopes of Checkout Sessions. Write does not include read.
 *
 * @since 0.1.0
 * @category scopes
 */
export const defaultScopes: ReadonlyArray<string> = ["checkout-sessions.read", "checkout-sessions.write"]

const optionNames: Names<Options> = { privateKey: true, scopes: true, lifetime: true }

const embedOptionNames: Names<EmbedOptions> = { privateKey: true, checkoutSessionId: true, embed: true, lifetime: true }

/** Tokens are backdated to tolerate a clock that is a little ahead of the server's. */
const backdatedSeconds = 5

/** The largest difference of two clocks before one of them counts as wrong. */
const clockToleranceMillis = backdatedSeconds * 1000

/**
 * Credentials that sign their own tokens. Fails with a `ConfigError` if the key is not a P-521 private key; the
 * message never shows the key.
 *
 * A 401 also corrects the clock: the response's `Date` shows how far this machine's clock is off, and later tokens are
 * dated by the server's clock. The correction ends when this machine's clock is set (by NTP, or after the machine was
 * suspended). A `Date` more than 24 hours away is ignored: tokens stay dated by this machine's clock, and the API's
 * `Unauthorized` reaches the caller.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<CredentialsService, ConfigError.ConfigError, Scope.Scope> =>
  Effect.zipRight(
    checkNames(options, optionNames),
    Effect.suspend(() => makeRotating(Effect.succeed(options.privateKey), options))
  )

/**
 * {@link make} with a key that may change: it is read again for each token, after a 401 too. If it cannot be read then,
 * the last one goes on being used.
 *
 * @internal
 */
export const makeRotating = (
  readKey: Effect.Effect<Redacted.Redacted, ConfigError.ConfigError>,
  options: Omit<Options, "privateKey">
): Effect.Effect<CredentialsService, ConfigError.ConfigError, Scope.Scope> =>
  Effect.gen(function* () {
    const lifetime = yield* checkLifetime("tokenLifetime", options.lifetime ?? Duration.minutes(5))
    let latest = yield* Effect.flatMap(readKey, makeSigner)
    const scopes = options.scopes ?? defaultScopes
    let correction: Correction | undefined

    const signer = readKey.pipe(
      Effect.flatMap((key) => (Equal.equals(key, latest.key) ? Effect.succeed(latest) : makeSigner(key))),
      Effect.tap((read) => Effect.sync(() => (latest = read))),
      Effect.catchAll((error) =>
        Effect.as(
          Effect.logWarning(`The private key cannot be read again, so the last one goes on being used: ${error}`),
          latest
        )
      )
    )
    const getAt = (clock: Clock.Clock) => {
      const now = clock.unsafeCurrentTimeMillis()
      if (correction !== undefined && wasSetSince(correction, clock)) correction = undefined
      const offMillis = correction?.offMillis ?? 0
      return signer.pipe(
        Effect.flatMap(({ sign }) => sign(now + offMillis, lifetime, { scopes })),
        Effect.map(({ expiresAtMillis, token }) => ({
          token,
          expiresAt: DateTime.unsafeMake(expiresAtMillis - offMillis)
        }))
      )
    }

    return yield* Credentials.makeSource({
      get: Clock.clockWith(getAt),
      onRejected: (serverTime) =>
        Clock.clockWith((clock) => {
          if (Option.isSome(serverTime)) {
            const millis = clock.unsafeCurrentTimeMillis()
            const offMillis = DateTime.toEpochMillis(serverTime.value) - millis
            correction =
              Math.abs(offMillis) < clockToleranceMillis
                ? undefined
                : { offMillis, millis, nanos: clock.unsafeCurrentTimeNanos() }
          }
          return Effect.void
        })
    })
  })

/** The offset of the server's clock, and the time of the measurement by both of this machine's clocks. */
interface Correction {
  readonly offMillis: number
  readonly millis: number
  readonly nanos: bigint
}

/** The monotonic clock cannot be set. If the two clocks have diverged, the wall clock was set. */
const wasSetSince = (correction: Correction, clock: Clock.Clock): boolean => {
  const passed = Number(clock.unsafeCurrentTimeNanos() - correction.nanos) / 1e6
  return Math.abs(clock.unsafeCurrentTimeMillis() - correction.millis - passed) >= clockToleranceMillis
}

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
 * @since 0.1.0
 * @category models
 */
export interface EmbedOptions {
  /** The private key of your Gr4vy instance: PEM, P-521. */
  readonly privateKey: Redacted.Redacted
  /** Restricts the token to one Checkout Session. */
  readonly checkoutSessionId?: CheckoutSessionId
  /** The content of the form; names become snake_case on the wire, those of cart items too. */
  readonly embed?: Embed
  /** The lifetime of the token: 1 hour by default, 30 seconds to 24 hours. */
  readonly lifetime?: Duration.DurationInput
}

/**
 * Signs a token for the page that hosts the payment form. Its only scope is `embed`, so it is safe in a browser. Fails with
 * a `ConfigError` that names the option if the key is not a P-521 private key, the lifetime is out of bounds, the session's
 * id is none, the amount is not a whole number from 0 to 99,999,999, or the currency is not three capital letters.
 *
 * Everything in `embed` is signed as it is, or refused: an unknown name, an empty id, `undefined`, a cart item that no
 * Checkout Session accepts, metadata that is not strings, and what JSON would change. A property that Gr4vy does not know
 * would fix nothing. A `checkoutSessionId` or `embed` that is `undefined` is refused, too: its value got lost.
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
    yield* checkNames(options, embedOptionNames)
    const { checkoutSessionId, embed } = options
    const lifetime = yield* checkLifetime("lifetime", options.lifetime ?? Duration.hours(1))
    // A value that got lost would give a token that fixes nothing.
    const session =
      "checkoutSessionId" in options ? { checkout_session_id: yield* sessionClaim(checkoutSessionId) } : {}
    const content = "embed" in options ? { embed: yield* embedClaim(embed) } : {}
    const { sign } = yield* makeSigner(options.privateKey)
    const { token } = yield* sign(yield* Clock.currentTimeMillis, lifetime, {
      scopes: ["embed"],
      ...session,
      ...content
    })
    return token
  })

const isSessionId = Schema.is(CheckoutSessionId)

const sessionClaim = (id: unknown): Either.Either<string, ConfigError.ConfigError> =>
  isSessionId(id)
    ? Either.right(id)
    : invalid(
        ["checkoutSessionId"],
        "The Checkout Session's id must be 1 to 64 letters, digits, '_' or '-'. Leave it out if there is none."
      )

/** Reads one property of `embed`, as a value that JSON does not change. */
type Claim = (value: unknown, path: ReadonlyArray<string>) => Either.Either<unknown, ConfigError.ConfigError>

const amountClaim: Claim = (value, path) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 99_999_999
    ? Either.right(value)
    : invalid(
        path,
        "The amount must be a whole number from 0 to 99999999, in the currency's smallest unit: 1299 is 12.99 USD."
      )

const currencyClaim: Claim = (value, path) =>
  Predicate.isString(value) && /^[A-Z]{3}$/.test(value)
    ? Either.right(value)
    : invalid(path, "The currency must be three capital letters (ISO 4217), e.g. USD.")

const idClaim: Claim = (value, path) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  Predicate.isString(value) && value !== "" && value.trim() === value && !/[\x00-\x1f\x7f]/.test(value)
    ? Either.right(value)
    : invalid(path, "An id must be a string without surrounding space. Leave it out if there is none.")

const jsonClaim: Claim = (value, path) =>
  Either.mapLeft(copyJson(value, path.join(".")), (problem) => ConfigError.InvalidData([...path], `${problem}.`))

const metadataClaim: Claim = (value, path) =>
  Either.flatMap(recordClaim(value, path), (metadata) =>
    Object.values(metadata).every(Predicate.isString)
      ? Either.right(metadata)
      : invalid(path, "Every value of metadata must be a string.")
  )

const recordClaim = (
  value: unknown,
  path: ReadonlyArray<string>
): Either.Either<Record<string, unknown>, ConfigError.ConfigError> =>
  Either.flatMap(jsonClaim(value, path), (copied) =>
    Predicate.isRecord(copied) ? Either.right(copied) : invalid(path, `${path.join(".")} must be an object.`)
  )

const cartClaim: Claim = (value, path) =>
  Array.isArray(value)
    ? Either.all(Array.from(value, (item, index) => cartItemClaim(item, [...path, String(index)])))
    : invalid(path, "cartItems must be an array.")

const cartItemClaim: Claim = (item, path) =>
  Either.gen(function* () {
    if (!Predicate.isRecord(item)) return yield* invalid(path, "A cart item must be an object.")
    // An absent property may be `undefined`, as its type says.
    const given = Record.filter(
      Record.map(cartItemNames, (_, name) => item[name]),
      Predicate.isNotUndefined
    )
    // Says of a Promise that it is one, not that it has no name.
    if (Record.isEmptyRecord(given)) yield* jsonClaim(item, path)
    yield* refuseUnknown(item, cartItemNames, path)
    return yield* Either.mapLeft(encodeCartItem(given), ({ issue }) =>
      ConfigError.InvalidData([...path], `${sentences(issue, path)}.`)
    )
  })

const encodeCartItem = Schema.encodeUnknownEither(CartItem, { errors: "all", onExcessProperty: "error" })

/** What is wrong with a cart item, without the values. */
const sentences = (issue: ParseResult.ParseIssue, path: ReadonlyArray<string>): string =>
  problems(new ParseResult.ParseError({ issue }), CartItem.ast)
    .map((problem) => `${[...path, ...problem.path].join(".")} ${problem.message}`)
    .join("; ")

const embedClaims: Readonly<Record<keyof Embed, Claim>> = {
  amount: amountClaim,
  currency: currencyClaim,
  buyerId: idClaim,
  buyerExternalIdentifier: idClaim,
  merchantAccountId: idClaim,
  cartItems: cartClaim,
  metadata: metadataClaim,
  connectionOptions: recordClaim
}

const cartItemNames: Names<CartItem> = {
  name: true,
  quantity: true,
  unitAmount: true,
  discountAmount: true,
  taxAmount: true,
  externalIdentifier: true,
  sku: true,
  upc: true,
  productUrl: true,
  imageUrl: true,
  categories: true,
  productType: true,
  sellerCountry: true,
  taxExempt: true,
  unitOfMeasure: true,
  commodityCode: true,
  description: true,
  dutyAmount: true,
  shippingAmount: true,
  brand: true,
  subcategories: true
}

/** Nothing is signed under a name that Gr4vy does not know: it would look fixed, and the page could change it. */
const embedClaim = (embed: unknown): Either.Either<Record<string, unknown>, ConfigError.ConfigError> =>
  Either.gen(function* () {
    if (!Predicate.isRecord(embed)) {
      return yield* invalid(
        ["embed"],
        "embed must be an object with an amount and a currency. Leave it out if there is none."
      )
    }
    yield* refuseUnknown(embed, embedClaims, ["embed"])
    const claims: Record<string, unknown> = {}
    for (const [name, claim] of Object.entries(embedClaims)) {
      // A getter of a class counts as well, and what is there must be readable, `undefined` included.
      if (name in embed || isRequired(name)) claims[snakeCase(name)] = yield* claim(embed[name], ["embed", name])
    }
    return claims
  })

const isRequired = (name: string): boolean => name === "amount" || name === "currency"

const refuseUnknown = (
  given: object,
  known: object,
  path: ReadonlyArray<string>
): Either.Either<void, ConfigError.ConfigError> => {
  // A misspelt name is refused whatever its value: a value that got lost is no less misspelt.
  const names = Object.fromEntries(namesIn(given).map((name) => [name, true]))
  const unknown = unknownName(names, known)
  return unknown === undefined
    ? Either.void
    : invalid([...path, unknown.name], `${path.join(".")}: ${unknown.message}.`)
}

const invalid = (path: ReadonlyArray<string>, problem: string): Either.Either<never, ConfigError.ConfigError> =>
  Either.left(ConfigError.InvalidData([...path], problem))

const snakeCase = (key: string): string => key.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase()

/** Signs a token for `lifetime` in whole seconds, as in its claims. */
type Sign = (
  nowMillis: number,
  lifetime: Duration.Duration,
  claims: Readonly<Record<string, unknown>>
) => Effect.Effect<{ readonly token: Redacted.Redacted; readonly expiresAtMillis: number }>

interface Signer {
  readonly key: Redacted.Redacted
  readonly sign: Sign
}

const makeSigner = (privateKey: Redacted.Redacted): Effect.Effect<Signer, ConfigError.ConfigError> =>
  Effect.gen(function* () {
    const key = yield* parseKey(privateKey)
    // jose is loaded only if there is a key.
    const jose = yield* Effect.promise(() => import("jose"))
    const kid = yield* Effect.promise(async () => jose.calculateJwkThumbprint(await jose.exportJWK(key)))
    const sign: Sign = (nowMillis, lifetime, claims) => {
      const now = Math.floor(nowMillis / 1000)
      const expiresAt = now + Math.floor(Duration.toSeconds(lifetime))
      return Effect.map(
        Effect.promise(() =>
          new jose.SignJWT({ ...claims })
            .setProtectedHeader({ alg: "ES512", typ: "JWT", kid })
            .setIssuer(`${name} ${version}`)
            .setIssuedAt(now - backdatedSeconds)
            .setNotBefore(now - backdatedSeconds)
            .setExpirationTime(expiresAt)
            .setJti(randomUUID())
            .sign(key)
        ),
        (token) => ({ token: Redacted.make(token), expiresAtMillis: expiresAt * 1000 })
      )
    }
    return { key: privateKey, sign }
  })

const parseKey = (privateKey: Redacted.Redacted): Either.Either<KeyObject, ConfigError.ConfigError> =>
  Either.mapLeft(Either.flatMap(textOf(privateKey), privateKeyFrom), (found) =>
    ConfigError.InvalidData(
      ["privateKey"],
      `Found ${found}; expected the private key of your Gr4vy instance: PEM (PKCS#8), curve P-521.`
    )
  )

// Callers in plain JavaScript may pass anything.
const textOf = (secret: unknown): Either.Either<string, string> => {
  if (!Redacted.isRedacted(secret)) return Either.left("a value that is not Redacted (write Redacted.make(key))")
  try {
    const text = Redacted.value(secret)
    return Predicate.isString(text) ? Either.right(text) : Either.left("a Redacted that holds no string")
  } catch {
    return Either.left("a Redacted that was wiped with Redacted.unsafeWipe")
  }
}

const checkLifetime = (
  field: string,
  input: Duration.DurationInput
): Either.Either<Duration.Duration, ConfigError.ConfigError> => {
  const lifetime = Duration.decodeUnknown(input)
  return Option.isSome(lifetime) && Duration.between(lifetime.value, { minimum: "30 seconds", maximum: "24 hours" })
    ? Either.right(lifetime.value)
    : invalid(
        [field],
        'A token\'s lifetime must be 30 seconds to 24 hours, e.g. "5 minutes"; a number is milliseconds.'
      )
}
