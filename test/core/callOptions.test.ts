import type { IncomingMessage } from "node:http"
import { inspect } from "node:util"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSessionId,
  CheckoutSessions,
  Credentials,
  Endpoint,
  Gr4vyHttpClient,
  RequestFailed
} from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { type ConfigError, Effect, Layer, Redacted, Schema } from "effect"
import { clients, token } from "../support/layers.js"
import { type Answer, reply, script, session, sessionId, silent } from "../support/script.js"

const Thing = Schema.Struct({ id: Schema.String })

const Card = Schema.Struct({ method: Schema.Literal("card"), number: Schema.Redacted(Schema.String) })
const Stored = Schema.Struct({
  kind: Schema.optional(Schema.String),
  storedId: Schema.optional(Schema.String).pipe(Schema.fromKey("stored_id"))
})

const things = {
  get: Endpoint.get("Things.get", "/things/{id}", { params: { id: Schema.String }, success: Thing }),
  create: Endpoint.post("Things.create", "/things", {
    payload: Schema.Struct({
      amount: Schema.Int,
      unitAmount: Schema.optional(Schema.Int).pipe(Schema.fromKey("unit_amount")),
      method: Schema.optional(Schema.Union(Card, Stored)),
      lines: Schema.optional(Schema.Array(Schema.Struct({ name: Schema.String })))
    }),
    query: Schema.Struct({ dryRun: Schema.optional(Schema.String) }),
    headers: Schema.Struct({
      prefer: Schema.optional(Schema.Literal("resource=thing")),
      forwardedFor: Schema.optional(Schema.String).pipe(Schema.fromKey("X-Forwarded-For")),
      pin: Schema.optional(Schema.Redacted(Schema.String)).pipe(Schema.fromKey("x-pin"))
    }),
    success: Thing,
    resend: "keyed",
    status: 200
  })
}

type Client = Endpoint.Client<typeof things>

const ports: Readonly<Record<string, (baseUrl: string) => Layer.Layer<Gr4vyHttpClient, ConfigError.ConfigError>>> = {
  "core's plain layer": (baseUrl) =>
    Gr4vyHttpClient.layer({ baseUrl, merchantAccountId: "default" }).pipe(
      Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make(token))])
    ),
  "Gr4vy.layer": (baseUrl) =>
    Gr4vy.layerClient({
      baseUrl,
      token: Redacted.make(token),
      merchantAccountId: "default",
      retry: RetryPolicy.none
    })
}

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

/** Answers like `answer`, and keeps each request with its body. */
const recording = (seen: Array<Seen>, answer: (body: string) => Answer): Answer => {
  return (request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString()
      const { headers, method, url } = request
      seen.push({ method, url, headers, body })
      answer(body)(request, response)
    })
  }
}

const calling = <A, E>(
  port: (baseUrl: string) => Layer.Layer<Gr4vyHttpClient, ConfigError.ConfigError>,
  call: (client: Client) => Effect.Effect<A, E>,
  answer: (body: string) => Answer = () => reply(200, '{"id":"t1"}', { "content-type": "application/json" })
) =>
  Effect.gen(function* () {
    const seen: Array<Seen> = []
    const { baseUrl } = yield* script(recording(seen, answer))
    const outcome = yield* Endpoint.client(things).pipe(
      Effect.flatMap(call),
      Effect.provide(port(baseUrl)),
      Effect.either
    )
    return { outcome, seen }
  })

const key = { idempotencyKey: "k1" }
const forced = <A>(value: unknown): A => value as A

const failed = (outcome: Effect.Effect.Success<ReturnType<typeof calling>>["outcome"]): RequestFailed => {
  assert(outcome._tag === "Left")
  assert.instanceOf(outcome.left, RequestFailed)
  return outcome.left
}

describe.each(Object.entries(ports))("the options of a call over %s", (_, port) => {
  it.scopedLive("put declared headers under their names on the wire, and others beside them", () =>
    Effect.gen(function* () {
      const { outcome, seen } = yield* calling(port, ({ create }) =>
        create({ amount: 1 }, undefined, {
          ...key,
          headers: { prefer: "resource=thing", forwardedFor: "192.0.2.1", "X-Shop": "a b\tc", "x-none": undefined }
        })
      )
      assert.strictEqual(outcome._tag, "Right")
      const { headers } = seen[0] ?? assert.fail("nothing was sent")
      assert.deepInclude(headers, {
        prefer: "resource=thing",
        "x-forwarded-for": "192.0.2.1",
        "x-shop": "a b\tc",
        "idempotency-key": "k1",
        "content-type": "application/json",
        accept: "application/json",
        authorization: `Bearer ${token}`
      })
      assert.notProperty(headers, "x-none")
    })
  )

  it.scopedLive("choose a merchant account over the fiber's and the client's own", () =>
    Effect.gen(function* () {
      const { outcome, seen } = yield* calling(port, ({ get }) =>
        Effect.all([
          get("t1"),
          get("t1", { merchantAccountId: "acme-eu" }),
          Gr4vyHttpClient.withMerchantAccount(get("t1"), "fiber"),
          Gr4vyHttpClient.withMerchantAccount(get("t1", { merchantAccountId: "acme-eu" }), "fiber")
        ])
      )
      assert.strictEqual(outcome._tag, "Right")
      assert.deepStrictEqual(
        seen.map(({ headers }) => headers["x-gr4vy-merchant-account-id"]),
        ["default", "acme-eu", "fiber", "acme-eu"]
      )
    })
  )

  it.scopedLive("limit an attempt, below the client's own limit", () =>
    Effect.gen(function* () {
      const { outcome, seen } = yield* calling(
        port,
        ({ get }) => get("t1", { attemptTimeout: "1 seconds" }),
        () => silent
      )
      assert.deepInclude(failed(outcome), { reason: "Timeout", delivered: "unknown", attempts: 1 })
      assert.lengthOf(seen, 1)
    })
  )

  it.scopedLive("send a property that this version does not know, as it is and at any depth", () =>
    Effect.gen(function* () {
      const { outcome, seen } = yield* calling(port, ({ create }) =>
        create(
          forced({
            amount: 1,
            unitAmount: 2,
            newThing: { deep: [1, null, "x"], at: new Date(0) },
            lines: [{ name: "Tea", newSku: 7 }],
            method: { method: "card", number: Redacted.make("4111111111111111"), newCode: "n" },
            absent: undefined
          }),
          forced({ newFlag: "yes" }),
          { ...key, unknownProperties: "send" }
        )
      )
      assert.strictEqual(outcome._tag, "Right")
      assert.strictEqual(seen[0]?.url, "/things?newFlag=yes")
      assert.deepStrictEqual(JSON.parse(seen[0]?.body ?? ""), {
        amount: 1,
        unit_amount: 2,
        newThing: { deep: [1, null, "x"], at: "1970-01-01T00:00:00.000Z" },
        lines: [{ name: "Tea", newSku: 7 }],
        method: { method: "card", number: "4111111111111111", newCode: "n" }
      })
    })
  )

  it.scopedLive("hide what an unknown property holds from the server's messages", () =>
    Effect.gen(function* () {
      const { outcome } = yield* calling(
        port,
        ({ create }) =>
          create(forced({ amount: 1, newCard: { number: "4111 1111 1111 1111", code: "xyz-2468" } }), undefined, {
            ...key,
            unknownProperties: "send"
          }),
        (body) => reply(400, JSON.stringify({ type: "error", code: "bad_request", message: `No: ${body}` }))
      )
      assert(outcome._tag === "Left")
      const shown = inspect(outcome.left, { depth: 10, showHidden: true })
      assert.include(shown, "bad_request")
      assert.notMatch(shown, /1111|2468/)
    })
  )

  it.scopedLive("hide a declared header that is a secret", () =>
    Effect.gen(function* () {
      const { outcome, seen } = yield* calling(
        port,
        ({ create }) => create({ amount: 1 }, undefined, { ...key, headers: { pin: Redacted.make("pin-97531") } }),
        () => reply(400, JSON.stringify({ type: "error", code: "bad_request", message: "PIN pin-97531 is wrong" }))
      )
      assert.strictEqual(seen[0]?.headers["x-pin"], "pin-97531")
      assert(outcome._tag === "Left")
      assert.notInclude(inspect(outcome.left, { depth: 10, showHidden: true }), "97531")
    })
  )
})

const marker = "SECRET-24681357"

const ours = [
  "accept",
  "Accept-Encoding",
  "Authorization",
  "baggage",
  "content-encoding",
  "Content-Length",
  "Content-Type",
  "Idempotency-Key",
  "traceparent",
  "tracestate",
  "User-Agent",
  "X-Gr4vy-Merchant-Account-Id"
]
const ofConnection = [
  "Connection",
  "Expect",
  "Host",
  "Keep-Alive",
  "Proxy-Authorization",
  "Proxy-Connection",
  "TE",
  "Trailer",
  "Transfer-Encoding",
  "Upgrade"
]

const badOptions: ReadonlyArray<readonly [what: string, options: unknown, message: RegExp]> = [
  ...ours.map(
    (name) => [`the header ${name}`, { headers: { [name]: marker } }, /which the client sets itself/] as const
  ),
  ...ofConnection.map(
    (name) => [`the header ${name}`, { headers: { [name]: marker } }, /which belongs to the connection/] as const
  ),
  [
    "a line break in a header",
    { headers: { "x-a": `${marker}\r\nx-b: c` } },
    /^Nothing was sent: headers\.x-a must be/
  ],
  ["a NUL in a header", { headers: { "x-a": `${marker}\0` } }, /headers\.x-a must be/],
  ["a header beyond ASCII", { headers: { "x-a": `${marker}é` } }, /headers\.x-a must be/],
  ["a header that is a number", { headers: { "x-a": 5 } }, /headers\.x-a must be/],
  ["a header that is null", { headers: { "x-a": null } }, /headers\.x-a must be/],
  ["the name of a header with a blank", { headers: { [`${marker} a`]: "b" } }, /headers has a name that no header/],
  ["the name of a header with a line break", { headers: { "a\r\nb": "c" } }, /headers has a name that no header/],
  ["an empty name", { headers: { "": "c" } }, /headers has a name that no header/],
  ["one header twice", { headers: { "x-a": "1", "X-A": "2" } }, /headers has x-a twice/],
  ["a list of headers", { headers: [["x-a", "1"]] }, /headers must be an object of strings/],
  ["a Headers object", { headers: new globalThis.Headers({ "x-a": "1" }) }, /headers must be an object of strings/],
  [
    "a misspelt option",
    { beforeSent: () => Effect.void },
    /there is no option "beforeSent" \(did you mean beforeSend\?\)/
  ],
  ["an option with a secret for its name", { [marker]: 1 }, /there is no option of this name \(known: /],
  ["a key where none is honoured", { idempotencyKey: marker }, /Things\.get needs no idempotencyKey/],
  ["a string in place of options", marker, /give an object of options/],
  ["a Promise in place of options", Promise.resolve({}), /give an object of options/],
  ["a Map in place of options", new Map([["headers", {}]]), /give an object of options/],
  ["a beforeSend that is none", { beforeSend: marker }, /beforeSend must be a function/],
  ["an account that is none", { merchantAccountId: `${marker}\n` }, /The merchant account id is empty or not a string/],
  ["an empty account", { merchantAccountId: "" }, /The merchant account id is empty/],
  ["a time limit of nothing", { attemptTimeout: 0 }, /attemptTimeout must be a duration of 1 millisecond to 24 days/],
  ["a time limit without an end", { attemptTimeout: "infinity" }, /attemptTimeout must be a duration/],
  ["a time limit that is none", { attemptTimeout: marker }, /attemptTimeout must be a duration/],
  ["another way with properties", { unknownProperties: "sent" }, /unknownProperties must be "send" or "refuse"/]
]

const badDeclared: ReadonlyArray<readonly [what: string, call: (client: Client) => unknown, message: RegExp]> = [
  [
    "a declared header with another value",
    ({ create }) => create({ amount: 1 }, undefined, { ...key, headers: { prefer: forced(marker) } }),
    /^Nothing was sent: headers\.prefer must be "resource=thing"/
  ],
  [
    "a declared header with a line break",
    ({ create }) => create({ amount: 1 }, undefined, { ...key, headers: { forwardedFor: `${marker}\n` } }),
    /headers\.X-Forwarded-For must be a string of visible ASCII/
  ],
  [
    "a declared header by both of its names",
    ({ create }) =>
      create({ amount: 1 }, undefined, { ...key, headers: { forwardedFor: "1", "x-forwarded-for": marker } }),
    /headers has x-forwarded-for twice/
  ],
  [
    "an unknown property by default",
    ({ create }) => create(forced({ amount: 1, unit_amount: 5 }), undefined, key),
    /payload has an unknown property \(did you mean unitAmount\?\)/
  ],
  [
    "an unknown query parameter by default",
    ({ create }) => create({ amount: 1 }, forced({ dryrun: "yes" }), key),
    /query has an unknown property \(did you mean dryRun\?\)/
  ],
  [
    "an unknown property that JSON cannot hold",
    ({ create }) =>
      create(forced({ amount: 1, more: { at: Number.NaN } }), undefined, { ...key, unknownProperties: "send" }),
    /payload\.more\.at must be a finite number/
  ],
  [
    "a known property under its name on the wire",
    ({ create }) => create(forced({ amount: 1, unit_amount: 5 }), undefined, { ...key, unknownProperties: "send" }),
    /payload\.unit_amount must be given as unitAmount/
  ],
  [
    "an unknown property that is a Redacted",
    ({ create }) =>
      create(forced({ amount: 1, more: Redacted.make(marker) }), undefined, { ...key, unknownProperties: "send" }),
    /payload\.more must be a plain value/
  ],
  [
    "a wrong property beside an unknown one",
    ({ create }) => create(forced({ amount: marker, more: 1 }), undefined, { ...key, unknownProperties: "send" }),
    /payload\.amount must be/
  ]
]

describe("a call whose options are wrong", () => {
  const cases = [
    ...badOptions.map(
      ([what, options, message]) => [what, ({ get }: Client) => get("t1", forced(options)), message] as const
    ),
    ...badDeclared
  ]
  it.scopedLive.each(cases)("fails before anything is sent: %s", ([, call, message]) =>
    Effect.gen(function* () {
      const port = ports["Gr4vy.layer"] ?? assert.fail("no such port")
      const { outcome, seen } = yield* calling(port, (client) => forced<Effect.Effect<unknown, unknown>>(call(client)))
      const error = failed(outcome)
      assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
      assert.match(error.message, message)
      assert.notInclude(inspect(error, { depth: 10, showHidden: true }), marker)
      assert.lengthOf(seen, 0)
    })
  )

  it.scopedLive("does not happen where a program maps ids: an index is no option", () =>
    Effect.gen(function* () {
      const port = ports["core's plain layer"] ?? assert.fail("no such port")
      const { outcome } = yield* calling(port, ({ get }) =>
        Effect.forEach(["t1", "t1"], forced<(id: string, index: number) => Effect.Effect<unknown, unknown>>(get))
      )
      assert.strictEqual(outcome._tag, "Right")
    })
  )
})

describe("a union with properties that are unknown", () => {
  it.scopedLive(
    "takes the member that knows the most of them, so that none has its name in the program on the wire",
    () =>
      Effect.gen(function* () {
        const port = ports["core's plain layer"] ?? assert.fail("no such port")
        const Either_ = Endpoint.post("Things.either", "/either", {
          payload: Schema.Union(
            Schema.Struct({ a: Schema.optional(Schema.String) }),
            Schema.Struct({ longName: Schema.optional(Schema.String).pipe(Schema.fromKey("long_name")) })
          ),
          success: Thing,
          resend: "once",
          status: 200
        })
        const seen: Array<Seen> = []
        const { baseUrl } = yield* script(recording(seen, () => reply(200, '{"id":"t1"}')))
        const { call } = yield* Effect.provide(Endpoint.client({ call: Either_ }), port(baseUrl))
        yield* call({ longName: "x" }, { unknownProperties: "send" })
        yield* call(forced({ longName: "x", other: 1 }), { unknownProperties: "send" })
        assert.deepStrictEqual(
          seen.map(({ body }) => JSON.parse(body)),
          [{ long_name: "x" }, { long_name: "x", other: 1 }]
        )
      })
  )
})

describe.each(Object.entries(clients))("Checkout Sessions over %s", (_, layer) => {
  it.scopedLive("take the options of a call on every method", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(session)
      const id = CheckoutSessionId.make(sessionId)
      const options = { headers: { "x-shop": "tea" }, merchantAccountId: "acme" }
      yield* Effect.flatMap(CheckoutSessions, (sessions) =>
        Effect.all(
          [
            sessions.add({ amount: 1, currency: "EUR" }, options),
            sessions.get(id, options),
            sessions.update(id, { amount: 2 }, options)
          ],
          { discard: true }
        )
      ).pipe(Effect.provide(layer(baseUrl)))
      assert.deepStrictEqual(
        requests.map(({ headers }) => [headers["x-shop"], headers["x-gr4vy-merchant-account-id"]]),
        Array(3).fill(["tea", "acme"])
      )
    })
  )
})
