/**
 * Faults around the durable checkout of `examples/13-durable-checkout`: its database, its clock, its requests, its shutdown.
 */
import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { SqlClient } from "@effect/sql"
import { assert, describe, it } from "@effect/vitest"
import * as Sqlite from "@effect-gr4vy/examples/13-durable-checkout/engine/sqlite"
import { makeGr4vy } from "@effect-gr4vy/examples/13-durable-checkout/trial/gr4vy"
import { freePort, postgres, sqlite, startServer } from "@effect-gr4vy/examples/13-durable-checkout/trial/processes"
import { makeStorefront } from "@effect-gr4vy/examples/13-durable-checkout/trial/storefront"
import { Context, Duration, Effect, Fiber, Layer, Option } from "effect"
import Database from "libsql"

/** A shop with its own Gr4vy and its own database. */
const aShop = Effect.gen(function* () {
  const gr4vy = yield* makeGr4vy()
  const database = yield* sqlite
  const port = yield* freePort
  const env = {
    ...gr4vy.env,
    ...database.env,
    PORT: String(port),
    RUNNER_PORT: String(yield* freePort),
    DATABASE_PATIENCE: "1 second",
    // Longer than a test: one that waits for it fails.
    SHUTDOWN_TIMEOUT: "10 minutes"
  }
  const storefront = makeStorefront(() => [`http://127.0.0.1:${port}`], gr4vy.approve)
  return { gr4vy, file: database.env["DATABASE_FILE"] ?? "", env, storefront }
})

const eur = { amount: 4200, currency: "EUR" }

const open = (file: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Database(file)),
    (database) => Effect.sync(() => database.close())
  )

const client = (file: string, patience: Duration.DurationInput = "50 millis") =>
  Effect.map(Layer.build(Sqlite.layer({ file, patience: Duration.decode(patience) })), Context.get(SqlClient.SqlClient))

describe("SQLite for one process", () => {
  it.scopedLive(
    "a locked file is an error after the patience, of a transaction too, and no error once it is free",
    () =>
      Effect.gen(function* () {
        const { file } = yield* aShop
        const sql = yield* client(file)
        yield* sql`CREATE TABLE t (n INTEGER)`
        const insert = sql`INSERT INTO t VALUES (1)`
        const other = yield* open(file)
        other.exec("BEGIN IMMEDIATE")
        assert.strictEqual((yield* Effect.flip(insert))._tag, "SqlError")
        assert.strictEqual((yield* Effect.flip(sql.withTransaction(insert)))._tag, "SqlError")
        // The statements that come after the patience ask once each.
        yield* Effect.replicateEffect(Effect.flip(insert), 50, { concurrency: "unbounded" })
        other.exec("COMMIT")
        yield* sql.withTransaction(insert)
        yield* insert
        assert.lengthOf(yield* sql`SELECT n FROM t`, 2)
      })
  )

  it.scopedLive("a full disk is an error, of a statement and of a transaction, and no error once there is room", () =>
    Effect.gen(function* () {
      const { file } = yield* aShop
      const sql = yield* client(file)
      yield* sql`CREATE TABLE t (text TEXT)`
      const insert = sql`INSERT INTO t VALUES (${"x".repeat(100_000)})`
      // The limit belongs to the connection, which is replaced after an error.
      const full = sql`PRAGMA max_page_count = 10`
      yield* full
      assert.strictEqual((yield* Effect.flip(insert))._tag, "SqlError")
      assert.strictEqual((yield* Effect.flip(sql.withTransaction(Effect.zipRight(full, insert))))._tag, "SqlError")
      yield* sql.withTransaction(insert)
      assert.lengthOf(yield* sql`SELECT 1 FROM t`, 1)
    })
  )

  it.scopedLive("a statement never becomes part of another fiber's transaction", () =>
    Effect.gen(function* () {
      const { file } = yield* aShop
      const sql = yield* client(file)
      yield* sql`CREATE TABLE t (n INTEGER)`
      const rolledBack = sql.withTransaction(
        Effect.gen(function* () {
          yield* sql`INSERT INTO t VALUES (1)`
          yield* Effect.yieldNow()
          return yield* Effect.fail("no")
        })
      )
      const inserts = Effect.forEach(Array(20).keys(), () => sql`INSERT INTO t VALUES (2)`)
      yield* Effect.all([Effect.replicateEffect(Effect.exit(rolledBack), 20), inserts], { concurrency: "unbounded" })
      assert.lengthOf(yield* sql`SELECT n FROM t WHERE n = 1`, 0)
      assert.lengthOf(yield* sql`SELECT n FROM t WHERE n = 2`, 20)
    })
  )

  it.scopedLive("a second process is refused with a sentence that says what to do", () =>
    Effect.gen(function* () {
      const { file } = yield* aShop
      yield* client(file)
      const second = yield* Effect.flip(client(file))
      assert.include(second.message, `Another process uses ${file}. Stop it, choose another DATABASE_FILE`)
    })
  )

  it.scopedLive("a file that is no database is refused with its name, and stays as it is", () =>
    Effect.gen(function* () {
      const { file } = yield* aShop
      const { readFileSync, writeFileSync } = yield* Effect.promise(() => import("node:fs"))
      writeFileSync(file, "not a database ".repeat(1000))
      assert.include((yield* Effect.flip(client(file))).message, `${file} cannot be opened`)
      assert.strictEqual(readFileSync(file, "utf8"), "not a database ".repeat(1000))
    })
  )
})

describe("the durable shop", { timeout: 60_000 }, () => {
  it.scopedLive("answers while its file is locked, and goes on afterwards; a second server on the file ends", () =>
    Effect.gen(function* () {
      const { env, file, storefront } = yield* aShop
      const server = yield* startServer(env)
      const second = yield* Effect.flip(startServer({ ...env, PORT: String(yield* freePort) }))
      assert.include(second.message, `Another process uses ${file}`)

      const other = yield* open(file)
      other.exec("BEGIN IMMEDIATE")
      assert.strictEqual((yield* storefront.send("POST", "a", "", eur)).status, 503)
      other.exec("COMMIT")
      assert.strictEqual((yield* storefront.buy("a")).state, "paid")
      yield* server.kill("SIGTERM")
    })
  )

  it.scopedLive("starts no order that it could not finish, and no order twice with another amount", () =>
    Effect.gen(function* () {
      const { env, gr4vy, storefront } = yield* aShop
      yield* startServer(env)
      const start = (order: string, body: unknown) =>
        Effect.map(storefront.send("POST", order, "", body), ({ status }) => status)
      for (const body of [
        { amount: 4200, currency: "euro" },
        { amount: 4200, currency: "XQZ" },
        { amount: 4200, currency: "eur" },
        { amount: 0, currency: "EUR" },
        { amount: 100_000_000, currency: "EUR" },
        { amount: 0.5, currency: "EUR" },
        {}
      ]) {
        assert.strictEqual(yield* start("a", body), 400, JSON.stringify(body))
      }
      assert.strictEqual(yield* start("a%20b", eur), 400)
      assert.strictEqual(yield* start("a".repeat(65), eur), 400)
      assert.strictEqual(yield* start("a", eur), 202)
      assert.strictEqual(yield* start("a", { ...eur, amount: 4201 }), 409)
      assert.strictEqual(yield* start("a", { ...eur, currency: "USD" }), 409)
      assert.strictEqual(yield* start("a", eur), 202)
      assert.strictEqual((yield* storefront.buy("a")).state, "paid")
      assert.strictEqual((yield* gr4vy.booked("a")).captured, 4200)
    })
  )

  it.scopedLive("pays with the card that the API's session has, not with a signal", () =>
    Effect.gen(function* () {
      const { env, gr4vy, storefront } = yield* aShop
      yield* startServer(env)
      yield* storefront.start("a")
      yield* storefront.until("a", "waiting")
      const looks = gr4vy.count(storefront.traceOf("a"), "GET")
      const before = yield* looks
      assert.strictEqual((yield* storefront.send("POST", "a", "/card?try=1", {})).status, 202)
      yield* Effect.repeat(looks, { until: (now) => now > before })
      assert.strictEqual((yield* storefront.state("a")).state, "waiting")
      assert.lengthOf(yield* gr4vy.transactionsOf("a"), 0)
      assert.strictEqual((yield* storefront.buy("a")).state, "paid")
      // Too late: the order has ended.
      assert.strictEqual((yield* storefront.send("POST", "a", "/card?try=2", {})).status, 410)
    })
  )

  it.scopedLive(
    "ends at SIGTERM as soon as a request that must not be sent twice has its answer, and the order goes on",
    () =>
      Effect.gen(function* () {
        const { env, gr4vy, storefront } = yield* aShop
        const server = yield* startServer(env)
        gr4vy.hook.onRequest = () => server.signal("SIGTERM")
        yield* storefront.start("a")
        yield* server.gone
        gr4vy.hook.onRequest = () => {}

        yield* startServer(env)
        assert.strictEqual((yield* storefront.buy("a")).state, "paid")
        assert.strictEqual(yield* gr4vy.count(storefront.traceOf("a"), "POST"), 1)
      })
  )

  it.scopedLive("an outage of Postgres loses no response of a process that lives", (context) =>
    Effect.gen(function* () {
      const { env, gr4vy, storefront } = yield* aShop
      const found = yield* postgres
      if (Option.isNone(found)) return context.skip("Postgres is not installed: apt-get install postgresql")
      const url = new URL(found.value.env["DATABASE_URL"] ?? "")
      const proxy = yield* makeProxy(Number(url.port))
      url.port = String(proxy.port)
      yield* startServer({ ...env, DATABASE_URL: url.href })

      const outage = yield* Effect.fork(
        Effect.async<void>((resume) => {
          gr4vy.hook.onRequest = ({ method }) => {
            if (method === "POST") resume(proxy.awayFor("5 seconds"))
          }
        })
      )
      yield* storefront.start("a")
      yield* Fiber.join(outage)
      gr4vy.hook.onRequest = () => {}
      assert.strictEqual((yield* storefront.buy("a")).state, "paid")
      assert.strictEqual(yield* gr4vy.count(storefront.traceOf("a"), "POST"), 1)
    })
  )
})

/** A proxy in front of a port that can be away. */
const makeProxy = (target: number) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      let away = false
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        if (away) {
          socket.destroy()
          return
        }
        const up = connect(target, "127.0.0.1")
        for (const each of [socket, up]) {
          sockets.add(each)
          each.on("error", () => {})
          each.on("close", () => {
            socket.destroy()
            up.destroy()
            sockets.delete(each)
          })
        }
        socket.pipe(up).pipe(socket)
      }).listen(0, "127.0.0.1")
      await once(server, "listening")
      const address = server.address()
      const set = (value: boolean) =>
        Effect.sync(() => {
          away = value
          if (away) for (const socket of sockets) socket.destroy()
        })
      return {
        port: typeof address === "object" && address !== null ? address.port : 0,
        awayFor: (duration: Duration.DurationInput) => Effect.zipRight(set(true), Effect.delay(set(false), duration)),
        close: Effect.zipRight(
          set(true),
          Effect.sync(() => server.close())
        )
      }
    }),
    ({ close }) => close
  )
