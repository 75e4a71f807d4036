import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Endpoint, NotFound } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Either, Redacted, Schema } from "effect"
import { loopback } from "../../support/loopback.js"

const Thing = Schema.Struct({ id: Schema.String })
const params = { id: Schema.String }
const payload = Schema.Struct({ amount: Schema.Int })

const endpoints = {
  get: Endpoint.get("Things.get", "/things/{id}", { params, success: Thing, attemptTimeout: "20 seconds" }),
  pay: Endpoint.post("Things.pay", "/things", { payload, success: Thing, resend: "keyed" }),
  changeOnce: Endpoint.patch("Things.changeOnce", "/things/{id}", { params, payload, success: Thing, resend: "once" }),
  change: Endpoint.patch("Things.change", "/things/{id}", { params, payload, success: Thing, resend: "idempotent" }),
  remove: Endpoint.delete("Things.remove", "/things/{id}", {
    params,
    success: Endpoint.optional(Thing),
    errors: [NotFound]
  }),
  removed: Endpoint.delete("Things.removed", "/things/{id}", { params, success: Thing, errors: [NotFound] })
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const reset: Answer = ({ socket }) => socket.resetAndDestroy()
const says =
  (status: number, body: object = { id: "t1" }): Answer =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
  }

/** A server that does this to its first requests, and answers every later one. */
const serving = (...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const seen: Array<IncomingMessage> = []
    const server = createServer((request, response) => {
      // The server has a request when it has the whole of it.
      request.resume().on("end", () => {
        seen.push(request)
        const answer = answers[seen.length - 1] ?? says(200)
        answer(request, response)
      })
    })
    const { port } = yield* loopback(server)
    const http = yield* Gr4vy.makeClient({
      baseUrl: `http://127.0.0.1:${port}`,
      token: Redacted.make("token"),
      retry: RetryPolicy.make({ baseDelay: 1, maxDelay: 2, creates: "at-least-once" }),
      attemptTimeout: "10 seconds"
    })
    return { client: Endpoint.clientOf(endpoints, http), seen }
  })

describe("the options of a call", () => {
  it.scopedLive("are on every request of the call", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* serving(reset, says(503))
      const options = { idempotencyKey: "k", headers: { "x-shop": "tea" }, merchantAccountId: "acme" }
      yield* client.pay({ amount: 1 }, options)
      assert.deepStrictEqual(
        seen.map(({ headers }) => [
          headers["idempotency-key"],
          headers["x-shop"],
          headers["x-gr4vy-merchant-account-id"]
        ]),
        Array(3).fill(["k", "tea", "acme"])
      )
    })
  )

  it.scopedLive("limit each attempt, below the limits of the client and of the endpoint", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* serving(() => {})
      assert.deepStrictEqual(yield* client.get("t1", { attemptTimeout: "1 seconds" }), { id: "t1" })
      assert.lengthOf(seen, 2)
    })
  )
})

describe("a PATCH that is lost", () => {
  it.scopedLive("is sent again if a second copy changes nothing, and never if it may do harm", () =>
    Effect.gen(function* () {
      const safe = yield* serving(reset)
      yield* safe.client.change("t1", { amount: 1 })
      assert.deepStrictEqual(
        safe.seen.map(({ method }) => method),
        ["PATCH", "PATCH"]
      )
      const harmful = yield* serving(reset)
      const outcome = yield* Effect.either(harmful.client.changeOnce("t1", { amount: 1 }))
      assert(Either.isLeft(outcome))
      assert.deepInclude(outcome.left, { reason: "Disconnected", delivered: "unknown" })
      assert.lengthOf(harmful.seen, 1)
    })
  )
})

describe("a DELETE whose lost copy is followed by a 404", () => {
  it.scopedLive("has done its job where a success may have no body", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* serving(reset, says(404, {}))
      assert.strictEqual(yield* client.remove("t1"), undefined)
      assert.lengthOf(seen, 2)
    })
  )

  it.scopedLive("is NotFound where a success has a body, which nobody has", () =>
    Effect.gen(function* () {
      const { client } = yield* serving(reset, says(404, {}))
      assert.strictEqual((yield* Effect.flip(client.removed("t1")))._tag, "NotFound")
    })
  )
})
