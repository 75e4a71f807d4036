/**
 * One row for each order: what the shop reads, and what the buyer has asked for. The engine has its own tables, `cluster_*`.
 */
import { SqlClient } from "@effect/sql"
import type { SqlError } from "@effect/sql/SqlError"
import type { CheckoutSessionId } from "@effect-gr4vy/core"
import { Context, Effect, Layer, Option } from "effect"

/** An order in one of these states has ended and does not change any more. */
export const finalStates = ["paid", "refunded", "refunding", "expired", "cancelled", "failed", "unknown"] as const

export type FinalState = (typeof finalStates)[number]

export type State =
  | FinalState
  /** The session is being created. */
  | "starting"
  /** The session waits for a card; after a decline, for another one. */
  | "waiting"
  /** The payment is being authorized. */
  | "paying"
  /** The buyer must approve the payment at `approvalUrl`. */
  | "approval"
  | "capturing"
  /** The reservation is being released, or the money is being given back. */
  | "returning"

export interface Order {
  readonly orderId: string
  /** The id of the order's workflow in the engine and its tables. */
  readonly executionId: string
  /** In the currency's smallest unit. */
  readonly amount: number
  readonly currency: string
  readonly state: State
  /** The cause of the state, for the operator and, after a decline, for the buyer. */
  readonly message: string | undefined
  /** Absent until the session is created. */
  readonly sessionId: CheckoutSessionId | undefined
  readonly transactionId: string | undefined
  readonly approvalUrl: string | undefined
  /** Counts the buyer's tries to pay, from 1. */
  readonly attempt: number
  /** The last try for which the shop has stored a card. */
  readonly cardFor: number
  /** The wait that the workflow is in, or enters next. */
  readonly round: number
  readonly cancelRequested: boolean
}

/** The columns that the workflow changes. */
export interface Changes {
  readonly state?: State
  readonly message?: string | null
  readonly session_id?: string
  readonly transaction_id?: string
  readonly approval_url?: string | null
  readonly attempt?: number
  readonly round?: number
}

export class Orders extends Context.Tag("Orders")<
  Orders,
  {
    /** Inserts the order, or returns the one that is there. */
    readonly start: (
      order: Pick<Order, "orderId" | "executionId" | "amount" | "currency">
    ) => Effect.Effect<Order, SqlError>
    readonly find: (orderId: string) => Effect.Effect<Option.Option<Order>, SqlError>
    readonly findByTransaction: (transactionId: string) => Effect.Effect<Option.Option<Order>, SqlError>
    /** Changes an order that has not ended. */
    readonly reached: (orderId: string, changes: Changes) => Effect.Effect<void, SqlError>
    /** Ends an order. Returns whether it has ended in this state: with `unlessCancelled`, not after a cancellation. */
    readonly end: (
      orderId: string,
      end: { readonly state: FinalState; readonly message: string | undefined; readonly unlessCancelled: boolean }
    ) => Effect.Effect<boolean, SqlError>
    /** Notes that a card for this try is at Gr4vy. */
    readonly cardStored: (orderId: string, attempt: number) => Effect.Effect<void, SqlError>
    /** Asks for a cancellation. Returns whether the order had not ended yet. */
    readonly cancel: (orderId: string) => Effect.Effect<boolean, SqlError>
  }
>() {
  static readonly layer = Layer.effect(
    Orders,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`
        CREATE TABLE IF NOT EXISTS checkout_orders (
          order_id VARCHAR(64) PRIMARY KEY,
          execution_id VARCHAR(64) NOT NULL,
          amount INTEGER NOT NULL,
          currency VARCHAR(3) NOT NULL,
          state VARCHAR(16) NOT NULL DEFAULT 'starting',
          message TEXT,
          session_id VARCHAR(64),
          transaction_id VARCHAR(64),
          approval_url TEXT,
          attempt INTEGER NOT NULL DEFAULT 1,
          card_for INTEGER NOT NULL DEFAULT 0,
          round INTEGER NOT NULL DEFAULT 0,
          cancel_requested INTEGER NOT NULL DEFAULT 0,
          created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        )`
      yield* sql`CREATE INDEX IF NOT EXISTS checkout_orders_transaction ON checkout_orders (transaction_id)`

      interface Row {
        readonly order_id: string
        readonly execution_id: string
        readonly amount: number | bigint
        readonly currency: string
        readonly state: State
        readonly message: string | null
        readonly session_id: CheckoutSessionId | null
        readonly transaction_id: string | null
        readonly approval_url: string | null
        readonly attempt: number | bigint
        readonly card_for: number | bigint
        readonly round: number | bigint
        readonly cancel_requested: number | bigint
      }

      const fromRow = (row: Row): Order => ({
        orderId: row.order_id,
        executionId: row.execution_id,
        amount: Number(row.amount),
        currency: row.currency,
        state: row.state,
        message: row.message ?? undefined,
        sessionId: row.session_id ?? undefined,
        transactionId: row.transaction_id ?? undefined,
        approvalUrl: row.approval_url ?? undefined,
        attempt: Number(row.attempt),
        cardFor: Number(row.card_for),
        round: Number(row.round),
        cancelRequested: Number(row.cancel_requested) > 0
      })

      const running = sql.literal(`state NOT IN (${finalStates.map((state) => `'${state}'`).join(", ")})`)

      return {
        start: ({ amount, currency, executionId: execution_id, orderId: order_id }) =>
          // The update changes nothing. It makes the statement return the row that is there.
          sql<Row>`
            INSERT INTO checkout_orders ${sql.insert({ order_id, execution_id, amount, currency })}
            ON CONFLICT (order_id) DO UPDATE SET order_id = EXCLUDED.order_id RETURNING *`.pipe(
            Effect.flatMap(([row]) =>
              row === undefined ? Effect.dieMessage("The insert returned no row.") : Effect.succeed(fromRow(row))
            )
          ),
        find: (orderId) =>
          Effect.map(sql<Row>`SELECT * FROM checkout_orders WHERE order_id = ${orderId}`, ([row]) =>
            Option.map(Option.fromNullable(row), fromRow)
          ),
        findByTransaction: (transactionId) =>
          Effect.map(sql<Row>`SELECT * FROM checkout_orders WHERE transaction_id = ${transactionId}`, ([row]) =>
            Option.map(Option.fromNullable(row), fromRow)
          ),
        reached: (orderId, changes) =>
          sql`UPDATE checkout_orders SET ${sql.update({ ...changes })} WHERE order_id = ${orderId} AND ${running}`,
        end: (orderId, { message = null, state, unlessCancelled }) =>
          Effect.zipRight(
            sql`UPDATE checkout_orders SET ${sql.update({ state, message, approval_url: null })}
                WHERE order_id = ${orderId} AND ${running} AND ${
                  unlessCancelled ? sql`cancel_requested = 0` : sql.literal("1 = 1")
                }`,
            // The step may run a second time, after the row has changed.
            Effect.map(
              sql`SELECT order_id FROM checkout_orders WHERE order_id = ${orderId} AND state = ${state}`,
              ({ length }) => length > 0
            )
          ),
        cardStored: (orderId, attempt) =>
          sql`UPDATE checkout_orders SET card_for = ${attempt} WHERE order_id = ${orderId} AND card_for < ${attempt}`,
        cancel: (orderId) =>
          Effect.map(
            sql`UPDATE checkout_orders SET cancel_requested = 1 WHERE order_id = ${orderId} AND ${running} RETURNING order_id`,
            ({ length }) => length > 0
          )
      }
    })
  )
}
