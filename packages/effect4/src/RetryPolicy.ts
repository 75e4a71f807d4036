/**
 * Retry policies as values, for a client, one call or a whole program. The operation decides which failures may be retried;
 * a policy decides how often and after which delay. See `docs/retries.md` of the repository for the table.
 *
 * @since 0.1.0
 */
import { checkPolicy } from "@effect-gr4vy/promise/spi/bridge"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"

/**
 * @since 0.1.0
 * @category models
 */
export interface RetryPolicy {
  /** The maximum number of requests per call, the first included. */
  readonly maxAttempts: number
  /** The delay before the n-th retry is `random × min(maxDelay, baseDelay × 2^(n-1))`: full jitter. */
  readonly baseDelay: Duration.Duration
  readonly maxDelay: Duration.Duration
  /** The longest `Retry-After` to wait for. If the server asks for more, the call fails at once. */
  readonly maxRetryAfter: Duration.Duration
  /**
   * `"at-most-once"`: an `add` that may have reached the API is not retried, because it could create a second session.
   * `"at-least-once"`: it is retried like a `get`; a stray session costs nothing and expires.
   */
  readonly creates: "at-most-once" | "at-least-once"
  /** Whether a 401 gets one new token and one more request. */
  readonly renewToken: boolean
}

/**
 * 3 attempts in total, delays of up to 250 ms and 500 ms, `Retry-After` up to 30 s, creates at most once.
 *
 * @since 0.1.0
 * @category policies
 */
export const standard: RetryPolicy = {
  maxAttempts: 3,
  baseDelay: Duration.millis(250),
  maxDelay: Duration.seconds(8),
  maxRetryAfter: Duration.seconds(30),
  creates: "at-most-once",
  renewToken: true
}

/**
 * Exactly one request in every case; a 401 gets no new token either.
 *
 * @since 0.1.0
 * @category policies
 */
export const none: RetryPolicy = { ...standard, maxAttempts: 1, renewToken: false }

/**
 * The standard policy with some of its values replaced. Throws an `Error` that says what to change if `maxAttempts` is not a
 * whole number from 1 to 100, a delay is negative or infinite, `creates` has another value, or an option is unknown.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-gr4vy/effect4"
 *
 * const patient = RetryPolicy.make({ maxAttempts: 5, maxDelay: "20 seconds", creates: "at-least-once" })
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const make = (options: {
  /** 3 by default, 100 at most. */
  readonly maxAttempts?: number
  /** 250 ms by default. */
  readonly baseDelay?: Duration.Input
  /** 8 s by default. */
  readonly maxDelay?: Duration.Input
  /** 30 s by default. */
  readonly maxRetryAfter?: Duration.Input
  /** `"at-most-once"` by default. */
  readonly creates?: "at-most-once" | "at-least-once"
  /** `true` by default. */
  readonly renewToken?: boolean
}): RetryPolicy => {
  const { baseDelay, maxDelay, maxRetryAfter, ...others } = options
  const policy = {
    ...standard,
    ...others,
    ...(baseDelay === undefined ? {} : { baseDelay: Duration.fromInputUnsafe(baseDelay) }),
    ...(maxDelay === undefined ? {} : { maxDelay: Duration.fromInputUnsafe(maxDelay) }),
    ...(maxRetryAfter === undefined ? {} : { maxRetryAfter: Duration.fromInputUnsafe(maxRetryAfter) })
  }
  checkPolicy({
    ...policy,
    baseDelay: Duration.toMillis(policy.baseDelay),
    maxDelay: Duration.toMillis(policy.maxDelay),
    maxRetryAfter: Duration.toMillis(policy.maxRetryAfter)
  })
  return policy
}

/**
 * The policy of the calls of a fiber; absent for the client's own. {@link withPolicy} sets it.
 *
 * @since 0.1.0
 * @category references
 */
export const CurrentRetryPolicy: Context.Reference<RetryPolicy | undefined> = Context.Reference(
  "@effect-gr4vy/effect4/CurrentRetryPolicy",
  { defaultValue: (): RetryPolicy | undefined => undefined }
)

/**
 * Runs every call of an effect under another policy: one call, or a whole program.
 *
 * @example
 * ```ts
 * import { CheckoutSessions, RetryPolicy } from "@effect-gr4vy/effect4"
 * import { Effect } from "effect"
 *
 * const once = Effect.gen(function*() {
 *   const sessions = yield* CheckoutSessions
 *   return yield* sessions.add({ amount: 1299, currency: "EUR" })
 * }).pipe(RetryPolicy.withPolicy(RetryPolicy.none))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPolicy: {
  (policy: RetryPolicy): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(effect: Effect.Effect<A, E, R>, policy: RetryPolicy): Effect.Effect<A, E, R>
} = dual(2, <A, E, R>(effect: Effect.Effect<A, E, R>, policy: RetryPolicy) =>
  Effect.provideService(effect, CurrentRetryPolicy, policy)
)
