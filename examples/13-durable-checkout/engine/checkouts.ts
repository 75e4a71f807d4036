/**
 * The checkout for a shop: everything that its pages and webhooks need. Each function may be called again after a crash.
 */

import type { SqlError } from "@effect/sql/SqlError"
import { DurableDeferred, WorkflowEngine } from "@effect/workflow"
import { Context, Data, Effect, FiberSet, Layer, Option } from "effect"
import { finalStates, type Order, Orders } from "./orders.js"
import { Checkout, type OrderRequest, wake } from "./workflow.js"

export class OrderDiffers extends Data.TaggedError("OrderDiffers")<{ readonly order: Order }> {
  override get message() {
    return `Order ${this.order.orderId} exists with ${this.order.amount} ${this.order.currency}.`
  }
}

/** The database cannot be used. The order is as it was, or as it was asked for: ask again. */
export class Unavailable extends Data.TaggedError("Unavailable")<{ readonly cause: unknown }> {
  override readonly message = "The order database does not answer. Try again."
}

export class Checkouts extends Context.Tag("Checkouts")<
  Checkouts,
  {
    /** Starts the order's checkout, or joins it. From its return on, the order ends even without this process. */
    readonly start: (order: typeof OrderRequest.Type) => Effect.Effect<Order, OrderDiffers | Unavailable>
    readonly find: (orderId: string) => Effect.Effect<Option.Option<Order>, Unavailable>
    /** Says that a card for this try is in the order's session at Gr4vy. */
    readonly cardStored: (order: Order, attempt: number) => Effect.Effect<void, Unavailable>
    /** Says that a transaction has changed: its webhook. Returns false if it belongs to no order. */
    readonly changed: (transactionId: string) => Effect.Effect<boolean, Unavailable>
    /** Cancels the order: money that is reserved is released, money that is taken is refunded. Returns false if it has ended. */
    readonly cancel: (order: Order) => Effect.Effect<boolean, Unavailable>
  }
>() {
  static readonly layer = Layer.scoped(
    Checkouts,
    Effect.gen(function* () {
      const orders = yield* Orders
      const engine = yield* WorkflowEngine.WorkflowEngine
      const later = yield* FiberSet.make()

      const answered = <A>(effect: Effect.Effect<A, SqlError, WorkflowEngine.WorkflowEngine>) =>
        effect.pipe(
          Effect.sandbox,
          Effect.catchAll((cause) =>
            Effect.zipRight(Effect.logError("The order database", cause), new Unavailable({ cause }))
          ),
          Effect.provideService(WorkflowEngine.WorkflowEngine, engine)
        )

      /** Ends the wait of the order's workflow. The row is read after the change that the workflow must see. */
      const signal = (orderId: string) =>
        Effect.gen(function* () {
          const found = yield* orders.find(orderId)
          if (Option.isNone(found)) return
          const { executionId, round } = found.value
          const signal = wake(round)
          const token = DurableDeferred.tokenFromExecutionId(signal, { workflow: Checkout, executionId })
          yield* DurableDeferred.succeed(signal, { token, value: undefined })
          // The engine loses a signal that arrives while the workflow goes to sleep. A resume without need changes nothing.
          yield* FiberSet.run(later, Effect.delay(Checkout.resume(executionId), "1 second"))
        })

      return {
        start: (request) =>
          Effect.gen(function* () {
            const executionId = yield* Checkout.executionId(request)
            // The row first: it decides between two starts, and the workflow writes into it.
            const order = yield* answered(orders.start({ ...request, executionId }))
            if (order.amount !== request.amount || order.currency !== request.currency) {
              return yield* new OrderDiffers({ order })
            }
            yield* answered(Checkout.execute(request, { discard: true }))
            return order
          }),
        find: (orderId) => answered(orders.find(orderId)),
        cardStored: ({ orderId }, attempt) =>
          answered(Effect.zipRight(orders.cardStored(orderId, attempt), signal(orderId))),
        changed: (transactionId) =>
          answered(
            Effect.flatMap(
              orders.findByTransaction(transactionId),
              Option.match({
                onNone: () => Effect.succeed(false),
                onSome: ({ orderId }) => Effect.as(signal(orderId), true)
              })
            )
          ),
        cancel: ({ orderId }) =>
          answered(
            Effect.flatMap(orders.cancel(orderId), (running) =>
              Effect.as(
                Effect.when(signal(orderId), () => running),
                running
              )
            )
          )
      }
    })
  )
}

/** Returns whether the order does not change any more. */
export const hasEnded = ({ state }: Order) => finalStates.some((final) => final === state)
