/**
 * One order's checkout as a workflow: create a session, wait for the buyer's card or the session's expiry, read the
 * session. The engine stores each step's result, so that another process continues where this one ended.
 *
 * The function below runs again from its start after every restart and every wait. Completed steps return their stored
 * result. Code outside an activity must therefore be deterministic: no clock, no random numbers.
 */
import { Activity, DurableClock, DurableDeferred, Workflow, WorkflowEngine } from "@effect/workflow"
import { CheckoutSessionId, CheckoutSessions, CheckoutSessionsError } from "@effect-gr4vy/core"
import { Cause, DateTime, Effect, Option, Schedule, Schema } from "effect"
import { atMostOnce } from "./atMostOnce.js"
import { Orders } from "./orders.js"

const Opened = Schema.Struct({
  sessionId: CheckoutSessionId,
  expiresAt: Schema.DateTimeUtc,
  /** Time from creation to expiry, in milliseconds. */
  timeLeft: Schema.DurationFromMillis
})

/** The card is at Gr4vy: pay with `sessionId` before `expiresAt`. */
export class Ready extends Schema.TaggedClass<Ready>()("Ready", {
  sessionId: CheckoutSessionId,
  expiresAt: Schema.DateTimeUtc
}) {}

/** The buyer gave no card in time. */
export class Expired extends Schema.TaggedClass<Expired>()("Expired", {}) {}

/** An order id names one execution: a second start with the same id joins the first, whatever its amount. */
export const Checkout = Workflow.make({
  name: "Checkout",
  payload: {
    orderId: Schema.NonEmptyString,
    /** In the currency's smallest unit. */
    amount: Schema.NonNegativeInt,
    /** ISO 4217, as in `EUR`. */
    currency: Schema.String
  },
  idempotencyKey: ({ orderId }) => orderId,
  success: Schema.Union(Ready, Expired),
  // Stored as JSON: the SDK's errors hold no card number, no security code and no token.
  error: CheckoutSessionsError
})

/** The signal that the card is at Gr4vy. It has no content: no card ever reaches the engine or its database. */
export const CardStored = DurableDeferred.make("CardStored")

export const CheckoutWorkflow = Checkout.toLayer((order, executionId) =>
  Effect.gen(function* () {
    const opened = yield* open(order).pipe(
      // A new attempt has a new ticket. Only a request that was certainly not sent is retried.
      Activity.retry({ times: 2, while: (error) => error._tag === "RequestFailed" && error.delivered === "no" }),
      Checkout.withCompensation(({ sessionId }, cause) => abandon(sessionId, cause))
    )
    yield* publish(order.orderId, executionId, opened.sessionId)
    const signal = yield* cardOrExpiry(opened.timeLeft)
    const session = yield* read(opened.sessionId)
    if (Option.isNone(session)) return new Expired()
    // A card changes the expiry. This read finds a card whose signal was lost between Gr4vy and the engine.
    const expiryChanged = !DateTime.Equivalence(session.value.expiresAt, opened.expiresAt)
    return signal === "card" || expiryChanged ? new Ready(session.value) : new Expired()
  })
)

/** A failure ends the order and deletes its session. Steps that are safe to repeat therefore retry until an outage ends. */
const patience = Schedule.exponential("1 second").pipe(Schedule.upTo("3 minutes"))

const passes = (error: CheckoutSessionsError) =>
  error._tag === "RequestFailed" || (error._tag === "Generic" && error.status >= 500)

const open = ({ amount, currency, orderId }: typeof Checkout.payloadSchema.Type) =>
  Activity.make({
    name: "create session",
    success: Opened,
    error: CheckoutSessionsError,
    execute: Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const session = yield* atMostOnce("create session", (beforeSend) =>
        sessions.add({ amount, currency, metadata: { order: orderId } }, { beforeSend })
      )
      // The duration is stored with the result. Computed outside an activity, it would be shorter at each replay.
      return { sessionId: session.id, expiresAt: session.expiresAt, timeLeft: yield* session.timeLeft }
    })
  })

/** Tells the web server which session belongs to the order. Safe to run twice. */
const publish = (orderId: string, executionId: string, sessionId: CheckoutSessionId) =>
  Activity.make({
    name: "publish session",
    execute: Effect.flatMap(Orders, (orders) => orders.opened(orderId, executionId, sessionId)).pipe(
      Effect.retry(patience),
      Effect.orDie
    )
  })

// A failure in here becomes a parallel cause, because two branches end at the same time. Use `Cause.failureOption`; do not
// look at the cause's `_tag`.
const cardOrExpiry = (timeLeft: typeof Opened.Type.timeLeft) => {
  const card = Effect.as(DurableDeferred.await(CardStored), "card" as const)
  // By default, sleeps of up to a minute are in memory and start again after each restart.
  const expiry = DurableClock.sleep({ name: "expiry", duration: timeLeft, inMemoryThreshold: "1 millis" }).pipe(
    Effect.as("expiry" as const)
  )
  return DurableDeferred.raceAll({
    name: "card or expiry",
    success: Schema.Literal("card", "expiry"),
    error: Schema.Never,
    effects: [card, expiry]
  })
}

const read = (sessionId: CheckoutSessionId) =>
  Activity.make({
    name: "read session",
    success: Schema.Option(Schema.Struct({ sessionId: CheckoutSessionId, expiresAt: Schema.DateTimeUtc })),
    error: CheckoutSessionsError,
    execute: Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(sessionId)).pipe(
      Effect.retry({ schedule: patience, while: passes }),
      Effect.map(({ expiresAt, id }) => Option.some({ sessionId: id, expiresAt })),
      Effect.catchTag("NotFound", () => Effect.succeedNone)
    )
  })

/** Deletes the session of an order that failed or was cancelled. */
export const abandon = (sessionId: CheckoutSessionId, cause: Cause.Cause<unknown>) =>
  Effect.gen(function* () {
    // The engine also compensates a workflow that a shutdown or a moving shard interrupts, and continues it on another
    // runner. Its session must stay. `interrupted` is true only for a cancelled workflow.
    const { interrupted } = yield* WorkflowEngine.WorkflowInstance
    if (Cause.isInterruptedOnly(cause) && !interrupted) return
    const sessions = yield* CheckoutSessions
    yield* sessions.delete(sessionId).pipe(
      Effect.catchTag("NotFound", () => Effect.void),
      // A session that is left over expires by itself.
      Effect.catchAll((error) => Effect.logWarning("The session could not be deleted", error.message))
    )
  })
