/**
 * Servers and proxies that bend HTTP: the response still counts where it can be read, and never for another request.
 */
import { createServer, type Socket } from "node:net"
import { FetchHttpClient, HttpBody, HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSessionId,
  CheckoutSessions,
  type CheckoutSessionsService,
  Credentials,
  Endpoint
} from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Context, Effect, Either, Fiber, Layer, Redacted, Schema, type Scope } from "effect"
import { loopback } from "../../support/loopback.js"
import { sessionJson } from "../../support/script.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const token = Redacted.make("token")
const quick = RetryPolicy.make({ baseDelay: 1, maxDelay: 2 })

/** A server that writes what it likes once a request has come. */
const raw = (respond: (socket: Socket, n: number, path: string) => void) =>
  Effect.gen(function* () {
    let requests = 0
    const server = createServer((socket) => {
      // A response that waits listens for the end of its connection.
      socket.setMaxListeners(0)
      socket.on("data", (data) => {
        const path = /^[A-Z]+ (\S+)/.exec(data.toString("latin1"))?.[1]
        if (path !== undefined) respond(socket, ++requests, path)
      })
    })
    const at = yield* loopback(server)
    return { ...at, baseUrl: `http://127.0.0.1:${at.port}`, requests: () => requests }
  })

const head = (status: string, ...headers: ReadonlyArray<string>) =>
  [`HTTP/1.1 ${status}`, ...headers, "", ""].join("\r\n")
const json = (body: string) => ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`]
const whole = (status: string, body: string, ...headers: ReadonlyArray<string>) =>
  head(status, ...json(body), ...headers) + body

interface Options {
  readonly baseUrl: string
  readonly token: Redacted.Redacted
  readonly retry?: RetryPolicy.RetryPolicy
}
type Make = (options: Options) => Effect.Effect<CheckoutSessionsService, unknown, Scope.Scope>

const over =
  (client: Layer.Layer<HttpClient.HttpClient>): Make =>
  (options) =>
    Effect.map(Layer.build(Layer.provide(Gr4vy.layerWithoutTransport(options), client)), (context) =>
      Context.get(context, CheckoutSessions)
    )

const carriers: Readonly<Record<string, Make>> = { undici: Gr4vy.make, fetch: over(FetchHttpClient.layer) }

const outcomes: Readonly<Record<string, readonly [answer: string, expected: object | "fine", requests: number]>> = {
  "a 304 with a Content-Length beyond the cap": [
    head("304 Not Modified", "Content-Length: 99999999"),
    { _tag: "Generic", status: 304 },
    1
  ],
  "an empty Content-Encoding": [whole("200 OK", sessionJson, "Content-Encoding: "), "fine", 1],
  "Content-Encoding: identity, identity": [
    whole("200 OK", sessionJson, "Content-Encoding: identity, identity"),
    "fine",
    1
  ],
  "Content-Encoding: Identity": [whole("200 OK", sessionJson, "Content-Encoding: Identity"), "fine", 1],
  "Content-Encoding: identity, gzip": [
    whole("200 OK", sessionJson, "Content-Encoding: identity, x-unknown"),
    { reason: "InvalidResponse" },
    1
  ],
  "status 099": [whole("099 Odd", "{}"), { reason: "InvalidResponse", attempts: 1 }, 1],
  "status 600": [whole("600 Odd", "{}"), { _tag: "Generic", status: 600, attempts: 1 }, 1],
  "status 999": [whole("999 Odd", "{}"), { _tag: "Generic", status: 999, attempts: 1 }, 1],
  "Transfer-Encoding: gzip, chunked": [
    `${head("200 OK", "Transfer-Encoding: gzip, chunked")}${sessionJson.length.toString(16)}\r\n${sessionJson}\r\n0\r\n\r\n`,
    { reason: "InvalidResponse", delivered: "unknown", attempts: 1 },
    1
  ],
  "Transfer-Encoding: gzip": [
    head("200 OK", "Transfer-Encoding: gzip") + sessionJson,
    { reason: "InvalidResponse", delivered: "unknown", attempts: 1 },
    1
  ],
  "Transfer-Encoding: CHUNKED": [
    `${head("200 OK", "Transfer-Encoding: CHUNKED")}${sessionJson.length.toString(16)}\r\n${sessionJson}\r\n0\r\n\r\n`,
    "fine",
    1
  ],
  "two equal Retry-After headers": [
    whole("429 Slow", "{}", "Retry-After: 40", "Retry-After: 40"),
    { _tag: "Generic", status: 429 },
    1
  ]
}

describe.each(Object.keys(carriers))("over %s", (carrier) => {
  const make = carriers[carrier] ?? assert.fail(carrier)

  it.live.each(Object.keys(outcomes))("%s", (name) =>
    Effect.gen(function* () {
      const [answer, expected, requests] = outcomes[name] ?? assert.fail(name)
      const server = yield* raw((socket) => socket.write(answer))
      const sessions = yield* make({ baseUrl: server.baseUrl, token, retry: quick })
      const outcome = yield* Effect.either(sessions.get(id))
      if (expected === "fine") assert(Either.isRight(outcome), JSON.stringify(outcome))
      else assert.deepInclude({ ...Either.getOrThrow(Either.flip(outcome)) }, expected)
      assert.strictEqual(server.requests(), requests)
    }).pipe(Effect.scoped)
  )
})

describe.each(Object.keys(carriers))("a 204 with a Content-Encoding, over %s", (carrier) => {
  const make = carriers[carrier] ?? assert.fail(carrier)

  it.live.each(["", "Content-Length: 112\r\n"])("is a success: a 204 has no body to decode (%j)", (length) =>
    Effect.gen(function* () {
      const server = yield* raw((socket) => socket.write(`HTTP/1.1 204 OK\r\nContent-Encoding: gzip\r\n${length}\r\n`))
      const sessions = yield* make({ baseUrl: server.baseUrl, token, retry: quick })
      yield* sessions.delete(id)
      assert.strictEqual(server.requests(), 1)
    }).pipe(Effect.scoped)
  )
})

describe("an unsolicited 100 Continue", () => {
  const continues: Readonly<Record<string, (socket: Socket) => void>> = {
    "in one packet with the response": (socket) =>
      socket.write(`${head("100 Continue")}${whole("200 OK", sessionJson)}`),
    "in a packet of its own": (socket) =>
      socket.write(head("100 Continue"), () => void setTimeout(() => socket.write(whole("200 OK", sessionJson)), 20)),
    "byte by byte": (socket) => {
      const bytes = head("100 Continue", "X-Any: 1") + whole("200 OK", sessionJson)
      let sent = 0
      const timer = setInterval(() => {
        if (sent < bytes.length) socket.write(bytes.charAt(sent++))
        else clearInterval(timer)
      }, 1)
      socket.on("close", () => clearInterval(timer))
    },
    twice: (socket) => socket.write(head("100 Continue") + head("100 Continue") + whole("200 OK", sessionJson)),
    "after early hints": (socket) =>
      socket.write(head("103 Early Hints") + head("100 Continue") + whole("200 OK", sessionJson)),
    "after hints that came in two packets": (socket) =>
      socket.write("HTTP/1.1 103 Early", () =>
        setTimeout(() => socket.write(` Hints\r\n\r\n${head("100 Continue")}${whole("200 OK", sessionJson)}`), 20)
      )
  }
  it.live.each(Object.keys(continues))("is skipped: %s", (name) =>
    Effect.gen(function* () {
      const server = yield* raw((socket) => continues[name]?.(socket))
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, retry: quick, connections: 1 })
      for (let n = 1; n < 4; n++) {
        assert.strictEqual((yield* sessions.get(id)).id, id)
        assert.deepStrictEqual([server.requests(), server.accepted()], [n, 1])
      }
    }).pipe(Effect.scoped)
  )
})

describe("interim responses before the final one", () => {
  it.live("leave its body as it is, even if a packet of it begins like another interim response", () =>
    Effect.gen(function* () {
      const body = sessionJson.replace("{", '{"metadata":{"note":"HTTP/1.1 103 Early"},')
      const [before = ""] = body.split("HTTP/1.1 1")
      const server = yield* raw((socket) => {
        socket.write(`${head("103 Early Hints")}${head("200 OK", ...json(body))}${before}`, () =>
          setTimeout(() => socket.write(body.slice(before.length)), 20)
        )
      })
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, retry: quick, attemptTimeout: 1000 })
      assert.deepStrictEqual((yield* sessions.get(id)).metadata, { note: "HTTP/1.1 103 Early" })
      assert.strictEqual(server.requests(), 1)
    }).pipe(Effect.scoped)
  )
})

describe("a transfer coding that nobody asked for", () => {
  it.live.each(["gzip", "gzip, chunked", "identity"])("is refused on a kept connection as well: %s", (coding) =>
    Effect.gen(function* () {
      const server = yield* raw((socket, n) =>
        socket.write(
          n === 1
            ? whole("200 OK", sessionJson)
            : `${head("200 OK", `Transfer-Encoding: ${coding}`)}${sessionJson.length.toString(16)}\r\n${sessionJson}\r\n0\r\n\r\n`
        )
      )
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, retry: quick, attemptTimeout: 1000 })
      yield* sessions.get(id)
      const error = yield* Effect.flip(sessions.get(id))
      assert.deepInclude({ ...error }, { reason: "InvalidResponse", delivered: "unknown", attempts: 1 })
      assert.strictEqual(server.requests(), 2)
    }).pipe(Effect.scoped)
  )
})

describe("a body without a length", () => {
  const lost = { reason: "Disconnected", delivered: "unknown" }
  const later = (socket: Socket, bytes: string, end: () => void) => socket.write(bytes, () => void setTimeout(end, 20))
  const endings: Readonly<
    Record<string, readonly [send: (socket: Socket, bytes: string) => void, expected: object | "fine"]>
  > = {
    "that a reset ends is lost": [(socket, bytes) => later(socket, bytes, () => socket.resetAndDestroy()), lost],
    // Node is told of it as of a regular end.
    "that a reset ends right behind its last byte is lost": [
      (socket, bytes) => {
        socket.write(bytes)
        socket.resetAndDestroy()
      },
      lost
    ],
    "is complete when the server ends it": [(socket, bytes) => later(socket, bytes, () => socket.end()), "fine"],
    "is complete when the server ends it right behind its last byte": [
      (socket, bytes) => void socket.end(bytes),
      "fine"
    ]
  }
  it.live.each(Object.keys(endings))("%s", (name) =>
    Effect.gen(function* () {
      const [send, expected] = endings[name] ?? assert.fail(name)
      const server = yield* raw((socket) => send(socket, `${head("200 OK", "Content-Type: application/json")}12`))
      const client = yield* Gr4vy.makeClient({ baseUrl: server.baseUrl, token, retry: RetryPolicy.none })
      const outcome = yield* Effect.either(Effect.flatMap(client.get("/amount"), (response) => response.text))
      if (expected === "fine") assert.deepStrictEqual(outcome, Either.right("12"))
      else assert.deepInclude({ ...Either.getOrThrow(Either.flip(outcome)) }, expected)
    }).pipe(Effect.scoped)
  )
})

describe("a response that comes before its request is complete", () => {
  it.live("counts, and its connection is not used again: the rest of the request is still queued on it", () =>
    Effect.gen(function* () {
      const server = yield* raw((socket, n) => {
        if (n === 1) socket.pause()
        socket.write(n === 1 ? whole("413 Too Large", "{}") : whole("200 OK", sessionJson))
      })
      const client = yield* Gr4vy.makeClient({
        baseUrl: server.baseUrl,
        token,
        retry: RetryPolicy.none,
        attemptTimeout: 1000
      })
      const large = yield* client.post("/things", { body: HttpBody.uint8Array(new Uint8Array(32 * 2 ** 20)) })
      assert.strictEqual(large.status, 413)
      assert.strictEqual((yield* client.post("/things")).status, 200)
      assert.deepStrictEqual([server.requests(), server.accepted()], [2, 2])
    }).pipe(Effect.scoped)
  )
})

describe("a refusal of a larger upload", () => {
  it.live("ends its connection, whose server may not have read it", () =>
    Effect.gen(function* () {
      const server = yield* raw((socket, n) => {
        socket.write(n === 1 ? whole("413 Too Large", "{}") : whole("200 OK", sessionJson))
        if (n === 1) setTimeout(() => socket.resetAndDestroy(), 100)
      })
      const client = yield* Gr4vy.makeClient({ baseUrl: server.baseUrl, token, retry: RetryPolicy.none })
      const upload = yield* client.post("/things", { body: HttpBody.uint8Array(new Uint8Array(20_000)) })
      assert.strictEqual(upload.status, 413)
      assert.strictEqual((yield* client.post("/things")).status, 200)
      assert.strictEqual(server.accepted(), 2)
    }).pipe(Effect.scoped)
  )
})

describe("a response that belongs to another request", () => {
  const session = (session: string) => sessionJson.replace(id, session)
  const ids = Array.from({ length: 60 }, (_, n) => CheckoutSessionId.make(`${id.slice(0, -2)}${n + 10}`))

  it.live("is never taken for one's own: after a surplus response every call gets its session or an error", () =>
    Effect.gen(function* () {
      let surplus = true
      const server = yield* raw((socket, n, path) => {
        const answer = whole("200 OK", session(path.slice(-id.length)))
        socket.write(answer)
        // One response too many, which comes once the next request is on its way.
        if (n === 3 && surplus) {
          surplus = false
          socket.once("data", () => socket.write(whole("200 OK", session(ids[0] ?? id))))
        }
      })
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, retry: RetryPolicy.none, connections: 1 })
      const outcomes = yield* Effect.forEach(ids, (id) =>
        Effect.map(Effect.either(sessions.get(id)), (got) => [id, got] as const)
      )
      const wrong = outcomes.filter(([id, got]) => Either.isRight(got) && got.right.id !== id)
      const failed = outcomes.filter(([, got]) => Either.isLeft(got))
      assert.lengthOf(wrong, 0)
      assert.isAtMost(failed.length, 1)
    }).pipe(Effect.scoped)
  )

  it.live("is InvalidResponse, and its connection is closed", () =>
    Effect.gen(function* () {
      const server = yield* raw((socket, n, path) => {
        socket.write(whole("200 OK", session(n === 1 ? (ids[0] ?? id) : path.slice(-id.length))))
      })
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, connections: 1 })
      assert.deepInclude(yield* Effect.flip(sessions.get(id)), { reason: "InvalidResponse", delivered: "unknown" })
      yield* Effect.timeout(server.quiet, "5 seconds")
      assert.strictEqual((yield* sessions.get(id)).id, id)
      assert.deepStrictEqual([server.requests(), server.accepted()], [2, 2])
    }).pipe(Effect.scoped)
  )
})

describe("a server that closes its connections without saying so", () => {
  const closings: Readonly<Record<string, (socket: Socket) => void>> = {
    "in the same breath": (socket) => socket.end(whole("200 OK", sessionJson)),
    "a turn of its event loop later": (socket) =>
      socket.write(whole("200 OK", sessionJson), () => void setImmediate(() => socket.end()))
  }
  it.live("loses none of 60 consecutive PATCH requests", () =>
    Effect.gen(function* () {
      const server = yield* raw((socket) => socket.end(whole("200 OK", sessionJson)))
      const client = yield* Gr4vy.makeClient({ baseUrl: server.baseUrl, token, retry: RetryPolicy.none })
      const outcomes = yield* Effect.forEach(Array.from({ length: 60 }), () => Effect.either(client.patch("/things")))
      assert.lengthOf(outcomes.filter(Either.isLeft), 0)
    }).pipe(Effect.scoped)
  )

  it.live.each(Object.keys(closings))(
    "loses none of 60 consecutive PUT requests that must not be repeated: %s",
    (name) =>
      Effect.gen(function* () {
        const server = yield* raw((socket) => closings[name]?.(socket))
        const client = yield* Gr4vy.makeClient({ baseUrl: server.baseUrl, token })
        const endpoints = {
          put: Endpoint.put("Things.put", "/things", { success: Schema.Unknown, resend: "once" })
        }
        const { put } = Endpoint.clientOf(endpoints, client)
        const outcomes = yield* Effect.forEach(Array.from({ length: 60 }), () => Effect.either(put()))
        assert.lengthOf(outcomes.filter(Either.isLeft), 0)
      }).pipe(Effect.scoped)
  )

  it.live.each(Object.keys(closings))("loses none of 60 consecutive GET requests that no policy repeats: %s", (name) =>
    Effect.gen(function* () {
      const server = yield* raw((socket) => closings[name]?.(socket))
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, retry: RetryPolicy.none })
      const outcomes = yield* Effect.forEach(Array.from({ length: 60 }), () => Effect.either(sessions.get(id)))
      assert.lengthOf(outcomes.filter(Either.isLeft), 0)
    }).pipe(Effect.scoped)
  )

  it.live.each(Object.keys(closings))("loses none of 60 consecutive creates: %s", (name) =>
    Effect.gen(function* () {
      const server = yield* raw((socket) => closings[name]?.(socket))
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, retry: RetryPolicy.none })
      const outcomes = yield* Effect.forEach(Array.from({ length: 60 }), () => Effect.either(sessions.add()))
      assert.lengthOf(outcomes.filter(Either.isLeft), 0)
    }).pipe(Effect.scoped)
  )
})

describe("overload", () => {
  it.live(
    "is served as fast as the server can, and nothing is cut in mid-flight: 2 connections, 100 ms, 80 calls",
    () =>
      Effect.gen(function* () {
        const server = yield* raw((socket) => {
          const timer = setTimeout(() => socket.write(whole("200 OK", sessionJson)), 100)
          socket.once("close", () => clearTimeout(timer))
        })
        const sessions = yield* Gr4vy.make({
          baseUrl: server.baseUrl,
          token,
          retry: RetryPolicy.none,
          connections: 2,
          attemptTimeout: 500,
          deadline: 1000
        })
        const outcomes = yield* Effect.forEach(Array.from({ length: 80 }), () => Effect.either(sessions.get(id)), {
          concurrency: "unbounded"
        })
        const fine = outcomes.filter(Either.isRight).length
        console.log(`overload: ${fine} of 80 served, 20 could be`)
        assert.isAtLeast(fine, 14)
        // Only those that were on the wire when the deadline came may have been carried out: two, and two more whose turn
        // came just before it.
        const unknown = outcomes.filter(
          (outcome) => Either.isLeft(outcome) && Reflect.get(outcome.left, "delivered") !== "no"
        )
        assert.isAtMost(unknown.length, 4)
      }).pipe(Effect.scoped)
  )
})

describe("a call that is interrupted at any point leaves nothing running", () => {
  /** Work that never ends by itself, and counts. */
  const counted = () => {
    const count = { started: 0, ended: 0 }
    const work = Effect.acquireUseRelease(
      Effect.sync(() => void count.started++),
      () => Effect.never,
      () => Effect.sync(() => void count.ended++)
    )
    return { count, work }
  }

  const layers: Readonly<Record<string, (work: Effect.Effect<never>) => Layer.Layer<CheckoutSessions, unknown>>> = {
    "of another client": (work) =>
      Layer.provide(
        Gr4vy.layerWithoutTransport({ baseUrl: "https://api.example", token }),
        Layer.succeed(
          HttpClient.HttpClient,
          HttpClient.make(() => work)
        )
      ),
    "of a source of tokens": (work) =>
      Layer.provide(
        Gr4vy.layerWithoutCredentials({ baseUrl: "https://api.example" }),
        Layer.succeed(Credentials, { token: work })
      )
  }

  it.live.each(Object.keys(layers))("%s", (name) =>
    Effect.gen(function* () {
      const { count, work } = counted()
      const context = yield* Layer.build(layers[name]?.(work) ?? assert.fail(name))
      const get = Context.get(context, CheckoutSessions).get(id)
      for (let steps = 0; steps < 24; steps++) {
        // With fewer operations between two yields, Effect itself does nothing but yield.
        for (let ops = 12; ops < 40; ops++) {
          const fiber = yield* Effect.fork(Effect.withMaxOpsBeforeYield(get, ops))
          for (let n = 0; n < steps; n++) yield* Effect.yieldNow()
          yield* Fiber.interrupt(fiber)
        }
      }
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      assert.isAbove(count.started, 100)
      assert.strictEqual(count.ended, count.started)
    }).pipe(Effect.scoped)
  )
})
