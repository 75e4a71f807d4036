/**
 * A process whose event loop stalls, or that is frozen as a whole: nothing is sent twice, and a response that has arrived
 * counts, however late the timers are.
 */
import { fork } from "node:child_process"
import { subscribe, unsubscribe } from "node:diagnostics_channel"
import { createServer, type ServerResponse } from "node:http"
import { connect } from "node:net"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, Credentials, Endpoint } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Context, Effect, Either, Fiber, Layer, Redacted, Scheduler, Schema } from "effect"
import { loopback } from "../../support/loopback.js"
import { session, sessionJson } from "../../support/script.js"
import { block, threadServer } from "../../support/threadServer.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const token = Redacted.make("token")
const quick = RetryPolicy.make({ baseDelay: 1, maxDelay: 2 })

const things = {
  pay: Endpoint.post("Things.pay", "/things", { success: Schema.Unknown, resend: "once" })
}

/** Fibers go on in the check phase of the event loop, long after what wakes them. */
const late = Scheduler.makeBatched((run) => void setImmediate(run))

/** Blocks the thread for each of the first connections, once it is being made and before it is there. */
const blockWhileConnecting = (millis: number, times: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      let left = times
      const stall = () => {
        if (left-- > 0) process.nextTick(() => process.nextTick(() => process.nextTick(() => block(millis))))
      }
      subscribe("undici:client:beforeConnect", stall)
      return stall
    }),
    (stall) => Effect.sync(() => unsubscribe("undici:client:beforeConnect", stall))
  )

describe("a loop that stalls while a request waits for its connection", () => {
  it.live.each([
    ["a scheduler over setImmediate", late],
    ["Effect's own scheduler", Scheduler.defaultScheduler]
  ] as const)("sends a POST once, under %s", ([, scheduler]) =>
    Effect.gen(function* () {
      const urls: Array<string | undefined> = []
      const server = yield* loopback(
        createServer((request, response) => {
          urls.push(request.url)
          session(request, response)
        })
      )
      yield* blockWhileConnecting(300, 1)
      const client = yield* Gr4vy.makeClient({
        baseUrl: `http://127.0.0.1:${server.port}`,
        token,
        retry: quick,
        attemptTimeout: 200
      })
      yield* Effect.withScheduler(Endpoint.clientOf(things, client).pay(), scheduler)
      // Whatever has been written has arrived.
      yield* Effect.sleep(50)
      assert.deepStrictEqual(urls, ["/things"])
    }).pipe(Effect.scoped)
  )

  it.live("sends nothing at all once the limit has passed: the failure says so", () =>
    Effect.gen(function* () {
      let requests = 0
      const server = yield* loopback(
        createServer((request, response) => {
          requests++
          session(request, response)
        })
      )
      yield* blockWhileConnecting(300, 1)
      const sessions = yield* Gr4vy.make({
        baseUrl: `http://127.0.0.1:${server.port}`,
        token,
        retry: RetryPolicy.none,
        attemptTimeout: 200
      })
      const error = yield* Effect.flip(Effect.withScheduler(sessions.add(), late))
      assert.deepInclude(error, { reason: "Timeout", delivered: "no" })
      yield* Effect.sleep(50)
      assert.strictEqual(requests, 0)
    }).pipe(Effect.scoped)
  )
})

describe("a loop that stalls for longer than a time limit", () => {
  it.live("has its response all the same, if that has arrived meanwhile: the attempt's limit", () =>
    Effect.gen(function* () {
      const server = yield* threadServer(200)
      const sessions = yield* Gr4vy.make({
        baseUrl: server.baseUrl,
        token,
        retry: RetryPolicy.none,
        attemptTimeout: 1000
      })
      for (let n = 0; n < 5; n++) {
        server.onRequest(() => block(1500))
        assert.strictEqual((yield* sessions.add()).id, id)
      }
    }).pipe(Effect.scoped)
  )

  it.live(
    "has its response all the same at the deadline, and a call that waited for its connection sends nothing",
    () =>
      Effect.gen(function* () {
        const server = yield* threadServer(200)
        const sessions = yield* Gr4vy.make({
          baseUrl: server.baseUrl,
          token,
          retry: RetryPolicy.none,
          deadline: 1000,
          connections: 1
        })
        let requests = 0
        server.onRequest(() => {
          if (requests++ === 0) block(1500)
        })
        const outcomes = yield* Effect.all([Effect.either(sessions.get(id)), Effect.either(sessions.get(id))], {
          concurrency: "unbounded"
        })
        assert(Either.isRight(outcomes[0]), String(outcomes[0]))
        assert.deepInclude(Either.getOrThrow(Either.flip(outcomes[1])), {
          reason: "Timeout",
          delivered: "no",
          message: "The call's deadline has passed. The request was not sent."
        })
      }).pipe(Effect.scoped)
  )

  it.live("has its token all the same, if that has arrived meanwhile", () =>
    Effect.gen(function* () {
      const server = yield* threadServer(200)
      // The first byte of any answer is the token.
      const source = Effect.async<Redacted.Redacted>((resume) => {
        const socket = connect(server.port, "127.0.0.1")
        socket.write("GET /token HTTP/1.1\r\nHost: x\r\n\r\n")
        socket.once("data", () => {
          socket.destroy()
          resume(Effect.succeed(token))
        })
      })
      server.onRequest((url) => {
        if (url === "/token") block(1500)
      })
      const context = yield* Layer.build(
        Layer.provide(
          Gr4vy.layerWithoutCredentials({ baseUrl: server.baseUrl, retry: RetryPolicy.none, deadline: 1000 }),
          Layer.succeed(Credentials, { token: source })
        )
      )
      // The deadline has passed all the same, and the failure says what it passed for.
      const error = yield* Effect.flip(Context.get(context, CheckoutSessions).get(id))
      assert.deepInclude(error, { reason: "Timeout", delivered: "no" })
      assert.include(error.message, "The call's deadline has passed")
    }).pipe(Effect.scoped)
  )
})

describe("a process that is frozen for longer than a time limit", () => {
  it.live("has its response all the same, if that has arrived meanwhile", () =>
    Effect.gen(function* () {
      const asked = Effect.async<ServerResponse>((resume) => {
        server.once("request", (_, response) => resume(Effect.succeed(response)))
      })
      const server = createServer()
      const { port } = yield* loopback(server)
      const client = yield* Effect.acquireRelease(
        Effect.sync(() =>
          fork(fileURLToPath(new URL("../../support/frozen.mjs", import.meta.url)), [`http://127.0.0.1:${port}`])
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      const outcome = yield* Effect.fork(
        Effect.async<unknown>((resume) => void client.once("message", (message) => resume(Effect.succeed(message))))
      )
      const response = yield* asked
      client.kill("SIGSTOP")
      response.writeHead(200, { "content-type": "application/json" }).end(sessionJson)
      yield* Effect.sleep(1500)
      client.kill("SIGCONT")
      assert.deepStrictEqual(yield* Fiber.join(outcome), { id })
    }).pipe(Effect.scoped)
  )
})
