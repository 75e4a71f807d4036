/**
 * The same server; it kills itself with SIGKILL at the point in CRASH_AT. Used by the kill matrix only.
 */
import { NodeRuntime } from "@effect/platform-node"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Effect, Layer } from "effect"
import { Orders } from "./orders.js"
import { serverWith } from "./server.js"

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
).pipe(Layer.provide(Gr4vy.layerConfig()))

const CrashingOrders = Layer.effect(
  Orders,
  Effect.gen(function* () {
    const orders = yield* Orders
    return Orders.of({
      ...orders,
      start: (...args) => Effect.zipRight(crash("started, not answered"), orders.start(...args)),
      opened: (...args) => Effect.zipRight(crash("session stored, not published"), orders.opened(...args))
    })
  })
).pipe(Layer.provide(Orders.layer))

NodeRuntime.runMain(Layer.launch(serverWith(CrashingOrders).pipe(Layer.provide(Sessions))))
