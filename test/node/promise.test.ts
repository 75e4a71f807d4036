import { getEventListeners } from "node:events"
import { assert, describe, it, layer } from "@effect/vitest"
import { CheckoutSession, Generic, NotFound, RequestFailed, Unauthorized } from "@effect-gr4vy/core"
import { Sandbox } from "@effect-gr4vy/node"
import { type CardRequest, type Client, create, type Options } from "@effect-gr4vy/node/promise"
import * as Otel from "@opentelemetry/api"
import { Effect, Predicate, Redacted } from "effect"
import { expectTypeOf } from "vitest"
import { registered } from "../support/setUps.js"
import { slowServer } from "../support/slowServer.js"

const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"

const card = {
  method: "card",
  number: "4111111111111111",
  expirationDate: "11/29",
  securityCode: "123"
} as const satisfies CardRequest

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
    (error: unknown) => (Predicate.hasProperty(error, "_tag") ? error._tag : String(error))
  )

const requestsDuring = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { seen } = yield* Sandbox.Sandbox
    const before = (yield* seen).length
    yield* effect
    return (yield* seen).length - before
  })

layer(Sandbox.layer(), { excludeTestServices: true })("a client of promises", (it) => {
  it.scoped("carries a session through its life with plain strings", () =>
    Effect.gen(function* () {
      const client = yield* inSandbox
      const session = yield* Effect.promise(() => client.add())
      assert.instanceOf(session, CheckoutSession)
      assert.isAbove(new Date(session.expiresAt.epochMillis).getTime() - Date.now(), 50 * 60_000)
      yield* Effect.promise(() => client.updateFields(session.id, { paymentMethod: card }))
      yield* Effect.promise(() =>
        client.updateFields(session.id, { paymentMethod: { ...card, number: Redacted.make<string>(card.number) } })
      )
      yield* Effect.promise(() => client.updateFields(session.id))
      const read = yield* Effect.promise(() => client.get(session.id))
      assert.isBelow(read.expiresAt.epochMillis, session.expiresAt.epochMillis)
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
      assert.strictEqual(unauthorized._tag, "Unauthorized")
      const generic = yield* rejectionAfter({ status: 418 })
      assert.instanceOf(generic, Generic)
      assert.strictEqual(generic.status, 418)
      const failed = yield* rejectionAfter({ reset: true })
      assert.instanceOf(failed, RequestFailed)
      assert.strictEqual(failed.delivered, "unknown")
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

  it.scoped("reads what it is not told from the environment", () =>
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
      assert.instanceOf(yield* Effect.promise(() => client.add()), CheckoutSession)
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
      const error = yield* rejection(() => client.add({ signal: AbortSignal.timeout(20) }))
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

describe("create rejects with a sentence that says what to change", () => {
  const cases: ReadonlyArray<{ what: string; options: Options; says: string }> = [
    { what: "nothing is given or set", options: {}, says: "GR4VY_ID" },
    { what: "the token is missing", options: { id: "plantly" }, says: "GR4VY_TOKEN" },
    { what: "the address is not https", options: { baseUrl: "http://example.com", token: "any" }, says: "https" },
    { what: "the token has a line break", options: { id: "plantly", token: "secret\n" }, says: "white space" },
    { what: "the key is none", options: { id: "plantly", privateKey: "secret" }, says: "P-521" },
    { what: "a limit is zero", options: { id: "plantly", token: "any", deadline: 0 }, says: "deadline" }
  ]
  for (const { options, says, what } of cases) {
    it.effect(`when ${what}`, () =>
      Effect.gen(function* () {
        const error = yield* rejection(() => create(options))
        assert.instanceOf(error, Error)
        assert.include(error.message, says)
        assert.notInclude(error.message, "secret")
      })
    )
  }
})

describe("its types", () => {
  it("take secrets as strings, and refuse what the API refuses", () => {
    expectTypeOf<Client["get"]>().parameters.toEqualTypeOf<
      [id: string, options?: { readonly signal?: AbortSignal | undefined }]
    >()
    expectTypeOf<Client["add"]>().returns.toEqualTypeOf<Promise<CheckoutSession>>()
    expectTypeOf<CardRequest["number"]>().toEqualTypeOf<string | Redacted.Redacted>()
    expectTypeOf({ id: "plantly", environment: "production", token: "ey" } as const).toExtend<Options>()
    expectTypeOf({ baseUrl: new URL("https://x.test"), privateKey: Redacted.make("") }).toExtend<Options>()
    expectTypeOf({ token: "ey", privateKey: "-----BEGIN" }).not.toExtend<Options>()
    expectTypeOf({ id: "plantly", baseUrl: "https://x.test" }).not.toExtend<Options>()
    expectTypeOf({ ...card, buyerId: id }).toExtend<CardRequest>()
    expectTypeOf({ ...card, buyerId: id, buyerExternalIdentifier: "user" }).not.toExtend<CardRequest>()
  })
})
