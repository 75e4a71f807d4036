/**
 * Who we are: the bearer token of each request, as an open service. Bring a fixed token (`Credentials.layerToken`), any
 * source of tokens that expire (`Credentials.layerSource`), or a private key (`SignedCredentials` of
 * `@effect-gr4vy/node`).
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { RequestFailed } from "./Errors.js"

/**
 * What a client asks its credentials for.
 *
 * @since 0.1.0
 * @category models
 */
export interface CredentialsService {
  /** The token to send now. Fails with reason `Credentials` when there is none. */
  readonly token: Effect.Effect<Redacted.Redacted, RequestFailed>
  /**
   * The token that `token` would yield at once at `nowMillis`, if there is one. May be left out: it only spares a call
   * the time limit that a wait needs.
   */
  readonly cachedToken?: (nowMillis: number) => Redacted.Redacted | undefined
  /**
   * A token to use instead of one that the API answered with 401, and the server's time (the answer's `Date`), which
   * shows a clock that is off. Absent where a second token would be the same as the first.
   */
  readonly renew?: (
    rejected: Redacted.Redacted,
    serverTime: Option.Option<DateTime.Utc>
  ) => Effect.Effect<Redacted.Redacted, RequestFailed>
}

/**
 * A token and the moment from which it is no longer good, by Effect's `Clock`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ExpiringToken {
  readonly token: Redacted.Redacted
  readonly expiresAt: DateTime.Utc
}

/**
 * Where new tokens come from.
 *
 * @since 0.1.0
 * @category models
 */
export interface TokenSource<E = never, R = never> {
  /**
   * Gets a new token. Runs once for any number of waiting calls, and goes on when one of them is interrupted. Given up
   * after 1 minute, or after 10 seconds while the last token is still good.
   */
  readonly get: Effect.Effect<ExpiringToken, E, R>
  /** Runs before a new token is got because the API refused the current one. */
  readonly onRejected?: (serverTime: Option.Option<DateTime.Utc>) => Effect.Effect<void>
}

/** The part of a token's life that is left when it is renewed. */
const renewBefore = 0.2

/** A source that hangs would keep all later calls waiting as well: longer than a call waits, it is not waited for. */
const patience = { cold: "1 minute", warm: "10 seconds" } as const

/**
 * The bearer token of each request.
 *
 * @example
 * ```ts
 * import { Credentials } from "@effect-gr4vy/core"
 * import { Redacted } from "effect"
 *
 * const FixedToken = Credentials.layerToken(Redacted.make("ey..."))
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export class Credentials extends Context.Tag("@effect-gr4vy/core/Credentials")<Credentials, CredentialsService>() {
  /**
   * One token for good. Fails with a `ConfigError` when it is empty or could not be sent as a header.
   *
   * @since 0.1.0
   */
  static readonly makeToken = (token: Redacted.Redacted): Effect.Effect<CredentialsService, ConfigError.ConfigError> =>
    Either.match(bearer(token), {
      onLeft: (problem) => Effect.fail(ConfigError.InvalidData(["token"], problem)),
      onRight: () => Effect.succeed({ token: Effect.succeed(token) })
    })

  /**
   * @since 0.1.0
   */
  static readonly layerToken = (token: Redacted.Redacted): Layer.Layer<Credentials, ConfigError.ConfigError> =>
    Layer.effect(Credentials, Credentials.makeToken(token))

  /**
   * Tokens that expire, from any source: cached until 20 % of their life is left, then got anew; one request to the
   * source serves all who wait; a 401 gets a new one once. While the source fails or is slow, a token that is still good
   * is used.
   * The source's failure reaches the caller as `RequestFailed` with reason `Credentials`, named by its tag alone: what
   * it says may hold a secret.
   *
   * @since 0.1.0
   */
  static readonly makeSource = <E, R>(
    source: TokenSource<E, R>
  ): Effect.Effect<CredentialsService, never, R | Scope.Scope> => fromSource(source)

  /**
   * {@link Credentials.makeSource} as a layer.
   *
   * @since 0.1.0
   */
  static readonly layerSource = <E, R>(
    source: TokenSource<E, R>
  ): Layer.Layer<Credentials, never, Exclude<R, Scope.Scope>> => Layer.scoped(Credentials, fromSource(source))
}

/**
 * The value of the `Authorization` header for a token, or what is wrong with it. The message never shows the token.
 *
 * @since 0.1.0
 * @category headers
 */
export const bearer = (token: Redacted.Redacted): Either.Either<string, string> => {
  if (!Redacted.isRedacted(token)) return Either.left("The token must be given as Redacted.make(token).")
  const value: unknown = Redacted.value(token)
  // An environment variable that is not set would be sent as "undefined".
  if (!Predicate.isString(value) || value === "") {
    return Either.left("The token is empty or no text: give the bearer token of your Gr4vy instance.")
  }
  // RFC 6750, section 2.1 allows less; whatever is visible ASCII can at least be sent as it is.
  return /^[\x21-\x7e]+$/.test(value)
    ? Either.right(`Bearer ${value}`)
    : Either.left(
        "The token has white space, control or non-ASCII characters in it: give it without line breaks, quotes or blanks around it."
      )
}

interface Cached {
  readonly token: Redacted.Redacted
  readonly renewAt: number
  readonly expiresAt: number
}

const fromSource = <E, R>(source: TokenSource<E, R>): Effect.Effect<CredentialsService, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const context = yield* Effect.context<R>()
    let cached: Cached | undefined
    let underway: Deferred.Deferred<Redacted.Redacted, RequestFailed> | undefined

    const fresh = (now: number) => (cached !== undefined && now < cached.renewAt ? cached.token : undefined)
    const good = (now: number) => (cached !== undefined && now < cached.expiresAt ? cached.token : undefined)

    const store = ({ expiresAt, token }: ExpiringToken) =>
      withNow((now) => {
        const end = DateTime.toEpochMillis(expiresAt)
        cached = { token, expiresAt: end, renewAt: end - (end - now) * renewBefore }
        return Effect.succeed(token)
      })

    const settle =
      (deferred: Deferred.Deferred<Redacted.Redacted, RequestFailed>) =>
      (exit: Exit.Exit<Redacted.Redacted, E | Cause.TimeoutException>) =>
        withNow((now) => {
          underway = undefined
          const token = good(now)
          if (token === undefined) return Deferred.done(deferred, Exit.mapErrorCause(exit, sourceFailed))
          const done = Deferred.done(deferred, Exit.succeed(token))
          return Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause)
            ? done
            : Effect.zipLeft(done, Effect.logWarning(notRenewed(Cause.squash(exit.cause))))
        })

    // In the layer's scope, not the caller's: a caller that is interrupted leaves it running for the others. Once it is
    // underway it comes to its end, whenever the interruption arrives.
    const start = (now: number, before: Effect.Effect<void>) =>
      Effect.uninterruptibleMask((restore) => {
        if (underway !== undefined) return restore(Deferred.await(underway))
        const deferred = Deferred.unsafeMake<Redacted.Redacted, RequestFailed>(FiberId.none)
        underway = deferred
        return before.pipe(
          Effect.zipRight(source.get),
          Effect.timeout(good(now) === undefined ? patience.cold : patience.warm),
          Effect.flatMap(store),
          Effect.provide(context),
          Effect.interruptible,
          Effect.onExit(settle(deferred)),
          Effect.forkIn(scope),
          Effect.zipRight(restore(Deferred.await(deferred)))
        )
      })

    return {
      cachedToken: fresh,
      token: withNow((now) => {
        // While another call renews it, a token that is still good will do.
        const token = underway === undefined ? fresh(now) : good(now)
        return token === undefined ? start(now, Effect.void) : Effect.succeed(token)
      }),
      renew: (rejected, serverTime) =>
        withNow((now) => {
          const token = good(now)
          if (token !== undefined && Redacted.value(token) !== Redacted.value(rejected)) return Effect.succeed(token)
          cached = undefined
          return start(now, source.onRejected?.(serverTime) ?? Effect.void)
        })
    }
  })

const withNow = <A, E, R>(f: (now: number) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Clock.clockWith((clock) => f(clock.unsafeCurrentTimeMillis()))

// No call fails, so that nobody else would say so before the old token ends.
const notRenewed = (error: unknown): string =>
  `The token could not be renewed: the source of the credentials failed (${nameOf(error)}). The old token is still good, and the next call tries again.`

/** Not its message: that may quote what the source was given. */
const nameOf = (error: unknown): string =>
  Predicate.hasProperty(error, "_tag") && Predicate.isString(error._tag)
    ? error._tag
    : error instanceof Error
      ? error.name
      : "unknown"

const sourceFailed = (cause: Cause.Cause<unknown>): Cause.Cause<RequestFailed> => {
  const error = Cause.squash(cause)
  if (error instanceof RequestFailed) return Cause.fail(error)
  return Cause.fail(
    new RequestFailed({
      reason: "Credentials",
      delivered: "no",
      attempts: 0,
      message: Cause.isInterruptedOnly(cause)
        ? "There is no token to send: the credentials were closed while one was being made."
        : `There is no token to send: the source of the credentials failed (${nameOf(error)}). Nothing was sent.`
    })
  )
}
