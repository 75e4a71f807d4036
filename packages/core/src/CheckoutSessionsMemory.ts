/**
 * The service in memory: real ids, the API's lifetimes and errors, expiry driven by Effect's `Clock`. For tests of code
 * that uses Checkout Sessions, and behind the sandbox.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { CheckoutSession, CheckoutSessionId } from "./CheckoutSession.js"
import { CheckoutSessions, type CheckoutSessionsService } from "./CheckoutSessions.js"
import * as Endpoint from "./Endpoint.js"
import { checkoutSessions } from "./Endpoints.js"
import { NotFound } from "./Errors.js"

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: {
  /** How long a new session lives; 1 hour by default. */
  readonly lifetime?: Duration.DurationInput
}): Effect.Effect<CheckoutSessionsService> =>
  Effect.sync(() => {
    const lifetime = Duration.decode(options?.lifetime ?? Duration.hours(1))
    const sessions = new Map<CheckoutSessionId, CheckoutSession>()

    const find = (id: CheckoutSessionId) =>
      Effect.flatMap(DateTime.now, (now) => {
        const session = sessions.get(id)
        if (session !== undefined && DateTime.lessThan(now, session.expiresAt)) return Effect.succeed(session)
        sessions.delete(id)
        return Effect.fail(new NotFound({ code: "not_found", message: "The resource could not be found" }))
      })

    const store = (id: CheckoutSessionId, life: Duration.Duration) =>
      Effect.map(DateTime.now, (now) => {
        const session = new CheckoutSession({ id, expiresAt: DateTime.addDuration(now, life) })
        sessions.set(id, session)
        return session
      })

    const forgetExpired = Effect.map(DateTime.now, (now) => {
      for (const [id, session] of sessions) {
        if (DateTime.lessThanOrEqualTo(session.expiresAt, now)) sessions.delete(id)
      }
    })

    return Endpoint.implement(checkoutSessions, {
      add: () =>
        Effect.zipRight(
          forgetExpired,
          Effect.flatMap(newId, (id) => store(id, lifetime))
        ),
      get: find,
      updateFields: (id) => find(id).pipe(Effect.zipRight(store(id, afterFields)), Effect.asVoid),
      delete: (id) => Effect.map(find(id), () => void sessions.delete(id))
    })
  })

/**
 * A fresh, empty store. Use it with `TestClock` to let sessions expire.
 *
 * @example
 * ```ts
 * import { CheckoutSessions, CheckoutSessionsMemory } from "@effect-gr4vy/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.flatMap(CheckoutSessions, (sessions) => sessions.add()).pipe(
 *   Effect.provide(CheckoutSessionsMemory.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<CheckoutSessions> = Layer.effect(CheckoutSessions, make())

/** How long a session lives once its secure fields were received. */
const afterFields = Duration.minutes(5)

/** A UUID version 4 (RFC 9562, section 5.4) from Effect's `Random`, so that a seed decides a test. */
const newId: Effect.Effect<CheckoutSessionId> = Effect.map(
  Effect.replicateEffect(Random.nextIntBetween(0, 16), 31),
  (digits) => {
    const hex = digits.map((digit) => digit.toString(16))
    hex.splice(12, 0, "4")
    hex[16] = (((digits[15] ?? 0) % 4) + 8).toString(16)
    const text = hex.join("")
    return CheckoutSessionId.make(
      [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-")
    )
  }
)
