import { getEventListeners } from "node:events"
import { assert, describe, it, layer } from "@effect/vitest"
import {
  type CardRequest,
  create,
  Generic,
  NotFound,
  type Options,
  RequestFailed,
  Unauthorized
} from "@effect-gr4vy/promise"
import { Sandbox } from "@effect-gr4vy/sandbox"
import * as Otel from "@opentelemetry/api"
import { Effect, Predicate } from "effect"
import { registered } from "../support/setUps.js"
import { slowServer } from "../support/slowServer.js"

const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"

const card = {
  method: "card",
  number: "4111111111111111",
  expirationDate: "11/29",
  securityCode: "123"
} as const satisfies CardRequest

/** Properties as plain JavaScript may leave them. */
const nulls = (...names: ReadonlyArray<string>): object => Object.fromEntries(names.map((name) => [name, null]))

const open = (options: Options) =>
  Effect.acquireRelease(
    Effect.promise(() => create(options)),
    (client) => Effect.promise(client.close)
  )

const inSandbox = Effect.flatMap(Sandbox.Sandbox, ({ baseUrl }) => open({ baseUrl, token: "any" }))

const rejection = (call: () => Promise<unknown>) =>
  Effect.promise(() =>
    call().then(
      () => assert.fail("it resolved"),
      (error: unknown) => error
    )
  )

const tagOfRejection = (call: () => Promise<unknown>) =>
  call().then(
    () => "resolved",
    (error: unknown) => (Predicate.hasProperty(error, "name") ? error.name : String(error))
  )

const requestsDuring = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { seen } = yield* Sandbox.Sandbox
    const before = (yield* seen).length
    yield* effect
    return (yield* seen).length - before
  })

layer(Sandbox.layer(), { excludeTestServices: true })("a client of promises", (it) => {
  it.scoped("creates, reads, updates and deletes a session with plain strings", () =>
    Effect.gen(function* () {
      const client = yield* inSandbox
      const session = yield* Effect.promise(() => client.add())
      assert.strictEqual(Object.getPrototypeOf(session), Object.prototype)
      assert.instanceOf(session.expiresAt, Date)
      assert.isAbove(session.expiresAt.getTime() - Date.now(), 50 * 60_000)
      assert.isUndefined(yield* Effect.promise(() => client.updateFields(session.id, { paymentMethod: card })))
      yield* Effect.promise(() => client.updateFields(session.id))
      const read = yield* Effect.promise(() => client.get(session.id))
      assert.isBelow(read.expiresAt.getTime(), session.expiresAt.getTime())
      yield* Effect.promise(() => client.delete(session.id))
      assert.instanceOf(yield* rejection(() => client.get(session.id)), NotFound)
    })
  )

  it.scoped("rejects with the error classes themselves", () =>
    Effect.gen(function* () {
      const client = yield* inSandbox
      const { failNext } = yield* Sandbox.Sandbox
      const rejectionAfter = (fault: Sandbox.Fault) =>
        Effect.zipRight(
          failNext(fault),
          rejection(() => client.add())
        )
      const unauthorized = yield* rejectionAfter({ status: 401 })
      assert.instanceOf(unauthorized, Unauthorized)
      assert.instanceOf(unauthorized, Error)
      assert.strictEqual(unauthorized.name, "Unauthorized")
      assert.strictEqual(unauthorized._tag, "Unauthorized")
      assert.strictEqual(unauthorized.status, 401)
      const generic = yield* rejectionAfter({ status: 418, code: "teapot", message: "Short and stout" })
      assert.instanceOf(generic, Generic)
      assert.deepInclude(generic, { status: 418, code: "teapot", message: "Short and stout", details: [], attempts: 1 })
      assert.isUndefined(generic.retryAfter)
      const busy = yield* rejectionAfter({ status: 429, retryAfterSeconds: 60 })
      assert.instanceOf(busy, Generic)
      assert.strictEqual(busy.retryAfter, 60_000)
      const failed = yield* rejectionAfter({ reset: true })
      assert.instanceOf(failed, RequestFailed)
      assert.deepInclude(failed, { reason: "Disconnected", delivered: "unknown", attempts: 1 })
      assert.match(failed.stack ?? "", /^RequestFailed: The connection/)
      assert.deepInclude(JSON.parse(JSON.stringify(failed)), { name: "RequestFailed", message: failed.message })
    })
  )

  it.scoped("sends nothing for an id or a card that cannot be one, and quotes neither", () =>
    Effect.gen(function* () {
      const client = yield* inSandbox
      const typo = { ...card, number: "4111-1111-1111-1111" }
      const requests = yield* requestsDuring(
        Effect.gen(function* () {
          for (const call of [
            () => client.get("../sessions"),
            () => client.delete(""),
            () => client.updateFields(`${id}/fields`),
            () => client.updateFields(id, { paymentMethod: typo })
          ]) {
            const error = yield* rejection(call)
            assert.instanceOf(error, RequestFailed)
            assert.strictEqual(error.reason, "InvalidRequest")
            assert.notInclude(error.message, "1111")
          }
        })
      )
      assert.strictEqual(requests, 0)
    })
  )

  it.scoped("sends nothing when its signal was aborted before", () =>
    Effect.gen(function* () {
      const client = yield* inSandbox
      // A connection that is open already would carry a request at once.
      yield* Effect.promise(() => client.add())
      const reason = new Error("left the page")
      const requests = yield* requestsDuring(
        Effect.gen(function* () {
          assert.strictEqual(yield* rejection(() => client.get(id, { signal: AbortSignal.abort(reason) })), reason)
        })
      )
      assert.strictEqual(requests, 0)
    })
  )

  it.scoped("leaves nothing on a signal that lives through 10,000 calls, many at a time", () =>
    Effect.gen(function* () {
      const client = yield* inSandbox
      const { signal } = new AbortController()
      const warnings: Array<Error> = []
      const warned = (warning: Error) => void warnings.push(warning)
      yield* Effect.acquireRelease(
        Effect.sync(() => process.on("warning", warned)),
        () => Effect.sync(() => process.off("warning", warned))
      )
      // A hundred go over the wire at once; the others end before it.
      for (let round = 0; round < 100; round++) {
        const call = () => client.get(round === 0 ? id : "", { signal })
        const tags = yield* Effect.promise(() => Promise.all(Array.from({ length: 100 }, () => tagOfRejection(call))))
        assert.deepStrictEqual(new Set(tags), new Set([round === 0 ? "NotFound" : "RequestFailed"]))
      }
      assert.lengthOf(getEventListeners(signal, "abort"), 0)
      assert.deepStrictEqual(warnings, [])
    })
  )

  it.scoped("treats null as absent", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Sandbox.Sandbox
      const client = yield* open({ baseUrl, token: "any", ...nulls("merchantAccountId", "retry", "deadline") })
      const { id } = yield* Effect.promise(() => client.add(null, null))
      yield* Effect.promise(() => client.updateFields(id, null, null))
      yield* Effect.promise(() => client.get(id, { signal: null, retry: null }))
      yield* Effect.promise(() => client.close())
    })
  )

  it.scoped("refuses invalid arguments of plain JavaScript before anything is sent, and names the argument", () =>
    Effect.gen(function* () {
      const client = yield* inSandbox
      const cycle: Record<string, unknown> = {}
      cycle["self"] = cycle
      // What a type error would have said.
      const untyped: Record<string, (...args: ReadonlyArray<unknown>) => Promise<unknown>> = Object(client)
      const calls: ReadonlyArray<[string, ReadonlyArray<unknown>, string]> = [
        ["add", [5], "session must be"],
        ["add", [{ signal: 5 }], "session has an unknown property"],
        [
          "add",
          [{ amount: "5411" }],
          "session.amount must be an integer from 0 to 99999999, in the currency's smallest unit"
        ],
        ["add", [{ cart_items: [] }], "session has an unknown property (did you mean cartItems?)"],
        ["add", [{}, 5], "options must be an object"],
        ["get", [], "id must be a string"],
        ["get", [5], "id must be a string"],
        ["get", [null], "id must be a string"],
        ["update", [id, null], "session must be"],
        ["update", [id], "session must be"],
        ["update", [id, { currency: "5411" }], "session.currency must be 3 capital letters"],
        ["request", [], "method must be one of GET"],
        ["request", ["BREW", "/coffee"], "method must be one of GET"],
        ["request", ["GET"], "path must be a string that begins with"],
        ["request", ["GET", "https://example.com/5411"], "path must be a string that begins with"],
        ["request", ["GET", "/transactions?__proto__=5411"], "the query must not have a parameter named __proto__"],
        ["request", ["GET", "/transactions/../5411"], "path must not have an empty segment"],
        ["request", ["GET", "/transactions/%2e%2e/5411"], "path must not have an empty segment"],
        ["request", ["GET", "/transactions//5411"], "path must not have an empty segment"],
        ["request", ["GET", "/transactions/%zz"], "percent-encoded"],
        ["request", ["POST", "/transactions", { body: 5411111111111111n }], "body must be a JSON value, not a bigint"],
        [
          "request",
          ["POST", "/transactions", { body: '{"id":"5411"}' }],
          "body must be the value itself, not a string"
        ],
        ["request", ["POST", "/transactions", { body: cycle }], "must be free of cycles"],
        ["request", ["POST", "/transactions", { body: () => 5411 }], "body must be a JSON value, not a function"],
        ["request", ["POST", "/transactions", { idempotencyKey: 5411 }], "options.idempotencyKey must be a string"],
        ["request", ["POST", "/transactions", { idempotencyKey: "" }], "idempotencyKey must be 1 to 255"],
        ["request", ["POST", "/transactions", { idempotencyKey: "a\n5411" }], "idempotencyKey must be 1 to 255"],
        ["get", [id, "now"], "options must be an object"],
        ["get", [id, { signal: {} }], "options.signal must be an AbortSignal"],
        ["get", [id, { signal: "5411111111111111" }], "options.signal must be an AbortSignal"],
        ["get", [id, { timeout: 5 }], 'options: there is no option "timeout" (did you mean attemptTimeout?)'],
        ["get", [id, { retry: 5 }], "options.retry must be an object"],
        ["get", [id, { retry: { maxAttempts: 0 } }], "options.retry.maxAttempts must be a whole number"],
        ["get", [id, { retry: { maxDelay: "soon" } }], "options.retry.maxDelay must be"],
        ["get", [id, { retry: { maxDelay: {} } }], "options.retry.maxDelay must be"],
        [
          "get",
          [id, { retry: { attempts: 5 } }],
          'options.retry: there is no option "attempts" (did you mean maxAttempts?)'
        ],
        ["updateFields", [id, "5411111111111111"], "update must be an object"],
        ["updateFields", [id, { paymentMethod: "5411111111111111" }], "paymentMethod must be an object"],
        ["updateFields", [id, { paymentMethod: { ...card, number: 5411111111111111 } }], "number must be a string"],
        ["updateFields", [id, { paymentMethod: { ...card, securityCode: null } }], "paymentMethod"]
      ]
      const requests = yield* requestsDuring(
        Effect.gen(function* () {
          for (const [method, args, says] of calls) {
            const error = yield* rejection(() => untyped[method]?.(...args) ?? Promise.resolve())
            assert.instanceOf(error, RequestFailed, `${method}: ${error}`)
            assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
            assert.include(error.message, says)
            assert.notInclude(error.message, "5411")
          }
        })
      )
      assert.strictEqual(requests, 0)
    })
  )

  it.scoped("retries one call as its options say, and else as the client's do", () =>
    Effect.gen(function* () {
      const { baseUrl, failNext } = yield* Sandbox.Sandbox
      const client = yield* open({
        baseUrl,
        token: "any",
        retry: { maxAttempts: 2, baseDelay: "1 milli", creates: "at-least-once" }
      })
      const requestsOf = (call: () => Promise<unknown>) =>
        requestsDuring(
          Effect.zipRight(
            failNext({ status: 500 }, { status: 500 }, { status: 500 }),
            Effect.promise(() => tagOfRejection(call))
          )
        ).pipe(Effect.zipLeft(drain))
      // Sends what is left of the faults into nothing.
      const drain = Effect.promise(async () => {
        for (let n = 0; n < 3; n++) await tagOfRejection(() => client.get(id, { retry: "none" }))
      })
      assert.strictEqual(yield* requestsOf(() => client.add()), 2)
      assert.strictEqual(yield* requestsOf(() => client.add(undefined, { retry: "none" })), 1)
      assert.strictEqual(yield* requestsOf(() => client.add(null, { retry: { maxAttempts: 3 } })), 3)
      assert.strictEqual(yield* requestsOf(() => client.add({}, { retry: { creates: "at-most-once" } })), 1)
    })
  )

  it.scoped("reads missing options from the environment", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Sandbox.Sandbox
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.assign(process.env, { GR4VY_BASE_URL: baseUrl, GR4VY_TOKEN: "any" })),
        () =>
          Effect.sync(() => {
            delete process.env["GR4VY_BASE_URL"]
            delete process.env["GR4VY_TOKEN"]
          })
      )
      const client = yield* Effect.acquireRelease(
        Effect.promise(() => create()),
        (client) => Effect.promise(client.close)
      )
      assert.strictEqual((yield* Effect.promise(() => client.add())).type, "checkout-session")
      const withSource = yield* open({
        getToken: async () => ({ token: "own", expiresAt: new Date(Date.now() + 60_000) })
      })
      yield* Effect.promise(() => withSource.add())
    })
  )
})

describe("a call with a signal", () => {
  it.scopedLive("closes its socket and rejects with the signal's reason", () =>
    Effect.gen(function* () {
      const server = yield* slowServer
      const client = yield* open({ baseUrl: server.baseUrl, token: "any" })
      const controller = new AbortController()
      const reason = new Error("left the page")
      const call = client.get(id, { signal: controller.signal })
      yield* server.asked
      controller.abort(reason)
      assert.strictEqual(yield* rejection(() => call), reason)
      yield* server.hungUp
      assert.lengthOf(getEventListeners(controller.signal, "abort"), 0)
    })
  )

  it.scopedLive("ends with AbortSignal.timeout as fetch does", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* slowServer
      const client = yield* open({ baseUrl, token: "any" })
      const error = yield* rejection(() => client.add(undefined, { signal: AbortSignal.timeout(20) }))
      assert.instanceOf(error, DOMException)
      assert.strictEqual(error.name, "TimeoutError")
    })
  )
})

describe("a call in a traced request handler", () => {
  it.scopedLive("joins the trace it is made in, and not the one its client was created in", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Sandbox.Sandbox
      const [, spans] = yield* registered(
        Effect.gen(function* () {
          const client = yield* inSpan("start-up", () => create({ baseUrl, token: "any" }))
          yield* Effect.all([inSpan("request 1", () => client.add()), inSpan("request 2", () => client.add())], {
            concurrency: 2
          })
          yield* Effect.promise(client.close)
        })
      )
      const named = (name: string) => spans.filter((span) => span.name === name)
      const ids = (...names: ReadonlyArray<string>) => names.flatMap(named).map((span) => span.spanId)
      const parents = (name: string) => named(name).map((span) => span.parentSpanId)
      assert.sameMembers(parents("CheckoutSessions.add"), ids("request 1", "request 2"))
      assert.sameMembers(parents("POST /checkout/sessions"), ids("CheckoutSessions.add"))
    }).pipe(Effect.provide(Sandbox.layer()))
  )
})

const inSpan = <A>(name: string, f: () => Promise<A>): Effect.Effect<A> =>
  Effect.promise(() => Otel.trace.getTracer("test").startActiveSpan(name, (span) => f().finally(() => span.end())))

describe("close", () => {
  it.scopedLive("lets the calls underway finish, closes every socket, and takes no more calls", () =>
    Effect.gen(function* () {
      const server = yield* slowServer
      const client = yield* open({ baseUrl: server.baseUrl, token: "any" })
      const call = client.delete(id)
      const response = yield* server.asked
      const closed = client.close()
      const late = yield* rejection(() => client.delete(id))
      assert.instanceOf(late, RequestFailed)
      assert.strictEqual(late.delivered, "no")
      assert.include(late.message, "closed")
      response.writeHead(204).end()
      yield* Effect.promise(() => call)
      yield* Effect.promise(() => closed)
      yield* server.hungUp
      yield* Effect.promise(() => client.close())
    })
  )

  it.scopedLive("happens at the end of `await using`", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* slowServer
      const client = yield* Effect.promise(() => create({ baseUrl, token: "any" }))
      yield* Effect.promise(async () => {
        await using _ = client
      })
      assert.instanceOf(yield* rejection(() => client.add()), RequestFailed)
    })
  )
})

const token = { token: "any", expiresAt: new Date(Date.now() + 60_000) }

/** What JavaScript may give. */
const untyped = (cases: ReadonlyArray<[what: string, options: unknown, says: string]>) =>
  cases.map(([what, options, says]) => ({ what, says, options: options as Options }))

describe("create rejects with a message that says what to change", () => {
  const cases: ReadonlyArray<{ what: string; options: Options; says: string }> = [
    { what: "nothing is given or set", options: {}, says: "GR4VY_ID" },
    { what: "the token is missing", options: { id: "plantly" }, says: "GR4VY_TOKEN" },
    { what: "the address is not https", options: { baseUrl: "http://example.com", token: "any" }, says: "https" },
    { what: "the token has a line break", options: { id: "plantly", token: "secret\n" }, says: "white space" },
    { what: "the key is none", options: { id: "plantly", privateKey: "secret" }, says: "P-521" },
    { what: "a limit is zero", options: { id: "plantly", token: "any", deadline: 0 }, says: "deadline" },
    { what: "there is no instance", options: { getToken: async () => token }, says: "GR4VY_ID" },
    ...untyped([
      ["it is no object", "secret", "options must be an object"],
      [
        "an option has another name",
        { id: "plantly", tokn: "secret" },
        'options: there is no option "tokn" (did you mean token?)'
      ],
      ["the id is a number", { id: 5, token: "any" }, "options.id must be a string"],
      ["the token is a number", { id: "plantly", token: 5 }, "options.token must be a string"],
      ["the token is no function", { id: "plantly", getToken: "secret" }, "options.getToken must be a function"],
      ["there are two tokens", { id: "plantly", token: "secret", privateKey: "secret" }, "only one of token"],
      ["there are two addresses", { id: "plantly", baseUrl: "https://x.test", token: "any" }, "either baseUrl, or id"],
      ["the environment is unknown", { id: "plantly", environment: "secret", token: "any" }, '"production"'],
      ["a duration has no unit", { id: "plantly", token: "any", deadline: "10" }, "deadline"],
      ["scopes are a string", { id: "plantly", token: "any", scopes: "secret" }, "options.scopes must be an array"]
    ])
  ]
  for (const { options, says, what } of cases) {
    it.effect(`when ${what}`, () =>
      Effect.gen(function* () {
        const error = yield* rejection(() => create(options))
        assert.instanceOf(error, RequestFailed)
        assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
        assert.include(error.message, says)
        assert.notInclude(error.message, "secret")
      })
    )
  }
})
