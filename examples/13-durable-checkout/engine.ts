/**
 * The workflow engine and its database. Without `DATABASE_URL`: one process with a SQLite file. It uses libsql, which needs
 * no build step. With `DATABASE_URL`: Postgres, and any number of processes that share the work.
 */
import { ClusterWorkflowEngine, RunnerAddress, type ShardingConfig, SingleRunner } from "@effect/cluster"
import { NodeClusterSocket } from "@effect/platform-node"
import { SqlClient } from "@effect/sql"
import { LibsqlClient } from "@effect/sql-libsql"
import { PgClient } from "@effect/sql-pg"
import { Config, Duration, Effect, Layer, Option, Schedule } from "effect"

/** The address at which other runners reach this one. It must be unique among the processes of one database. */
const address = Config.all({
  host: Config.withDefault(Config.string("RUNNER_HOST"), "localhost"),
  port: Config.withDefault(Config.port("RUNNER_PORT"), 34431)
})

const sharding = Effect.map(
  Config.all({ address, shutdown: Config.withDefault(Config.duration("SHUTDOWN_TIMEOUT"), Duration.seconds(12)) }),
  ({ address: { host, port }, shutdown }): Partial<ShardingConfig.ShardingConfig["Type"]> => ({
    runnerAddress: Option.some(RunnerAddress.make(host, port)),
    // 10 seconds by default. The delay until an expiry, or a lost signal from another runner, is noticed.
    entityMessagePollInterval: "1 second",
    // The time that a shutdown waits for running steps before it interrupts them. Longer than the SDK's `attemptTimeout`, so
    // that no request is cut; shorter than your platform's grace period after SIGTERM.
    entityTerminationTimeout: shutdown,
    // 1 minute by default. The orders of a dead runner wait that long.
    runnerHealthCheckInterval: "2 seconds",
    refreshAssignmentsInterval: "1 second",
    // 35 seconds by default. If the runner that checks the others dies, its lock expires after this time.
    shardLockExpiration: "15 seconds",
    shardLockRefreshInterval: "4 seconds"
  })
)

const sqlite = Layer.provideMerge(
  Layer.effectDiscard(
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql`PRAGMA journal_mode = WAL`).pipe(
      // The file may be locked for a moment by a process that is ending.
      Effect.retry({ times: 50, schedule: Schedule.spaced("100 millis") })
    )
  ),
  LibsqlClient.layerConfig({
    url: Config.map(Config.withDefault(Config.string("DATABASE_FILE"), "checkout.db"), (file) => `file:${file}`),
    // The engine's ids have 64 bits; as JavaScript numbers they would lose digits.
    intMode: Config.succeed("bigint" as const)
  })
)

const databaseUrl = Config.option(Config.redacted("DATABASE_URL"))

export const Database = Layer.unwrapEffect(
  Effect.map(databaseUrl, Option.match({ onNone: () => sqlite, onSome: (url) => PgClient.layer({ url }) }))
)

const runner = Layer.unwrapEffect(
  Effect.map(Effect.all([databaseUrl, sharding]), ([url, shardingConfig]) =>
    Option.isSome(url)
      ? NodeClusterSocket.layer({ shardingConfig })
      : // With runner storage in memory, a second process on the same file would run the same workflows.
        SingleRunner.layer({ shardingConfig, runnerStorage: "sql" })
  )
)

/** The engine, and the database for tables of your own. */
export const Engine = ClusterWorkflowEngine.layer.pipe(Layer.provideMerge(runner), Layer.provideMerge(Database))
