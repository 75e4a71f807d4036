import { createServer } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Redacted } from "effect"
import { loopback } from "../../support/loopback.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

describe("a connection", () => {
  it.scopedLive("is not kept by the body of a failure", () =>
    Effect.gen(function* () {
      const server = yield* loopback(createServer((_, response) => response.writeHead(500).end("x".repeat(100_000))))
      const sessions = yield* Gr4vy.make({
        baseUrl: `http://127.0.0.1:${server.port}`,
        token: Redacted.make("token"),
        connections: 1,
        retry: RetryPolicy.none
      })
      const errors = yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.flip(sessions.get(id)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(new Set(errors.map((error) => error._tag)), new Set(["Generic"]))
      assert.strictEqual(server.accepted(), 1)
    })
  )
})
