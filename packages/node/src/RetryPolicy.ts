/**
 * Retry policies as values, for a layer, one call or a whole program. The endpoint decides which failures may be retried;
 * a policy decides how often and after which delay.
 *
 * | endpoint | never connected, 429, 503 with `Retry-After` | 408, 425, 502, 503, 504, 512–599, reset, early end, timeout | 500 |
 * |---|---|---|---|
 * | `"idempotent"` | retried | retried | retried |
 * | `"keyed"` | retried | retried; a 409 `concurrent_request` too | no |
 * | `"create"` | retried | with `creates: "at-least-once"` | with `creates: "at-least-once"` |
 * | `"once"` | retried | never | never |
 *
 * No other failure is retried. A plain request is `"once"` if it is a POST or PATCH, else `"idempotent"`.
 *
 * @since 0.1.0
 */
import type { Resend } from "@effect-gr4vy/core/Endpoint"
import { unknownName } from "@effect-gr4vy/core/spi/Names"
import type { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import { dual } from "effect/Function"
import { globalValue } from "effect/GlobalValue"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"

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
   * For endpoints with `resend: "create"`. `"at-most-once"`: a request that may have reached the server is not
   * retried, because it could create a second resource. `"at-least-once"`: it is retried like a GET; a stray session
   * costs nothing and expires. Endpoints with `resend: "once"` are not affected.
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
 * The standard policy with some of its values replaced. Throws an `IllegalArgumentException` if `maxAttempts` is not
 * a whole number from 1 to 100, a delay is negative or infinite, `creates` has another value, or an option is unknown.
 *
 * @example
 * ```ts
 * import { RetryPolicy } from "@effect-gr4vy/node"
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
  readonly baseDelay?: Duration.DurationInput
  /** 8 s by default. */
  readonly maxDelay?: Duration.DurationInput
  /** 30 s by default. */
  readonly maxRetryAfter?: Duration.DurationInput
  /** `"at-most-once"` by default. */
  readonly creates?: "at-most-once" | "at-least-once"
  /** `true` by default. */
  readonly renewToken?: boolean
}): RetryPolicy => {
  const unknown = Predicate.isRecord(options)
    ? unknownName(options, standard)
    : { message: "give an object of options, e.g. { maxAttempts: 5 }, or use RetryPolicy.none" }
  if (unknown !== undefined) throw new Cause.IllegalArgumentException(`RetryPolicy: ${unknown.message}`)
  return checked(options)
}

const checked = (options: Parameters<typeof make>[0]): RetryPolicy => {
  const maxAttempts = options.maxAttempts ?? standard.maxAttempts
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > 100) {
    throw new Cause.IllegalArgumentException("RetryPolicy: maxAttempts must be a whole number from 1 to 100")
  }
  const creates = options.creates ?? standard.creates
  if (creates !== "at-most-once" && creates !== "at-least-once") {
    throw new Cause.IllegalArgumentException('RetryPolicy: creates must be "at-most-once" or "at-least-once"')
  }
  return {
    maxAttempts,
    baseDelay: delay("baseDelay", options.baseDelay ?? standard.baseDelay),
    maxDelay: delay("maxDelay", options.maxDelay ?? standard.maxDelay),
    maxRetryAfter: delay("maxRetryAfter", options.maxRetryAfter ?? standard.maxRetryAfter),
    creates,
    renewToken: options.renewToken ?? standard.renewToken
  }
}

const delay = (name: string, input: Duration.DurationInput): Duration.Duration => {
  const duration = Duration.decodeUnknown(input)
  if (Option.isNone(duration) || !Duration.isFinite(duration.value) || isTakenForZero(input)) {
    throw new Cause.IllegalArgumentException(
      `RetryPolicy: ${name} must be a finite duration that is not negative, e.g. "2 seconds"`
    )
  }
  return duration.value
}

/** `Duration` converts negative numbers and `NaN` to zero. */
const isTakenForZero = (input: Duration.DurationInput): boolean => {
  if (Duration.isDuration(input)) return false
  if (typeof input === "string") return input.startsWith("-")
  return typeof input === "object" ? !input.every((part) => part >= 0) : !(input >= 0)
}

/**
 * The policy that overrides the layer's own, if any.
 *
 * @internal
 */
export const override: FiberRef.FiberRef<RetryPolicy | undefined> = globalValue(
  Symbol.for("@effect-gr4vy/node/RetryPolicy/override"),
  () => FiberRef.unsafeMake<RetryPolicy | undefined>(undefined)
)

/**
 * Uses a policy for every call in an effect: one call or a whole program. Throws like {@link make} if the policy is
 * invalid, because a plain object may not come from {@link make}.
 *
 * @example
 * ```ts
 * import { CheckoutSessions } from "@effect-gr4vy/core"
 * import { RetryPolicy } from "@effect-gr4vy/node"
 * import { Effect } from "effect"
 *
 * const once = Effect.flatMap(CheckoutSessions, (sessions) =>
 *   sessions.add().pipe(RetryPolicy.withPolicy(RetryPolicy.none))
 * )
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withPolicy: {
  (policy: RetryPolicy): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  <A, E, R>(effect: Effect.Effect<A, E, R>, policy: RetryPolicy): Effect.Effect<A, E, R>
} = dual(
  2,
  <A, E, R>(effect: Effect.Effect<A, E, R>, policy: RetryPolicy): Effect.Effect<A, E, R> =>
    Effect.locally(effect, override, checked(whole(policy)))
)

/** A caller of plain JavaScript may give the name of a policy, or a part of one. */
const whole = (policy: RetryPolicy): RetryPolicy => {
  const missing = Predicate.isRecord(policy) ? Object.keys(standard).find((key) => !(key in policy)) : "maxAttempts"
  if (missing === undefined) return policy
  throw new Cause.IllegalArgumentException(
    `RetryPolicy: the policy has no ${missing}. Give RetryPolicy.none, RetryPolicy.standard or RetryPolicy.make({ ... })`
  )
}

/**
 * Decides by the table above whether a request may be retried. `outcome` classifies the failed request.
 *
 * @internal
 */
export const mayResend = (policy: RetryPolicy, endpoint: Resend, outcome: TransportFailure["resend"]): boolean => {
  if (outcome !== "idempotent") return outcome === "safe"
  switch (endpoint) {
    case "idempotent":
    case "keyed":
      return true
    case "create":
      return policy.creates === "at-least-once"
    case "once":
      return false
  }
}

/**
 * Classifies a response by its status. `code` is the API's own, for statuses that are ambiguous.
 *
 * @internal
 */
export const resendOfStatus = (
  endpoint: Resend,
  status: number,
  hasRetryAfter: boolean,
  code: unknown
): TransportFailure["resend"] => {
  switch (status) {
    case 429:
      return "safe"
    case 503:
      return hasRetryAfter ? "safe" : "idempotent"
    case 409:
      // An earlier request with the same key is still running.
      return endpoint === "keyed" && code === "concurrent_request" ? "idempotent" : "never"
    case 500:
      // The API stores its first response for a key, even a failure, so a retry gets the same response.
      return endpoint === "keyed" ? "never" : "idempotent"
    case 408:
    case 425:
    case 502:
    case 504:
      return "idempotent"
    default:
      // A 5xx that nobody has defined, e.g. 520–530 of a CDN (RFC 9110, section 15).
      return status >= 512 && status <= 599 ? "idempotent" : "never"
  }
}
