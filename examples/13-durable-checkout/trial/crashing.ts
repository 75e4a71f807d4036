/**
 * The same server; it kills itself with SIGKILL at the point in CRASH_AT. Used by the kill matrix only.
 */
import { NodeRuntime } from "@effect/platform-node"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Effect, Layer } from "effect"
import { checkoutsOver } from "../engine/engine.js"
import { Orders } from "../engine/orders.js"
import * as Payments from "../engine/payments.js"
import { serverWith } from "../shop/server.js"

const crash = (point: string) =>
  Effect.suspend(() => {
    if (process.env["CRASH_AT"] !== point) return Effect.void
    process.kill(process.pid, "SIGKILL")
    return Effect.never
  })

const Sessions = Layer.effect(
  CheckoutSessions,
  Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    return CheckoutSessions.of({
      ...sessions,
      add: (session, { beforeSend = () => Effect.void } = {}) =>
        crash("asked for a session, no ticket yet").pipe(
          Effect.zipRight(
            sessions.add(session, {
              beforeSend: (request) => Effect.zipLeft(beforeSend(request), crash("ticket taken, nothing sent"))
            })
          ),
          Effect.zipLeft(crash("session created, not stored"))
        ),
      get: (id) => Effect.zipLeft(sessions.get(id), crash("session read, not stored")),
      updateFields: (id, update) =>
        Effect.zipLeft(sessions.updateFields(id, update), crash("card at Gr4vy, not signalled"))
    })
  })
)

const CrashingOrders = Layer.effect(
  Orders,
  Effect.gen(function* () {
    const orders = yield* Orders
    return Orders.of({
      ...orders,
      start: (order) => Effect.zipLeft(orders.start(order), crash("order in its table, not started")),
      reached: (orderId, changes) =>
        (changes.session_id === undefined ? Effect.void : crash("session stored, not published")).pipe(
          Effect.zipRight(orders.reached(orderId, changes))
        ),
      cancel: (orderId) => Effect.zipLeft(orders.cancel(orderId), crash("cancelled, not signalled")),
      end: (orderId, end) =>
        crash("about to end").pipe(
          Effect.zipRight(orders.end(orderId, end)),
          Effect.zipLeft(crash("ended, not stored"))
        )
    })
  })
).pipe(Layer.provide(Orders.layer))

const CrashingPayments = Layer.effect(
  Payments.Payments,
  Effect.gen(function* () {
    const payments = yield* Payments.Payments
    return Payments.Payments.of({
      authorize: (order) =>
        crash("about to authorize").pipe(
          Effect.zipRight(payments.authorize(order)),
          Effect.tap(({ is }) => crash(is === "over" ? "declined, not stored" : "authorized, not stored"))
        ),
      read: (id) => Effect.zipLeft(payments.read(id), crash("transaction read, not stored")),
      capture: (id, part) => Effect.zipLeft(payments.capture(id, part), crash("captured, not stored")),
      release: (id) => Effect.zipLeft(payments.release(id), crash("released, not stored")),
      refund: (id) => Effect.zipLeft(payments.refund(id), crash("refunded, not stored"))
    })
  })
).pipe(Layer.provide(Payments.layer))

NodeRuntime.runMain(
  Layer.launch(
    serverWith(checkoutsOver(CrashingPayments, CrashingOrders)).pipe(
      Layer.provide(Sessions),
      Layer.provide(Gr4vy.layerConfig())
    )
  )
)
