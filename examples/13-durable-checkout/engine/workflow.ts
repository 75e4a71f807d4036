/**
 * One order's checkout as a workflow: create a session, wait for the card, authorize, wait for the buyer's approval, capture.
 * After a decline the buyer may try again; a cancellation releases or refunds the money. The engine stores each step's
 * result, so that another process continues where this one ended.
 *
 * The function below runs again from its start after every restart and every wait. Completed steps return their stored
 * result. Code outside an activity must therefore be deterministic: no clock, no random numbers.
 *
 * Signals carry nothing. Every wait ends with a look at the session, the transaction and the order's row: they decide.
 */
import { Activity, DurableClock, DurableDeferred, Workflow } from "@effect/workflow"
import { CheckoutSessionId, CheckoutSessions, CheckoutSessionsError } from "@effect-gr4vy/core"
import { Duration, Effect, Either, Option, Schedule, Schema } from "effect"
import { AtMostOnce } from "./atMostOnce.js"
import { type Changes, type FinalState, finalStates, Orders } from "./orders.js"
import { Charge, Payments } from "./payments.js"

const currencies = new Set(Intl.supportedValuesOf("currency"))

/** What an order needs before anything starts. A value that the API would refuse costs no order id. */
export const OrderRequest = Schema.Struct({
  /** Part of idempotency keys and identifiers. */
  orderId: Schema.String.pipe(Schema.pattern(/^[\w.~-]{1,64}$/)),
  /** In the currency's smallest unit. */
  amount: Schema.Int.pipe(Schema.between(1, 99_999_999)),
  /** ISO 4217, as in `EUR`. */
  currency: Schema.String.pipe(
    Schema.filter((currency) => currencies.has(currency) || "must be the ISO 4217 code of a currency, e.g. EUR")
  )
})

/** An order id names one execution: a second start with the same id joins the first. */
export const Checkout = Workflow.make({
  name: "Checkout",
  payload: OrderRequest.fields,
  idempotencyKey: ({ orderId }) => orderId,
  success: Schema.Literal(...finalStates)
})
  // A defect, e.g. of the database, restarts the execution from its stored results. It must not end an order with money.
  .annotate(Workflow.CaptureDefects, false)

/** Ends the n-th wait of a workflow. It has no content: no card ever reaches the engine or its database. */
export const wake = (round: number) => DurableDeferred.make(`wake ${round}`)

export const CheckoutWorkflow = Checkout.toLayer((order) =>
  Effect.gen(function* () {
    const { orderId } = order
    // Counts steps and waits, so that each has a name of its own, the same in every replay.
    const counts = new Map<string, number>()
    const numbered = (what: string) => {
      const count = (counts.get(what) ?? 0) + 1
      counts.set(what, count)
      return `${what} ${count}`
    }
    let round = 1

    /** Waits for a signal or for the end of `duration`. */
    const pause = (duration: Duration.Duration) =>
      DurableDeferred.raceAll({
        name: `pause ${round}`,
        success: Schema.Void,
        error: Schema.Never,
        effects: [
          DurableDeferred.await(wake(round)),
          // By default, sleeps of up to a minute are in memory and start again after each restart.
          DurableClock.sleep({ name: `pause ${round}`, duration, inMemoryThreshold: "1 millis" })
        ]
      }).pipe(Effect.zipLeft(Effect.sync(() => round++)))

    /**
     * Runs a step. Its row is written before anything is read: a signal that finds this round in the row, or a request that
     * comes before, is seen by this step or by the wait that follows.
     */
    const step = <A, I, R>(
      what: string,
      success: Schema.Schema<A, I>,
      changes: Changes,
      execute: Effect.Effect<A, never, R>
    ) =>
      Activity.make({
        name: numbered(what),
        success,
        execute: Effect.zipRight(
          stored(Effect.flatMap(Orders, (orders) => orders.reached(orderId, { round, ...changes }))),
          execute
        )
      })

    /** Repeats a step of the payment until it is decided: after a signal, or after a wait that grows. */
    const decide = <R>(what: string, changes: Changes, execute: Effect.Effect<Charge, never, R>) =>
      Effect.gen(function* () {
        let charge = yield* step(what, Charge, changes, execute)
        for (let n = 0; charge.is === "unclear" && n < 30; n++) {
          yield* pause(growing(n, "15 seconds", "1 hour"))
          charge = yield* step(what, Charge, { ...changes, message: charge.text ?? null }, execute)
        }
        for (let n = 0; charge.id !== undefined && undecided.has(charge.is); n++) {
          const { id, is, text } = charge
          const next: Changes =
            is === "approval"
              ? { state: "approval", approval_url: text ?? null, transaction_id: id }
              : { transaction_id: id }
          yield* step("tell", Schema.Void, { ...changes, ...next }, Effect.void)
          yield* pause(growing(n, "5 seconds", "10 minutes"))
          charge = yield* step(
            "read transaction",
            Charge,
            { ...changes, ...next },
            payments((_) => _.read(id))
          )
        }
        return charge
      })

    const end = (state: FinalState, message?: string, unlessCancelled = false) =>
      Effect.map(
        step(
          "end",
          Schema.Boolean,
          {},
          stored(Effect.flatMap(Orders, (orders) => orders.end(orderId, { state, message, unlessCancelled })))
        ),
        (ended) => (ended ? Option.some(state) : Option.none())
      )

    const ended = (state: FinalState, message?: string) => Effect.as(end(state, message), state)

    const closeSession = (sessionId: CheckoutSessionId) =>
      step(
        "delete session",
        Schema.Void,
        {},
        // A session that is left over expires by itself.
        Effect.flatMap(CheckoutSessions, (sessions) => sessions.delete(sessionId)).pipe(
          Effect.retry({ while: passes, schedule: patience }),
          Effect.ignore
        )
      )

    const opened = yield* open(order)
    if (Either.isLeft(opened)) {
      const error = opened.left
      const unknown = error._tag === "RequestFailed" && error.delivered === "unknown"
      return yield* ended(unknown ? "unknown" : "failed", error.message)
    }
    const sessionId = opened.right

    let declined: string | undefined
    for (let attempt = 1; ; attempt++) {
      // 1. The card.
      const waiting: Changes = {
        state: "waiting",
        session_id: sessionId,
        attempt,
        approval_url: null,
        message: declined ?? null
      }
      let seen = yield* step("look", Seen, waiting, look(orderId, sessionId, attempt))
      while (seen._tag === "Nothing") {
        yield* pause(seen.timeLeft)
        seen = yield* step("look", Seen, waiting, look(orderId, sessionId, attempt))
      }
      if (seen._tag === "Gone") return yield* ended("expired", declined)
      if (seen._tag === "Cancelled") {
        yield* closeSession(sessionId)
        return yield* ended("cancelled")
      }

      // 2. The money is reserved.
      const request = { ...order, sessionId, attempt }
      let charge = yield* decide(
        "authorize",
        { state: "paying", message: null },
        payments((_) => _.authorize(request))
      )
      if (charge.is === "over") {
        declined = charge.text
        continue
      }
      const { id } = charge
      if (id === undefined || charge.is === "unclear" || charge.is === "strange") {
        return yield* ended("unknown", `Look for a transaction of ${orderId}, try ${attempt}: ${charge.text}`)
      }

      // 3. The money is taken, unless the buyer has cancelled.
      if (charge.is === "authorized") {
        const capturing: Changes = { state: "capturing", transaction_id: id, approval_url: null, message: null }
        const cancelled = yield* step("ask", Schema.Boolean, capturing, isCancelled(orderId))
        for (let part = 1; !cancelled && charge.is === "authorized" && part <= 3; part++) {
          if (part > 1) yield* pause(growing(part, "15 seconds", "1 hour"))
          const capture = payments((_) => _.capture(id, part))
          charge = yield* decide("capture", capturing, capture)
        }
        if (charge.is === "authorized") {
          const cause = cancelled ? undefined : "The bank did not capture the payment."
          const returning: Changes = { ...capturing, state: "returning" }
          for (let n = 0; charge.is === "authorized" && n < 30; n++) {
            if (n > 0) yield* pause(growing(n, "15 seconds", "1 hour"))
            charge = yield* decide(
              "release",
              returning,
              payments((_) => _.release(id))
            )
          }
          if (charge.is === "over") {
            yield* closeSession(sessionId)
            return yield* ended(cancelled ? "cancelled" : "failed", cause)
          }
        }
      }

      // 4. The order ends as its transaction says.
      if (charge.is === "refunded") return yield* ended("refunded")
      if (charge.is === "over") return yield* ended("failed", charge.text)
      if (charge.is !== "paid") return yield* ended("unknown", `Look at transaction ${id}: ${charge.text ?? charge.is}`)
      const paid = yield* end("paid", undefined, true)
      if (Option.isSome(paid)) return paid.value
      // The buyer cancelled while the money was taken.
      const refund = yield* decide(
        "refund",
        { state: "returning" },
        payments((_) => _.refund(id))
      )
      if (refund.is === "refunded" || refund.is === "refunding") return yield* ended(refund.is)
      return yield* ended("paid", `The order was cancelled too late, and not refunded: ${refund.text}`)
    }
  })
)

const undecided: ReadonlySet<Charge["is"]> = new Set(["approval", "pending", "unclear"])

const growing = (n: number, first: Duration.DurationInput, most: Duration.DurationInput) =>
  Duration.min(Duration.times(first, 2 ** n), most)

/** Steps that are safe to repeat retry until an outage ends. */
const patience = Schedule.exponential("1 second").pipe(Schedule.upTo("3 minutes"))

const passes = (error: CheckoutSessionsError) =>
  error._tag === "RequestFailed" || (error._tag === "Generic" && error.status >= 500)

/** A statement that still fails ends as a defect: the engine runs the step again. */
const stored = <A, E, R>(statement: Effect.Effect<A, E, R>) =>
  Effect.orDie(Effect.retry(statement, Schedule.spaced("500 millis").pipe(Schedule.upTo("1 minute"))))

const payments = <A>(call: (payments: typeof Payments.Service) => Effect.Effect<A>) => Effect.flatMap(Payments, call)

const open = ({ amount, currency, orderId }: typeof OrderRequest.Type) =>
  Activity.make({
    name: "create session",
    success: Schema.Either({ left: CheckoutSessionsError, right: CheckoutSessionId }),
    execute: Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { run } = yield* AtMostOnce
      return yield* run("create session", CheckoutSessionId, (beforeSend) =>
        Effect.map(sessions.add({ amount, currency, metadata: { order: orderId } }, { beforeSend }), ({ id }) => id)
      ).pipe(
        // Nothing was sent.
        Effect.retry({
          while: (error) =>
            error._tag === "RequestFailed" && error.delivered === "no" && error.reason !== "InvalidRequest",
          schedule: patience
        }),
        Effect.either
      )
    })
  })

const Seen = Schema.Union(
  Schema.TaggedStruct("Cancelled", {}),
  /** The session is gone: only the API says so, no clock of ours. */
  Schema.TaggedStruct("Gone", {}),
  Schema.TaggedStruct("Card", {}),
  Schema.TaggedStruct("Nothing", {
    // Stored with the result. Computed outside an activity, it would be shorter at each replay.
    timeLeft: Schema.DurationFromMillis
  })
)

const look = (orderId: string, sessionId: CheckoutSessionId, attempt: number) =>
  Effect.gen(function* () {
    const order = yield* stored(Effect.flatMap(Orders, (orders) => Effect.flatten(orders.find(orderId))))
    if (order.cancelRequested) return { _tag: "Cancelled" } as const
    const sessions = yield* CheckoutSessions
    const session = yield* sessions
      .get(sessionId)
      .pipe(Effect.retry({ while: passes, schedule: patience }), Effect.either)
    if (Either.isLeft(session)) {
      if (session.left._tag === "NotFound") return { _tag: "Gone" } as const
      yield* Effect.logError(`The session of order ${orderId} cannot be read: ${session.left.message}`)
      return { _tag: "Nothing", timeLeft: Duration.minutes(1) } as const
    }
    // The session of a further try holds the card that was declined, until the shop has stored another one.
    const { paymentMethod, timeLeft } = session.right
    if (paymentMethod !== undefined && (attempt === 1 || order.cardFor >= attempt)) return { _tag: "Card" } as const
    // A clock that is ahead wakes the workflow early, as often as it must.
    return { _tag: "Nothing", timeLeft: Duration.clamp(yield* timeLeft, bounds) } as const
  })

/** The upper bound finds a card whose signal was lost: a session with a card lives for 5 minutes. */
const bounds = { minimum: "2 seconds", maximum: "2 minutes" } as const

const isCancelled = (orderId: string) =>
  Effect.map(
    stored(Effect.flatMap(Orders, (orders) => Effect.flatten(orders.find(orderId)))),
    (order) => order.cancelRequested
  )
