/**
 * Clients of others end in ways of their own; what is made of it shows no secret, and claims nothing untrue.
 */
import {
  FetchHttpClient,
  HttpClient,
  HttpClientError,
  type HttpClientRequest,
  HttpClientResponse
} from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { RetryPolicy } from "@effect-gr4vy/node"
import { Cause, Context, Effect, Exit, Layer, Redacted } from "effect"
import { either, pipeline } from "../../support/foreign.js"
import * as Script from "../../support/script.js"
import { allClean, shown, token, update } from "../../support/sinks.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const retry = RetryPolicy.make({ baseDelay: 1 })

type Answer = ReturnType<HttpClient.HttpClient["execute"]>

describe.each(Object.entries(either))("a client that ends in ways of its own, beneath %s", (_, make) => {
  it.live("with an error for a status that is not 2xx: the response still counts", () =>
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
    "dies of an error": ["died with a TypeError", (request) => Effect.die(careless(request))],
    "dies of a text": ["died with a thrown string", (request) => Effect.die(careless(request).message)],
    "dies of its own error": [
      "died with a RequestError",
      (request) =>
        Effect.die(new HttpClientError.RequestError({ request, reason: "Transport", cause: careless(request) }))
    ],
    throws: [
      "died with a TypeError",
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

describe.each(Object.entries(either))("options for fetch, beneath %s", (_, make) => {
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

it.live("a client that cannot be interrupted does not keep a call beyond its limit", () =>
  Effect.gen(function* () {
    const deaf = HttpClient.make(() => Effect.uninterruptible(Effect.never))
    const sessions = yield* pipeline(Layer.succeed(HttpClient.HttpClient, deaf))({
      baseUrl: "https://api.example",
      token: Redacted.make(token),
      attemptTimeout: 20
    })
    assert.deepInclude(yield* Effect.flip(sessions.add()), { reason: "Timeout", delivered: "unknown", attempts: 1 })
  }).pipe(Effect.scoped)
)
