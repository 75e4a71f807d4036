/**
 * What is sent again, from the wire: the endpoint's class × what happens to its request × the policy. The ledger is the
 * server's.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import {
  FetchHttpClient,
  HttpApi,
  HttpApiClient,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpBody,
  HttpClient,
  HttpClientRequest
} from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Endpoint, Gr4vyHttpClient, NotFound, RequestFailed } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Either, Exit, Fiber, Layer, Redacted, Schema, type Scope, Stream } from "effect"
import { newPair, pkcs8 } from "../../support/keys.js"
import { loopback } from "../../support/loopback.js"
import { script, status } from "../../support/script.js"

const Thing = Schema.Struct({ id: Schema.String })
const payload = Schema.Struct({ amount: Schema.Int })

const endpoints = {
  idempotent: Endpoint.post("Things.put", "/things", { payload, success: Thing, resend: "idempotent" }),
  keyed: Endpoint.post("Things.pay", "/things", { payload, success: Thing, resend: "keyed" }),
  create: Endpoint.post("Things.add", "/things", { payload, success: Thing, resend: "create" }),
  once: Endpoint.post("Things.send", "/things", { payload, success: Thing, resend: "once" }),
  get: Endpoint.get("Things.get", "/things/{id}", {
    params: { id: Schema.String },
    success: Thing,
    attemptTimeout: "1 seconds"
  }),
  delete: Endpoint.delete("Things.delete", "/things/{id}", { params: { id: Schema.String }, errors: [NotFound] })
}

type Client = Endpoint.Client<typeof endpoints>
type Outcome = Effect.Effect<unknown, unknown>

const calls = {
  idempotent: ({ idempotent }: Client): Outcome => idempotent({ amount: 1 }),
  keyed: ({ keyed }: Client): Outcome => keyed({ amount: 1 }, { idempotencyKey: "order-1" }),
  create: ({ create }: Client): Outcome => create({ amount: 1 }),
  once: ({ once }: Client): Outcome => once({ amount: 1 })
}
type Class = keyof typeof calls
const classes = ["idempotent", "keyed", "create", "once"] as const

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const says =
  (code: number, body: object = {}, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_, response) => {
    response.writeHead(code, { "content-type": "application/json", ...headers }).end(JSON.stringify(body))
  }

/** A server that does this to its first requests, and answers every later one. */
const serving = (...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const seen: Array<IncomingMessage> = []
    const server = createServer((request, response) => {
      // The server has a request when it has the whole of it.
      request.resume().on("end", () => {
        seen.push(request)
        const answer = answers[seen.length - 1] ?? says(200, { id: "t1" })
        answer(request, response)
      })
    })
    const { port } = yield* loopback(server)
    return { baseUrl: `http://127.0.0.1:${port}`, seen }
  })

const quick = { baseDelay: 1, maxDelay: 2 }
const policies = {
  standard: RetryPolicy.make(quick),
  "at-least-once": RetryPolicy.make({ ...quick, creates: "at-least-once" }),
  none: RetryPolicy.none,
  "everything allowed": RetryPolicy.make({ ...quick, maxAttempts: 100, creates: "at-least-once" })
}
type Policy = keyof typeof policies

const clientAt = (
  baseUrl: string,
  options: Gr4vy.TravelOptions & { readonly privateKey?: Redacted.Redacted } = {}
): Effect.Effect<Client, unknown, Scope.Scope> => {
  const { privateKey, ...travel } = options
  const authentication = privateKey === undefined ? { token: Redacted.make("token") } : { privateKey }
  return Effect.map(Gr4vy.makeClient({ baseUrl, ...authentication, ...travel }), (http) =>
    Endpoint.clientOf(endpoints, http)
  )
}

/** What happens to a first request, and who sends a second one: by class, under the standard policy. */
const faults: Readonly<
  Record<string, readonly [answer: Answer, again: ReadonlyArray<Class>, mayHaveArrived: boolean]>
> = {
  "429": [says(429), classes, false],
  "503 with Retry-After": [says(503, {}, { "retry-after": "1" }), classes, false],
  "503": [says(503), ["idempotent", "keyed"], true],
  "408": [says(408), ["idempotent", "keyed"], true],
  "425": [says(425), ["idempotent", "keyed"], true],
  "500": [says(500), ["idempotent"], true],
  "502": [says(502), ["idempotent", "keyed"], true],
  "504": [says(504), ["idempotent", "keyed"], true],
  "503 with Retry-After: 0": [says(503, {}, { "retry-after": "0" }), classes, false],
  "503 with a Retry-After in the past": [
    says(503, {}, { "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" }),
    classes,
    false
  ],
  "503 with a Retry-After in the past, in the form of RFC 850": [
    says(503, {}, { "retry-after": "Sunday, 06-Nov-94 08:49:37 GMT" }),
    classes,
    false
  ],
  "503 with a Retry-After that is junk": [says(503, {}, { "retry-after": "soon" }), ["idempotent", "keyed"], true],
  ...Object.fromEntries(
    [512, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530, 599].map((code) => [
      `${code}, which nobody has defined`,
      [says(code), ["idempotent", "keyed"], true] as const
    ])
  ),
  ...Object.fromEntries(
    [300, 302, 304, 307, 403, 404, 410, 422, 501, 505, 506, 507, 508, 510, 511].map((code) => [
      String(code),
      [says(code), [], true] as const
    ])
  ),
  "409 concurrent_request": [says(409, { type: "error", code: "concurrent_request" }), ["keyed"], true],
  "409 of another code": [says(409, { type: "error", code: "duplicate" }), [], true],
  "409 without JSON": [(_, response) => void response.writeHead(409).end("concurrent_request"), [], true],
  "a reset": [(request) => void request.socket.resetAndDestroy(), ["idempotent", "keyed"], true],
  "a response cut short": [
    (_, response) => void response.writeHead(200, { "content-length": "50" }).write("{", () => response.destroy()),
    ["idempotent", "keyed"],
    true
  ],
  "no response in time": [() => {}, ["idempotent", "keyed"], true],
  "400": [says(400), [], true],
  "a 200 of another shape": [says(200, {}), [], true]
}

const expected = (name: Class, policy: Policy, fault: string): number => {
  const [, again, mayHaveArrived] = faults[fault] ?? assert.fail(fault)
  if (policy === "none") return 1
  if (again.includes(name)) return 2
  const creates = policy !== "standard" && name === "create" && mayHaveArrived && again.includes("idempotent")
  return creates ? 2 : 1
}

describe("class × fault × policy: requests on the wire", () => {
  it.live.each(Object.keys(faults))("%s", (fault) =>
    Effect.forEach(
      classes.flatMap((name) => Object.entries(policies).map(([policy, retry]) => ({ name, policy, retry }))),
      ({ name, policy, retry }) =>
        Effect.gen(function* () {
          const server = yield* serving(faults[fault]?.[0] ?? assert.fail(fault))
          // Long enough for a machine that stumbles, but where the limit is what the row is about.
          const attemptTimeout = fault === "no response in time" ? 400 : 5_000
          const client = yield* clientAt(server.baseUrl, { retry, attemptTimeout })
          const outcome = yield* Effect.either(calls[name](client))
          const where = `${name}, ${policy}`
          const wire = expected(name, policy as Policy, fault)
          assert.lengthOf(server.seen, wire, where)
          assert.strictEqual(Either.isRight(outcome), wire === 2, where)
          const keys = new Set(server.seen.map(({ headers }) => headers["idempotency-key"]))
          assert.deepStrictEqual(keys, new Set([name === "keyed" ? "order-1" : undefined]), where)
        }).pipe(Effect.scoped),
      { concurrency: 8, discard: true }
    )
  )

  it.live.each(classes)("a server that refuses connections is tried three times: %s", (name) =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Effect.scoped(serving())
      const client = yield* clientAt(baseUrl, { retry: policies.standard })
      const error = yield* Effect.flip(calls[name](client))
      assert.deepInclude(error, { reason: "Connect", delivered: "no", attempts: 3 })
    }).pipe(Effect.scoped)
  )

  it.live.each(classes)("a 401 was not carried out: one new token and one more request, %s", (name) =>
    Effect.gen(function* () {
      const server = yield* serving(says(401), says(200, { id: "t1" }))
      const privateKey = Redacted.make(pkcs8(newPair().privateKey))
      const client = yield* clientAt(server.baseUrl, { retry: policies.standard, privateKey })
      yield* calls[name](client)
      assert.lengthOf(server.seen, 2)
      assert.notStrictEqual(server.seen[0]?.headers.authorization, server.seen[1]?.headers.authorization)
    }).pipe(Effect.scoped)
  )

  it.live("a keyed request that is still being worked on is asked for until the attempts are used up", () =>
    Effect.gen(function* () {
      const busy = says(409, { type: "error", code: "concurrent_request", message: "busy" })
      const server = yield* serving((request) => request.socket.resetAndDestroy(), busy, busy)
      const client = yield* clientAt(server.baseUrl, { retry: policies.standard })
      const error = yield* Effect.flip(calls.keyed(client))
      assert.deepInclude(error, { _tag: "Generic", status: 409, code: "concurrent_request", attempts: 3 })
    }).pipe(Effect.scoped)
  )

  it.live("a DELETE of an endpoint of one's own has done its job when a lost copy is followed by a 404", () =>
    Effect.gen(function* () {
      const server = yield* serving((request) => request.socket.resetAndDestroy(), says(404))
      const client = yield* clientAt(server.baseUrl, { retry: policies.standard })
      yield* client.delete("t1")
      assert.lengthOf(server.seen, 2)
    }).pipe(Effect.scoped)
  )
})

describe("a plain request through the port", () => {
  const rows = [
    ["GET", 2],
    ["PUT", 2],
    ["DELETE", 2],
    ["HEAD", 2],
    ["POST", 1],
    ["PATCH", 1]
  ] as const
  it.live.each(rows)("%s: %i requests when the first is lost, whatever the policy", ([method, wire]) =>
    Effect.gen(function* () {
      const server = yield* serving((request) => request.socket.resetAndDestroy())
      const http = yield* Gr4vy.makeClient({
        baseUrl: server.baseUrl,
        token: Redacted.make("token"),
        retry: policies["everything allowed"]
      })
      const request = HttpClientRequest.make(method)("/anything", { urlParams: { a: "1" } })
      const outcome = yield* Effect.either(http.execute(request))
      assert.strictEqual(Either.isRight(outcome), wire === 2)
      assert.deepStrictEqual(
        server.seen.map(({ url }) => url),
        Array.from({ length: wire }, () => "/anything?a=1")
      )
    }).pipe(Effect.scoped)
  )

  it.live("HttpApiClient over the port is authenticated and retried", () =>
    Effect.gen(function* () {
      const group = HttpApiGroup.make("things").add(
        HttpApiEndpoint.get("list")`/things`.addSuccess(Schema.Array(Thing))
      )
      const api = HttpApi.make("api").add(group)
      const server = yield* serving(says(503), says(200, [{ id: "t1" }]))
      const program = Effect.gen(function* () {
        const http = yield* Gr4vyHttpClient
        const client = yield* HttpApiClient.makeWith(api, { httpClient: http })
        return yield* client.things.list()
      })
      const things = yield* Effect.provide(
        program,
        Gr4vy.layerClient({ baseUrl: server.baseUrl, token: Redacted.make("token"), retry: policies.standard })
      )
      assert.deepStrictEqual(things, [{ id: "t1" }])
      assert.deepStrictEqual(
        server.seen.map(({ headers }) => headers.authorization),
        ["Bearer token", "Bearer token"]
      )
    }).pipe(Effect.scoped)
  )
})

describe("an attempt's limit", () => {
  const late: Answer = (_, response) => void setTimeout(() => says(200, { id: "t1" })(_, response), 300)

  it.live("is the endpoint's where that is longer, and the client's where that is", () =>
    Effect.gen(function* () {
      const server = yield* serving(late, late, late)
      const impatient = yield* clientAt(server.baseUrl, { retry: RetryPolicy.none, attemptTimeout: 100 })
      yield* impatient.get("t1")
      assert.deepInclude(yield* Effect.flip(impatient.idempotent({ amount: 1 })), { reason: "Timeout" })
      const patient = yield* clientAt(server.baseUrl, { retry: RetryPolicy.none, attemptTimeout: "10 seconds" })
      yield* patient.idempotent({ amount: 1 })
    }).pipe(Effect.scoped)
  )

  it.live("is bounded by the deadline all the same", () =>
    Effect.gen(function* () {
      const server = yield* serving(late)
      const client = yield* clientAt(server.baseUrl, { attemptTimeout: 100, deadline: 150 })
      const error = yield* Effect.flip(client.get("t1"))
      assert.deepInclude(error, { reason: "Timeout", delivered: "unknown", attempts: 1 })
    }).pipe(Effect.scoped)
  )
})

describe("beforeSend", () => {
  const taken = new RequestFailed({ reason: "InvalidRequest", delivered: "unknown", attempts: 0, message: "taken" })

  it.live("runs right before each request, the one after a 401 included", () =>
    Effect.gen(function* () {
      const server = yield* serving(says(401), says(503))
      const privateKey = Redacted.make(pkcs8(newPair().privateKey))
      const client = yield* clientAt(server.baseUrl, { retry: policies.standard, privateKey })
      const order: Array<readonly [attempt: number, onTheWire: number]> = []
      yield* client
        .once({ amount: 1 }, { beforeSend: (n) => Effect.sync(() => order.push([n, server.seen.length])) })
        .pipe(Effect.ignore)
      assert.deepStrictEqual(order, [
        [1, 0],
        [2, 1]
      ])
      assert.lengthOf(server.seen, 2)
    }).pipe(Effect.scoped)
  )

  it.live("that fails ends the call with its error, and nothing is sent", () =>
    Effect.gen(function* () {
      const server = yield* serving()
      const client = yield* clientAt(server.baseUrl, { retry: policies.standard, connections: 1 })
      const error = yield* Effect.flip(client.get("t1", { beforeSend: () => Effect.fail(taken) }))
      assert.strictEqual(error, taken)
      assert.lengthOf(server.seen, 0)
      // Its connection is free.
      yield* client.get("t1")
    }).pipe(Effect.scoped)
  )

  it.live("that fails before the second request ends the call without a second request", () =>
    Effect.gen(function* () {
      const server = yield* serving(says(503))
      const client = yield* clientAt(server.baseUrl, { retry: policies.standard })
      const beforeSend = (attempt: number) => (attempt === 1 ? Effect.void : Effect.fail(taken))
      const error = yield* Effect.flip(client.get("t1", { beforeSend }))
      assert.deepInclude(error, { message: "taken", delivered: "unknown", attempts: 1 })
      assert.lengthOf(server.seen, 1)
    }).pipe(Effect.scoped)
  )

  it.live.each([
    ["at once", Effect.void],
    ["after a while", Effect.sleep(1)]
  ] as const)("that interrupts its own call %s keeps the request back", ([, before]) =>
    Effect.gen(function* () {
      const server = yield* serving()
      let sent = 0
      const counted = HttpClient.mapRequest(yield* HttpClient.HttpClient, (request) => {
        sent++
        return request
      })
      const http = yield* Effect.provide(
        Gr4vyHttpClient,
        Layer.provide(
          Gr4vy.layerWithoutTransport({ baseUrl: server.baseUrl, token: Redacted.make("token") }),
          Layer.succeed(HttpClient.HttpClient, counted)
        )
      )
      const client = Endpoint.clientOf(endpoints, http)
      const call = yield* Effect.fork(
        Effect.withFiberRuntime<unknown, unknown>((fiber) => {
          const interrupt = Effect.sync(() => fiber.unsafeInterruptAsFork(fiber.id()))
          return client.get("t1", { beforeSend: () => Effect.zipRight(before, interrupt) })
        })
      )
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(call)))
      assert.strictEqual(sent, 0)
      yield* client.get("t1")
      assert.deepStrictEqual([sent, server.seen.length], [1, 1])
    }).pipe(Effect.scoped, Effect.provide(FetchHttpClient.layer))
  )

  it.live("that dies, is interrupted or does not end sends nothing, and its connection is free", () =>
    Effect.gen(function* () {
      const server = yield* serving()
      const client = yield* clientAt(server.baseUrl, { retry: policies.standard, connections: 1, deadline: 200 })
      const gets = [Effect.die("broken"), Effect.interrupt, Effect.never].map((end) =>
        Effect.exit(client.get("t1", { beforeSend: () => end }))
      )
      const [died, interrupted, late] = yield* Effect.all(gets)
      assert.include(String(died), "broken")
      assert.strictEqual(interrupted?._tag, "Failure")
      assert.include(JSON.stringify(late), '"reason":"Timeout","delivered":"no"')
      assert.lengthOf(server.seen, 0)
      yield* client.get("t1")
    }).pipe(Effect.scoped)
  )
})

describe("a merchant account for one call or program", () => {
  const seen = (server: { readonly seen: ReadonlyArray<IncomingMessage> }) =>
    server.seen.map(({ headers }) => headers["x-gr4vy-merchant-account-id"])

  it.live("goes before the layer's own, and the innermost counts", () =>
    Effect.gen(function* () {
      const server = yield* serving()
      const client = yield* clientAt(server.baseUrl, { merchantAccountId: "own" })
      const get = client.get("t1")
      yield* get
      yield* Gr4vyHttpClient.withMerchantAccount(get, "other")
      yield* get.pipe(Gr4vyHttpClient.withMerchantAccount("inner"), Gr4vyHttpClient.withMerchantAccount("outer"))
      assert.deepStrictEqual(seen(server), ["own", "other", "inner"])
    }).pipe(Effect.scoped)
  )

  it.live.each(["", " ", "a\r\nx: y", "é", "a\u0000"])(
    "that no header can carry is refused, and never shown: %j",
    (id) =>
      Effect.gen(function* () {
        const server = yield* serving()
        const client = yield* clientAt(server.baseUrl)
        const secret = `${id}SECRET`
        const error = yield* Effect.flip(Gr4vyHttpClient.withMerchantAccount(client.get("t1"), id === "" ? id : secret))
        assert.deepInclude(error, { _tag: "RequestFailed", reason: "InvalidRequest", delivered: "no", attempts: 0 })
        assert.notInclude(JSON.stringify(error), "SECRET")
        assert.lengthOf(server.seen, 0)
      }).pipe(Effect.scoped)
  )
})

describe("a body that could not be sent twice", () => {
  it.live.each(["stream", "form data", "raw"] as const)("is refused before anything is sent: %s", (kind) =>
    Effect.gen(function* () {
      const server = yield* script(status(200))
      const http = yield* Gr4vy.makeClient({ baseUrl: server.baseUrl, token: Redacted.make("token") })
      const body = {
        stream: HttpBody.stream(Stream.make(new Uint8Array([1]))),
        "form data": HttpBody.formData(new FormData()),
        raw: HttpBody.raw("text")
      }[kind]
      const error = yield* Effect.flip(http.execute(HttpClientRequest.put("/x").pipe(HttpClientRequest.setBody(body))))
      assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
      assert.match(error.message, /^Nothing was sent: the body must be/)
      assert.lengthOf(server.requests, 0)
    }).pipe(Effect.scoped)
  )
})
