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
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
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
   * Returns the token that `token` would yield at once at `nowMillis`, or `undefined` if `token` has work to do. May be
   * left out: it only spares a call the time limit that a wait needs.
   */
  readonly cachedToken?: (nowMillis: number) => Redacted.Redacted | undefined
  /**
   * Gets a token to use instead of one that the API refused with 401. `serverTime` is the response's `Date`; it shows
   * whether this machine's clock is off. Fails when a new token would not help. Leave it out where a second token would
   * be the same as the first.
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
   * Gets a new token. Runs once for any number of waiting calls, and goes on when one of them is interrupted. Abandoned
   * after 1 minute, or after 10 seconds while the current token is still good, also if it cannot be interrupted.
   */
  readonly get: Effect.Effect<ExpiringToken, E, R>
  /**
   * Runs before `get` when the API refused the current token. `serverTime` is the `Date` of the response, or none if it
   * had no `Date` or one more than 24 hours away from this machine's clock.
   */
  readonly onRejected?: (serverTime: Option.Option<DateTime.Utc>) => Effect.Effect<void>
}

/** The part of a token's lifetime that is left when it is renewed. */
const renewBefore = 0.2

/** A source that hangs must not keep later calls waiting for ever. */
const timeLimit = { due: "10 seconds", missing: "1 minute", refused: "1 minute" } as const

/** The pause after `failures` failures in a row: 1 second, doubled by each further one, at most 1 minute. */
const pauseMillis = (failures: number): number => (failures === 0 ? 0 : Math.min(60_000, 500 * 2 ** failures))

/** The largest difference between two clocks that is taken for delay and rounding. */
const clockToleranceMillis = 5000

/** A clock in the wrong time zone is 14 hours off. More is a `Date` that lies: tokens must not be dated by it. */
const maxClockOffMillis = Duration.toMillis("24 hours")

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
   * One fixed token. Fails with a `ConfigError` when it is empty or cannot be sent as a header. Calls fail with
   * `RequestFailed`, reason `Credentials`, once it is wiped (`Redacted.unsafeWipe`).
   *
   * @since 0.1.0
   */
  static readonly makeToken = (token: Redacted.Redacted): Effect.Effect<CredentialsService, ConfigError.ConfigError> =>
    Either.match(bearer(token), {
      onLeft: (problem) => Effect.fail(ConfigError.InvalidData(["token"], problem)),
      onRight: () =>
        Effect.succeed({
          cachedToken: () => (textOf(token) === undefined ? undefined : token),
          token: Effect.suspend(() =>
            Either.match(bearer(token), {
              onLeft: (problem) => Effect.fail(noToken(`${problem} Nothing was sent.`)),
              onRight: () => Effect.succeed(token)
            })
          )
        })
    })

  /**
   * @since 0.1.0
   */
  static readonly layerToken = (token: Redacted.Redacted): Layer.Layer<Credentials, ConfigError.ConfigError> =>
    Layer.effect(Credentials, Credentials.makeToken(token))

  /**
   * Tokens that expire, from any source, cached. Use it over a secret manager or an OAuth server.
   *
   * - When 20 % of a token's lifetime is left, the next call starts its renewal in the background. No call waits while
   *   there is a good token. After a failed renewal the source is left alone for 1 second, doubled by each further
   *   failure, at most 1 minute; each failure is logged at Warning.
   * - Without a good token, calls wait. One request to the source serves all of them.
   * - After a 401 a new token is got at once. If the API refuses that one too, it is kept for 1 second before the source
   *   is asked again, doubled by each further refusal, at most 1 minute.
   * - A 401 whose `Date` shows that this machine's clock was wrong also replaces a token that was got meanwhile.
   *
   * The source's failure reaches the caller as `RequestFailed` with reason `Credentials`. Its message holds the tag of
   * the source's error and nothing else, because the rest may contain a secret. A token that has already expired when
   * the source returns it is a failure as well.
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
  let value: unknown
  try {
    value = Redacted.value(token)
  } catch {
    return Either.left(
      "The token was wiped with Redacted.unsafeWipe: give a new one, or wipe it when the client is closed."
    )
  }
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

/** A token's text, or nothing if it was wiped. */
const textOf = (token: Redacted.Redacted): string | undefined => {
  try {
    return Redacted.value(token)
  } catch {
    return undefined
  }
}

const isSame = (one: Redacted.Redacted, other: Redacted.Redacted): boolean =>
  one === other || (textOf(one) !== undefined && textOf(one) === textOf(other))

interface Got {
  readonly token: Redacted.Redacted
  readonly expiresAt: number
}

interface Cached extends Got {
  readonly gotAt: number
  readonly renewAt: number
  /** How many tokens in a row the API had refused before this one. */
  readonly refusals: number
}

interface Underway {
  /** The same for every run that replaces another, so that those who wait see nothing of it. */
  readonly result: Deferred.Deferred<Redacted.Redacted, RequestFailed>
  readonly reason: "due" | "missing" | "refused"
  fiber?: Fiber.Fiber<unknown, unknown>
}

const fromSource = <E, R>(source: TokenSource<E, R>): Effect.Effect<CredentialsService, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    // The span in which the layer was built has ended when a token is got.
    const context = withoutSpan(yield* Effect.context<R>())
    let cached: Cached | undefined
    let underway: Underway | undefined
    let failures = 0
    let pausedUntil = 0
    // What the last 401 told: the server's clock minus this machine's.
    let clockOff = 0

    // A clock that was set back since would show a token as good that has expired.
    const good = (now: number) =>
      cached !== undefined && now < cached.expiresAt && now > cached.gotAt - clockToleranceMillis ? cached : undefined

    const isDue = (token: Cached, now: number) => now >= token.renewAt && underway === undefined && now >= pausedUntil

    const settle =
      (run: Underway, refusals: number) =>
      (exit: Exit.Exit<Got, E | Cause.TimeoutException>): Effect.Effect<void> =>
        withNow((now) => {
          // Another run has taken this one's place.
          if (underway !== run) return Effect.void
          underway = undefined
          const usable = Exit.flatMap(exit, ({ expiresAt, token }) =>
            now < expiresAt
              ? Exit.succeed({
                  token,
                  gotAt: now,
                  expiresAt,
                  renewAt: expiresAt - (expiresAt - now) * renewBefore,
                  refusals
                })
              : Exit.fail(expired)
          )
          if (Exit.isSuccess(usable)) {
            cached = usable.value
            failures = 0
            pausedUntil = 0
            return Deferred.succeed(run.result, cached.token)
          }
          failures += 1
          pausedUntil = now + pauseMillis(failures)
          const current = good(now)
          const settled =
            current === undefined
              ? Deferred.fail(run.result, sourceFailed(usable.cause))
              : Deferred.succeed(run.result, current.token)
          // A call that has no token at all is told by its own failure, and a closing scope is no failure.
          return run.reason === "missing" || Cause.isInterruptedOnly(usable.cause)
            ? settled
            : Effect.zipRight(settled, logFailure(usable.cause, current !== undefined, pausedUntil - now))
        })

    // Changes the state at once and returns the effect that has to follow, uninterruptibly: nobody sees one without the
    // other. The source runs in the layer's scope, whatever happens to the caller. One that cannot be interrupted is left
    // behind when its time is up or the scope closes.
    const begin = (reason: Underway["reason"], refusals = 0, before: () => Effect.Effect<void> = () => Effect.void) => {
      const replaced = underway
      const run: Underway = { reason, result: replaced?.result ?? Deferred.unsafeMake(FiberId.none) }
      underway = run
      return Effect.suspend(before).pipe(
        Effect.zipRight(source.get),
        // Plain JavaScript may give anything: it fails here, where a failure reaches those who wait.
        Effect.map(({ expiresAt, token }): Got => ({ token, expiresAt: DateTime.toEpochMillis(expiresAt) })),
        Effect.disconnect,
        Effect.timeout(timeLimit[reason]),
        // A renewal in the background outlives the call that happened to begin it, and is no part of its span.
        Effect.mapInputContext((caller: Context.Context<never>) =>
          Context.merge(reason === "due" ? withoutSpan(caller) : caller, context)
        ),
        Effect.interruptible,
        Effect.onExit(settle(run, refusals)),
        Effect.forkIn(scope),
        Effect.flatMap((fiber) => {
          run.fiber = fiber
          return replaced?.fiber === undefined ? Effect.void : Fiber.interruptFork(replaced.fiber)
        }),
        Effect.as(run.result)
      )
    }

    const decide = (
      f: (
        now: number,
        wait: (result: Effect.Effect<Underway["result"]>) => Effect.Effect<Redacted.Redacted, RequestFailed>
      ) => Effect.Effect<Redacted.Redacted, RequestFailed>
    ) =>
      Effect.uninterruptibleMask((restore) =>
        withNow((now) =>
          f(
            now,
            Effect.flatMap((result) => restore(Deferred.await(result)))
          )
        )
      )

    return {
      cachedToken: (now) => {
        const current = good(now)
        return current === undefined || isDue(current, now) ? undefined : current.token
      },
      token: decide((now, wait) => {
        const current = good(now)
        if (current === undefined)
          return wait(underway === undefined ? begin("missing") : Effect.succeed(underway.result))
        return isDue(current, now) ? Effect.as(begin("due"), current.token) : Effect.succeed(current.token)
      }),
      renew: (rejected, serverTime) =>
        decide((now, wait) => {
          const believed = Option.filter(
            serverTime,
            (time) => Math.abs(DateTime.toEpochMillis(time) - now) <= maxClockOffMillis
          )
          const off = Option.match(believed, {
            onNone: () => clockOff,
            onSome: (time) => DateTime.toEpochMillis(time) - now
          })
          const clockMoved = Math.abs(off - clockOff) >= clockToleranceMillis
          const current = good(now)
          const isCurrent = current !== undefined && isSame(current.token, rejected)
          if (current !== undefined) {
            // Another call has renewed it since, and with a clock that is right as far as anyone knows.
            if (!isCurrent && !clockMoved) return Effect.succeed(current.token)
            const pause = current.gotAt + pauseMillis(current.refusals) - now
            if (pause > 0) return isCurrent ? Effect.fail(refusedAgain(pause)) : Effect.succeed(current.token)
          }
          if (underway !== undefined && (underway.reason === "refused" || !(isCurrent || clockMoved))) {
            return wait(Effect.succeed(underway.result))
          }
          const refusals = (current?.refusals ?? 0) + 1
          cached = undefined
          clockOff = off
          return wait(begin("refused", refusals, () => source.onRejected?.(believed) ?? Effect.void))
        })
    }
  })

// The type keeps what a source asks for: spans are never asked for, but looked up.
const withoutSpan = <R>(context: Context.Context<R>) => Context.omit(Tracer.ParentSpan)(context) as Context.Context<R>

const withNow = <A, E, R>(f: (now: number) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Clock.clockWith((clock) => f(clock.unsafeCurrentTimeMillis()))

const noToken = (message: string): RequestFailed =>
  new RequestFailed({ reason: "Credentials", delivered: "no", attempts: 0, message })

const expired = { _tag: "TokenExpired" } as const

const refusedAgain = (pauseMillis: number): RequestFailed =>
  noToken(
    `The API refused a new token as well: the source is not asked for another one in the next ${Math.ceil(pauseMillis / 1000)} seconds.`
  )

/** Says what happened without the source's own words, which may hold a secret. */
const describe = (cause: Cause.Cause<unknown>): string => {
  if (Cause.isInterruptedOnly(cause)) return "the credentials were closed while one was being made"
  const error = Cause.squash(cause)
  if (error === expired)
    return "the source of the credentials gave one that has already expired, by this machine's clock"
  const name =
    Predicate.hasProperty(error, "_tag") && Predicate.isString(error._tag)
      ? error._tag
      : error instanceof Error
        ? error.name
        : "unknown"
  return `the source of the credentials failed (${name})`
}

const sourceFailed = (cause: Cause.Cause<unknown>): RequestFailed =>
  noToken(`There is no token to send: ${describe(cause)}. Nothing was sent.`)

const logFailure = (cause: Cause.Cause<unknown>, stillGood: boolean, pauseMillis: number): Effect.Effect<void> =>
  Effect.logWarning(
    `The Gr4vy token could not be renewed: ${describe(cause)}. ${
      stillGood
        ? "The current one is still good and goes on being used."
        : "The API refused the current one; the next call asks the source again."
    }`
  ).pipe(
    Effect.annotateLogs({
      reason: "Credentials",
      ...(stillGood ? { delay: Duration.format(Duration.millis(pauseMillis)) } : {})
    })
  )
