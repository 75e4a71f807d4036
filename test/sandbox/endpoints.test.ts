import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, Endpoint, Generic, NotFound } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { validate } from "@readme/openapi-parser"
import { Effect, Layer, Redacted, Ref, Schema } from "effect"
import { handmade, newPair, spki, thumbprint } from "../support/keys.js"
import { request } from "./support.js"

class Conflict extends Schema.TaggedError<Conflict>()(
  "Conflict",
  { message: Schema.String, resource_id: Schema.String },
  Endpoint.status(409)
) {}

const Payload = Schema.Struct({
  amount: Schema.Int.pipe(Schema.between(1, 1000)),
  cardNumber: Schema.optional(Schema.Redacted(Schema.String.pipe(Schema.pattern(/^\d{16}$/)))).pipe(
    Schema.fromKey("card_number")
  ),
  sessionId: Schema.optional(CheckoutSessionId).pipe(Schema.fromKey("session_id"))
})

const Transaction = Schema.Struct({ id: Schema.String, amount: Schema.Int, key: Schema.String })

const params = { transaction_id: Schema.String.pipe(Schema.pattern(/^t\d+$/)) }

const transactions = {
  create: Endpoint.post("Transactions.create", "/transactions", {
    payload: Payload,
    success: Transaction,
    errors: [Conflict, NotFound],
    resend: "keyed",
    scope: "transactions.write"
  }),
  search: Endpoint.get("Transactions.search", "/transactions/search", {
    query: Schema.Struct({
      limit: Schema.optional(Schema.NumberFromString.pipe(Schema.between(1, 10))),
      currency: Schema.optional(Schema.Array(Schema.String))
    }),
    success: Schema.Struct({ limit: Schema.Number, currency: Schema.Array(Schema.String) }),
    scope: "transactions.read"
  }),
  get: Endpoint.get("Transactions.get", "/transactions/{transaction_id}", {
    params,
    success: Transaction,
    errors: [NotFound],
    scope: "transactions.read"
  }),
  refund: Endpoint.post("Transactions.refund", "/transactions/{transaction_id}/refunds/{refund_id}", {
    params: { ...params, refund_id: Schema.NumberFromString },
    success: Schema.Struct({ id: Schema.String, refund: Schema.Number }),
    resend: "once",
    scope: "refunds.write"
  }),
  ping: Endpoint.post("Transactions.ping", "/ping", { resend: "idempotent" })
}

/** Transactions in memory: an effect, because they are state. */
const implementation = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const known = yield* Ref.make<ReadonlyArray<typeof Transaction.Type>>([])
  return Endpoint.implement(transactions, {
    create: ({ amount, sessionId }, { idempotencyKey }) =>
      Effect.gen(function* () {
        if (amount === 13) return yield* new Conflict({ message: "Unlucky", resource_id: "t13" })
        if (amount === 14) return yield* new Generic({ status: 409, code: "concurrent_request", message: "Wait" })
        if (amount === 15) return yield* Effect.dieMessage("4111111111111111")
        if (sessionId !== undefined) {
          yield* Effect.catchTag(sessions.get(sessionId), "Unauthorized", (error) => Effect.die(error))
        }
        return yield* Ref.modify(known, (all) => {
          const transaction = all.find(({ key }) => key === idempotencyKey) ?? {
            id: `t${all.length + 1}`,
            amount,
            key: idempotencyKey
          }
          return [transaction, all.includes(transaction) ? all : [...all, transaction]]
        })
      }),
    search: ({ currency = [], limit = 0 } = {}) => Effect.succeed({ currency, limit }),
    get: (id) =>
      Effect.flatMap(Ref.get(known), (all) => {
        const found = all.find((one) => one.id === id)
        return found === undefined
          ? Effect.fail(new NotFound({ message: "No such transaction" }))
          : Effect.succeed(found)
      }),
    refund: ({ refund_id, transaction_id }) => Effect.succeed({ id: transaction_id, refund: refund_id }),
    ping: () => Effect.void
  })
})

const endpoints = [implementation]

const post = (body: unknown, headers: Record<string, string> = {}) =>
  request("POST", "/transactions", { body: typeof body === "string" ? body : JSON.stringify(body), headers })

const client = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) =>
    Gr4vy.layer({ baseUrl, token: Redacted.make("any"), retry: RetryPolicy.make({ baseDelay: "1 millis" }) })
  )
)

describe("a sandbox with the user's own endpoints", () => {
  it.live("serves them to the client of the same endpoints, beside Checkout Sessions", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { create, get, ping, refund, search } = yield* Endpoint.client(transactions)
      const { id: sessionId } = yield* sessions.add({ amount: 5 })
      const made = yield* create({ amount: 5, sessionId }, { idempotencyKey: "order-1" })
      assert.deepStrictEqual(made, { id: "t1", amount: 5, key: "order-1" })
      assert.deepStrictEqual(yield* get("t1"), made)
      assert.deepStrictEqual(yield* refund({ transaction_id: "t1", refund_id: 7 }), { id: "t1", refund: 7 })
      assert.deepStrictEqual(yield* search({ currency: ["EUR"] }), { currency: ["EUR"], limit: 0 })
      assert.deepStrictEqual(yield* search({ currency: ["EUR", "USD"], limit: 2 }), {
        currency: ["EUR", "USD"],
        limit: 2
      })
      yield* ping()
      const lost = yield* Effect.flip(
        create({ amount: 5, sessionId: CheckoutSessionId.make("unknown") }, { idempotencyKey: "order-2" })
      )
      assert.strictEqual(lost._tag, "NotFound")
    }).pipe(Effect.provide(client), Effect.provide(Sandbox.layer({ endpoints })))
  )

  it.live("records each request with its path template; a literal segment wins over a parameter", () =>
    Effect.gen(function* () {
      yield* post({ amount: 5 })
      yield* request("GET", "/transactions/search")
      yield* request("GET", "/transactions/t1")
      yield* request("GET", "/transactions/t1/else")
      const { seen } = yield* Sandbox.Sandbox
      assert.deepStrictEqual(
        (yield* seen).map(({ method, route, status }) => [method, route, status]),
        [
          ["POST", "/transactions", 201],
          ["GET", "/transactions/search", 200],
          ["GET", "/transactions/{transaction_id}", 200],
          ["GET", undefined, 404]
        ]
      )
    }).pipe(Effect.provide(Sandbox.layer({ endpoints })))
  )

  it.live("applies scripted faults to them: a keyed request is retried and executed once", () =>
    Effect.gen(function* () {
      const { failNext, seen } = yield* Sandbox.Sandbox
      const { create, get } = yield* Endpoint.client(transactions)
      yield* failNext({ reset: "after" }, { status: 503, retryAfterSeconds: 0 })
      assert.strictEqual((yield* create({ amount: 5 }, { idempotencyKey: "order-1" })).id, "t1")
      assert.strictEqual((yield* Effect.flip(get("t2")))._tag, "NotFound")
      const copies = (yield* seen).filter(({ method }) => method === "POST")
      assert.deepStrictEqual(
        copies.map(({ headers, status }) => [status, headers["idempotency-key"]]),
        [
          [undefined, "order-1"],
          [503, "order-1"],
          [201, "order-1"]
        ]
      )
    }).pipe(Effect.provide(client), Effect.provide(Sandbox.layer({ endpoints })))
  )

  const invalid = (location: string, pointer: string, message: string) => [
    400,
    {
      type: "error",
      code: "bad_request",
      status: 400,
      message: "Request failed validation",
      details: [{ location, type: "value_error", pointer, message }]
    }
  ]
  const notFound = [
    404,
    { type: "error", code: "not_found", status: 404, message: "The resource could not be found", details: [] }
  ]
  const card_number = "4111111111111111x"
  const refused: ReadonlyArray<readonly [string, ReturnType<typeof post>, ReadonlyArray<unknown>]> = [
    [
      "a field that breaks its rule",
      post({ amount: 0 }),
      invalid("body", "/amount", "must be at least 1 and must be at most 1000")
    ],
    ["a field of another type", post({ amount: "4111" }), invalid("body", "/amount", "must be a number")],
    [
      "a secret that breaks its rule",
      post({ amount: 1, card_number }),
      invalid("body", "/card_number", "must match ^\\d{16}$")
    ],
    [
      "an idempotency key that is too long",
      post({ amount: 1 }, { "idempotency-key": "4".repeat(256) }),
      invalid("header", "idempotency-key", "must be 1 to 255 visible ASCII characters")
    ],
    [
      "a query that breaks its rule",
      request("GET", "/transactions/search?limit=4111"),
      invalid("query", "limit", "must be at least 1 and must be at most 10")
    ],
    ["a parameter that breaks its rule", request("GET", "/transactions/4111"), notFound],
    ["one of two parameters that breaks its rule", request("POST", "/transactions/t1/refunds/4111x"), notFound]
  ]
  for (const [what, asked, expected] of refused) {
    it.live(`responds to ${what} in the API's form, without the value`, () =>
      Effect.gen(function* () {
        const { body, status, text } = yield* asked
        assert.deepStrictEqual([status, body], expected)
        assert.notInclude(text, "4111")
      }).pipe(Effect.provide(Sandbox.layer({ endpoints })))
    )
  }

  it.live("responds with the implementation's errors: declared ones, the API's, and defects", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.forEach([13, 14, 15], (amount) => post({ amount }))
      assert.deepStrictEqual(
        answers.map(({ body, status }) => [status, body]),
        [
          [409, { type: "error", message: "Unlucky", resource_id: "t13" }],
          [409, { type: "error", code: "concurrent_request", status: 409, message: "Wait", details: [] }],
          [
            500,
            {
              type: "error",
              code: "server_error",
              status: 500,
              message: "Something went wrong on the server.",
              details: []
            }
          ]
        ]
      )
      assert.strictEqual((yield* request("DELETE", "/transactions/t1")).headers["allow"], "PUT, GET, HEAD")
      assert.strictEqual((yield* request("POST", "/ping", { headers: { authorization: "none" } })).status, 401)
    }).pipe(Effect.provide(Sandbox.layer({ endpoints })))
  )

  it.live("checks a token for the scope of the endpoint; write does not imply read", () => {
    const { privateKey, publicKey } = newPair()
    const bearer = (...scopes: ReadonlyArray<string>) => ({
      authorization: `Bearer ${handmade(
        privateKey,
        { alg: "ES512", typ: "JWT", kid: thumbprint(publicKey) },
        { exp: Date.now() / 1000 + 60, scopes }
      )}`
    })
    const calls = [
      ["POST", "/checkout/sessions"],
      ["POST", "/transactions"],
      ["GET", "/transactions/search"],
      ["GET", "/transactions/t1"],
      ["HEAD", "/transactions/t1"],
      ["POST", "/transactions/t1/refunds/1"],
      ["POST", "/ping"]
    ] as const
    const outcomes = (...scopes: ReadonlyArray<string>) =>
      Effect.forEach(calls, ([method, path]) =>
        Effect.map(
          request(method, path, {
            headers: bearer(...scopes),
            ...(path === "/transactions" ? { body: '{"amount":1}' } : {})
          }),
          ({ status }) => (status === 403 ? "no" : "yes")
        )
      )
    return Effect.gen(function* () {
      assert.deepStrictEqual(
        [
          yield* outcomes(),
          yield* outcomes("transactions.write"),
          yield* outcomes("transactions.read"),
          yield* outcomes("refunds.write", "checkout-sessions.write"),
          yield* outcomes("*.read"),
          yield* outcomes("*.write")
        ].map((all) => all.join(" ")),
        [
          "no no no no no no yes",
          "no yes no no no no yes",
          "no no yes yes yes no yes",
          "yes no no no no yes yes",
          "no no yes yes yes no yes",
          "yes yes no no no yes yes"
        ]
      )
    }).pipe(Effect.provide(Sandbox.layer({ endpoints, publicKey: spki(publicKey) })))
  })

  it.live("describes them in openapi.json and on the docs page", () =>
    Effect.gen(function* () {
      const { text } = yield* request("GET", "/openapi.json")
      const spec = JSON.parse(text)
      const result = yield* Effect.promise(() => validate(JSON.parse(text)))
      assert(result.valid, JSON.stringify(result))
      const { get, post } = spec.paths["/transactions/{transaction_id}"]
      assert.deepStrictEqual([get.tags, get.security, post], [["Transactions"], [{ BearerAuth: [] }], undefined])
      assert.sameMembers(Object.keys(spec.paths["/transactions"].post.responses), [
        "201",
        "401",
        "404",
        "409",
        "default"
      ])
      assert.include(Object.keys(spec.paths), "/checkout/sessions/{checkout_session_id}/fields")
      assert.include((yield* request("GET", "/docs")).text, "/transactions/{transaction_id}/refunds/{refund_id}")
    }).pipe(Effect.provide(Sandbox.layer({ endpoints })))
  )

  it.live("does not start with two endpoints at the same method and path", () =>
    Effect.gen(function* () {
      const twice = Endpoint.implement(
        {
          get: Endpoint.get("Others.get", "/transactions/{id}", { params: { id: Schema.String }, success: Schema.Null })
        },
        { get: () => Effect.succeed(null) }
      )
      const error = yield* Effect.flip(
        Effect.provide(Sandbox.Sandbox, Sandbox.layer({ endpoints: [implementation, twice] }))
      )
      assert.strictEqual(error._tag, "ServeError")
      assert.include(inspect(error.cause), "two endpoints are served at GET /transactions/{}.")
    })
  )
})

const Id = Schema.String.pipe(Schema.pattern(/^t\d+$/))

/** One endpoint of each form that Checkout Sessions do not have. */
const forms = {
  change: Endpoint.patch("Forms.change", "/forms/{form_id}", {
    params: { form_id: Id },
    payload: Schema.Struct({ amount: Schema.Int }),
    query: Schema.Struct({ dryRun: Schema.optional(Schema.BooleanFromString).pipe(Schema.fromKey("dry_run")) }),
    success: Schema.Unknown,
    resend: "once"
  }),
  pay: Endpoint.post("Forms.pay", "/forms/{form_id}/pay", {
    params: { form_id: Id },
    payload: Endpoint.optional(Schema.Struct({ amount: Schema.Int })),
    query: Schema.Struct({ tag: Schema.optional(Schema.Array(Schema.String)) }),
    headers: Schema.Struct({
      prefer: Schema.optional(Schema.Literal("resource=form")),
      forwardedFor: Schema.optional(Schema.String).pipe(Schema.fromKey("X-Forwarded-For"))
    }),
    success: Schema.Unknown,
    resend: "keyed"
  }),
  remove: Endpoint.delete("Forms.remove", "/forms", {
    payload: Schema.Struct({ names: Schema.Array(Schema.String) }),
    success: Schema.Struct({ removed: Schema.Int })
  }),
  jobs: {
    start: Endpoint.post("Forms.jobs.start", "/jobs", {
      query: Schema.Struct({ nothing: Schema.optional(Schema.BooleanFromString) }),
      success: Endpoint.optional(Schema.Struct({ id: Schema.String })),
      resend: "once"
    }),
    deeper: { get: Endpoint.get("Forms.jobs.deeper.get", "/deeper", { success: Schema.Literal("deeper") }) }
  }
}

class Forms extends Endpoint.Service<Forms>()("test/Forms", forms) {}

const servedForms = Forms.of({
  change: (form_id, { amount }, query) => Effect.succeed({ form_id, amount, query }),
  pay: (form_id, payload, query, { headers, idempotencyKey }) =>
    Effect.succeed({ form_id, payload, query, headers, idempotencyKey }),
  remove: ({ names }) => Effect.succeed({ removed: names.length }),
  jobs: {
    start: ({ nothing = false } = {}) => Effect.succeed(nothing ? undefined : { id: "j1" }),
    deeper: { get: () => Effect.succeed("deeper" as const) }
  }
})

describe("a sandbox with endpoints of every form", () => {
  const served = Effect.provide(Sandbox.layer({ endpoints: [servedForms] }))

  it.live("serves a PATCH, headers, a query on any verb, a DELETE with a body, absent successes and nested ones", () =>
    Effect.gen(function* () {
      const { change, jobs, pay, remove } = yield* Forms
      assert.deepStrictEqual(yield* change("t1", { amount: 5 }, { dryRun: true }), {
        form_id: "t1",
        amount: 5,
        query: { dryRun: true }
      })
      assert.deepStrictEqual(
        yield* pay(
          "t1",
          { amount: 5 },
          { tag: ["a", "b"] },
          {
            idempotencyKey: "order-1",
            headers: { prefer: "resource=form", forwardedFor: "192.0.2.1", "x-other": "none of the handler's business" }
          }
        ),
        {
          form_id: "t1",
          payload: { amount: 5 },
          query: { tag: ["a", "b"] },
          headers: { prefer: "resource=form", forwardedFor: "192.0.2.1" },
          idempotencyKey: "order-1"
        }
      )
      assert.deepStrictEqual(yield* pay("t1", undefined, undefined, { idempotencyKey: "order-2" }), {
        form_id: "t1",
        query: {},
        headers: {},
        idempotencyKey: "order-2"
      })
      assert.deepStrictEqual(yield* remove({ names: ["a", "b"] }), { removed: 2 })
      assert.deepStrictEqual(yield* jobs.start(), { id: "j1" })
      assert.strictEqual(yield* jobs.start({ nothing: true }), undefined)
      assert.strictEqual(yield* jobs.deeper.get(), "deeper")
      const { seen } = yield* Sandbox.Sandbox
      assert.deepStrictEqual(
        (yield* seen).map(({ method, route, status }) => `${method} ${route} ${status}`),
        [
          "PATCH /forms/{form_id} 200",
          "POST /forms/{form_id}/pay 201",
          "POST /forms/{form_id}/pay 201",
          "DELETE /forms 200",
          "POST /jobs 201",
          "POST /jobs 204",
          "GET /deeper 200"
        ]
      )
    }).pipe(Effect.provide(Forms.layer), Effect.provide(client), served)
  )

  it.live("answers a header that breaks its rule in the API's form, by its name on the wire", () =>
    Effect.gen(function* () {
      const { body, status } = yield* request("POST", "/forms/t1/pay", { headers: { Prefer: "respond-async" } })
      assert.deepStrictEqual(
        [status, body["details"]],
        [
          400,
          [{ location: "header", type: "value_error", pointer: "prefer", message: 'must be "resource=form" or absent' }]
        ]
      )
    }).pipe(served)
  )

  it.live("sends a 405 with the methods that are there, PATCH and DELETE among them", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* request("PUT", "/forms/t1")).headers["allow"], "PATCH")
      assert.strictEqual((yield* request("GET", "/forms")).headers["allow"], "DELETE")
    }).pipe(served)
  )

  it.live("describes their headers, bodies and successes", () =>
    Effect.gen(function* () {
      const { text } = yield* request("GET", "/openapi.json")
      const result = yield* Effect.promise(() => validate(JSON.parse(text)))
      assert(result.valid, JSON.stringify(result))
      const { paths } = JSON.parse(text)
      const parameters: ReadonlyArray<{ readonly in: string; readonly name: string }> =
        paths["/forms/{form_id}/pay"].post.parameters
      assert.deepStrictEqual(
        parameters.map((each) => `${each.in} ${each.name}`),
        ["path form_id", "header prefer", "header X-Forwarded-For", "query tag"]
      )
      assert.isTrue(paths["/forms"].delete.requestBody.required)
      assert.includeMembers(Object.keys(paths["/jobs"].post.responses), ["201", "204"])
      assert.property(paths["/forms/{form_id}"], "patch")
    }).pipe(served)
  )
})
