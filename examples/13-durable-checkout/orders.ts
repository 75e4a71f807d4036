/**
 * The tables of this example: one row for each order, for the web server, and one row for each request that is sent at most
 * once. The engine has its own tables, `cluster_*`.
 */
import { SqlClient } from "@effect/sql"
import type { SqlError } from "@effect/sql/SqlError"
import type { CheckoutSessionId } from "@effect-gr4vy/core"
import { Context, Effect, Layer, Option } from "effect"

export interface Order {
  readonly orderId: string
  /** The id of the order's workflow in the engine and its tables. */
  readonly executionId: string
  /** Absent until the session is created. */
  readonly sessionId: CheckoutSessionId | undefined
}

export class Orders extends Context.Tag("Orders")<
  Orders,
  {
    readonly start: (orderId: string, executionId: string) => Effect.Effect<void, SqlError>
    readonly opened: (
      orderId: string,
      executionId: string,
      sessionId: CheckoutSessionId
    ) => Effect.Effect<void, SqlError>
    readonly find: (orderId: string) => Effect.Effect<Option.Option<Order>, SqlError>
  }
>() {
  static readonly layer = Layer.effect(
    Orders,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      yield* sql`
        CREATE TABLE IF NOT EXISTS checkout_orders (
          order_id VARCHAR(255) PRIMARY KEY,
          execution_id VARCHAR(64) NOT NULL,
          session_id VARCHAR(64),
          created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        )`
      yield* sql`
        CREATE TABLE IF NOT EXISTS checkout_tickets (
          ticket VARCHAR(255) PRIMARY KEY,
          created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
        )`

      return {
        start: (order_id, execution_id) =>
          sql`INSERT INTO checkout_orders ${sql.insert({ order_id, execution_id })} ON CONFLICT DO NOTHING`,
        opened: (order_id, execution_id, session_id) =>
          sql`INSERT INTO checkout_orders ${sql.insert({ order_id, execution_id, session_id })}
              ON CONFLICT (order_id) DO UPDATE SET session_id = EXCLUDED.session_id`,
        find: (orderId) =>
          sql<{ execution_id: string; session_id: CheckoutSessionId | null }>`
            SELECT execution_id, session_id FROM checkout_orders WHERE order_id = ${orderId}`.pipe(
            Effect.map(([row]) =>
              Option.map(Option.fromNullable(row), ({ execution_id, session_id }) => ({
                orderId,
                executionId: execution_id,
                sessionId: session_id ?? undefined
              }))
            )
          )
      }
    })
  )
}
