/**
 * The workflow engine and its database. Without `DATABASE_URL`: one process with a SQLite file, by libsql, which installs
 * without a build step. With it: Postgres, and as many processes as you start. They share the work between them.
 */
import { ClusterWorkflowEngine, RunnerAddress, type ShardingConfig, SingleRunner } from "@effect/cluster"
import { NodeClusterSocket } from "@effect/platform-node"
import { SqlClient } from "@effect/sql"
import { LibsqlClient } from "@effect/sql-libsql"
import { PgClient } from "@effect/sql-pg"
import { Config, Duration, Effect, Layer, Option, Schedule } from "effect"

/** Where the other runners reach this one. No two processes on one database may have the same address. */
const address = Config.all({
  host: Config.withDefault(Config.string("RUNNER_HOST"), "localhost"),
  port: Config.withDefault(Config.port("RUNNER_PORT"), 34431)
})

const sharding = Effect.map(
  Config.all({ address, shutdown: Config.withDefault(Config.duration("SHUTDOWN_TIMEOUT"), Duration.seconds(12)) }),
  ({ address: { host, port }, shutdown }): Partial<ShardingConfig.ShardingConfig["Type"]> => ({
    runnerAddress: Option.some(RunnerAddress.make(host, port)),
    // 10 seconds by default. An expiry, and a signal from another runner that went missing, are noticed this late.
    entityMessagePollInterval: "1 second",
    // Shutting down waits this long for steps underway, then interrupts them. Longer than the SDK's `attemptTimeout`, so
    // that no request is cut; shorter than the time your platform gives a process after SIGTERM.
    entityTerminationTimeout: shutdown,
    // A minute by default: so long do the orders of a runner that died lie still.
    runnerHealthCheckInterval: "2 seconds",
    refreshAssignmentsInterval: "1 second",
    // The runner that checks the others' health can die as well; then its lock expires. 35 seconds by default.
    shardLockExpiration: "15 seconds",
    shardLockRefreshInterval: "4 seconds"
  })
)

const sqlite = Layer.provideMerge(
  Layer.effectDiscard(
    Effect.flatMap(SqlClient.SqlClient, (sql) => sql`PRAGMA journal_mode = WAL`).pipe(
      // Locked for a moment, where another process has just ended or is about to.
      Effect.retry({ times: 50, schedule: Schedule.spaced("100 millis") })
    )
  ),
  LibsqlClient.layerConfig({
    url: Config.map(Config.withDefault(Config.string("DATABASE_FILE"), "checkout.db"), (file) => `file:${file}`),
    // The engine's ids are 64 bits wide: as numbers they would lose their last digits.
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
      : // In memory, the runner storage would let a second process on the same file run the same workflows.
        SingleRunner.layer({ shardingConfig, runnerStorage: "sql" })
  )
)

/** The engine, and the database for tables of your own. */
export const Engine = ClusterWorkflowEngine.layer.pipe(Layer.provideMerge(runner), Layer.provideMerge(Database))
