import type { IncomingMessage } from "node:http"
import { inspect } from "node:util"
import { FetchHttpClient, HttpApiEndpoint } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Credentials, Endpoint, Generic, Gr4vyHttpClient, NotFound, RequestFailed } from "@effect-gr4vy/core"
import { Cause, Effect, Layer, Redacted, Schema } from "effect"
import { token } from "../support/layers.js"
import { type Answer, reply, script } from "../support/script.js"

class Conflict extends Schema.TaggedError<Conflict>()(
  "Conflict",
  {
    message: Schema.String,
    resource_id: Schema.String,
    status: Schema.Literal(409),
    requestId: Schema.optional(Schema.String)
  },
  Endpoint.status(409)
) {}

const Transaction = Schema.Struct({ id: Schema.String }).annotations({ identifier: "Transaction" })

// A schema as users write it: its own messages would quote the value.
const Currency = Schema.String.pipe(Schema.pattern(/^[A-Z]{3}$/))

const endpoints = {
  create: Endpoint.post("Transactions.create", "/transactions", {
    payload: Schema.Struct({
      amount: Schema.Int.pipe(Schema.between(0, 99_999_999)),
      currency: Currency,
      pin: Schema.optional(Schema.Redacted(Schema.String)),
      metadata: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String }))
    }),
    success: Transaction,
    errors: [Conflict],
    resend: "keyed",
    scope: "transactions.write"
  }),
  get: Endpoint.get("Transactions.get", "/transactions/{transaction_id}", {
    params: { transaction_id: Schema.String },
    success: Transaction,
    errors: [NotFound],
    scope: "transactions.read",
    belongs: ({ id }, { transaction_id }) => id === transaction_id
  }),
  list: Endpoint.get("Transactions.list", "/transactions", {
    query: Schema.Struct({
      limit: Schema.optional(Schema.NumberFromString),
      status: Schema.optional(Schema.Array(Schema.String)),
      card: Schema.optional(Schema.Redacted(Schema.String))
    }),
    success: Schema.Array(Transaction),
    scope: "transactions.read"
  }),
  event: Endpoint.get("Transactions.event", "/transactions/{transaction_id}/events/{number}", {
    params: { transaction_id: Schema.String, number: Schema.NumberFromString },
    success: Schema.Unknown
  }),
  byCard: Endpoint.get("Cards.get", "/cards/{number}", {
    params: { number: Schema.Redacted(Schema.String) },
    success: Transaction
  }),
  capture: Endpoint.post("Transactions.capture", "/transactions/{transaction_id}/capture", {
    params: { transaction_id: Schema.String },
    payload: Endpoint.optional(Schema.Struct({ amount: Schema.Int })),
    success: Transaction,
    resend: "once",
    status: 200
  })
}

type Client = Endpoint.Client<typeof endpoints>

/** Runs a call against a server with these answers; yields its outcome and the requests that came in. */
const calling = <A, E>(call: (client: Client) => Effect.Effect<A, E>, ...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const { baseUrl, requests } = yield* script(...answers)
    const layer = Gr4vyHttpClient.layer({ baseUrl }).pipe(
      Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make(token))])
    )
    const outcome = yield* Endpoint.client(endpoints).pipe(Effect.flatMap(call), Effect.provide(layer), Effect.either)
    return { outcome, requests }
  })

const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  reply(status, JSON.stringify(body), { "content-type": "application/json", ...headers })

const transaction = json(200, { id: "t1" })
const urls = (requests: ReadonlyArray<IncomingMessage>) => requests.map(({ method, url }) => `${method} ${url}`)

const failure = (outcome: Effect.Effect.Success<ReturnType<typeof calling>>["outcome"]) => {
  assert(outcome._tag === "Left")
  return outcome.left
}

describe("a client of endpoints", () => {
  it.scopedLive("puts parameters, query, payload and key where they belong", () =>
    Effect.gen(function* () {
      const bodies: Array<string> = []
      const recording: Answer = (request, response) => {
        request.setEncoding("utf8").on("data", (chunk: string) => bodies.push(chunk))
        request.on("end", () => transaction(request, response))
      }
      const { outcome, requests } = yield* calling(
        (client) =>
          Effect.all([
            client.event({ transaction_id: "a b/ü".replace("/", ""), number: 7 }),
            client.create(
              { amount: 1299, currency: "USD", pin: Redacted.make("2468"), metadata: { camelCase: "kept" } },
              { idempotencyKey: "order 1001" }
            ),
            client.capture("t1"),
            client.capture("t1", { amount: 5 })
          ]),
        recording
      )
      assert.strictEqual(outcome._tag, "Right")
      assert.deepStrictEqual(urls(requests), [
        "GET /transactions/a%20b%C3%BC/events/7",
        "POST /transactions",
        "POST /transactions/t1/capture",
        "POST /transactions/t1/capture"
      ])
      assert.deepStrictEqual(
        requests.map(({ headers }) => headers["idempotency-key"]),
        [undefined, "order 1001", undefined, undefined]
      )
      assert.deepStrictEqual(
        requests.map(({ headers }) => headers["content-type"]),
        [undefined, "application/json", undefined, "application/json"]
      )
      assert.deepStrictEqual(bodies, [
        '{"amount":1299,"currency":"USD","pin":"2468","metadata":{"camelCase":"kept"}}',
        '{"amount":5}'
      ])
    })
  )

  it.scopedLive("puts a query on the URL, lists repeated", () =>
    Effect.gen(function* () {
      const { outcome, requests } = yield* calling(
        (client) => Effect.all([client.list(), client.list({ limit: 2, status: ["a b", "c"] })]),
        json(200, [{ id: "t1" }])
      )
      assert.strictEqual(outcome._tag, "Right")
      assert.deepStrictEqual(urls(requests), ["GET /transactions", "GET /transactions?limit=2&status=a+b&status=c"])
    })
  )

  it.scopedLive("has the endpoint's own error, without the echoed secret", () =>
    Effect.gen(function* () {
      const { outcome } = yield* calling(
        ({ create }) =>
          create({ amount: 1, currency: "USD", pin: Redacted.make("pin-24681357") }, { idempotencyKey: "k" }),
        json(409, { resource_id: "r1", message: "PIN pin-24681357 is taken" }, { "x-request-id": "req-1" })
      )
      const error = failure(outcome)
      assert.instanceOf(error, Conflict)
      assert.deepInclude(error, { resource_id: "r1", status: 409, requestId: "req-1" })
      assert.notInclude(inspect(error, { depth: 10, showHidden: true }), "24681357")
    })
  )

  it.scopedLive("is Generic if the body does not match the endpoint's own error", () =>
    Effect.gen(function* () {
      const { outcome } = yield* calling(
        ({ create }) => create({ amount: 1, currency: "USD" }, { idempotencyKey: "k" }),
        json(409, { type: "error", code: "concurrent_request", message: "Still running" })
      )
      const error = failure(outcome)
      assert.instanceOf(error, Generic)
      assert.deepInclude(error, { status: 409, code: "concurrent_request", message: "Still running" })
    })
  )

  it.scopedLive("has NotFound only where the endpoint declares it", () =>
    Effect.gen(function* () {
      const body = { type: "error", code: "not_found", status: 404, message: "No", details: [] }
      const declared = yield* calling(({ get }) => get("t1"), json(404, body))
      assert.instanceOf(failure(declared.outcome), NotFound)
      const undeclared = yield* calling(({ capture }) => capture("t1"), json(404, body))
      const error = failure(undeclared.outcome)
      assert.instanceOf(error, Generic)
      assert.deepInclude(error, { status: 404, code: "not_found", message: "No" })
    })
  )

  it.scopedLive("refuses a success of another shape, and the response to another request", () =>
    Effect.gen(function* () {
      const shape = failure((yield* calling(({ get }) => get("t1"), json(200, { no: "id" }))).outcome)
      assert.deepInclude(shape, { _tag: "RequestFailed", reason: "InvalidResponse", delivered: "yes" })
      assert.include(Object(shape).message, "JSON of an unexpected shape instead of the expected Transaction")
      const other = failure((yield* calling(({ get }) => get("t2"), transaction)).outcome)
      assert.deepInclude(other, { _tag: "RequestFailed", reason: "InvalidResponse", delivered: "unknown" })
      assert.include(Object(other).message, "the Transaction of another request")
    })
  )

  it.scopedLive("has the request's id in errors, unless it may be a secret", () =>
    Effect.gen(function* () {
      const fine = yield* calling(({ get }) => get("t1"), json(500, {}, { "x-request-id": "req-42" }))
      assert.deepInclude(failure(fine.outcome), { requestId: "req-42", attempts: 1 })
      const invalid = yield* calling(({ get }) => get("t1"), reply(200, "<html>", { "request-id": "req-43" }))
      assert.deepInclude(failure(invalid.outcome), { reason: "InvalidResponse", requestId: "req-43" })
      const card = yield* calling(({ get }) => get("t1"), json(500, {}, { "x-request-id": "4111111111111111" }))
      assert.notProperty(failure(card.outcome), "requestId")
    })
  )

  it.scopedLive("runs beforeSend before the request, and sends nothing when it fails", () =>
    Effect.gen(function* () {
      const attempts: Array<number> = []
      const { outcome, requests } = yield* calling(
        ({ get }) => get("t1", { beforeSend: (attempt) => Effect.sync(() => void attempts.push(attempt)) }),
        transaction
      )
      assert.strictEqual(outcome._tag, "Right")
      assert.deepStrictEqual([attempts, requests.length], [[1], 1])
      const taken = new RequestFailed({ reason: "InvalidRequest", delivered: "unknown", attempts: 0, message: "taken" })
      const refused = yield* calling(({ get }) => get("t1", { beforeSend: () => Effect.fail(taken) }), transaction)
      assert.strictEqual(failure(refused.outcome), taken)
      assert.lengthOf(refused.requests, 0)
    })
  )
})

const marker = "SECRET-41111"
const forced = <A>(value: unknown): A => value as A

const badInput: ReadonlyArray<
  readonly [what: string, call: (client: Client) => Effect.Effect<unknown, unknown>, message: RegExp]
> = [
  ...["", ".", "..", "%2e%2e", "%2E.", "a/b", "../x", "a\\b", "a?b", "a#b", "a\nb", "a%2fb", "\ud800", "a\u0000"].map(
    (id) =>
      [
        `a path parameter ${JSON.stringify(id)}`,
        (client: Client) => client.event({ transaction_id: id, number: 1 }),
        /^Nothing was sent: transaction_id must be one segment of a path/
      ] as const
  ),
  [
    "a parameter that is no string",
    ({ get }) => get(forced({ toString: () => marker })),
    /^Nothing was sent: transaction_id must be a string/
  ],
  ["a record of parameters that is none", ({ event }) => event(forced(null)), /transaction_id must be a string/],
  [
    "a payload that the schema refuses",
    ({ create }) => create({ amount: 1, currency: marker }, { idempotencyKey: "k" }),
    /^Nothing was sent: payload\.currency must match \^\[A-Z\]\{3\}\$/
  ],
  [
    "a property of another name",
    ({ create }) => create(forced({ amount: 1, currency: "USD", [marker]: 1 }), { idempotencyKey: "k" }),
    /^Nothing was sent: payload/
  ],
  [
    "a payload that is a secret itself",
    ({ create }) => create(forced(marker), { idempotencyKey: "k" }),
    /^Nothing was sent: payload/
  ],
  ["no payload", ({ create }) => create(forced(undefined), { idempotencyKey: "k" }), /^Nothing was sent: payload/],
  [
    "a query that the schema refuses",
    ({ list }) => list(forced({ status: marker })),
    /^Nothing was sent: query\.status/
  ],
  ...["", "k".repeat(256), `${marker}\n`, `${marker}\u0000`, " k", "k ", "ключ", undefined, null, 7].map(
    (key) =>
      [
        `the idempotency key ${JSON.stringify(key)?.slice(0, 20)}`,
        ({ create }: Client) => create({ amount: 1, currency: "USD" }, { idempotencyKey: forced(key) }),
        /^Nothing was sent: idempotencyKey must be 1 to 255 visible ASCII characters/
      ] as const
  ),
  [
    "no options for a keyed call",
    ({ create }) => create({ amount: 1, currency: "USD" }, forced(undefined)),
    /idempotencyKey must be/
  ]
]

describe("bad input", () => {
  it.scopedLive.each(badInput)("%s is InvalidRequest with the field named and nothing sent", ([, call, message]) =>
    Effect.gen(function* () {
      const { outcome, requests } = yield* calling(call, transaction)
      const error = failure(outcome)
      assert.instanceOf(error, RequestFailed)
      assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
      assert.match(error.message, message)
      assert.notInclude(inspect(error, { depth: 10, showHidden: true }) + Cause.pretty(Cause.fail(error)), "SECRET")
      assert.lengthOf(requests, 0)
    })
  )

  it.scopedLive("a key of 255 characters is sent", () =>
    Effect.gen(function* () {
      const key = "k".repeat(255)
      const { requests } = yield* calling(
        ({ create }) => create({ amount: 1, currency: "USD" }, { idempotencyKey: key }),
        transaction
      )
      assert.strictEqual(requests[0]?.headers["idempotency-key"], key)
    })
  )
})

describe("a secret parameter", () => {
  it.scopedLive("is sent, and scrubbed from the server's messages", () =>
    Effect.gen(function* () {
      const secret = "customer-9f8e7d"
      const echo: Answer = ({ url }, response) => {
        response.writeHead(400).end(JSON.stringify({ message: `No such thing: ${url}`, code: secret }))
      }
      const { outcome, requests } = yield* calling(({ byCard }) => byCard(Redacted.make(secret)), echo)
      assert.deepStrictEqual(urls(requests), [`GET /cards/${secret}`])
      assert.notInclude(inspect(failure(outcome), { depth: 10, showHidden: true }), secret)
    })
  )
})

describe("an implementation of endpoints", () => {
  it.effect("has the functions of a client around code of its own, and keeps bad input from it", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const { get, list } = endpoints
      const fake = Endpoint.implement(
        { get, list },
        {
          get: (id) =>
            Effect.as(
              Effect.sync(() => seen.push(id)),
              { id }
            ),
          list: () => Effect.fail(new Generic({ status: 503, message: "down" }))
        }
      )
      assert.deepStrictEqual(yield* fake.get("t1"), { id: "t1" })
      assert.deepInclude(yield* Effect.flip(fake.list()), { status: 503 })
      assert.deepInclude(yield* Effect.flip(fake.get("..")), { reason: "InvalidRequest" })
      assert.deepStrictEqual(seen, ["t1"])
      assert.deepStrictEqual(Object.keys(fake), ["get", "list"])
      assert.deepStrictEqual(fake[Endpoint.Implemented], { get, list })
    })
  )
})

describe("the scopes of endpoints", () => {
  it("are each there once", () => {
    assert.deepStrictEqual(Endpoint.scopes(endpoints), ["transactions.write", "transactions.read"])
  })
})

describe("an endpoint from the platform's", () => {
  it.scopedLive("is called like any other", () =>
    Effect.gen(function* () {
      const refund = Endpoint.fromHttpApi(
        HttpApiEndpoint.post("refund", "/transactions/:transaction_id/refunds")
          .setPath(Schema.Struct({ transaction_id: Schema.String }))
          .setPayload(Schema.Struct({ amount: Schema.Int }))
          .addSuccess(Transaction, { status: 201 })
          .addError(Conflict),
        { resend: "keyed", name: "Transactions.refund", scope: "transactions.write" }
      )
      assert.deepInclude(refund, {
        name: "Transactions.refund",
        path: "/transactions/{transaction_id}/refunds",
        resend: "keyed",
        status: 201
      })
      const { baseUrl, requests } = yield* script(
        json(201, { id: "r1" }),
        json(409, { resource_id: "r0", message: "again" })
      )
      const layer = Gr4vyHttpClient.layer({ baseUrl }).pipe(
        Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make(token))])
      )
      const client = yield* Effect.provide(Endpoint.client({ refund }), layer)
      assert.deepStrictEqual(yield* client.refund("t1", { amount: 1 }, { idempotencyKey: "k" }), { id: "r1" })
      const again = yield* Effect.flip(client.refund("t1", { amount: 1 }, { idempotencyKey: "k" }))
      assert.instanceOf(again, Conflict)
      assert.deepStrictEqual(urls(requests), Array(2).fill("POST /transactions/t1/refunds"))
      assert.strictEqual(requests[0]?.headers["idempotency-key"], "k")
    })
  )
})
