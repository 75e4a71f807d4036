/**
 * The workflow engine and its database. Without `DATABASE_URL`: one process with a SQLite file. With `DATABASE_URL`:
 * Postgres, and any number of processes that share the work.
 */
import { ClusterWorkflowEngine, RunnerAddress, type ShardingConfig, SingleRunner } from "@effect/cluster"
import { NodeClusterSocket } from "@effect/platform-node"
import type { SqlClient } from "@effect/sql"
import { PgClient } from "@effect/sql-pg"
import { Config, Duration, Effect, Layer, Option, type Redacted } from "effect"
import { AtMostOnce } from "./atMostOnce.js"
import { Checkouts } from "./checkouts.js"
import { Orders } from "./orders.js"
import * as Payments from "./payments.js"
import * as Sqlite from "./sqlite.js"
import { CheckoutWorkflow } from "./workflow.js"

/** The address at which other runners reach this one. It must be unique among the processes of one database. */
const address = Config.all({
  host: Config.withDefault(Config.string("RUNNER_HOST"), "localhost"),
  port: Config.withDefault(Config.port("RUNNER_PORT"), 34431)
})

const sharding = Effect.map(
  address,
  ({ host, port }): Partial<ShardingConfig.ShardingConfig["Type"]> => ({
    runnerAddress: Option.some(RunnerAddress.make(host, port)),
    // 10 seconds by default. The delay until the end of a wait, or a lost signal from another runner, is noticed.
    entityMessagePollInterval: "1 second",
    // 15 seconds by default. A workflow between two steps does not end during a shutdown, so waiting for it is useless.
    // Requests that must not be cut are kept running by `AtMostOnce`; all others may be sent again.
    entityTerminationTimeout: "500 millis",
    // 1 minute by default. The orders of a dead runner wait that long.
    runnerHealthCheckInterval: "2 seconds",
    refreshAssignmentsInterval: "1 second",
    // 35 seconds by default. If the runner that checks the others dies, its lock expires after this time.
    shardLockExpiration: "15 seconds",
    shardLockRefreshInterval: "4 seconds"
  })
)

const databaseUrl = Config.option(Config.redacted("DATABASE_URL"))

const sqlite = Layer.unwrapEffect(
  Effect.map(
    Config.all({
      file: Config.withDefault(Config.string("DATABASE_FILE"), "checkout.db"),
      patience: Config.withDefault(Config.duration("DATABASE_PATIENCE"), Duration.seconds(5))
    }),
    Sqlite.layer
  )
)

const postgres = (url: Redacted.Redacted) => PgClient.layer({ url })

export const Database = Layer.unwrapEffect(
  Effect.map(
    databaseUrl,
    (url): Layer.Layer<SqlClient.SqlClient, Layer.Layer.Error<typeof sqlite | ReturnType<typeof postgres>>> =>
      Option.isNone(url) ? sqlite : postgres(url.value)
  )
)

const requests = Layer.unwrapEffect(
  Effect.map(
    Effect.all([databaseUrl, Config.withDefault(Config.duration("SHUTDOWN_TIMEOUT"), Duration.seconds(12))]),
    ([url, shutdown]) =>
      AtMostOnce.layer({ lease: Option.isSome(url) ? Duration.seconds(10) : Duration.zero, shutdown })
  )
)

const runner = Layer.unwrapEffect(
  Effect.map(Effect.all([databaseUrl, sharding]), ([url, shardingConfig]) =>
    Option.isSome(url)
      ? NodeClusterSocket.layer({ shardingConfig })
      : SingleRunner.layer({ shardingConfig, runnerStorage: "memory" })
  )
)

/** The engine, and the database for tables of your own. */
export const Engine = ClusterWorkflowEngine.layer.pipe(
  Layer.provideMerge(runner),
  // Closed after the runner: requests end when no new one begins.
  Layer.provideMerge(requests),
  Layer.provideMerge(Database)
)

/** The checkouts, over any `Payments` and `Orders`. */
export const checkoutsOver = <E, R, E2, R2>(
  payments: Layer.Layer<Payments.Payments, E, R>,
  orders: Layer.Layer<Orders, E2, R2>
) =>
  Layer.merge(Checkouts.layer, CheckoutWorkflow).pipe(
    Layer.provide(payments),
    Layer.provideMerge(orders),
    Layer.provideMerge(Engine)
  )

/** The checkouts, over any `CheckoutSessions` and `Gr4vyHttpClient`, e.g. `Gr4vy.layerConfig()`. */
export const layer = checkoutsOver(Payments.layer, Orders.layer)
