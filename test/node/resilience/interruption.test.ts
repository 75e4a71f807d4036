import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { createServer, type ServerResponse } from "node:http"
import { createServer as createTcpServer } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, Endpoint } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Deferred, Effect, Fiber, FiberStatus, Redacted, Schema, type Scope } from "effect"
import { loopback } from "../../support/loopback.js"
import { session, sessionJson } from "../../support/script.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const token = Redacted.make("token")

/** 20 ms is the aim; a busy machine gets five times that, and three tries. */
const soon = 100

/** Answers its first request in its own way, and every later one with a session. */
const first = (answer: (response: ServerResponse, answered: () => void) => void) =>
  Effect.gen(function* () {
    let requests = 0
    const asked = yield* Deferred.make<void>()
    const server = createServer((request, response) => {
      requests++
      if (requests === 1) answer(response, () => Deferred.unsafeDone(asked, Effect.void))
      else session(request, response)
    })
    const at = yield* loopback(server)
    return {
      ...at,
      baseUrl: `http://127.0.0.1:${at.port}`,
      requests: () => requests,
      /** The first request has come, and what there is of its answer has gone out. */
      asked: Deferred.await(asked)
    }
  })

const suspended = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Effect.Effect<void> =>
  Effect.zipRight(Effect.yieldNow(), Fiber.status(fiber)).pipe(
    Effect.repeat({ until: (status) => FiberStatus.isSuspended(status) }),
    Effect.asVoid
  )

/** Interrupts, and gives the milliseconds until `gone`. */
const interruptUntil = (fiber: Fiber.RuntimeFiber<unknown, unknown>, gone: Effect.Effect<number>) =>
  Effect.gen(function* () {
    const began = performance.now()
    yield* Fiber.interrupt(fiber)
    return (yield* gone) - began
  })

const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))

const now = Effect.sync(() => performance.now())

/** Interrupts a call three times in the same way, and looks at the time it took when the machine was kindest. */
const isSoon = <E>(where: string, once: Effect.Effect<number, E, Scope.Scope>) =>
  Effect.map(Effect.replicateEffect(Effect.scoped(once), 3), (took) => {
    console.log(`interrupt → gone, ${where}: ${took.map((millis) => millis.toFixed(1)).join(", ")} ms`)
    assert.isBelow(Math.min(...took), soon, where)
  })

describe("an interrupted call leaves nothing behind", () => {
  it.live("while it waits for a connection: its request is never sent", () =>
    isSoon(
      "waiting for a connection",
      Effect.gen(function* () {
        const held: Array<ServerResponse> = []
        const server = yield* first((response, answered) => {
          held.push(response)
          answered()
        })
        const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, connections: 1 })
        const hanging = yield* Effect.fork(sessions.get(id))
        yield* server.asked
        const queued = yield* Effect.fork(sessions.get(id))
        yield* suspended(queued)
        const took = yield* interruptUntil(queued, now)
        held[0]?.writeHead(200, { "content-type": "application/json" }).end(sessionJson)
        yield* Fiber.join(hanging)
        yield* sessions.get(id)
        assert.deepStrictEqual([server.requests(), server.accepted()], [2, 1])
        return took
      })
    )
  )

  it.live("at the very moment another call hands its connection over: its POST is not even begun", () =>
    Effect.gen(function* () {
      const held: Array<ServerResponse> = []
      const server = yield* first((response, answered) => {
        held.push(response)
        answered()
      })
      const endpoints = {
        pay: Endpoint.post("Things.pay", "/things/{id}", {
          params: { id: Schema.String },
          success: Schema.Unknown,
          resend: "once"
        })
      }
      const client = yield* Gr4vy.makeClient({ baseUrl: server.baseUrl, token, connections: 1 })
      const { pay } = Endpoint.clientOf(endpoints, client)
      const holding = yield* Effect.fork(pay("holding"))
      yield* server.asked
      let begun = 0
      const count = () => begun++
      yield* Effect.acquireRelease(
        Effect.sync(() => subscribe("undici:request:create", count)),
        () => Effect.sync(() => unsubscribe("undici:request:create", count))
      )
      const queued = yield* Effect.fork(pay("queued"))
      yield* suspended(queued)
      holding.addObserver(() => queued.unsafeInterruptAsFork(queued.id()))
      held[0]?.writeHead(200, { "content-type": "application/json" }).end(sessionJson)
      yield* Fiber.await(queued)
      yield* Effect.replicateEffect(turn, 3)
      assert.strictEqual(begun, 0)
      yield* pay("next")
      assert.deepStrictEqual([begun, server.requests(), server.accepted()], [1, 2, 1])
    }).pipe(Effect.scoped)
  )

  it.live("while it connects: the half-made connection is closed, and its place is free", () =>
    isSoon(
      "connecting",
      Effect.gen(function* () {
        const silent = createTcpServer((socket) => socket.resume())
        const connected = Effect.async<void>((resume) => void silent.once("connection", () => resume(Effect.void)))
        const server = yield* loopback(silent)
        const sessions = yield* Gr4vy.make({ baseUrl: `https://127.0.0.1:${server.port}`, token, connections: 1 })
        const took: Array<number> = []
        for (const time of [1, 2]) {
          const waiting = yield* Effect.fork(connected)
          const call = yield* Effect.fork(sessions.get(id))
          yield* Fiber.join(waiting)
          took.push(yield* interruptUntil(call, server.quiet))
          assert.strictEqual(server.accepted(), time)
        }
        return Math.max(...took)
      })
    )
  )

  const stalled = (response: ServerResponse, answered: () => void) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
    response.write(sessionJson.slice(0, 10), answered)
  }

  const dribble = (response: ServerResponse, answered: () => void) => {
    stalled(response, answered)
    const timer = setInterval(() => response.write(" "), 10)
    response.on("close", () => clearInterval(timer))
  }

  it.live.each([
    ["waiting for headers", (_: ServerResponse, answered: () => void) => answered()],
    ["reading a body that stalls", stalled],
    ["reading a body that comes a byte at a time", dribble]
  ] as const)("while %s: the socket is closed", ([where, answer]) =>
    isSoon(
      where,
      Effect.gen(function* () {
        const server = yield* first(answer)
        const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, connections: 1 })
        const call = yield* Effect.fork(sessions.get(id))
        yield* server.asked
        // What has gone out has come in when the event loop has come round.
        yield* Effect.replicateEffect(turn, 3)
        const took = yield* interruptUntil(call, server.quiet)
        yield* sessions.get(id)
        assert.deepStrictEqual([server.requests(), server.accepted()], [2, 2])
        return took
      })
    )
  )

  it.live("while it waits to retry: there is no second request, and the connection serves the next call", () =>
    isSoon(
      "waiting to retry",
      Effect.gen(function* () {
        const server = yield* first((response, answered) =>
          response.writeHead(503, { "retry-after": "9" }).end("{}", answered)
        )
        const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, connections: 1 })
        const call = yield* Effect.fork(sessions.get(id))
        yield* server.asked
        // The answer is on its way: once this one has been sent too, the first call is waiting.
        yield* sessions.get(id)
        const took = yield* interruptUntil(call, now)
        yield* sessions.get(id)
        assert.deepStrictEqual([server.requests(), server.accepted()], [3, 1])
        return took
      })
    )
  )
})
