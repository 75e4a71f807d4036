/**
 * The pipeline over clients of others keeps the same promises.
 */
import {
  FetchHttpClient,
  HttpClient,
  HttpClientError,
  type HttpClientRequest,
  HttpClientResponse
} from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSessionId,
  CheckoutSessions,
  type CheckoutSessionsService,
  Credentials,
  Gr4vyHttpClient
} from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Cause, Context, Effect, Exit, Layer, Redacted, type Scope } from "effect"
import { faultServer, type Scenario, scenarioNames } from "../../support/FaultServer.js"
import { type Expected, late, lost, settles, table } from "../../support/faultTable.js"
import { millisToClose, soon, until } from "../../support/interrupting.js"
import * as Script from "../../support/script.js"
import { allClean, shown, token, update } from "../../support/sinks.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

interface Client {
  readonly name: string
  readonly layer: Layer.Layer<HttpClient.HttpClient>
  /** Where it tells less of a failure than the pipeline's own transport. */
  readonly coarser?: Readonly<Partial<Record<Scenario, Expected>>>
}

const clients: ReadonlyArray<Client> = [
  { name: "fetch", layer: FetchHttpClient.layer },
  { name: "undici", layer: NodeHttpClient.layerUndici },
  {
    name: "node:http",
    layer: NodeHttpClient.layer,
    // It reports the parser's error to nobody once a body has begun.
    coarser: { "a malformed chunk": lost }
  }
]

const over =
  ({ layer }: Pick<Client, "layer">) =>
  (options: Gr4vy.Options) =>
    Effect.map(Layer.build(Layer.provide(Gr4vy.layerWithoutTransport(options), layer)), (context) =>
      Context.get(context, CheckoutSessions)
    )

const retry = RetryPolicy.make({ baseDelay: 1 })
const mebibyte = 1024 * 1024

/** A session in this many bytes, in chunks that do not tell how many will come. */
const padded =
  (bytes: number): Script.Answer =>
  (_, response) => {
    response.writeHead(200, { "content-type": "application/json" })
    response.write(Script.sessionJson)
    response.end(" ".repeat(bytes - Script.sessionJson.length))
  }

describe.each(clients.map((client) => [client.name, client] as const))("over %s", (_, client) => {
  describe("whatever the server does, a call settles, truthfully, and shows no secret", () => {
    const settled = (scenario: Scenario) =>
      Effect.map(settles(scenario, over(client), client.coarser?.[scenario] ?? table[scenario]), (failures) => {
        for (const [where, cause] of failures) allClean(where, shown(cause))
      })
    it.live.each(scenarioNames.filter((name) => table[name] !== late))("%s", settled)
    describe("by the time it has", { concurrent: true }, () => {
      it.live.each(scenarioNames.filter((name) => table[name] === late))("%s", settled)
    })
  })

  it.live("a connection that is refused carried nothing, so that a POST is sent again", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Effect.scoped(Script.script(Script.session))
      const sessions = yield* over(client)({ baseUrl, token: Redacted.make(token), retry })
      const error = yield* Effect.flip(sessions.add())
      assert.deepInclude(error, { reason: "Connect", delivered: "no", attempts: 3 })
    }).pipe(Effect.scoped)
  )

  it.live.each([301, 302, 303, 307, 308])("a %i sends neither the token nor the card anywhere else", (status) =>
    Effect.gen(function* () {
      const elsewhere = yield* Script.script(Script.session)
      const server = yield* Script.script(Script.status(status, { location: `${elsewhere.baseUrl}/checkout/sessions` }))
      const sessions = yield* over(client)({ baseUrl: server.baseUrl, token: Redacted.make(token) })
      const error = yield* Effect.flip(sessions.updateFields(id, update))
      assert.deepInclude(error, { _tag: "Generic", status })
      assert.lengthOf(server.requests, 1)
      assert.lengthOf(elsewhere.requests, 0)
    }).pipe(Effect.scoped)
  )

  it.live("an answer may have 1 MiB, and not a byte more", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(padded(mebibyte), padded(mebibyte + 1))
      const sessions = yield* over(client)({ baseUrl: server.baseUrl, token: Redacted.make(token) })
      assert.strictEqual((yield* sessions.get(id)).id, id)
      assert.deepInclude(yield* Effect.flip(sessions.get(id)), { reason: "ResponseTooLarge", delivered: "yes" })
    }).pipe(Effect.scoped)
  )

  it.live.each(["a body over the cap, declared", "a body over the cap, undeclared"] as const)(
    "an answer that is not read to its end does not keep its connection: %s",
    (scenario) =>
      Effect.gen(function* () {
        const server = yield* faultServer(scenario)
        const sessions = yield* over(client)({ baseUrl: server.baseUrl, token: Redacted.make(token) })
        yield* Effect.flip(sessions.get(id))
        yield* until(() => server.open() === 0)
      }).pipe(Effect.scoped)
  )

  it.live.each(["no answer at all", "a body that stalls", "a byte every 50 ms"] as const)(
    "interrupting a call closes its socket at once: %s",
    (scenario) =>
      Effect.gen(function* () {
        const server = yield* faultServer(scenario)
        const sessions = yield* over(client)({ baseUrl: server.baseUrl, token: Redacted.make(token) })
        const fiber = yield* Effect.fork(sessions.add())
        yield* until(() => server.requests() === 1)
        assert.isBelow(yield* millisToClose(fiber, () => server.open() === 0), soon)
        assert.strictEqual(server.requests(), 1)
      }).pipe(Effect.scoped)
  )
})

type Over = (options: {
  readonly baseUrl: string
  readonly token: Redacted.Redacted
  readonly retry?: RetryPolicy.RetryPolicy
}) => Effect.Effect<CheckoutSessionsService, unknown, Scope.Scope>

type Answer = ReturnType<HttpClient.HttpClient["execute"]>

/** Both of ours that take any client. */
const beneath: Readonly<Record<string, (client: Layer.Layer<HttpClient.HttpClient>) => Over>> = {
  "Gr4vy.layerWithoutTransport": (layer) => over({ layer }),
  "core's plain layer": (layer) => (options) =>
    Effect.provide(
      CheckoutSessions,
      CheckoutSessions.layer.pipe(
        Layer.provide(Gr4vyHttpClient.layer(options)),
        Layer.provide([layer, Credentials.layerToken(options.token)])
      )
    )
}

describe.each(Object.entries(beneath))("a client that ends in ways of its own, beneath %s", (_, make) => {
  it.live("with an error for what is no 2xx: the answer still counts", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(Script.status(404))
      const layer = Layer.map(FetchHttpClient.layer, (context) =>
        Context.add(
          context,
          HttpClient.HttpClient,
          HttpClient.filterStatusOk(Context.get(context, HttpClient.HttpClient))
        )
      )
      const sessions = yield* make(layer)({ baseUrl: server.baseUrl, token: Redacted.make(token) })
      assert.strictEqual((yield* Effect.flip(sessions.get(id)))._tag, "NotFound")
    }).pipe(Effect.scoped)
  )

  /** Everything of the request, as a careless client might show it. */
  const careless = (request: HttpClientRequest.HttpClientRequest) => {
    const body = request.body._tag === "Uint8Array" ? Buffer.from(request.body.body).toString() : ""
    return Object.assign(new TypeError(`cannot send ${JSON.stringify(request.headers)} ${body}`, { cause: request }), {
      headers: request.headers,
      body
    })
  }
  const deaths: Readonly<
    Record<string, readonly [ends: string, execute: (request: HttpClientRequest.HttpClientRequest) => Answer]>
  > = {
    "dies of an error": ["died of a TypeError", (request) => Effect.die(careless(request))],
    "dies of a text": ["died of a thrown string", (request) => Effect.die(careless(request).message)],
    "dies of its own error": [
      "died of a RequestError",
      (request) =>
        Effect.die(new HttpClientError.RequestError({ request, reason: "Transport", cause: careless(request) }))
    ],
    throws: [
      "died of a TypeError",
      (request) => {
        throw careless(request)
      }
    ],
    "fails with what its type does not know": [
      "The connection was lost",
      // What plain JavaScript could do.
      (request) => Effect.fail(careless(request) as never)
    ],
    "throws while the body is read": [
      "The connection was lost",
      (request) => {
        const body = new ReadableStream({
          pull: () => {
            throw careless(request)
          }
        })
        return Effect.succeed(HttpClientResponse.fromWeb(request, new Response(body)))
      }
    ]
  }
  it.live.each(Object.keys(deaths))("that %s shows no secret, and a POST is not sent again", (name) =>
    Effect.gen(function* () {
      const [ends, execute] = deaths[name] ?? assert.fail(name)
      const methods: Array<string> = []
      const client = HttpClient.make((request) => {
        methods.push(request.method)
        return execute(request)
      })
      const sessions = yield* make(Layer.succeed(HttpClient.HttpClient, client))({
        baseUrl: "https://api.example",
        token: Redacted.make(token),
        retry
      })
      for (const call of [sessions.add(), sessions.updateFields(id, update)]) {
        const exit = yield* Effect.exit(call)
        assert(Exit.isFailure(exit))
        allClean(name, shown(exit.cause))
        assert.include(Cause.pretty(exit.cause), ends)
        assert.strictEqual(Cause.isDie(exit.cause), ends.startsWith("died"))
      }
      assert.lengthOf(
        methods.filter((method) => method === "POST"),
        1
      )
    }).pipe(Effect.scoped)
  )
})

describe.each(Object.entries(beneath))("options for fetch, beneath %s", (_, make) => {
  const init = Layer.succeed(FetchHttpClient.RequestInit, { redirect: "follow", headers: { "x-own": "1" } })

  it.live.each([
    ["beside the client", Layer.merge(FetchHttpClient.layer, init), "1"],
    ["inside the client", Layer.provide(FetchHttpClient.layer, init), undefined]
  ] as const)("may be given %s, but no redirect is followed", ([, layer, own]) =>
    Effect.gen(function* () {
      const elsewhere = yield* Script.script(Script.session)
      const server = yield* Script.script(Script.status(307, { location: `${elsewhere.baseUrl}/checkout/sessions` }))
      const sessions = yield* make(layer)({ baseUrl: server.baseUrl, token: Redacted.make(token) })
      assert.deepInclude(yield* Effect.flip(sessions.add()), { _tag: "Generic", status: 307 })
      assert.lengthOf(elsewhere.requests, 0)
      assert.strictEqual(server.requests[0]?.headers["x-own"], own)
    }).pipe(Effect.scoped)
  )
})
