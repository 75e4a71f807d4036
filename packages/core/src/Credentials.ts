/**
 * The bearer token of each request, as a service. Use a fixed token (`Credentials.layerToken`), a source of expiring
 * tokens (`Credentials.layerSource`), or a private key (`SignedCredentials` of
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
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { RequestFailed } from "./Errors.js"

/**
 * The operations that a client uses.
 *
 * @since 0.1.0
 * @category models
 */
export interface CredentialsService {
  /** The token to send now. Fails with reason `Credentials` if there is none. */
  readonly token: Effect.Effect<Redacted.Redacted, RequestFailed>
  /**
   * Returns the token that `token` would yield at once at `nowMillis`, or `undefined` if `token` has work to do. Optional:
   * it saves a call the timer that a wait needs.
   */
  readonly cachedToken?: (nowMillis: number) => Redacted.Redacted | undefined
  /**
   * Gets a token to use instead of one that the API refused with 401. `serverTime` is the response's `Date`; it shows
   * whether this machine's clock is off. Fails if a new token would not help. Omit it if a second token would
   * be the same as the first.
   */
  readonly renew?: (
    rejected: Redacted.Redacted,
    serverTime: Option.Option<DateTime.Utc>
  ) => Effect.Effect<Redacted.Redacted, RequestFailed>
}

/**
 * A token and its expiry, by Effect's `Clock`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ExpiringToken {
  readonly token: Redacted.Redacted
  readonly expiresAt: DateTime.Utc
}

/**
 * A source of new tokens.
 *
 * @since 0.1.0
 * @category models
 */
export interface TokenSource<E = never, R = never> {
  /**
   * Gets a new token. Runs once for any number of waiting calls, and continues if one of them is interrupted. Abandoned
   * after 1 minute, or after 10 seconds while the current token is still valid, even if it cannot be interrupted.
   */
  readonly get: Effect.Effect<ExpiringToken, E, R>
  /**
   * Runs before `get` when the API refused the current token. `serverTime` is the `Date` of the response, or none if it
   * had no `Date` or one more than 24 hours away from this machine's clock.
   */
  readonly onRejected?: (serverTime: Option.Option<DateTime.Utc>) => Effect.Effect<void>
}

/** The fraction of a token's lifetime that is left when it is renewed. */
const renewBefore = 0.2

/** Time limits, so that a source that hangs does not block later calls for ever. */
const timeLimit = { due: "10 seconds", missing: "1 minute", refused: "1 minute" } as const

/** The pause after `failures` consecutive failures: 1 second, doubled each time, at most 1 minute. */
const pauseMillis = (failures: number): number => (failures === 0 ? 0 : Math.min(60_000, 500 * 2 ** failures))

/** The largest difference between two clocks that counts as delay and rounding. */
const clockToleranceMillis = 5000

/** A clock in the wrong time zone is at most 14 hours off. A larger difference means a wrong `Date`, which is ignored. */
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
   *   there is a valid token. After a failed renewal the source is not asked for 1 second, doubled by each further
   *   failure, at most 1 minute; each failure is logged at Warning.
   * - Without a valid token, calls wait. One request to the source serves all of them.
   * - After a 401 a new token is requested at once. If the API refuses that one too, it is kept for 1 second before the source
   *   is asked again, doubled by each further refusal, at most 1 minute.
   * - A 401 whose `Date` shows that this machine's clock was wrong also replaces a token that was received meanwhile.
   *
   * The source's failure reaches the caller as `RequestFailed` with reason `Credentials`. Its message contains only the tag of
   * the source's error, because the rest may contain a secret. A token that has already expired counts as a failure.
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
 * Returns the value of the `Authorization` header for a token, or a message that says why it is unusable. The message
 * never shows the token.
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
  // An unset environment variable would be sent as "undefined".
  if (!Predicate.isString(value) || value === "") {
    return Either.left("The token is empty or not a string: give the bearer token of your Gr4vy instance.")
  }
  // RFC 6750, section 2.1 allows less; any other visible ASCII can at least be sent unchanged.
  if (/^[!#-&(-_a-~]+$/.test(value)) return Either.right(`Bearer ${value}`)
  return Either.left(
    /^bearer\s/i.test(value)
      ? 'The token begins with "Bearer": give the token alone, the client adds this word.'
      : "The token contains white space, control or non-ASCII characters, or quotes: remove line breaks, quotes and blanks."
  )
}

/** The token as a string, or `undefined` if it was wiped. */
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
  /** The number of consecutive tokens that the API refused before this one. */
  readonly refusals: number
}

interface Underway {
  /** The same for every run that replaces another, so that waiting calls do not notice. */
  readonly result: Deferred.Deferred<Redacted.Redacted, RequestFailed>
  readonly reason: "due" | "missing" | "refused"
  fiber?: Fiber.Fiber<unknown, unknown>
}

const fromSource = <E, R>(source: TokenSource<E, R>): Effect.Effect<CredentialsService, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    // The span in which the layer was built has ended by the time of a renewal.
    const context = withoutSpan(yield* Effect.context<R>())
    let isClosed = false
    yield* Scope.addFinalizer(
      scope,
      Effect.sync(() => {
        isClosed = true
      })
    )
    let cached: Cached | undefined
    let underway: Underway | undefined
    let failures = 0
    let pausedUntil = 0
    // The server's clock minus this machine's, from the last 401.
    let clockOff = 0

    // After the clock was set back, an expired token would look valid.
    const good = (now: number) =>
      cached !== undefined && now < cached.expiresAt && now > cached.gotAt - clockToleranceMillis ? cached : undefined

    const isDue = (token: Cached, now: number) => now >= token.renewAt && underway === undefined && now >= pausedUntil

    const settle =
      (run: Underway, refusals: number) =>
      (exit: Exit.Exit<Got, E | Cause.TimeoutException>): Effect.Effect<void> =>
        withNow((now) => {
          // Another run has replaced this one.
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
          // A call without a token fails by itself, and a closing scope is not a failure: no log.
          return run.reason === "missing" || Cause.isInterruptedOnly(usable.cause)
            ? settled
            : Effect.zipRight(settled, logFailure(usable.cause, current !== undefined, pausedUntil - now))
        })

    // Changes the state and returns the effect that must follow, uninterruptibly, so that both happen or neither. The
    // source runs in the layer's scope and survives its caller. A source that cannot be interrupted is abandoned at its
    // time limit or when the scope closes.
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
        // A background renewal outlives the call that started it, so it is not part of that call's span.
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
        if (current === undefined && isClosed) return Effect.fail(closed)
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
            // Another call has already renewed it, with a clock that is assumed to be right.
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

// The type keeps the source's requirements. A parent span is looked up, not required.
const withoutSpan = <R>(context: Context.Context<R>) => Context.omit(Tracer.ParentSpan)(context) as Context.Context<R>

const withNow = <A, E, R>(f: (now: number) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Clock.clockWith((clock) => f(clock.unsafeCurrentTimeMillis()))

const noToken = (message: string): RequestFailed =>
  new RequestFailed({ reason: "Credentials", delivered: "no", attempts: 0, message })

const closed = noToken(
  "The client is closed: its layer's scope has ended. Nothing was sent. Provide the layer to the whole program, or keep it in a ManagedRuntime."
)

const expired = { _tag: "TokenExpired" } as const

const refusedAgain = (pauseMillis: number): RequestFailed =>
  noToken(
    `The API refused a new token as well: the source is not asked for another one in the next ${Math.ceil(pauseMillis / 1000)} seconds.`
  )

/** Describes the failure without the source's message, which may contain a secret. */
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
