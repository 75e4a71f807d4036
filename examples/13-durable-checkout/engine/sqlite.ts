/**
 * SQLite for one process: an `SqlClient` over the package `libsql`, which comes with its binaries and needs no build step.
 *
 * - A second process with the same file fails at once with `DatabaseInUse`.
 * - A statement that finds the file locked, by a backup or by the `sqlite3` shell, is retried for `patience` without
 *   blocking the event loop, and then fails with an `SqlError`. The statements that wait behind it fail at once.
 * - A transaction returns the connection, however it ends: also if its BEGIN or its COMMIT fails.
 */
import { Reactivity } from "@effect/experimental"
import { SqlClient, SqlError, Statement } from "@effect/sql"
import type { Connection } from "@effect/sql/SqlConnection"
import { Clock, Data, Duration, Effect, Layer, Schedule, Stream } from "effect"
import Database from "libsql"

export interface Options {
  readonly file: string
  /** The time to wait for a locked file. */
  readonly patience: Duration.Duration
}

export class DatabaseInUse extends Data.TaggedError("DatabaseInUse")<{ readonly file: string }> {
  override get message() {
    return `Another process uses ${this.file}. Stop it, choose another DATABASE_FILE, or set DATABASE_URL to share a Postgres.`
  }
}

export class DatabaseUnusable extends Data.TaggedError("DatabaseUnusable")<{
  readonly file: string
  readonly cause: unknown
}> {
  override get message() {
    return `${this.file} cannot be opened: ${this.cause instanceof Error ? this.cause.message : this.cause}. Restore it from a backup, or move it away.`
  }
}

const isBusy = (cause: unknown) => cause instanceof Error && "code" in cause && String(cause.code).includes("BUSY")

const connect = (file: string) => {
  const database = new Database(file)
  // The engine's ids have 64 bits; as JavaScript numbers they would lose digits.
  database.defaultSafeIntegers(true)
  return database
}

/** Holds a lock on a second file for as long as the process lives. The operating system releases it, whatever happens. */
const onlyProcess = ({ file, patience }: Options) =>
  Effect.gen(function* () {
    const lock = yield* Effect.acquireRelease(
      Effect.try({ try: () => connect(`${file}.lock`), catch: (cause) => new DatabaseUnusable({ file, cause }) }),
      (lock) => Effect.sync(() => lock.close())
    )
    yield* Effect.try({
      try: () => lock.exec("BEGIN EXCLUSIVE"),
      catch: (cause) => (isBusy(cause) ? new DatabaseInUse({ file }) : new DatabaseUnusable({ file, cause }))
    }).pipe(
      // A process that is ending holds it for a moment.
      Effect.retry({
        while: ({ _tag }) => _tag === "DatabaseInUse",
        schedule: Schedule.spaced("50 millis").pipe(Schedule.upTo(patience))
      })
    )
  })

const make = (options: Options) =>
  Effect.gen(function* () {
    const { file, patience } = options
    yield* onlyProcess(options)
    let database = yield* Effect.try({
      try: () => {
        const database = connect(file)
        database.exec("PRAGMA journal_mode = WAL")
        return database
      },
      catch: (cause) => new DatabaseUnusable({ file, cause })
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => database.close()))

    // libsql does not reset a statement that failed, and SQLite does not commit while it is there.
    let failed = false
    const reconnect = () => {
      if (!failed || database.inTransaction) return
      database.close()
      database = connect(file)
      failed = false
    }

    let lockedSince: number | undefined

    const run = <A>(execute: () => A) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.try({
          try: () => {
            reconnect()
            const result = execute()
            lockedSince = undefined
            return result
          },
          catch: (cause) => {
            const busy = isBusy(cause)
            if (busy) lockedSince ??= now
            return {
              retry: busy && now - (lockedSince ?? now) < Duration.toMillis(patience),
              error: new SqlError.SqlError({ cause, message: "Failed to execute statement" })
            }
          }
        })
      ).pipe(
        Effect.retry({ while: ({ retry }) => retry, schedule: Schedule.spaced("20 millis") }),
        Effect.mapError(({ error }) => error)
      )

    const control = new Set(["BEGIN IMMEDIATE", "COMMIT"])

    const statement = (sql: string, params: ReadonlyArray<unknown>, raw = false) => {
      if (control.has(sql)) {
        database.exec(sql)
        return []
      }
      const prepared = database.prepare(sql)
      const values = params.map((value) => (typeof value === "boolean" ? Number(value) : value))
      try {
        if (prepared.reader) return (raw ? prepared.raw(true) : prepared).all(values)
        prepared.run(values)
        return []
      } catch (cause) {
        failed = true
        throw cause
      }
    }

    const rollback = () => {
      // SQLite itself rolls back where the disk is full.
      if (database.inTransaction) database.exec("ROLLBACK")
      return []
    }

    const execute = (sql: string, params: ReadonlyArray<unknown>) =>
      sql === "ROLLBACK" ? Effect.sync(rollback) : run(() => statement(sql, params))

    const connection: Connection = {
      execute: (sql, params, transform) =>
        // The columns of a row are whatever the statement selects; its caller names their types.
        Effect.map(execute(sql, params), (rows) => (transform ? transform(rows as ReadonlyArray<object>) : rows)),
      executeRaw: execute,
      executeUnprepared: (sql, params, transform) =>
        Effect.map(execute(sql, params), (rows) => (transform ? transform(rows as ReadonlyArray<object>) : rows)),
      // With `raw`, each row is a list.
      executeValues: (sql, params) => run(() => statement(sql, params, true) as ReadonlyArray<ReadonlyArray<unknown>>),
      executeStream: () => Stream.dieMessage("Streams are not supported.")
    }

    // A statement holds the only connection until it has ended, and a transaction until it is committed or rolled back. A
    // statement of another fiber can never become part of a transaction. This effect cannot fail: the client would not
    // close its scope.
    const semaphore = yield* Effect.makeSemaphore(1)
    const acquirer = Effect.as(
      Effect.acquireRelease(Effect.interruptible(semaphore.take(1)), () =>
        Effect.zipRight(Effect.sync(rollback), semaphore.release(1))
      ),
      connection
    )
    return yield* SqlClient.make({
      acquirer,
      beginTransaction: "BEGIN IMMEDIATE",
      compiler: Statement.makeCompilerSqlite(),
      spanAttributes: [["db.system.name", "sqlite"]]
    })
  })

export const layer = (options: Options) =>
  Layer.scoped(SqlClient.SqlClient, make(options)).pipe(Layer.provide(Reactivity.layer))
