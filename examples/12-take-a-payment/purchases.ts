/**
 * The payments of the shop's orders, in memory. In your shop they are tables, and `begin` and `beginPart` are one transaction
 * of the database each.
 */
import { Payment, type Transaction, type Transactions } from "@effect-gr4vy/api"
import type { CheckoutSessionsError } from "@effect-gr4vy/core"
import { Context, Effect, Layer, Option, Ref, SynchronizedRef } from "effect"
import { nextPart, type Order, type Part } from "./payment.js"

/** The current try to pay an order. */
export interface Purchase {
  readonly order: Order
  /** The session that this try pays with. A repeated call needs the same one. */
  readonly sessionId: string
  /** Counts the tries of the order, in all its sessions, from 1. */
  readonly attempt: number
  /** Whether a request may have been sent for this try. */
  readonly begun: boolean
  /** The last known state of this try's transaction; absent while the outcome is unknown. */
  readonly transaction?: Transaction
}

interface Known {
  /** The order of each session. */
  readonly sessions: ReadonlyMap<string, Order>
  /** The current try of each order. */
  readonly tries: ReadonlyMap<string, Purchase>
}

/** The last part of a kind, and what all parts of it are known to have moved. */
interface LastPart {
  readonly part: Part
  readonly open: boolean
  readonly moved: number
}

export class Purchases extends Context.Tag("shop/Purchases")<
  Purchases,
  {
    /** Adds a session for an order. The tries of its other sessions stay as they are, and count. */
    readonly open: (order: Order, session: { readonly id: string }) => Effect.Effect<void>
    /** Returns the current try of the session's order. */
    readonly find: (sessionId: string) => Effect.Effect<Option.Option<Purchase>>
    /**
     * Returns the current try of the session's order. `attempt` begins with this session only if it is the order's next try
     * and the last one left the buyer unpaid.
     */
    readonly begin: (sessionId: string, attempt: number) => Effect.Effect<Option.Option<Purchase>>
    /** Stores what is known of a try, unless another one has begun. */
    readonly learn: (purchase: Purchase, transaction: Transaction) => Effect.Effect<void>
    /**
     * Returns the part that is open, whatever its amount, or begins the next one; none if nothing is left. The transaction is
     * read while no other part begins, so that its amounts include every part before.
     */
    readonly beginPart: (
      kind: Part["kind"],
      transactionId: string,
      amount: number | undefined
    ) => Effect.Effect<Option.Option<Part>, CheckoutSessionsError, Transactions>
    /** Ends a part whose outcome is known. `moved` is what this part and those before have moved. */
    readonly endPart: (part: Part, moved: number) => Effect.Effect<void>
  }
>() {
  static readonly memory = Layer.effect(
    Purchases,
    Effect.gen(function* () {
      const all = yield* Ref.make<Known>({ sessions: new Map(), tries: new Map() })
      const parts = yield* SynchronizedRef.make<ReadonlyMap<string, LastPart>>(new Map())
      const idOf = (kind: Part["kind"], transactionId: string) => `${kind} ${transactionId}`

      const withTry = (known: Known, purchase: Purchase): Known => ({
        ...known,
        tries: new Map(known.tries).set(purchase.order.id, purchase)
      })

      const currentOf = ({ sessions, tries }: Known, sessionId: string) => {
        const order = sessions.get(sessionId)
        return order === undefined ? undefined : tries.get(order.id)
      }

      return {
        open: (order, { id }) =>
          Ref.update(all, (known) => {
            const opened = { ...known, sessions: new Map(known.sessions).set(id, order) }
            return known.tries.get(order.id)?.begun === true
              ? opened
              : withTry(opened, { order, sessionId: id, attempt: 1, begun: false })
          }),
        find: (sessionId) => Effect.map(Ref.get(all), (known) => Option.fromNullable(currentOf(known, sessionId))),
        begin: (sessionId, attempt) =>
          Ref.modify(all, (known): [Option.Option<Purchase>, Known] => {
            const [order, current] = [known.sessions.get(sessionId), currentOf(known, sessionId)]
            if (order === undefined || current === undefined) return [Option.none(), known]
            const isNext = attempt !== current.attempt || !current.begun
            if (!isNext || attempt !== nextAttempt(current)) return [Option.some(current), known]
            const begun = { order, sessionId, attempt, begun: true }
            return [Option.some(begun), withTry(known, begun)]
          }),
        learn: ({ attempt, order }, transaction) =>
          Ref.update(all, (known) => {
            const current = known.tries.get(order.id)
            return current?.attempt === attempt ? withTry(known, { ...current, transaction }) : known
          }),
        beginPart: (kind, transactionId, amount) =>
          SynchronizedRef.modifyEffect(parts, (known) => {
            const last = known.get(idOf(kind, transactionId))
            if (last?.open === true) return Effect.succeed([Option.some(last.part), known] as const)
            const moved = last?.moved ?? 0
            return Effect.map(
              nextPart(kind, transactionId, (last?.part.number ?? 0) + 1, { amount, moved }),
              (next) => {
                const begun = Option.match(next, {
                  onNone: () => known,
                  onSome: (part) => new Map(known).set(idOf(kind, transactionId), { part, open: true, moved })
                })
                return [next, begun] as const
              }
            )
          }),
        endPart: (part, moved) =>
          SynchronizedRef.update(parts, (known) => {
            const id = idOf(part.kind, part.transactionId)
            const last = known.get(id)
            return last?.open === true && last.part.number === part.number
              ? new Map(known).set(id, { part, open: false, moved })
              : known
          })
      }
    })
  )
}

/** The number that the page sends with the buyer's next click: the same one as long as the outcome is unknown. */
export const nextAttempt = ({ attempt, transaction }: Purchase): number =>
  transaction !== undefined && Payment.mayTryAgain(Payment.outcome(transaction)) ? attempt + 1 : attempt
