import * as Http from "node:http"
import { createRequire, syncBuiltinESMExports } from "node:module"
import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
import * as Otel from "@opentelemetry/api"
import { type Instrumentation, registerInstrumentations } from "@opentelemetry/instrumentation"
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http"
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici"
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import * as Script from "../../support/script.js"
import { unregister } from "../../support/setUps.js"
import { Recorder } from "../../support/spans.js"

const recorder = new Recorder()
const instrumentations: ReadonlyArray<Instrumentation> = [new HttpInstrumentation(), new UndiciInstrumentation()]

beforeAll(() => {
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(recorder)] }).register()
  registerInstrumentations({ instrumentations: [...instrumentations] })
  // `node:http` is patched when it is required, and then for those who have imported it.
  createRequire(import.meta.url)("node:http")
  syncBuiltinESMExports()
})
beforeEach(() => void recorder.take())
afterAll(() => {
  for (const instrumentation of instrumentations) instrumentation.disable()
  unregister()
})

const clientSpans = () => recorder.take().filter((_) => _.kind === "client")

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const options = (baseUrl: string) => ({ baseUrl, token: Redacted.make("token") })
const over = (client: Layer.Layer<HttpClient.HttpClient>) => (baseUrl: string) =>
  Layer.provide(Gr4vy.layerWithoutTransport(options(baseUrl)), client)

const transports = [
  { name: "the pipeline's own transport", layer: (baseUrl: string) => Gr4vy.layer(options(baseUrl)) },
  { name: "an undici HttpClient", layer: over(NodeHttpClient.layerUndici) },
  { name: "a node:http HttpClient", layer: over(NodeHttpClient.layer) },
  { name: "a fetch HttpClient", layer: over(FetchHttpClient.layer) }
]

describe("with instrumentation-undici and instrumentation-http active", () => {
  const others = [
    { name: "fetch", get: (url: string): Promise<unknown> => fetch(url).then((response) => response.text()) },
    {
      name: "node:http",
      get: (url: string): Promise<unknown> =>
        new Promise((resolve) => Http.get(url, (response) => response.resume().once("close", resolve)))
    }
  ]
  it.live.each(others)("they instrument the requests of other code: $name", ({ get }) =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* Script.script(Script.session)
      yield* Effect.promise(() => get(baseUrl))
      assert.lengthOf(clientSpans(), 1)
      assert.isDefined(requests[0]?.headers["traceparent"])
    }).pipe(Effect.scoped)
  )

  it.live.each(transports)("each request has one CLIENT span and one traceparent over $name", ({ layer }) =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* Script.script(Script.status(503), Script.session)
      yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id)).pipe(
        Effect.provide(layer(baseUrl)),
        Effect.provide(OtelTracer.layer)
      )
      const clients = clientSpans()
      assert.deepStrictEqual(
        clients.map((_) => _.name),
        Array.from(requests, () => "GET /checkout/sessions/{checkout_session_id}")
      )
      assert.deepStrictEqual(
        requests.map(({ rawHeaders }) => rawHeaders.filter((_, i) => /^traceparent$/i.test(rawHeaders[i - 1] ?? ""))),
        clients.map((_) => [`00-${_.traceId}-${_.spanId}-01`])
      )
    }).pipe(Effect.scoped)
  )

  it.live("a call inside a handler that they have wrapped joins its trace", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      const runtime = ManagedRuntime.make(Layer.provideMerge(Gr4vy.layer(options(baseUrl)), OtelTracer.layer))
      yield* Effect.addFinalizer(() => runtime.disposeEffect)
      const sessions = yield* Effect.promise(() => runtime.runPromise(CheckoutSessions))
      const handlers: Array<Otel.SpanContext | undefined> = []
      const shop = yield* Script.script((_, response) => {
        handlers.push(Otel.trace.getActiveSpan()?.spanContext())
        runtime.runPromise(sessions.get(id)).then(() => response.end())
      })
      yield* Effect.promise(() => Promise.all([1, 2, 3].map(() => fetch(shop.baseUrl))))
      const services = recorder.take().filter((_) => _.name === "CheckoutSessions.get")
      assert.sameDeepMembers(
        services.map((_) => [_.traceId, _.parentSpanId]),
        handlers.map((_) => [_?.traceId, _?.spanId])
      )
      assert.strictEqual(new Set(services.map((_) => _.traceId)).size, 3)
    }).pipe(Effect.scoped)
  )

  it.live("fetch after a call is instrumented as before it", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      yield* Effect.gen(function* () {
        const sessions = yield* CheckoutSessions
        yield* sessions.get(id)
        recorder.take()
        yield* Effect.promise(() => fetch(baseUrl))
      }).pipe(Effect.provide(Gr4vy.layer(options(baseUrl))), Effect.withSpan("mine"), Effect.provide(OtelTracer.layer))
      const spans = recorder.take()
      const mine = spans.find((_) => _.name === "mine")
      assert.deepStrictEqual(
        spans.filter((_) => _.kind === "client").map((_) => [_.scope.name, _.parentSpanId]),
        [["@opentelemetry/instrumentation-undici", mine?.spanId]]
      )
    }).pipe(Effect.scoped)
  )
})
