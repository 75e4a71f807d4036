/**
 * The payments of the shop's orders, in memory. In your shop it is a table, and `begin` is one transaction of the database.
 */
import { Context, Effect, Layer, Option, Ref } from "effect"
import * as Payment from "./outcome.js"
import type { Order } from "./payment.js"
import type { Transaction } from "./transactions.js"

export interface Purchase {
  readonly order: Order
  readonly sessionId: string
  /** The buyer's current try, from 1. */
  readonly attempt: number
  /** The last known state of this try's transaction; absent while the outcome is unknown. */
  readonly transaction?: Transaction
}

export class Purchases extends Context.Tag("shop/Purchases")<
  Purchases,
  {
    readonly open: (order: Order, session: { readonly id: string }) => Effect.Effect<void>
    readonly find: (sessionId: string) => Effect.Effect<Option.Option<Purchase>>
    /** Returns the purchase. `attempt` begins only if it is the next one and the last one left the buyer unpaid. */
    readonly begin: (sessionId: string, attempt: number) => Effect.Effect<Option.Option<Purchase>>
    /** Stores what is known of a try, unless another one has begun. */
    readonly learn: (purchase: Purchase, transaction: Transaction) => Effect.Effect<void>
  }
>() {
  static readonly memory = Layer.effect(
    Purchases,
    Effect.map(Ref.make<ReadonlyMap<string, Purchase>>(new Map()), (all) => ({
      open: (order, { id }) => Ref.update(all, (known) => new Map(known).set(id, { order, sessionId: id, attempt: 1 })),
      find: (sessionId) => Effect.map(Ref.get(all), (known) => Option.fromNullable(known.get(sessionId))),
      begin: (sessionId, attempt) =>
        Ref.modify(all, (known) => {
          const purchase = known.get(sessionId)
          if (purchase === undefined) return [Option.none(), known]
          if (attempt === purchase.attempt || attempt !== nextAttempt(purchase)) return [Option.some(purchase), known]
          const begun = { order: purchase.order, sessionId, attempt }
          return [Option.some(begun), new Map(known).set(sessionId, begun)]
        }),
      learn: ({ attempt, sessionId }, transaction) =>
        Ref.update(all, (known) => {
          const purchase = known.get(sessionId)
          return purchase?.attempt === attempt ? new Map(known).set(sessionId, { ...purchase, transaction }) : known
        })
    }))
  )
}

/** The number that the page sends with the buyer's next click: the same one as long as the outcome is unknown. */
export const nextAttempt = ({ attempt, transaction }: Purchase): number =>
  transaction !== undefined && Payment.mayTryAgain(Payment.outcome(transaction)) ? attempt + 1 : attempt
