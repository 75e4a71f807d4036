/**
 * The option `dispatcher`: proxies, certificates and mocks of undici carry the requests, and what the client promises of
 * money holds.
 */
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer as createPlainServer, type Server } from "node:http"
import { createServer, type ServerOptions } from "node:https"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, Endpoint } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Exit, Fiber, Layer, Redacted, Schema } from "effect"
import { Agent, interceptors, MockAgent, Pool, ProxyAgent } from "undici"
import { connectProxy } from "../../support/connectProxy.js"
import { loopback } from "../../support/loopback.js"
import { type Answer, script, session, sessionId, sessionJson, silent } from "../../support/script.js"
import { block } from "../../support/threadServer.js"

const file = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url))
const id = CheckoutSessionId.make(sessionId)
const token = Redacted.make("token-nobody-may-see")
const quick = RetryPolicy.make({ baseDelay: 1, maxDelay: 2 })
const cert = readFileSync(file("localhost.cert.pem"))
const key = readFileSync(file("localhost.key.pem"))

/** Its certificate is its own, made for "localhost". */
const secure = (options: ServerOptions = {}) =>
  Effect.suspend(() => loopback(createServer({ key, cert, ...options }, session)))

interface Closable {
  readonly close: () => Promise<void>
}

const open = <D extends Closable>(make: () => D) =>
  Effect.acquireRelease(Effect.sync(make), (dispatcher) => Effect.promise(() => dispatcher.close()))

const things = {
  pay: Endpoint.post("Things.pay", "/things", { success: Schema.Unknown, resend: "once" }),
  read: Endpoint.get("Things.read", "/things", { success: Schema.Unknown })
}

describe("a proxy", () => {
  it.live("carries calls through a tunnel, and sees neither token nor payload", () =>
    Effect.gen(function* () {
      const server = yield* secure()
      const proxy = yield* connectProxy()
      const dispatcher = yield* open(
        () => new ProxyAgent({ uri: proxy.url, token: "Basic cHJveHk6cHc=", requestTls: { ca: cert } })
      )
      const sessions = yield* Gr4vy.make({ baseUrl: `https://localhost:${server.port}`, token, dispatcher })
      assert.strictEqual((yield* sessions.get(id)).id, sessionId)
      assert.strictEqual((yield* sessions.add({ metadata: { note: "seen-by-nobody" } })).id, sessionId)
      assert.deepStrictEqual([...new Set(proxy.tunnels)], [`localhost:${server.port}`])
      assert.deepStrictEqual([...new Set(proxy.credentials)], ["Basic cHJveHk6cHc="])
      assert.isAbove(proxy.seen().length, 0)
      assert.notInclude(proxy.seen().toString("latin1"), "nobody")
    }).pipe(Effect.scoped)
  )

  /** The outcome of a call in a process with these variables. */
  const inProcess = (baseUrl: string, variables: Readonly<Record<string, string>>) =>
    Effect.async<string>((resume) => {
      const { HTTPS_PROXY: _, https_proxy: __, NO_PROXY: ___, no_proxy: ____, ...others } = process.env
      const env = { ...others, NODE_EXTRA_CA_CERTS: file("localhost.cert.pem"), ...variables }
      execFile(process.execPath, [file("client.mjs"), baseUrl, "environment"], { env }, (error, out) =>
        resume(error === null ? Effect.succeed(out) : Effect.succeed(error.message))
      )
    })

  it.live.each([
    { where: "in HTTPS_PROXY", others: {}, isUsed: true },
    { where: "in HTTPS_PROXY, but not for a host in NO_PROXY", others: { NO_PROXY: "localhost" }, isUsed: false },
    { where: "in no variable, so there is none", others: { HTTPS_PROXY: "" }, isUsed: false }
  ])("is the one $where, with dispatcher: environment", ({ isUsed, others }) =>
    Effect.gen(function* () {
      const server = yield* secure()
      const proxy = yield* connectProxy()
      const out = yield* inProcess(`https://localhost:${server.port}`, { HTTPS_PROXY: proxy.url, ...others })
      assert.include(out, '"_tag":"Right"')
      assert.deepStrictEqual(proxy.tunnels, isUsed ? [`localhost:${server.port}`] : [])
    }).pipe(Effect.scoped)
  )

  it.live("is not asked for a base URL over http:, whose token it could read", () =>
    Effect.gen(function* () {
      const server = yield* script(session)
      const proxy = yield* connectProxy()
      const variables = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url }
      assert.include(yield* inProcess(server.baseUrl, variables), '"_tag":"Right"')
      assert.deepStrictEqual(proxy.tunnels, [])
    }).pipe(Effect.scoped)
  )

  it.live("with a variable that is no URL is an error of the option, which does not show the variable", () =>
    Effect.gen(function* () {
      const out = yield* inProcess("https://localhost:1", { HTTPS_PROXY: "user:secret-word@proxy:1" })
      assert.include(out, "HTTPS_PROXY or HTTP_PROXY is not the URL of a proxy")
      assert.notInclude(out.slice(out.indexOf("dispatcher:")), "secret-word")
    })
  )

  it.live.each([
    { status: 407, attempts: 1 },
    { status: 403, attempts: 1 },
    { status: 503, attempts: 3 }
  ])("that refuses its tunnel with $status ends the call, and nothing was sent", ({ attempts, status }) =>
    Effect.gen(function* () {
      const server = yield* secure()
      const proxy = yield* connectProxy(() => status)
      const dispatcher = yield* open(() => new ProxyAgent({ uri: proxy.url, requestTls: { ca: cert } }))
      const baseUrl = `https://localhost:${server.port}`
      const sessions = yield* Gr4vy.make({ baseUrl, token, dispatcher, retry: quick })
      const error = yield* Effect.flip(sessions.add())
      assert.deepInclude(error, { reason: "Connect", delivered: "no", attempts })
      assert.include(error.message, `the proxy answered ${status} instead of opening a tunnel`)
      assert.strictEqual(server.accepted(), 0)
    }).pipe(Effect.scoped)
  )

  it.live("that refuses connections is named as a possible cause", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.scoped(loopback(createPlainServer()))
      const dispatcher = yield* open(() => new ProxyAgent(`http://127.0.0.1:${port}`))
      const sessions = yield* Gr4vy.make({ id: "plantly", token, dispatcher, retry: quick })
      const error = yield* Effect.flip(sessions.add())
      assert.deepInclude(error, { reason: "Connect", delivered: "no", attempts: 3 })
      assert.include(error.message, "api.sandbox.plantly.gr4vy.app:443 (ECONNREFUSED)")
      assert.include(error.message, "check its proxy, too")
    }).pipe(Effect.scoped)
  )
})

describe("certificates", () => {
  it.live("of an own authority are trusted through an Agent", () =>
    Effect.gen(function* () {
      const server = yield* secure()
      const dispatcher = yield* open(() => new Agent({ connect: { ca: cert } }))
      const sessions = yield* Gr4vy.make({ baseUrl: `https://localhost:${server.port}`, token, dispatcher })
      assert.strictEqual((yield* sessions.get(id)).id, sessionId)
    }).pipe(Effect.scoped)
  )

  it.live("of a client are presented to a server that demands one", () =>
    Effect.gen(function* () {
      const server = yield* secure({ ca: cert, requestCert: true, rejectUnauthorized: true })
      const dispatcher = yield* open(() => new Agent({ connect: { ca: cert, cert, key } }))
      const sessions = yield* Gr4vy.make({ baseUrl: `https://localhost:${server.port}`, token, dispatcher })
      assert.strictEqual((yield* sessions.add()).id, sessionId)
    }).pipe(Effect.scoped)
  )
})

describe("a MockAgent", () => {
  const mocked = open(() => new MockAgent()).pipe(Effect.tap((agent) => Effect.sync(() => agent.disableNetConnect())))
  const origin = "https://api.sandbox.plantly.gr4vy.app"

  it.live("answers in place of the API, and its 503 is retried", () =>
    Effect.gen(function* () {
      const dispatcher = yield* mocked
      const pool = dispatcher.get(origin)
      const headers = { "content-type": "application/json" }
      pool.intercept({ path: `/checkout/sessions/${sessionId}` }).reply(503, "{}", { headers })
      pool.intercept({ path: `/checkout/sessions/${sessionId}` }).reply(200, sessionJson, { headers })
      const sessions = yield* Gr4vy.make({ id: "plantly", token, dispatcher, retry: quick })
      assert.strictEqual((yield* sessions.get(id)).id, sessionId)
      dispatcher.assertNoPendingInterceptors()
    }).pipe(Effect.scoped)
  )

  it.live("without an intercept for the request ends the call after one attempt, and says so", () =>
    Effect.gen(function* () {
      const dispatcher = yield* mocked
      const sessions = yield* Gr4vy.make({ id: "plantly", token, dispatcher, retry: quick })
      const error = yield* Effect.flip(sessions.add())
      assert.deepInclude(error, { reason: "Connect", delivered: "no", attempts: 1 })
      assert.include(error.message, "no intercept of the MockAgent matches the request")
    }).pipe(Effect.scoped)
  )
})

describe("over a dispatcher", () => {
  const calling = (baseUrl: string, dispatcher: Gr4vy.Dispatcher, options: Gr4vy.TravelOptions = {}) =>
    Effect.map(Gr4vy.makeClient({ baseUrl, token, dispatcher, retry: quick, ...options }), (http) =>
      Endpoint.clientOf(things, http)
    )

  it.live("a POST that has waited for its connection until its time was up is never written", () =>
    Effect.gen(function* () {
      const held: Array<() => void> = []
      const server = yield* script((request, response) => void held.push(() => session(request, response)))
      const dispatcher = yield* open(() => new Pool(server.baseUrl, { connections: 1 }))
      const { pay, read } = yield* calling(server.baseUrl, dispatcher, { attemptTimeout: "5 seconds" })
      const first = yield* Effect.fork(read())
      yield* Effect.repeat(Effect.yieldNow(), { until: () => held.length === 1 })
      const impatient = yield* calling(server.baseUrl, dispatcher, { attemptTimeout: 50 })
      const error = yield* Effect.flip(impatient.pay())
      assert.deepInclude(error, { reason: "Timeout", delivered: "no" })
      held[0]?.()
      yield* Fiber.join(first)
      // A later request on the same connection: whatever came before it has been written.
      const last = yield* Effect.fork(pay())
      yield* Effect.repeat(Effect.yieldNow(), { until: () => held.length === 2 })
      held[1]?.()
      yield* Fiber.join(last)
      assert.deepStrictEqual(
        server.requests.map(({ method }) => method),
        ["GET", "POST"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("a POST is not written on an idle connection that the server has closed", () =>
    Effect.gen(function* () {
      const server = yield* closingServer
      const dispatcher = yield* open(() => new Agent({ keepAliveTimeout: 60_000 }))
      const { pay, read } = yield* calling(server, dispatcher, { retry: RetryPolicy.none })
      for (let n = 0; n < 5; n++) {
        yield* read()
        // The server hangs up meanwhile, and this thread has not looked.
        block(60)
        yield* pay()
      }
    }).pipe(Effect.scoped)
  )

  it.live("a redirect that an interceptor follows is stopped before a second copy is written", () =>
    Effect.gen(function* () {
      const elsewhere = yield* script(session)
      const server = yield* script((_, response) =>
        response.writeHead(307, { location: `${elsewhere.baseUrl}/things` }).end()
      )
      const agent = yield* open(() => new Agent())
      const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 3 }))
      const error = yield* Effect.flip((yield* calling(server.baseUrl, dispatcher)).pay())
      assert.deepInclude(error, { _tag: "RequestFailed", delivered: "unknown", attempts: 1 })
      assert.include(error.message, "second copy")
      assert.deepStrictEqual([server.requests.length, elsewhere.requests.length], [1, 0])
    }).pipe(Effect.scoped)
  )

  it.live("a retry of an interceptor is stopped before a second copy is written", () =>
    Effect.gen(function* () {
      const server = yield* script((_, response) => void response.destroy(), session)
      const agent = yield* open(() => new Agent())
      const dispatcher = agent.compose(interceptors.retry({ methods: ["POST"], minTimeout: 1, maxRetries: 2 }))
      const error = yield* Effect.flip((yield* calling(server.baseUrl, dispatcher)).pay())
      assert.deepInclude(error, { _tag: "RequestFailed", delivered: "unknown", attempts: 1 })
      assert.lengthOf(server.requests, 1)
    }).pipe(Effect.scoped)
  )

  const failing: Readonly<Record<string, readonly [answer: Answer, expected: object]>> = {
    "a body over the limit ends its connection": [
      (_, response) => void response.writeHead(200).write("x".repeat(5000)),
      { reason: "ResponseTooLarge", delivered: "yes" }
    ],
    "a server that never answers ends its connection": [silent, { reason: "Timeout", delivered: "unknown" }]
  }
  it.live.each(Object.keys(failing))("%s", (name) =>
    Effect.gen(function* () {
      const [answer, expected] = failing[name] ?? assert.fail(name)
      const server: Server = createPlainServer((request, response) => {
        request.resume()
        answer(request, response)
      })
      const at = yield* loopback(server)
      const dispatcher = yield* open(() => new Agent())
      const options = { maxResponseBytes: 1000, attemptTimeout: 200 }
      const { pay } = yield* calling(`http://127.0.0.1:${at.port}`, dispatcher, options)
      assert.deepInclude(yield* Effect.flip(pay()), expected)
      yield* at.quiet
    }).pipe(Effect.scoped)
  )

  it.live("an interruption ends the request on the wire", () =>
    Effect.gen(function* () {
      const server = createPlainServer(() => {})
      const at = yield* loopback(server)
      const asked = new Promise((resolve) => server.once("request", resolve))
      const dispatcher = yield* open(() => new Agent())
      const { pay } = yield* calling(`http://127.0.0.1:${at.port}`, dispatcher)
      const fiber = yield* Effect.fork(pay())
      yield* Effect.promise(() => asked)
      yield* Fiber.interrupt(fiber)
      yield* at.quiet
    }).pipe(Effect.scoped)
  )

  it.live("no more requests than `connections` go out at a time, and every waiting one has its turn", () =>
    Effect.gen(function* () {
      let waiting: Array<() => void> = []
      // Answers two at a time, which only come if two are out.
      const server = yield* script((request, response) => {
        waiting.push(() => session(request, response))
        assert.isAtMost(waiting.length, 2)
        if (waiting.length < 2) return
        for (const answer of waiting) answer()
        waiting = []
      })
      const dispatcher = yield* open(() => new Agent())
      const { pay } = yield* calling(server.baseUrl, dispatcher, { connections: 2 })
      yield* Effect.all(
        Array.from({ length: 20 }, () => pay()),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(server.requests, 20)
    }).pipe(Effect.scoped)
  )

  it.live("the end of the layer's scope ends the calls under way; the dispatcher goes on", () =>
    Effect.gen(function* () {
      const server = yield* script(silent, session)
      const dispatcher = yield* open(() => new Agent())
      const asked = yield* Effect.scoped(
        Effect.gen(function* () {
          const { pay } = yield* calling(server.baseUrl, dispatcher)
          const under = yield* Effect.fork(Effect.exit(pay()))
          yield* Effect.repeat(Effect.yieldNow(), { until: () => server.requests.length === 1 })
          return { pay, under }
        })
      )
      assert.isTrue(Exit.isFailure(yield* Fiber.join(asked.under)))
      const error = yield* Effect.flip(asked.pay())
      assert.include(error.message, "The client is closed")
      const { pay } = yield* calling(server.baseUrl, dispatcher)
      yield* pay()
    }).pipe(Effect.scoped)
  )

  it.live("that is closed, nothing is sent and nothing retried", () =>
    Effect.gen(function* () {
      const server = yield* script(session)
      const dispatcher = new Agent()
      yield* Effect.promise(() => dispatcher.close())
      const error = yield* Effect.flip((yield* calling(server.baseUrl, dispatcher)).pay())
      assert.deepInclude(error, { reason: "Connect", delivered: "no", attempts: 1 })
      assert.include(error.message, "the dispatcher is closed")
    }).pipe(Effect.scoped)
  )
})

describe("the option dispatcher", () => {
  it.effect.each([{}, "env", 1, null])("refuses %s, which is no dispatcher", (given) =>
    Effect.gen(function* () {
      // Plain JavaScript may give anything.
      const dispatcher = given as Gr4vy.Dispatcher
      const error = yield* Effect.flip(Gr4vy.make({ id: "plantly", token, dispatcher }))
      assert.include(String(error), "dispatcher must be one of undici")
    }).pipe(Effect.scoped)
  )

  it.effect("is refused over an HttpClient of the program, where it would have no effect", () =>
    Effect.gen(function* () {
      const layer = Gr4vy.layerWithoutTransport({ id: "plantly", token, dispatcher: "environment" })
      const error = yield* Effect.flip(Layer.build(Layer.provide(layer, FetchHttpClient.layer)))
      assert.include(String(error), "dispatcher has no effect on an HttpClient of yours")
    }).pipe(Effect.scoped)
  )
})

/** A server in a thread of its own that answers each request, and closes its connection 20 ms later without having said so. */
const closingServer = Effect.map(
  Effect.acquireRelease(
    Effect.async<{ readonly baseUrl: string; readonly worker: Worker }>((resume) => {
      const source = `
        const { createServer } = require("node:net")
        const { parentPort } = require("node:worker_threads")
        const server = createServer((socket) => {
          socket.on("error", () => {})
          socket.on("data", () => {
            socket.write("HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
            setTimeout(() => socket.end(), 20)
          })
        })
        server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port))
      `
      const worker = new Worker(source, { eval: true })
      worker.once("message", (port) => resume(Effect.succeed({ baseUrl: `http://127.0.0.1:${port}`, worker })))
    }),
    ({ worker }) => Effect.promise(() => worker.terminate())
  ),
  ({ baseUrl }) => baseUrl
)
