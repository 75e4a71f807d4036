import { createHmac } from "node:crypto"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import {
  create,
  Generic,
  NotFound,
  type Options,
  RequestFailed,
  signWebhook,
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
    ["POST", "order-1001", 3]
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

  for (const path of [
    `/transactions/${Promise.resolve("t1")}`,
    `/transactions/${undefined}/refunds`,
    "/transactions/NaN"
  ]) {
    it.scopedLive(`sends nothing to a path that was put together from no string: ${path}`, () =>
      Effect.gen(function* () {
        const { baseUrl, requests } = yield* script(json({}))
        const client = yield* open(baseUrl)
        const error = yield* outcome(() => client.request("GET", path))
        assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
        assert.strictEqual(requests.length, 0)
      })
    )
  }

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

  it.scopedLive(
    "is named in traces by the template of its path, without ids, and shows no card number and no secret",
    () =>
      Effect.gen(function* () {
        const { baseUrl } = yield* script(json({}))
        const [, spans] = yield* registered(
          Effect.scoped(
            Effect.gen(function* () {
              const client = yield* open(baseUrl)
              yield* outcome(() =>
                client.request("GET", "/buyers/b-1/payment-methods/8724fd24-5489-4a5d-90fd-0604df7d3b83")
              )
              yield* outcome(() => client.request("GET", "/buyers/ada/payment-methods/lower-case-id?search=ada"))
              yield* outcome(() => client.request("GET", "/disputes/of-tomorrow"))
              yield* outcome(() =>
                client.request("GET", "/payment-methods/4111111111111111?q=4111%201111%201111%201111")
              )
              yield* outcome(() => client.request("GET", "/transactions/t-1?client_secret=shh-4711&limit=1"))
            })
          )
        )
        assert.sameMembers(
          spans.map((span) => span.name).filter((name) => name !== "Gr4vy.request"),
          [
            "GET /buyers/{id}/payment-methods/{id_2}",
            "GET /buyers/{id}/payment-methods/{id_2}",
            "GET /{id}/{id_2}",
            "GET /payment-methods/{id}",
            "GET /transactions/{id}"
          ]
        )
        const urls = spans.flatMap(({ attributes }) => attributes["url.full"] ?? [])
        assert.lengthOf(urls, 5)
        assert.strictEqual(urls[3], `${baseUrl}/payment-methods/{card}?q={card}`)
        assert.strictEqual(urls[4], `${baseUrl}/transactions/t-1?client_secret={client_secret}&limit=1`)
        assert.notInclude(JSON.stringify(spans.map(({ attributes, name }) => ({ attributes, name }))), "1111")
      })
  )

  const lossy: ReadonlyArray<[what: string, body: unknown, path: string]> = [
    ["a Promise", Promise.resolve({ amount: 450 }), "body"],
    ["a Map", new Map([["amount", 450]]), "body"],
    ["a FormData", new FormData(), "body"],
    ["an amount that is undefined", { amount: undefined }, "body.amount"],
    ["an amount that is NaN", { amount: Number.NaN }, "body.amount"],
    ["an amount that is a bigint", { amount: 450n }, "body.amount"],
    [
      "a class with getters",
      new (class {
        get amount() {
          return 450
        }
      })(),
      "body"
    ],
    ["a function", () => 450, "body"],
    ["undefined in an array", { items: [1, undefined] }, "body.items.1"]
  ]
  for (const [what, body, path] of lossy) {
    it.scopedLive(`sends nothing for a body that JSON would change in silence: ${what}`, () =>
      Effect.gen(function* () {
        const { baseUrl, requests } = yield* script(json({}))
        const client = yield* open(baseUrl)
        const error = yield* outcome(() => client.request("POST", "/transactions/t-1/refunds", { body }))
        assert.instanceOf(error, RequestFailed)
        assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no" })
        assert.isTrue(error.message.startsWith(`Nothing was sent: ${path} must be`), error.message)
        assert.notInclude(error.message, "450")
        assert.lengthOf(requests, 0)
      })
    )
  }

  for (const body of [undefined, null]) {
    it.scopedLive(
      `sends nothing for a POST, PUT or PATCH whose body is there and ${body}, a GET and a DELETE all the same`,
      () =>
        Effect.gen(function* () {
          const { baseUrl, requests } = yield* script(json({}))
          const client = yield* open(baseUrl)
          for (const method of ["POST", "PUT", "PATCH"] as const) {
            const error = yield* outcome(() => client.request(method, "/transactions/t-1/refunds", { body }))
            assert.instanceOf(error, RequestFailed)
            assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no" })
            assert.match(error.message, new RegExp(`options\\.body must be a value, or left out: it is ${body}`))
          }
          assert.lengthOf(requests, 0)
          yield* outcome(() => client.request("GET", "/transactions/t-1", { body }))
          yield* outcome(() => client.request("DELETE", "/buyers/b-1", { body }))
          assert.lengthOf(requests, 2)
        })
    )
  }

  const inherited = { body: { amount: 450 } }
  class Held {
    readonly #body = { amount: 450 }
    held() {
      return this.#body
    }
  }
  const lostOptions: ReadonlyArray<[what: string, options: object]> = [
    ["a Promise", Promise.resolve(inherited)],
    ["a Map", new Map([["body", inherited.body]])],
    ["an array", []],
    ["an object with private fields", new Held()],
    [
      "a getter that is misspelt",
      new (class {
        get boddy() {
          return inherited.body
        }
      })()
    ]
  ]
  for (const [what, options] of lostOptions) {
    it.scopedLive(`sends nothing for options that would lose the body: ${what}`, () =>
      Effect.gen(function* () {
        const { baseUrl, requests } = yield* script(json({}))
        const client = yield* open(baseUrl)
        const error = yield* outcome(() => client.request("POST", "/transactions/t-1/refunds", options))
        assert.instanceOf(error, RequestFailed)
        assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no" })
        assert.lengthOf(requests, 0)
      })
    )
  }

  it.scopedLive("sends the body that options inherit, or have as a getter", () =>
    Effect.gen(function* () {
      const bodies: Array<string> = []
      const { baseUrl } = yield* script(recording(bodies, json({})))
      const client = yield* open(baseUrl)
      class Options {
        get body() {
          return inherited.body
        }
      }
      for (const options of [Object.create(inherited), new Options()]) {
        yield* outcome(() => client.request("POST", "/transactions/t-1/refunds", options))
      }
      assert.deepStrictEqual(bodies, ['{"amount":450}', '{"amount":450}'])
    })
  )

  it.scopedLive("shows no value of a secret's name that is echoed, at any depth", () =>
    Effect.gen(function* () {
      const names = [
        ...["pin", "cryptogram", "token", "password", "secret", "client_secret", "private_key"],
        ...["session_token", "oauth_password", "loon_secret_key", "account_updater_response_decryption_key"]
      ]
      const secretOf = (name: string) => `${name.length}Ag${[...name].reverse().join("").replaceAll("_", "")}9`
      const body = {
        deep: [{ payment_method: Object.fromEntries(names.map((name) => [name, secretOf(name)])) }],
        token: { data: { part: ["wallet-part-1", "wallet-part-2"] }, number: 8341 },
        currency: "shown-currency"
      }
      const secrets = [...names.map(secretOf), "wallet-part-1", "wallet-part-2", "8341"]
      const message = `bad ${secrets.join(" and ")} for shown-currency`
      const { baseUrl } = yield* script(
        reply(422, JSON.stringify({ type: "error", code: "bad_request", message }), {
          "content-type": "application/json"
        })
      )
      const client = yield* open(baseUrl)
      const error = yield* outcome(() => client.request("POST", "/transactions", { body }))
      assert.instanceOf(error, Generic)
      assert.include(error.message, "for shown-currency")
      for (const secret of secrets) assert.notInclude(error.message, secret)
    })
  )

  it.scopedLive("rejects with the id of the existing resource where a 409 names it", () =>
    Effect.gen(function* () {
      const resource_id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"
      const body = { type: "error", code: "duplicate_record", message: "exists", resource_id }
      const { baseUrl } = yield* script(
        reply(409, JSON.stringify(body), { "content-type": "application/json" }),
        reply(409, "{}", { "content-type": "application/json" })
      )
      const client = yield* open(baseUrl)
      const error = yield* outcome(() => client.request("POST", "/buyers", { body: {} }))
      assert.instanceOf(error, Generic)
      assert.strictEqual(error.resourceId, resource_id)
      assert.strictEqual(error.toJSON()["resourceId"], resource_id)
      const other = yield* outcome(() => client.request("POST", "/buyers", { body: {} }))
      assert.instanceOf(other, Generic)
      assert.notProperty(other, "resourceId")
    })
  )

  const unkeyed = [
    ["POST", "/payouts"],
    ["POST", "/transactions/t-1/cancel"],
    ["PATCH", "/transactions/t-1"],
    ["PUT", "/transactions/t-1"]
  ] as const
  for (const [method, path] of unkeyed) {
    it.scopedLive(`sends nothing with a key that the API ignores: ${method} ${path}`, () =>
      Effect.gen(function* () {
        const { baseUrl, requests } = yield* script(dropped)
        const client = yield* open(baseUrl)
        const error = yield* outcome(() => client.request(method, path, { body: {}, idempotencyKey: "order-1001/1" }))
        assert.match(String(error), /Nothing was sent: Gr4vy honours no idempotency key on/)
        assert.lengthOf(requests, 0)
      })
    )
  }

  it.scopedLive("retries with the same key where the API honours it", () =>
    Effect.gen(function* () {
      const paths = [
        "/transactions",
        ...["capture", "void", "refunds", "refunds/all", "authorization/increment"].map(
          (of) => `/transactions/t-1/${of}`
        ),
        "/gift-cards/activations",
        "/gift-cards/issuances"
      ]
      const { baseUrl, requests } = yield* script(dropped)
      const client = yield* open(baseUrl)
      for (const path of paths) yield* outcome(() => client.request("POST", path, { body: {}, idempotencyKey: path }))
      assert.deepStrictEqual(
        requests.map(({ headers, url }) => [url, headers["idempotency-key"]]),
        paths.flatMap((path) => [
          [path, path],
          [path, path],
          [path, path]
        ])
      )
    })
  )

  const answers: ReadonlyArray<["GET" | "POST" | "PUT", string, object, boolean]> = [
    ["GET", "/transactions/t-1", { id: "t-1" }, true],
    ["GET", "/transactions/T-1", { id: "t-1" }, true],
    ["GET", "/transactions/t-1", { id: "t-2" }, false],
    ["PUT", "/buyers/b-1", { id: "b-2" }, false],
    ["GET", "/transactions/t-1/refunds/r-1", { id: "r-1", transaction_id: "t-2" }, false],
    ["GET", "/transactions/t-1/refunds/r-1", { id: "r-1", transaction_id: "t-1" }, true],
    ["POST", "/transactions/t-1/refunds", { type: "refund", id: "r-1", transaction_id: "t-2" }, false],
    ["POST", "/transactions/t-1/refunds", { type: "refund", id: "r-1", transaction_id: "t-1" }, true],
    ["POST", "/transactions/t-1/capture", { type: "transaction", id: "t-2" }, false],
    ["POST", "/transactions/t-1/capture", { type: "transaction", id: "t-1" }, true],
    [
      "POST",
      "/transactions/t-1/capture",
      { type: "transaction", id: "t-2", reauthorized_from_transaction_id: "t-1" },
      true
    ],
    ["GET", "/transactions/t-1/refunds", { items: [] }, true],
    ["POST", "/transactions/of-tomorrow", { id: "job-1" }, true]
  ]
  it.scopedLive("takes no response that names another resource than its path, and closes its connection", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(...answers.map(([, , answer]) => json(answer)))
      const client = yield* open(baseUrl)
      for (const [method, path, answer, isOurs] of answers) {
        const result = yield* outcome(() => client.request(method, path))
        if (isOurs) assert.deepStrictEqual(result, answer)
        else assert.deepInclude(result, { reason: "InvalidResponse", delivered: "unknown" }, `${method} ${path}`)
      }
      const sockets = requests.map(({ socket }) => socket)
      answers.slice(0, -1).forEach(([method, path, , isOurs], index) => {
        assert.strictEqual(sockets[index] === sockets[index + 1], isOurs, `${method} ${path}`)
      })
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
    name: "later.event",
    created_at: "2027-01-01T00:00:00+00:00",
    target: { id: "tx", some_key: 1 }
  })
  const signed = (text: string, seconds = Math.floor(Date.now() / 1000)) => ({
    "x-gr4vy-webhook-signatures": createHmac("sha256", secret).update(`${seconds}.${text}`).digest("hex"),
    "x-gr4vy-webhook-timestamp": String(seconds)
  })

  it("resolves to the event, from a record or from Headers, with one secret or several", async () => {
    const expected: unknown = {
      type: "event",
      id: "event-1",
      isKnown: false,
      name: "later.event",
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
      [{ payload: "{}" }, signed("{}"), "Payload"],
      [{ payload: { parsed: true } }, signed(payload), "Payload"],
      [{ payload: undefined }, signed(payload), "Payload"],
      [{ secret: "" }, signed(payload), "Signature"]
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
      [undefined, "options.headers must be an object or an array of pairs"],
      [{ payload, headers: "x", secret }, "options.headers must be an object or an array of pairs"],
      [{ payload, headers: {} }, "options.secret must be a string or an array of strings"],
      [{ payload, headers: {}, secret: [5] }, "options.secret must be a string or an array of strings"],
      [{ payload, headers: {}, secret, tolerance: "5" }, "options.tolerance must be milliseconds, or a duration like"]
    ]
    for (const [options, says] of cases) {
      const call = () => verifyWebhook(options as Parameters<typeof verifyWebhook>[0])
      const error = await call().catch((error: unknown) => error)
      assert.instanceOf(error, RequestFailed)
      assert.include(error.message, says)
      assert.match(error.message, /^No webhook was verified: /)
    }
  })

  it("resolves from headers in any form, and from bytes of any kind", async () => {
    const pairs = Object.entries(signed(payload))
    const bytes = new TextEncoder().encode(payload)
    for (const headers of [pairs, new Map(pairs), new Headers(pairs).entries(), Object.fromEntries(pairs)]) {
      assert.deepInclude(await verifyWebhook({ payload, headers, secret }), { id: "event-1" })
    }
    for (const given of [
      bytes.buffer.slice(0),
      Buffer.from(payload),
      runInNewContext("Uint8Array.from(x)", { x: [...bytes] })
    ]) {
      assert.deepInclude(await verifyWebhook({ payload: given, headers: signed(payload), secret }), { id: "event-1" })
    }
  })

  it("says in its own words what is wrong with a payload or a secret", async () => {
    const cases: ReadonlyArray<[object, RegExp]> = [
      [{ payload: JSON.parse(payload) }, /^The payload is a parsed body\. Pass the raw body as it arrived/],
      [{ payload: undefined }, /^There is no payload\. Pass the raw body/],
      [{ secret: "" }, /^The secret is empty: set it\.$/],
      [{ secret: "undefined" }, /the secret is the word "undefined": set it/],
      [{ secret: `"${secret}"` }, /the secret is in quotes: remove them/],
      [{ secret: `${secret}\n` }, /begins or ends with a blank or a line break/]
    ]
    for (const [other, says] of cases) {
      const options = { payload, headers: signed(payload), secret, ...other }
      const error = await verifyWebhook(options).catch((error: unknown) => error)
      assert.instanceOf(error, WebhookInvalid)
      assert.match(error.message, says)
    }
  })

  it("resolves to a target as deep as JSON goes", async () => {
    const deep = `{"id":"e","name":"n","target":${'{"a":'.repeat(4000)}1${"}".repeat(4000)}}`
    assert.property((await verifyWebhook({ payload: deep, headers: signed(deep), secret })).target, "a")
  })
})

describe("signWebhook", () => {
  const payload = JSON.stringify({ id: "e1", name: "n" })

  it("resolves to the headers of a delivery that verifyWebhook accepts", async () => {
    const headers = await signWebhook({ payload, secret: ["old", "new"] })
    for (const secret of ["old", "new"]) {
      assert.deepInclude(await verifyWebhook({ payload, headers, secret }), { id: "e1" })
    }
    assert.deepStrictEqual(await signWebhook({ payload, secret: "s", timestamp: 1767225600, id: "d1" }), {
      "X-Gr4vy-Webhook-Signatures": createHmac("sha256", "s").update(`1767225600.${payload}`).digest("hex"),
      "X-Gr4vy-Webhook-Timestamp": "1767225600",
      "X-Gr4vy-Webhook-ID": "d1"
    })
  })

  it("refuses what it cannot sign, in one sentence", async () => {
    const cases: ReadonlyArray<[object, RegExp]> = [
      [{ payload: {}, secret: "s" }, /^The payload is a parsed body/],
      [{ payload, secret: "" }, /^The secret is empty/],
      [{ payload, secret: "s", timestamp: 1.5 }, /^The timestamp is not a number of seconds/],
      [{ payload }, /^No webhook was signed: options\.secret must be a string or an array of strings\.$/],
      [{ payload, secret: "s", timestmap: 1 }, /^No webhook was signed: options: .*did you mean timestamp\?/]
    ]
    for (const [options, says] of cases) {
      const error = await signWebhook(options as Parameters<typeof signWebhook>[0]).catch((error: unknown) => error)
      assert.instanceOf(error, Error)
      assert.match(error.message, says)
    }
  })
})
