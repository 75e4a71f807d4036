import * as NodeSdkLayer from "@effect/opentelemetry/NodeSdk"
import * as Otlp from "@effect/opentelemetry/Otlp"
import { FetchHttpClient } from "@effect/platform"
import { afterEach, assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer, RetryPolicy, Telemetry } from "@effect-gr4vy/node"
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics"
import { NodeSDK } from "@opentelemetry/sdk-node"
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Effect, Layer, Redacted } from "effect"
import { otlpReceiver } from "../../support/otlpReceiver.js"
import * as Script from "../../support/script.js"
import { unregister } from "../../support/setUps.js"

afterEach(unregister)

const template = "/checkout/sessions/{checkout_session_id}"

const traces = (url: string) => new OTLPTraceExporter({ url: `${url}/v1/traces` })
const metrics = (url: string) =>
  new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url: `${url}/v1/metrics` }) })

interface Wiring {
  readonly name: string
  readonly layer: (url: string) => Layer.Layer<never>
  readonly scope: string
  /** Effect's tags are strings. */
  readonly number: (value: number) => number | string
}

const wirings: ReadonlyArray<Wiring> = [
  {
    name: "an SDK that the process registered, with OtelTracer.layer",
    layer: (url) =>
      Layer.provideMerge(
        OtelTracer.layer,
        Layer.scopedDiscard(
          Effect.acquireRelease(
            Effect.sync(() => {
              const sdk = new NodeSDK({
                serviceName: "shop",
                spanProcessors: [new SimpleSpanProcessor(traces(url))],
                metricReaders: [metrics(url)],
                logRecordProcessors: [],
                instrumentations: []
              })
              sdk.start()
              return sdk
            }),
            (sdk) => Effect.promise(() => sdk.shutdown())
          )
        )
      ),
    scope: "@effect-gr4vy/node",
    number: (value) => value
  },
  {
    name: "NodeSdk.layer with a metricReader",
    layer: (url) =>
      NodeSdkLayer.layer(() => ({
        resource: { serviceName: "shop" },
        spanProcessor: new SimpleSpanProcessor(traces(url)),
        metricReader: metrics(url)
      })),
    scope: "@effect/opentelemetry/Metrics",
    number: String
  },
  {
    name: "Otlp.layerJson",
    layer: (url) =>
      Otlp.layerJson({ baseUrl: url, resource: { serviceName: "shop" } }).pipe(Layer.provide(FetchHttpClient.layer)),
    scope: "shop",
    number: String
  }
]

describe.each(wirings)("over OTLP, wired as $name", ({ layer, number, scope }) => {
  it.live("spans and metrics of a retried call arrive, each once", () =>
    Effect.gen(function* () {
      const receiver = yield* otlpReceiver
      const { baseUrl } = yield* Script.script(Script.status(503), Script.session)
      const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
      yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id)).pipe(
        Effect.withSpan("purchase"),
        // The client outlives the last export, as it does in a server.
        Effect.provide(
          Layer.provideMerge(
            layer(receiver.url),
            Gr4vy.layer({
              baseUrl,
              token: Redacted.make("token"),
              retry: RetryPolicy.make({ baseDelay: "1 millis" })
            })
          )
        )
      )

      const spans = receiver.spans()
      assert.sameDeepMembers(
        spans.map((_) => [_.name, spans.find((parent) => parent.spanId === _.parentSpanId)?.name]),
        [
          ["purchase", undefined],
          ["CheckoutSessions.get", "purchase"],
          [`GET ${template}`, "CheckoutSessions.get"],
          [`GET ${template}`, "CheckoutSessions.get"]
        ]
      )

      const server = { "server.address": "127.0.0.1", "server.port": number(Number(new URL(baseUrl).port)) }
      // Effect's own metrics tell their unit by a tag.
      const ours = receiver
        .metrics()
        .filter((_) => _.attributes["server.port"] === server["server.port"])
        .map(({ attributes: { unit: _, ...attributes }, ...rest }) => ({ ...rest, attributes }))
      for (const point of ours) assert.strictEqual(point.scope, scope)
      const named = (metric: string) => ours.filter((_) => _.metric === metric)

      const common = { "http.request.method": "GET", ...server, "url.template": template }
      const durations = named(Telemetry.durationMetric)
      assert.sameDeepMembers(
        durations.map((_) => [_.kind, _.unit, _.count, _.boundaries, _.attributes]),
        [
          [
            "histogram",
            "s",
            1,
            Telemetry.durationBoundaries,
            { ...common, "http.response.status_code": number(503), "error.type": "503" }
          ],
          ["histogram", "s", 1, Telemetry.durationBoundaries, { ...common, "http.response.status_code": number(200) }]
        ]
      )
      for (const { value } of durations) {
        assert.isAbove(value, 0)
        assert.isBelow(value, 15)
      }
      assert.sameDeepMembers(
        named(Telemetry.openConnectionsMetric).map((_) => [_.kind, _.unit, _.value, _.attributes]),
        [
          ["sum", "{connection}", 0, { ...server, "http.connection.state": "active" }],
          ["sum", "{connection}", 1, { ...server, "http.connection.state": "idle" }]
        ]
      )
      assert.deepStrictEqual(
        named(Telemetry.pendingRequestsMetric).map((_) => [_.kind, _.unit, _.value, _.attributes]),
        [["sum", "{request}", 0, server]]
      )
      assert.deepStrictEqual(
        named(Telemetry.retryBudgetMetric).map((_) => [_.kind, _.unit, _.value, _.attributes]),
        [["gauge", "{token}", 500, server]]
      )
    }).pipe(Effect.scoped)
  )
})
