/**
 * Sends a request at most once, even if the process dies. Just before the request it inserts a row, keyed by the activity's
 * idempotency key and attempt. If the row already exists, an earlier process may have sent the request: nothing is sent, and
 * the effect fails with `RequestFailed`, `delivered: "unknown"`.
 *
 * An activity alone runs at least once: the engine repeats it until a result is stored. The row must be in the database,
 * because memory is lost with the process and is not shared with the runner that a shard moves to.
 */
import { SqlClient } from "@effect/sql"
import { Activity } from "@effect/workflow"
import { type Endpoint, RequestFailed } from "@effect-gr4vy/core"
import { Effect } from "effect"

type BeforeSend = NonNullable<Endpoint.CallOptions["beforeSend"]>

/**
 * Runs inside the activity `name`. `send` passes the hook to the call as its option `beforeSend`. The SDK runs it before each
 * request and sends nothing if it fails.
 */
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
  message:
    "An earlier process may have sent this request, and stored no answer. Nothing was sent again. Start a new order.",
  attempts: 0
})
