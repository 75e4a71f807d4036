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
import { type Endpoint, RequestFailed } from "@effect-gr4vy/core"
import { Effect } from "effect"

type BeforeSend = NonNullable<Endpoint.CallOptions["beforeSend"]>

/**
 * Runs inside the activity `name`. `send` gives the hook to the call, as its option `beforeSend`: the SDK waits for it
 * before each request, and sends nothing if it fails.
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
