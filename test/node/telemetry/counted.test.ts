import * as Http from "node:http"
import { createRequire, syncBuiltinESMExports } from "node:module"
import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import * as Otel from "@opentelemetry/api"
import { type Instrumentation, registerInstrumentations } from "@opentelemetry/instrumentation"
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http"
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici"
import { MeterProvider } from "@opentelemetry/sdk-metrics"
import { Effect, Layer, Redacted } from "effect"
import { collect, durations, Reader } from "../../support/metrics.js"
import * as Script from "../../support/script.js"
import { unregister } from "../../support/setUps.js"

// As `--import @opentelemetry/auto-instrumentations-node/register` does it: no hook is given.
const instrumentations: ReadonlyArray<Instrumentation> = [new HttpInstrumentation(), new UndiciInstrumentation()]
let reader = new Reader()

beforeAll(() => {
  registerInstrumentations({ instrumentations: [...instrumentations] })
  // `node:http` is patched when it is required, and then for those who have imported it.
  createRequire(import.meta.url)("node:http")
  syncBuiltinESMExports()
})
beforeEach(() => {
  reader = new Reader()
  const provider = new MeterProvider({ readers: [reader] })
  Otel.metrics.disable()
  Otel.metrics.setGlobalMeterProvider(provider)
  for (const instrumentation of instrumentations) instrumentation.setMeterProvider(provider)
})
afterAll(() => {
  for (const instrumentation of instrumentations) instrumentation.disable()
  unregister()
})

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const options = (baseUrl: string) => ({ baseUrl, token: Redacted.make("token") })
const over = (client: Layer.Layer<HttpClient.HttpClient>) => (baseUrl: string) =>
  Layer.provide(Gr4vy.layerWithoutTransport(options(baseUrl)), client)

const transports = [
  { name: "the pipeline's own transport", layer: (baseUrl: string) => Gr4vy.layer(options(baseUrl)) },
  { name: "an undici HttpClient", layer: over(NodeHttpClient.layerUndici) },
  { name: "a fetch HttpClient", layer: over(FetchHttpClient.layer) }
]

describe("with instrumentations that were given no hook", () => {
  it.live.each(transports)("a request is one point of http.client.request.duration over $name", ({ layer }) =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* Script.script(Script.status(503), Script.session)
      yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id)).pipe(Effect.provide(layer(baseUrl)))
      assert.lengthOf(requests, 2)
      const recorded = durations(yield* collect(reader))
      assert.deepStrictEqual(
        recorded.map((_) => [_.scope, _.points.map(({ count }) => count)]),
        [["@effect-gr4vy/node", [1, 1]]]
      )
    }).pipe(Effect.scoped)
  )

  it.live("requests of others are counted by them, also while ours are underway", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      const others = [
        () => fetch(baseUrl).then((response) => response.text()),
        () => new Promise((resolve) => Http.get(baseUrl, (response) => response.resume().once("close", resolve)))
      ]
      yield* Effect.all(
        [
          Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id)).pipe(Effect.repeatN(4)),
          Effect.forEach(others, (other) => Effect.promise(other).pipe(Effect.repeatN(4)), { concurrency: 2 })
        ],
        { concurrency: 2 }
      ).pipe(Effect.provide(Gr4vy.layer(options(baseUrl))))
      const recorded = durations(yield* collect(reader))
      assert.sameDeepMembers(
        recorded.map((_) => [_.scope, _.points.map(({ count }) => count)]),
        [
          ["@effect-gr4vy/node", [5]],
          ["@opentelemetry/instrumentation-undici", [5]],
          ["@opentelemetry/instrumentation-http", [5]]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live('with metrics: "off" they count ours as they count others\'', () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id)).pipe(
        Effect.provide(Gr4vy.layer({ ...options(baseUrl), metrics: "off" }))
      )
      assert.deepStrictEqual(
        durations(yield* collect(reader)).map((_) => _.scope),
        ["@opentelemetry/instrumentation-undici"]
      )
    }).pipe(Effect.scoped)
  )
})
