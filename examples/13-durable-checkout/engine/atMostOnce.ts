/**
 * Sends a request at most once, even if the process dies, and keeps its result.
 *
 * An activity alone runs at least once: the engine repeats it until a result is stored. Just before the request, a row is
 * inserted: the ticket. It belongs to one process. The process keeps the request running, also when its shard moves or the
 * database is away, and writes the result into the ticket. Another run of the activity reads the result there. If the owner
 * is gone and there is no result, nothing is sent: the request fails with `delivered: "unknown"`.
 */
import { SqlClient } from "@effect/sql"
import { Activity, type WorkflowEngine } from "@effect/workflow"
import { CheckoutSessionsError, type Endpoint, RequestFailed } from "@effect-gr4vy/core"
import { Context, Duration, Effect, Either, Fiber, FiberMap, Layer, Option, Schedule, Schema } from "effect"

type BeforeSend = NonNullable<Endpoint.CallOptions["beforeSend"]>

export interface Options {
  /**
   * The age at which a ticket without a result has no owner any more, by the database's clock: longer than an outage of the
   * database that a running request survives. Zero if no other process can own a ticket.
   */
  readonly lease: Duration.Duration
  /** The time that a shutdown waits for running requests. */
  readonly shutdown: Duration.Duration
}

export class AtMostOnce extends Context.Tag("AtMostOnce")<
  AtMostOnce,
  {
    /**
     * Runs inside the activity `name`. `send` passes the hook to the call as its option `beforeSend`. The SDK runs it before
     * each request and sends nothing if it fails.
     */
    readonly run: <A, I>(
      name: string,
      success: Schema.Schema<A, I>,
      send: (beforeSend: BeforeSend) => Effect.Effect<A, CheckoutSessionsError>
    ) => Effect.Effect<A, CheckoutSessionsError, WorkflowEngine.WorkflowInstance>
  }
>() {
  static readonly layer = (options: Options) => Layer.scoped(AtMostOnce, make(options))
}

interface Ticket {
  readonly owner: string
  readonly result: string | null
}

const make = ({ lease, shutdown }: Options) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`
      CREATE TABLE IF NOT EXISTS checkout_tickets (
        ticket VARCHAR(64) PRIMARY KEY,
        owner VARCHAR(36) NOT NULL,
        result TEXT,
        seen_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
      )`
    const owner = crypto.randomUUID()
    const shared = Duration.greaterThan(lease, Duration.zero)

    // One request per ticket and process. A second run of the activity joins it.
    const running = yield* FiberMap.make<string, string, never>()
    yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(FiberMap.awaitEmpty(running), shutdown)))

    /** Takes the ticket, or returns the one that is there. */
    const take = (ticket: string) =>
      sql<Ticket>`
        INSERT INTO checkout_tickets ${sql.insert({ ticket, owner })}
        ON CONFLICT (ticket) DO UPDATE SET owner = checkout_tickets.owner RETURNING owner, result`.pipe(
        Effect.retry(untilBack),
        Effect.mapError(() => notSent)
      )

    const find = (ticket: string) =>
      Effect.map(sql<Ticket>`SELECT owner, result FROM checkout_tickets WHERE ticket = ${ticket}`, ([row]) =>
        Option.fromNullable(row)
      )

    /** A request that was certainly not sent may be sent later. */
    const giveBack = (ticket: string) =>
      sql`DELETE FROM checkout_tickets WHERE ticket = ${ticket} AND owner = ${owner} AND result IS NULL`

    /** Stores a result, unless there is one. Returns the stored one. */
    const settle = (ticket: string, result: string) =>
      Effect.zipRight(
        sql`UPDATE checkout_tickets SET result = ${result} WHERE ticket = ${ticket} AND result IS NULL`,
        Effect.map(find(ticket), (row) => Option.getOrUndefined(row)?.result ?? result)
      )

    const keepAlive = (ticket: string) =>
      sql`UPDATE checkout_tickets SET seen_at = CURRENT_TIMESTAMP WHERE ticket = ${ticket} AND owner = ${owner}`.pipe(
        Effect.ignore,
        Effect.delay(Duration.times(lease, 0.2)),
        Effect.forever,
        Effect.when(() => shared),
        Effect.zipRight(Effect.never)
      )

    const age = sql.onDialectOrElse({
      pg: () => sql.literal("EXTRACT(EPOCH FROM LOCALTIMESTAMP - seen_at)"),
      orElse: () => sql.literal("(julianday('now') - julianday(seen_at)) * 86400")
    })

    /** Waits until the ticket's owner has stored a result, or has not been seen for the lease. */
    const awaitOwner = (ticket: string) =>
      Effect.repeat(
        sql<{ readonly open: unknown }>`
          SELECT 1 AS open FROM checkout_tickets
          WHERE ticket = ${ticket} AND result IS NULL AND ${age} < ${Duration.toSeconds(lease)}`,
        { while: ({ length }) => length > 0, schedule: Schedule.spaced("1 second") }
      )

    const run: Context.Tag.Service<AtMostOnce>["run"] = (name, success, send) =>
      Effect.gen(function* () {
        const Result = Schema.parseJson(Schema.Either({ left: CheckoutSessionsError, right: success }))
        const encode = (result: Either.Either<typeof success.Type, CheckoutSessionsError>) =>
          Effect.orDie(Schema.encode(Result)(result))
        const ticket = yield* Activity.idempotencyKey(name)

        // An outage of the database must not lose a response: this waits as long as the process lives.
        const keep = (result: string) =>
          Effect.orDie(Effect.retry(settle(ticket, result), Schedule.spaced("250 millis")))

        const request = Effect.gen(function* () {
          const found = yield* Effect.orDie(Effect.retry(find(ticket), untilBack))
          if (Option.isSome(found)) {
            if (found.value.result !== null) return found.value.result
            if (found.value.owner !== owner && shared) {
              yield* Effect.orDie(Effect.retry(awaitOwner(ticket), untilBack))
            }
            return yield* Effect.flatMap(encode(Either.left(perhapsSent)), keep)
          }
          const result = yield* send(() =>
            Effect.flatMap(take(ticket), ([row]) => (row?.owner === owner ? Effect.void : perhapsSent))
          ).pipe(Effect.either, Effect.race(keepAlive(ticket)))
          if (Either.isLeft(result) && wasNotSent(result.left)) {
            yield* Effect.ignore(giveBack(ticket))
            return yield* encode(result)
          }
          return yield* Effect.flatMap(encode(result), keep)
        })

        const fiber = yield* FiberMap.run(running, ticket, Effect.interruptible(request), { onlyIfMissing: true })
        const stored = yield* Effect.interruptible(Fiber.join(fiber))
        return yield* Effect.flatten(Effect.orDie(Schema.decode(Result)(stored)))
      })

    return { run }
  })

const wasNotSent = (error: CheckoutSessionsError) => error._tag === "RequestFailed" && error.delivered === "no"

const untilBack = Schedule.spaced("250 millis").pipe(Schedule.upTo("20 seconds"))

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
