/**
 * Sends a request at most once, whatever happens to the process. A row is inserted just before the request goes out,
 * keyed by the activity's idempotency key and attempt. A process that finds the row cannot tell how far its predecessor
 * came: it sends nothing, and fails with `RequestFailed`, `delivered: "unknown"`.
 *
 * An activity alone is at least once: the engine runs it again until a result is stored. The row must be in the database:
 * a note in memory is gone with the process, and is not there when the shard moves to another runner.
 */
import { SqlClient } from "@effect/sql"
import { Activity } from "@effect/workflow"
import { type CheckoutSession, type CheckoutSessions, RequestFailed } from "@effect-gr4vy/core"
import { type Context, Effect } from "effect"

/** Runs just before each request of a call; the call fails with its error, and sends nothing. `request` counts from 1. */
export type BeforeSend = (request: number) => Effect.Effect<void, RequestFailed>

/** Runs `send` inside the activity `name` with a hook that gives way once per request. */
export const atMostOnce = <A, E, R>(name: string, send: (beforeSend: BeforeSend) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const key = yield* Activity.idempotencyKey(name, { includeAttempt: true })
    return yield* send((request) =>
      sql`INSERT INTO checkout_tickets ${sql.insert({ ticket: `${key}/${request}` })} ON CONFLICT DO NOTHING RETURNING ticket`.pipe(
        Effect.mapError(() => notSent),
        Effect.flatMap((rows) => (rows.length === 1 ? Effect.void : Effect.fail(perhapsSent)))
      )
    )
  })

const notSent = new RequestFailed({
  reason: "Connect",
  delivered: "no",
  message: "The database could not store the ticket, so nothing was sent. Check the database.",
  attempts: 0
})

const perhapsSent = new RequestFailed({
  reason: "Disconnected",
  delivered: "unknown",
  message: "An earlier process ended while it created the session. Ask the buyer to start a new order.",
  attempts: 0
})

/** Creates a session, with a hook just before the request. */
export const addSession = (sessions: Context.Tag.Service<CheckoutSessions>, beforeSend: BeforeSend) =>
  Effect.zipRight(beforeSend(1), sessions.add()) satisfies Effect.Effect<CheckoutSession, unknown>
