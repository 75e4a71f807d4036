import { createServer, type RequestListener, type ServerResponse } from "node:http"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Layer, Redacted } from "effect"
import { loopback } from "../../support/loopback.js"
import { session } from "../../support/script.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

const answering = (listener: RequestListener) =>
  Effect.map(loopback(createServer(listener)), (server) => ({ ...server, baseUrl: `http://127.0.0.1:${server.port}` }))

const long = (response: ServerResponse) => response.writeHead(503).end("x".repeat(100_000))

const options = (baseUrl: string) => ({
  baseUrl,
  token: Redacted.make("token"),
  retry: RetryPolicy.none,
  attemptTimeout: 200
})

/** Bodies of failures that nobody could read to their end. */
const endless: Readonly<Record<string, (response: ServerResponse) => void>> = {
  "that stalls": (response) => void response.writeHead(500).write("x"),
  "that is declared too long": (response) => void response.writeHead(500, { "content-length": 2 ** 30 }).write("x"),
  "that does not end": (response) => {
    response.writeHead(500)
    const pour = () => {
      while (!response.destroyed && response.write("x".repeat(65_536))) {}
    }
    response.on("drain", pour)
    pour()
  }
}

describe("a connection", () => {
  it.scopedLive("is not kept by the bodies of failures", () =>
    Effect.gen(function* () {
      const server = yield* answering((_, response) => long(response))
      const sessions = yield* Gr4vy.make({ ...options(server.baseUrl), attemptTimeout: "10 seconds", connections: 1 })
      const errors = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.flip(sessions.get(id)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(new Set(errors.map((error) => error._tag)), new Set(["Generic"]))
      assert.strictEqual(server.accepted(), 1)
    })
  )

  it.scopedLive("is not kept by the bodies of failures that are retried", () =>
    Effect.gen(function* () {
      let requests = 0
      const server = yield* answering((request, response) =>
        ++requests < 3 ? long(response) : session(request, response)
      )
      const retry = RetryPolicy.make({ baseDelay: 1 })
      const sessions = yield* Gr4vy.make({
        ...options(server.baseUrl),
        attemptTimeout: "10 seconds",
        connections: 1,
        retry
      })
      yield* sessions.get(id)
      assert.deepStrictEqual([requests, server.accepted()], [3, 1])
    })
  )

  it.scopedLive.each(Object.keys(endless))("is closed under a failure's body %s, and its place is free", (name) =>
    Effect.gen(function* () {
      let requests = 0
      const server = yield* answering((request, response) =>
        ++requests === 1 ? endless[name]?.(response) : session(request, response)
      )
      const sessions = yield* Gr4vy.make({ ...options(server.baseUrl), connections: 1 })
      yield* Effect.flip(sessions.get(id))
      yield* Effect.timeout(server.quiet, "5 seconds")
      // A busy machine may need longer than the attempt's limit.
      yield* RetryPolicy.withPolicy(sessions.get(id), RetryPolicy.standard)
    })
  )

  it.scopedLive.each(Object.keys(endless))("of another client too is closed under a failure's body %s", (name) =>
    Effect.gen(function* () {
      const server = yield* answering((_, response) => endless[name]?.(response))
      yield* Effect.flatMap(CheckoutSessions, (sessions) => Effect.flip(sessions.get(id))).pipe(
        Effect.provide(Layer.provide(Gr4vy.layerWithoutTransport(options(server.baseUrl)), FetchHttpClient.layer))
      )
      yield* Effect.timeout(server.quiet, "5 seconds")
    })
  )
})
