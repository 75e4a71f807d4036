/**
 * The connections of one client: how they are made, which one a request gets, and when one is closed.
 */
import { fork } from "node:child_process"
import { connect, createServer, type Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import type { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import type { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Clock, Context, DefaultServices, type Duration, Effect, Either, Exit, Redacted, TestClock } from "effect"
import { vi } from "vitest"
import { Connections } from "../../../packages/node/dist/internal/transport/connections.js"
import { loopback } from "../../support/loopback.js"
import { script, session, sessionJson } from "../../support/script.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const token = Redacted.make("token")
const quick = RetryPolicy.make({ baseDelay: 1, maxDelay: 2 })
const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${sessionJson.length}\r\n\r\n${sessionJson}`

describe("idle connections that a proxy has dropped", () => {
  /** Serves sessions, until `drop` does something else to the requests on every connection that is open by then. */
  const dropping = (drop: (socket: Socket) => void) =>
    Effect.gen(function* () {
      const sockets = new Set<Socket>()
      let dropped: ReadonlySet<Socket> = new Set()
      let waiting: Array<Socket> = []
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on("data", (data) => {
          if (!data.includes("HTTP/1.1\r\n")) return
          if (dropped.has(socket)) drop(socket)
          else if (dropped.size > 0) socket.write(answer)
          else waiting.push(socket)
          // All connections are needed at a time.
          if (waiting.length < 12) return
          for (const socket of waiting) socket.write(answer)
          waiting = []
        })
      })
      const at = yield* loopback(server)
      return {
        baseUrl: `http://127.0.0.1:${at.port}`,
        accepted: at.accepted,
        drop: () => {
          dropped = new Set(sockets)
        }
      }
    })

  const drops: Readonly<Record<string, (socket: Socket) => void>> = {
    "and does not answer": () => {},
    "and resets": (socket) => void socket.resetAndDestroy()
  }

  it.live.each(Object.keys(drops))("fail one POST, not one after the other: %s", (name) =>
    Effect.gen(function* () {
      const server = yield* dropping(drops[name] ?? assert.fail(name))
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, retry: quick, attemptTimeout: 300 })
      yield* Effect.all(
        Array.from({ length: 12 }, () => sessions.get(id)),
        { concurrency: "unbounded" }
      )
      server.drop()
      const outcomes = yield* Effect.forEach(Array.from({ length: 4 }), () => Effect.either(sessions.add()))
      assert.deepStrictEqual(outcomes.map(Either.isRight), [false, true, true, true])
      assert.strictEqual(server.accepted(), 13)
    }).pipe(Effect.scoped)
  )

  it.live("fail one call, not one after the other, if the program sets the time limit", () =>
    Effect.gen(function* () {
      const server = yield* dropping(() => {})
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, retry: RetryPolicy.none })
      yield* Effect.all(
        Array.from({ length: 12 }, () => sessions.get(id)),
        { concurrency: "unbounded" }
      )
      server.drop()
      const outcomes = yield* Effect.forEach(Array.from({ length: 4 }), () =>
        Effect.exit(Effect.timeout(sessions.add(), "400 millis"))
      )
      assert.deepStrictEqual(outcomes.map(Exit.isSuccess), [false, true, true, true])
    }).pipe(Effect.scoped)
  )

  it.live.each(Object.keys(drops))("cost a GET one retry: %s", (name) =>
    Effect.gen(function* () {
      const server = yield* dropping(drops[name] ?? assert.fail(name))
      const retry = RetryPolicy.make({ ...quick, maxAttempts: 2 })
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, retry, attemptTimeout: 300 })
      yield* Effect.all(
        Array.from({ length: 12 }, () => sessions.get(id)),
        { concurrency: "unbounded" }
      )
      server.drop()
      assert.strictEqual((yield* sessions.get(id)).id, id)
      assert.strictEqual(server.accepted(), 13)
    }).pipe(Effect.scoped)
  )
})

describe("maxConnectionAge", () => {
  const calls = (
    options: { readonly maxConnectionAge?: Duration.DurationInput },
    ...pauses: ReadonlyArray<Duration.DurationInput>
  ) =>
    Effect.gen(function* () {
      const ports = new Set<unknown>()
      const server = yield* script((request, response) => {
        ports.add(request.socket.remotePort)
        session(request, response)
      })
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, ...options })
      for (const pause of pauses) {
        yield* sessions.get(id)
        yield* TestClock.adjust(pause)
      }
      yield* sessions.get(id)
      return ports.size
    }).pipe(Effect.scoped)

  it.effect("is how long a connection serves new requests, so that a client follows DNS", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* calls({ maxConnectionAge: "1 minute" }, "30 seconds", "29 seconds"), 1)
      assert.strictEqual(yield* calls({ maxConnectionAge: "1 minute" }, "30 seconds", "30 seconds"), 2)
    })
  )

  it.effect("is 5 minutes by default", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* calls({}, "299 seconds"), 1)
      assert.strictEqual(yield* calls({}, "300 seconds"), 2)
    })
  )
})

describe("a host with several addresses", () => {
  const liveClock = Context.get(DefaultServices.liveServices, Clock.Clock)

  /** An address on which connections are dropped for `millis`, and made and answered after that. */
  const unreachable = (host: string, port: number, millis: number) =>
    Effect.gen(function* () {
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          fork(fileURLToPath(new URL("../../support/unreachable.mjs", import.meta.url)), [host, `${port}`, `${millis}`])
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      const at = yield* Effect.async<number>((resume) => {
        child.once("message", (port) => resume(Effect.succeed(Number(port))))
      })
      yield* Effect.acquireRelease(
        Effect.sync(() => Array.from({ length: 6 }, () => connect(at, host).on("error", () => {}))),
        (sockets) => Effect.sync(() => sockets.forEach((socket) => void socket.destroy()))
      )
      // The system makes as many connections as the queue holds.
      yield* Effect.sleep(50)
      return at
    })

  /** The body of a response from a host with these addresses. */
  const answerOf = (port: number, ...addresses: ReadonlyArray<string>) =>
    Effect.gen(function* () {
      const connections = yield* Effect.acquireRelease(
        Effect.sync(
          () =>
            new Connections({
              origin: `http://api.example:${port}`,
              connections: 1,
              maxConnectionAge: 300_000,
              maxResponseBytes: 1_000,
              requestIdNames: [],
              counted: () => false,
              lookup: (_, callback) =>
                callback(
                  null,
                  addresses.map((address) => ({ address, family: 4 }))
                )
            })
        ),
        ({ close }) => close
      )
      const lease = connections.acquire() ?? assert.fail("no connection")
      const request = {
        method: "GET" as const,
        url: `http://api.example:${port}/`,
        headers: {},
        body: undefined,
        secrets: undefined,
        isRepeatable: true
      }
      const response = yield* Effect.withFiberRuntime<BufferedResponse, TransportFailure>((fiber) =>
        Effect.async((resume) => lease.send(request, { clock: liveClock, fiber }, 5_000).begin(resume))
      )
      return yield* response.text
    })

  it.live.skipIf(process.platform !== "linux")("is reached by a slow one, even if the next one is dead", () =>
    Effect.gen(function* () {
      const [slow, dead] = ["127.0.0.1", "127.0.0.2"]
      const port = yield* unreachable(slow, 0, 500)
      yield* unreachable(dead, port, 60_000)
      assert.strictEqual(yield* answerOf(port, slow, dead), slow)
    }).pipe(Effect.scoped)
  )

  it.live.skipIf(process.platform !== "linux")("is reached by the next one if the first is dead, or refuses", () =>
    Effect.gen(function* () {
      const [dead, refusing, fine] = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
      const port = yield* unreachable(dead, 0, 60_000)
      yield* unreachable(fine, port, 0)
      assert.strictEqual(yield* answerOf(port, dead, refusing, fine), fine)
    }).pipe(Effect.scoped)
  )

  it.live("gets nothing over http: from an address that is not loopback, whatever its name resolves to", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(answerOf(1, "192.0.2.1", "10.0.0.1"))
      assert.deepInclude(
        { ...failure, message: failure.message },
        {
          reason: "Connect",
          delivered: "no",
          resend: "never",
          message:
            "Nothing was sent: api.example:1 has no loopback address, and http: would send the token in plain text. Use https:."
        }
      )
      const server = yield* script((_, response) => void response.end("fine"))
      const port = Number(new URL(server.baseUrl).port)
      assert.strictEqual(yield* answerOf(port, "192.0.2.1", "127.0.0.1"), "fine")
    }).pipe(Effect.scoped)
  )

  it.live("is not reached if none of them is: the failure names host, port and code", () =>
    Effect.gen(function* () {
      const closed = createServer()
      const port = yield* Effect.scoped(Effect.map(loopback(closed), ({ port }) => port))
      const failure = yield* Effect.flip(answerOf(port, "127.0.0.1", "127.0.0.2"))
      assert.deepInclude(
        { ...failure, message: failure.message },
        {
          reason: "Connect",
          delivered: "no",
          resend: "safe",
          code: "ECONNREFUSED",
          message: `Could not connect to api.example:${port} (ECONNREFUSED). Check the base URL, DNS and the network.`
        }
      )
    }).pipe(Effect.scoped)
  )
})

describe("a test's fake timers", () => {
  it("leave the client as it is: connections are made, reused, waited for and closed", async () => {
    await Effect.runPromise(
      Effect.gen(function* () {
        const server = yield* script(session)
        const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, connections: 1 })
        yield* sessions.get(id)
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            vi.useFakeTimers({
              toFake: [
                "setTimeout",
                "clearTimeout",
                "setInterval",
                "clearInterval",
                "setImmediate",
                "clearImmediate",
                "queueMicrotask",
                "performance",
                "Date"
              ]
            })
          ),
          () => Effect.sync(() => vi.useRealTimers())
        )
        yield* Effect.scoped(
          Effect.gen(function* () {
            const more = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, connections: 1 })
            for (const client of [sessions, more, sessions, more]) {
              yield* client.get(id)
              yield* client.add()
            }
            yield* Effect.all([more.add(), more.get(id), more.add()], { concurrency: "unbounded" })
          })
        )
        assert.lengthOf(server.requests, 12)
      }).pipe(Effect.scoped)
    )
  })
})
