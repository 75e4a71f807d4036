/**
 * Endpoints of a user's own, whose schemas may do anything, against servers and inputs that make them do it.
 */
import { inspect } from "node:util"
import { HttpApiEndpoint, HttpApiSchema } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Endpoint, Generic, RequestFailed } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Cause, Effect, Exit, Logger, LogLevel, Option, Redacted, Schema, Tracer } from "effect"
import { type Answer, reply, script } from "../../support/script.js"

const json = (status: number, body: string, headers: Readonly<Record<string, string>> = {}) =>
  reply(status, body, { "content-type": "application/json", ...headers })

/** A client with a single connection: one that is lost would stop every later call. */
const open = <Es extends Endpoint.Endpoints>(endpoints: Es, ...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const { baseUrl, requests } = yield* script(...answers)
    const http = yield* Gr4vy.makeClient({
      baseUrl,
      token: Redacted.make("token"),
      connections: 1,
      deadline: "3 seconds",
      retry: RetryPolicy.make({ baseDelay: 1, maxAttempts: 2 })
    })
    return { baseUrl, requests, client: Endpoint.clientOf(endpoints, http) }
  })

const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`

const thrown = (value: unknown): never => {
  throw new Error(`saw ${JSON.stringify(value)}`)
}

interface Tree extends ReadonlyArray<Tree> {}
const Tree: Schema.Schema<Tree> = Schema.Array(Schema.suspend(() => Tree))

const Id = Schema.Struct({ id: Schema.String })

describe("a success that the endpoint's own code cannot read", () => {
  const endpoints = {
    transformed: Endpoint.get("Own.transformed", "/own", {
      success: Schema.transform(Id, Id, { strict: true, decode: thrown, encode: (id) => id })
    }),
    filtered: Endpoint.get("Own.filtered", "/own", { success: Id.pipe(Schema.filter(thrown)) }),
    compared: Endpoint.get("Own.compared", "/own/{id}", {
      params: { id: Schema.String },
      success: Id,
      belongs: thrown
    }),
    tree: Endpoint.get("Own.tree", "/own", { success: Tree }),
    fine: Endpoint.get("Own.fine", "/own", { success: Id })
  }
  const fine = json(200, '{"id":"x"}')

  it.scopedLive.each([
    ["a transformation that throws", fine, "transformed"],
    ["a rule that throws", fine, "filtered"],
    ["a comparison that throws", fine, "compared"],
    ["JSON deeper than the stack", json(200, deep), "tree"]
  ] as const)("%s is InvalidResponse, and the connection serves the next call", ([, answer, name]) =>
    Effect.gen(function* () {
      const { client } = yield* open(endpoints, answer, fine)
      const call: Effect.Effect<unknown, unknown> = name === "compared" ? client.compared("x") : client[name]()
      const exit = yield* Effect.exit(call)
      assert(Exit.isFailure(exit) && exit.cause._tag === "Fail", inspect(exit).slice(0, 500))
      // Without a comparison, the response may be another request's.
      const delivered = name === "compared" ? "unknown" : "yes"
      assert.deepInclude(exit.cause.error, { _tag: "RequestFailed", reason: "InvalidResponse", delivered })
      assert.deepStrictEqual(yield* client.fine(), { id: "x" })
    })
  )
})

it.scopedLive("a comparison in plain JavaScript may return anything true", () =>
  Effect.gen(function* () {
    const get = Endpoint.get("Own.matched", "/own/{id}", {
      params: { id: Schema.String },
      success: Id,
      belongs: ({ id }, params) => Reflect.apply(id.match, id, [params.id])
    })
    const { client } = yield* open({ get }, json(200, '{"id":"x"}'), json(200, '{"id":"y"}'))
    assert.deepStrictEqual(yield* client.get("x"), { id: "x" })
    assert.deepInclude(yield* Effect.flip(client.get("x")), { reason: "InvalidResponse" })
  })
)

describe("an error that the endpoint declares", () => {
  class Conflict extends Schema.TaggedError<Conflict>()("Conflict", { message: Schema.String }, Endpoint.status(409)) {}
  class Broken extends Schema.TaggedError<Broken>()(
    "Broken",
    { message: Schema.String.pipe(Schema.filter(thrown)) },
    Endpoint.status(410)
  ) {}
  const endpoints = { get: Endpoint.get("Own.get", "/own", { success: Id, errors: [Conflict, Broken] }) }

  it.scopedLive.each([
    ["is deeper than the stack", json(409, `{"message":"no","more":${deep}}`)],
    ["holds more than a form has fields", json(409, `{"message":"no","more":[${"1,".repeat(400_000)}1]}`)],
    ["makes its schema throw", json(410, '{"message":"no"}')]
  ] as const)("is a Generic, soon, where its body %s", ([, answer]) =>
    Effect.gen(function* () {
      const { client } = yield* open(endpoints, answer)
      const started = performance.now()
      const error = yield* Effect.flip(client.get())
      assert.instanceOf(error, Generic)
      assert.strictEqual(error.message, "no")
      assert.isBelow(performance.now() - started, 2000)
    })
  )
})

describe("an endpoint whose schema does asynchronous work", () => {
  const later = <A>(value: A) => Effect.delay(Effect.succeed(value), 1)
  const Slow = Schema.transformOrFail(Schema.NonEmptyString, Schema.String, {
    strict: true,
    decode: later,
    encode: later
  })
  const endpoints = {
    success: Endpoint.post("Own.pay", "/own", { success: Schema.Struct({ id: Slow }), resend: "once" }),
    payload: Endpoint.post("Own.pay", "/own", { payload: Schema.Struct({ id: Slow }), success: Id, resend: "once" })
  }
  for (const [what, call] of [
    ["its success", ({ success }) => success()],
    ["its payload", ({ payload }) => payload({ id: "x" })]
  ] as ReadonlyArray<
    readonly [string, (client: Endpoint.Client<typeof endpoints>) => Effect.Effect<unknown, unknown>]
  >) {
    it.scopedLive(`is refused before anything is sent: ${what}`, () =>
      Effect.gen(function* () {
        const { client, requests } = yield* open(endpoints, json(201, '{"id":"x"}'))
        const error = yield* Effect.flip(call(client))
        assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
        assert.match(String(Reflect.get(Object(error), "message")), /asynchronous work/)
        assert.strictEqual(requests.length, 0)
      })
    )
  }
})

it.scopedLive("a success whose schema turns out to need time is read all the same: the payment was made", () =>
  Effect.gen(function* () {
    const Checked = Schema.String.pipe(
      Schema.filterEffect((id) =>
        id.startsWith("tx_") ? Effect.delay(Effect.succeed(id !== "tx_bad"), 1) : Effect.succeed(true)
      )
    )
    const pay = Endpoint.post("Own.pay", "/own", { success: Schema.Struct({ id: Checked }), resend: "once" })
    const { client } = yield* open({ pay }, json(201, '{"id":"tx_1"}'), json(201, '{"id":"tx_bad"}'))
    assert.deepStrictEqual(yield* client.pay(), { id: "tx_1" })
    const error = yield* Effect.flip(client.pay())
    assert.deepInclude(error, { reason: "InvalidResponse", delivered: "yes" })
    assert.match(error.message, /body\.id/)
  })
)

describe("an input that the endpoint's own code cannot take", () => {
  const secret = "SECRET-41111"
  interface Nested {
    readonly next?: Nested
  }
  const Nested: Schema.Schema<Nested> = Schema.Struct({
    next: Schema.optionalWith(
      Schema.suspend(() => Nested),
      { exact: true }
    )
  })
  const post = <A, I>(payload: Schema.Schema<A, I>) =>
    Endpoint.post("Own.post", "/own", { payload, resend: "once", success: Schema.Unknown })
  const Text = Schema.Struct({ a: Schema.String })
  const endpoints = {
    filtered: post(Schema.Struct({ a: Schema.String.pipe(Schema.filter(thrown)) })),
    transformed: post(
      Schema.Struct({
        a: Schema.transform(Schema.String, Schema.String, { strict: true, decode: (a) => a, encode: thrown })
      })
    ),
    text: post(Text),
    nested: post(Nested),
    any: post(Schema.Unknown),
    pair: Endpoint.get("Own.pair", "/own/{a}/{b}", { params: { a: Schema.String, b: Schema.String }, success: Id })
  }
  type Client = Endpoint.Client<typeof endpoints>
  const circle: { next?: Nested } = {}
  circle.next = circle

  const cases: ReadonlyArray<readonly [string, (client: Client) => Effect.Effect<unknown, unknown>, RegExp]> = [
    ["a rule that throws", ({ filtered }) => filtered({ a: secret }), /: payload cannot be checked/],
    ["a transformation that throws", ({ transformed }) => transformed({ a: secret }), /: payload cannot be checked/],
    [
      "a getter that throws",
      ({ text }) =>
        text({
          get a() {
            return thrown(secret)
          }
        }),
      /: payload cannot be checked/
    ],
    [
      "a proxy that throws",
      ({ text }) => text(new Proxy({ a: "" }, { ownKeys: () => thrown(secret) })),
      /: payload cannot be checked/
    ],
    [
      "parameters whose getter throws",
      ({ pair }) =>
        pair({
          a: "a",
          get b() {
            return thrown(secret)
          }
        }),
      /: the arguments cannot be read/
    ],
    ["an object inside itself", ({ nested }) => nested(circle), /: payload cannot be checked/],
    ["undefined where JSON is to be", ({ any }) => any(undefined), /: payload must be present/],
    [
      "a function where JSON is to be",
      ({ any }) => any(() => secret),
      /: payload must be a JSON value, not a function/
    ],
    ["a symbol where JSON is to be", ({ any }) => any(Symbol(secret)), /: payload must be a JSON value, not a symbol/]
  ]

  it.scopedLive.each(cases)("%s is InvalidRequest, shows nothing and sends nothing", ([, call, message]) =>
    Effect.gen(function* () {
      const { client, requests } = yield* open(endpoints, json(200, "{}"))
      const exit = yield* Effect.exit(call(client))
      assert(Exit.isFailure(exit) && exit.cause._tag === "Fail", inspect(exit).slice(0, 500))
      const { error } = exit.cause
      assert.instanceOf(error, RequestFailed)
      assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
      assert.match(error.message, message)
      assert.notInclude(inspect(exit, { depth: 20, showHidden: true }) + Cause.pretty(exit.cause), "SECRET")
      assert.lengthOf(requests, 0)
    })
  )
})

/** What a call shows besides its outcome: the attributes of its spans, and its log. */
const observed = <A, E>(call: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const shown: Array<unknown> = []
    const tracer = Tracer.make({
      span: (name, parent, context, links, startTime, kind, options) => {
        const attributes = new Map(Object.entries(options?.attributes ?? {}))
        shown.push(attributes)
        return {
          _tag: "Span",
          name,
          spanId: "1".repeat(16),
          traceId: "2".repeat(32),
          parent,
          context,
          status: { _tag: "Started", startTime },
          attributes,
          links,
          sampled: true,
          kind,
          end: () => {},
          attribute: (key, value) => void attributes.set(key, value),
          event: (name, _, given) => void shown.push([name, given]),
          addLinks: () => {}
        }
      },
      context: (f) => f()
    })
    const logger = Logger.make((entry) => void shown.push([entry.message, [...entry.annotations]]))
    const outcome = yield* Effect.exit(call).pipe(
      Effect.withTracer(tracer),
      Logger.withMinimumLogLevel(LogLevel.All),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    )
    return { outcome, shown: inspect([outcome, shown], { depth: 20, showHidden: true }) }
  })

describe("a secret of an endpoint's own", () => {
  const Secret = Schema.Redacted(Schema.String)
  const endpoints = {
    post: Endpoint.post("Own.post", "/own", { payload: Schema.Struct({ pin: Secret }), resend: "create", success: Id }),
    find: Endpoint.get("Own.find", "/own", {
      query: Schema.Struct({
        plain: Schema.String,
        codes: Schema.Array(Secret),
        otherName: Schema.propertySignature(Secret).pipe(Schema.fromKey("other_name")),
        maybe: Schema.optionalWith(Secret, { as: "Option" })
      }),
      success: Schema.Unknown
    })
  }

  it.scopedLive.each(["2468", "word-of-mine"])(
    "%s is in no error, span or log when it comes back as a request id",
    (pin) =>
      Effect.gen(function* () {
        const echo = { "x-request-id": pin }
        for (const answer of [json(400, "{}", echo), json(200, "<html>", echo), json(429, "{}", echo)]) {
          const { client } = yield* open(endpoints, answer)
          const { outcome, shown } = yield* observed(client.post({ pin: Redacted.make(pin) }))
          assert(Exit.isFailure(outcome))
          assert.notInclude(shown, pin)
        }
      })
  )

  it.scopedLive("is written by its name in url.full, in a list, an Option, and under another name on the wire", () =>
    Effect.gen(function* () {
      const { client, requests } = yield* open(endpoints, json(200, "{}"))
      const { shown } = yield* observed(
        client.find({
          plain: "seen",
          codes: [Redacted.make("SECRET-1"), Redacted.make("SECRET-2")],
          otherName: Redacted.make("SECRET-3"),
          maybe: Option.some(Redacted.make("SECRET-4"))
        })
      )
      assert.strictEqual(
        requests[0]?.url,
        "/own?plain=seen&codes=SECRET-1&codes=SECRET-2&other_name=SECRET-3&maybe=SECRET-4"
      )
      assert.include(shown, "/own?plain=seen&")
      assert.include(decodeURIComponent(shown), "codes={codes}&codes={codes}&other_name={other_name}&maybe={maybe}")
      assert.notInclude(shown, "SECRET")
    })
  )
})

describe("a card number in a path or query", () => {
  it.scopedLive("is in no span of an endpoint or of a plain request", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(json(200, "{}"))
      const http = yield* Gr4vy.makeClient({ baseUrl, token: Redacted.make("token") })
      const own = Endpoint.get("Own.find", "/own/{id}", {
        params: { id: Schema.String },
        query: Schema.Struct({ q: Schema.String }),
        success: Schema.Struct({})
      })
      const { find } = Endpoint.clientOf({ find: own }, http)
      const { shown } = yield* observed(
        Effect.all([
          find("4111111111111111", { q: "4111 1111 1111 1111" }),
          http.get("/own/4111-1111-1111-1111", {
            urlParams: { q: "4111111111111111", a: "seen", session_token: "shh" }
          })
        ])
      )
      assert.deepStrictEqual(
        requests.map(({ url }) => url),
        [
          "/own/4111111111111111?q=4111+1111+1111+1111",
          "/own/4111-1111-1111-1111?q=4111111111111111&a=seen&session_token=shh"
        ]
      )
      assert.include(shown, "/own/{card}?q={card}")
      assert.include(shown, "/own/{card}?q={card}&a=seen&session_token={session_token}")
      assert.notInclude(shown, "1111")
    })
  )
})

describe("a Content-Encoding", () => {
  it.scopedLive.each(["4111-1111-1111-1111", "4111 1111 1111 1111", "token"])("%s is not quoted", (encoding) =>
    Effect.gen(function* () {
      const { client } = yield* open(
        { get: Endpoint.get("Own.get", "/own", { success: Id }) },
        json(200, "{}", { "content-encoding": encoding })
      )
      const error = yield* Effect.flip(client.get())
      assert.deepInclude(error, { reason: "InvalidResponse" })
      assert.notInclude(error.message, encoding)
    })
  )
})

describe("an endpoint from the platform's that JSON cannot carry", () => {
  it.each([
    [
      "a payload in a form's encoding",
      () =>
        Endpoint.fromHttpApi(
          HttpApiEndpoint.post("form", "/form")
            .setPayload(Id.pipe(HttpApiSchema.withEncoding({ kind: "UrlParams" })))
            .addSuccess(Id),
          { resend: "once" }
        )
    ],
    [
      "a success that is a text",
      () =>
        Endpoint.fromHttpApi(
          HttpApiEndpoint.get("text", "/text").addSuccess(
            Schema.String.pipe(HttpApiSchema.withEncoding({ kind: "Text" }))
          ),
          { resend: "idempotent" }
        )
    ],
    [
      "a GET with a payload",
      () =>
        Endpoint.fromHttpApi(HttpApiEndpoint.get("query", "/query").setPayload(Schema.Struct({ id: Schema.String })), {
          resend: "idempotent"
        })
    ]
  ])("is refused at once: %s", (_, make) => {
    assert.throws(make, /fromHttpApi/)
  })
})
