import { createHmac } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import {
  create,
  Generic,
  NotFound,
  type Options,
  RequestFailed,
  verifyWebhook,
  WebhookInvalid
} from "@effect-gr4vy/promise"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect } from "effect"
import { type Answer, reply, script } from "../support/script.js"
import { registered } from "../support/setUps.js"
import { slowServer } from "../support/slowServer.js"

const open = (baseUrl: string, options: Options = {}) =>
  Effect.acquireRelease(
    Effect.promise(() => create({ baseUrl, token: "any", retry: { baseDelay: 1 }, ...options } as Options)),
    (client) => Effect.promise(client.close)
  )

const outcome = (call: () => Promise<unknown>) => Effect.promise(() => call().catch((error: unknown) => error))

const dropped: Answer = (_, response) => void response.destroy()
const busy = reply(503, "{}")
const json = (value: unknown) => reply(200, JSON.stringify(value), { "content-type": "application/json" })

/** Keeps the bodies of what it passes on. */
const recording = (bodies: Array<string>, answer: Answer): Answer => {
  return (request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      bodies.push(Buffer.concat(chunks).toString())
      answer(request, response)
    })
  }
}

describe("request", () => {
  it.scopedLive("sends JSON to any path with token, key and query, and resolves to the JSON of the response", () =>
    Effect.gen(function* () {
      const bodies: Array<string> = []
      const { baseUrl, requests } = yield* script(recording(bodies, json({ id: "tx", created_at: "2027-01-01" })))
      const client = yield* open(`${baseUrl}/prefix`)
      const body = { amount: 1299, metadata: { camelCase: null } }
      const path = "/transactions/8724fd24-5489-4a5d-90fd-0604df7d3b83/capture?a=1&a=2&b=%26"
      const answer = yield* outcome(() => client.request("POST", path, { body, idempotencyKey: "order-1001" }))
      assert.deepStrictEqual(answer, { id: "tx", created_at: "2027-01-01" })
      const [request] = requests
      assert.strictEqual(request?.method, "POST")
      assert.strictEqual(request?.url, `/prefix${path}`)
      assert.deepInclude(request?.headers, {
        authorization: "Bearer any",
        "content-type": "application/json",
        "idempotency-key": "order-1001"
      })
      assert.deepStrictEqual(bodies, [JSON.stringify(body)])
    })
  )

  it.scopedLive("resolves to JSON that is deeper than the stack", () =>
    Effect.gen(function* () {
      const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`
      const { baseUrl } = yield* script(reply(200, deep, { "content-type": "application/json" }))
      const client = yield* open(baseUrl)
      const answer = yield* outcome(() => client.request("GET", "/transactions"))
      assert.isTrue(Array.isArray(answer))
    })
  )

  it.scopedLive("resolves to undefined for a response without a body", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* script(reply(204, ""), reply(200, ""))
      const client = yield* open(baseUrl)
      assert.isUndefined(yield* outcome(() => client.request("DELETE", "/buyers/b-1")))
      assert.isUndefined(yield* outcome(() => client.request("PUT", "/buyers/b-1", { body: {} })))
    })
  )

  const lost: ReadonlyArray<[string, Answer]> = [
    ["a lost connection", dropped],
    ["a 503", busy]
  ]
  const cases: ReadonlyArray<["GET" | "POST" | "PUT" | "PATCH" | "DELETE", string | undefined, number]> = [
    ["GET", undefined, 3],
    ["PUT", undefined, 3],
    ["DELETE", undefined, 3],
    ["POST", undefined, 1],
    ["PATCH", undefined, 1],
    ["POST", "order-1001", 3],
    ["PATCH", "order-1001", 3]
  ]
  for (const [what, answer] of lost) {
    for (const [method, idempotencyKey, times] of cases) {
      const name = `${method} with${idempotencyKey === undefined ? "out" : ""} a key`
      it.scopedLive(`is sent ${times} times after ${what}, for any value of creates: ${name}`, () =>
        Effect.gen(function* () {
          const { baseUrl, requests } = yield* script(answer)
          const client = yield* open(baseUrl, { retry: { baseDelay: 1, creates: "at-least-once" } })
          const error = yield* outcome(() => client.request(method, "/transactions", { idempotencyKey }))
          assert.isTrue(error instanceof RequestFailed || error instanceof Generic, String(error))
          assert.lengthOf(requests, times)
          assert.deepInclude(error, { attempts: times })
          const keys = requests.map((request) => request.headers["idempotency-key"])
          assert.deepStrictEqual(new Set(keys), new Set([idempotencyKey]))
        })
      )
    }
  }

  it.scopedLive("rejects with the same classes, names the server's request id, and shows no card that is echoed", () =>
    Effect.gen(function* () {
      const echo = JSON.stringify({
        type: "error",
        code: "bad_request",
        message: "card 4111111111111111 with 987 refused"
      })
      const { baseUrl } = yield* script(
        reply(404, "{}"),
        reply(400, echo, { "x-request-id": "req-1" }),
        reply(200, "<html>", { "x-request-id": "req-2" })
      )
      const client = yield* open(baseUrl)
      const payment_method = { method: "card", number: "4111111111111111", security_code: "987" }
      assert.instanceOf(yield* outcome(() => client.request("GET", "/transactions/1")), NotFound)
      const refused = yield* outcome(() => client.request("POST", "/transactions", { body: { payment_method } }))
      assert.instanceOf(refused, Generic)
      assert.deepInclude(refused, { status: 400, code: "bad_request", requestId: "req-1" })
      assert.strictEqual(refused.message, "card <redacted> with <redacted> refused")
      const html = yield* outcome(() => client.request("GET", "/transactions/1"))
      assert.instanceOf(html, RequestFailed)
      assert.deepInclude(html, { reason: "InvalidResponse", delivered: "yes", requestId: "req-2" })
    })
  )

  it.scopedLive("ends on the wire with its signal", () =>
    Effect.gen(function* () {
      const server = yield* slowServer
      const client = yield* open(server.baseUrl)
      const buyer = new AbortController()
      const call = outcome(() => client.request("POST", "/transactions", { body: {}, signal: buyer.signal }))
      const ended = yield* Effect.fork(call)
      yield* server.asked
      const reason = new Error("left the page")
      buyer.abort(reason)
      yield* server.hungUp
      assert.strictEqual(yield* ended, reason)
    })
  )

  it.scopedLive("is named in traces by the template of its path, without ids", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* script(json({}))
      const [, spans] = yield* registered(
        Effect.scoped(
          Effect.gen(function* () {
            const client = yield* open(baseUrl)
            yield* outcome(() =>
              client.request("GET", "/buyers/b-1/payment-methods/8724fd24-5489-4a5d-90fd-0604df7d3b83")
            )
          })
        )
      )
      assert.sameMembers(
        spans.map((span) => span.name),
        ["Gr4vy.request", "GET /buyers/{id}/payment-methods/{id_2}"]
      )
    })
  )
})

describe("a session of today", () => {
  it.scopedLive("is created with its contents, updated in part, and read back as plain values", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Sandbox.Sandbox
      const client = yield* open(baseUrl)
      const contents = {
        amount: 1299,
        currency: "USD",
        cartItems: [{ name: "Tea", quantity: 1, unitAmount: 1299 }],
        metadata: { orderId: "4711" },
        buyer: { displayName: "Ada Lovelace", billingDetails: { address: { city: "London", country: "GB" } } }
      }
      const created = yield* Effect.promise(() => client.add({ ...contents, expiresIn: "2 hours" }))
      assert.deepInclude(created, contents)
      assert.isAbove(created.expiresAt.getTime() - Date.now(), 115 * 60_000)
      const updated = yield* Effect.promise(() => client.update(created.id, { amount: 999 }))
      assert.deepInclude(updated, { ...contents, amount: 999 })
      assert.deepStrictEqual(yield* Effect.promise(() => client.get(created.id)), updated)
    }).pipe(Effect.provide(Sandbox.layer()))
  )
})

describe("verifyWebhook", () => {
  const secret = "webhook-secret"
  const payload = JSON.stringify({
    type: "event",
    id: "event-1",
    name: "transaction.captured",
    created_at: "2027-01-01T00:00:00+00:00",
    target: { id: "tx", some_key: 1 }
  })
  const signed = (text: string, seconds = Math.floor(Date.now() / 1000)) => ({
    "x-gr4vy-webhook-signatures": createHmac("sha256", secret).update(`${seconds}.${text}`).digest("hex"),
    "x-gr4vy-webhook-timestamp": String(seconds)
  })

  it("resolves to the event, from a record or from Headers, with one secret or several", async () => {
    const expected = {
      type: "event",
      id: "event-1",
      name: "transaction.captured",
      createdAt: new Date("2027-01-01T00:00:00Z"),
      target: { id: "tx", some_key: 1 }
    }
    assert.deepStrictEqual(await verifyWebhook({ payload, headers: signed(payload), secret }), expected)
    const headers = new Headers(signed(payload))
    const bytes = new TextEncoder().encode(payload)
    assert.deepStrictEqual(await verifyWebhook({ payload: bytes, headers, secret: ["old", secret] }), expected)
  })

  it("rejects with WebhookInvalid, which says the check and shows no secret", async () => {
    const old = Math.floor(Date.now() / 1000) - 600
    const invalid: ReadonlyArray<[object, Record<string, string>, WebhookInvalid["check"]]> = [
      [{}, {}, "MissingHeader"],
      [{}, signed(`${payload} `), "Signature"],
      [{}, signed(payload, old), "Tolerance"],
      [{ payload: "{}" }, signed("{}"), "Payload"]
    ]
    for (const [other, headers, check] of invalid) {
      const error = await verifyWebhook({ payload, headers, secret, ...other }).catch((error: unknown) => error)
      assert.instanceOf(error, WebhookInvalid)
      assert.deepStrictEqual([error.name, error.check], ["WebhookInvalid", check])
      assert.notInclude(JSON.stringify(error) + String(error.stack), secret)
    }
    assert.deepInclude(await verifyWebhook({ payload, headers: signed(payload, old), secret, tolerance: "1 hour" }), {
      id: "event-1"
    })
  })

  it("refuses arguments of another type by name", async () => {
    const cases: ReadonlyArray<[unknown, string]> = [
      [undefined, "options.payload must be a string or bytes"],
      [{ payload: { parsed: true }, headers: {}, secret }, "options.payload must be a string or bytes"],
      [{ payload, headers: "x", secret }, "options.headers must be an object"],
      [{ payload, headers: {} }, "options.secret must be a string or an array of strings"],
      [{ payload, headers: {}, secret: [5] }, "options.secret must be a string or an array of strings"],
      [{ payload, headers: {}, secret, tolerance: "5" }, "options.tolerance must be milliseconds, or a duration like"]
    ]
    for (const [options, says] of cases) {
      const call = () => verifyWebhook(options as Parameters<typeof verifyWebhook>[0])
      const error = await call().catch((error: unknown) => error)
      assert.instanceOf(error, RequestFailed)
      assert.include(error.message, says)
    }
  })
})
