/**
 * The service in memory: real ids, the API's lifetimes and errors, expiry by Effect's `Clock`. Use it to test code that
 * uses Checkout Sessions. The sandbox serves it.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { CheckoutSession, CheckoutSessionId, CheckoutSessionUpdate } from "./CheckoutSession.js"
import { CheckoutSessions, type CheckoutSessionsService } from "./CheckoutSessions.js"
import * as Endpoint from "./Endpoint.js"
import { checkoutSessions } from "./Endpoints.js"
import { NotFound } from "./Errors.js"
import type { CheckoutSessionSecureFieldsUpdate } from "./SecureFields.js"
import { schemeOf } from "./spi/CardScheme.js"
import { newUuid } from "./spi/Uuid.js"

/**
 * Creates an empty store. Expired sessions are removed while others are added.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options?: {
  /** The lifetime of a new session; 1 hour by default. */
  readonly lifetime?: Duration.DurationInput
}): Effect.Effect<CheckoutSessionsService> =>
  Effect.sync(() => {
    const lifetime = Duration.decode(options?.lifetime ?? Duration.hours(1))
    // UUIDs are compared without regard to case (RFC 9562, section 4).
    const sessions = new Map<string, CheckoutSession>()
    const keyOf = (id: CheckoutSessionId): string => id.toLowerCase()

    const lives = (session: CheckoutSession, now: DateTime.Utc) => DateTime.lessThan(now, session.expiresAt)

    // Each `add` checks two sessions, so its cost does not grow with the store, and at most half of the stored sessions
    // have expired.
    let sweep = sessions.entries()
    const forgetExpired = (now: DateTime.Utc) => {
      for (const { done, value } of [sweep.next(), sweep.next()]) {
        if (done === true) sweep = sessions.entries()
        else if (!lives(value[1], now)) sessions.delete(value[0])
      }
    }

    /** Finds and changes a session in one step, so that operations are atomic. */
    const withSession = <A>(id: CheckoutSessionId, f: (session: CheckoutSession, now: DateTime.Utc) => A) =>
      Effect.flatMap(DateTime.now, (now) => {
        const session = sessions.get(keyOf(id))
        if (session !== undefined && lives(session, now)) return Effect.succeed(f(session, now))
        sessions.delete(keyOf(id))
        return Effect.fail(new NotFound({ code: "not_found", message: "The resource could not be found" }))
      })

    const store = (session: CheckoutSession) => {
      sessions.set(keyOf(session.id), session)
      return session
    }

    return Endpoint.implement(checkoutSessions, {
      add: (session) =>
        Effect.zipWith(newId, DateTime.now, (id, now) => {
          forgetExpired(now)
          const bare = new CheckoutSession({ id, expiresAt: DateTime.addDuration(now, lifetime) })
          return store(session === undefined ? bare : changed(bare, session, now))
        }),
      get: (id) => withSession(id, (session) => session),
      update: (id, changes) => withSession(id, (session, now) => store(changed(session, changes, now))),
      updateFields: (id, update) =>
        Effect.asVoid(withSession(id, (session, now) => store(filled(session, update ?? {}, now)))),
      delete: (id) => withSession(id, () => void sessions.delete(keyOf(id)))
    })
  })

/**
 * An empty store as a layer. Use `TestClock` to let sessions expire.
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

const encodeChanges = Schema.encodeSync(CheckoutSessionUpdate)
const encodeSession = Schema.encodeSync(CheckoutSession)
const decodeSession = Schema.decodeUnknownSync(CheckoutSession)

/** Applies a partial update: an absent property stays, `null` clears. */
const changed = (session: CheckoutSession, changes: CheckoutSessionUpdate, now: DateTime.Utc): CheckoutSession => {
  const {
    expires_in,
    // The API accepts these and returns them nowhere.
    country: _country,
    intent: _intent,
    is_subsequent_payment: _isSubsequentPayment,
    merchant_initiated: _merchantInitiated,
    payment_source: _paymentSource,
    ...shown
  } = encodeChanges(changes)
  const before = encodeSession(session)
  const expires_at =
    expires_in === undefined ? before.expires_at : DateTime.formatIso(DateTime.add(now, { seconds: expires_in }))
  // On the wire a change replaces a property, and `null` means absent.
  return decodeSession({ ...before, ...shown, expires_at })
}

/** The lifetime of a session after its secure fields were stored. */
const afterFields = Duration.minutes(5)

const filled = (
  session: CheckoutSession,
  { paymentMethod }: CheckoutSessionSecureFieldsUpdate,
  now: DateTime.Utc
): CheckoutSession =>
  new CheckoutSession({
    ...session,
    ...(paymentMethod === undefined ? {} : { paymentMethod: shownOf(paymentMethod) }),
    expiresAt: DateTime.addDuration(now, afterFields)
  })

/** The visible part of a payment method; nothing else of it is kept. */
const shownOf = (
  paymentMethod: NonNullable<CheckoutSessionSecureFieldsUpdate["paymentMethod"]>
): NonNullable<CheckoutSession["paymentMethod"]> => {
  const shown = { type: "payment-method", method: "card" } as const
  switch (paymentMethod.method) {
    case "card": {
      const number = Redacted.value(paymentMethod.number)
      return { ...shown, label: number.slice(-4), scheme: schemeOf(number), details: { bin: number.slice(0, 6) } }
    }
    case "id":
      return { ...shown, id: paymentMethod.id }
    case "click-to-pay":
      // Only the wallet knows the card.
      return shown
  }
}

const newId: Effect.Effect<CheckoutSessionId> = Effect.map(newUuid, (id) => CheckoutSessionId.make(id))
