import { afterEach, assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy, Telemetry } from "@effect-gr4vy/node"
import * as Otel from "@opentelemetry/api"
import { DataPointType, type HistogramMetricData, MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics"
import { Effect, Redacted } from "effect"
import * as Script from "../../support/script.js"
import { unregister } from "../../support/setUps.js"

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const register = () => {
  const reader = new Reader()
  Otel.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  return reader
}

const collect = (reader: Reader) =>
  Effect.map(
    Effect.promise(() => reader.collect()),
    ({ resourceMetrics }) =>
      resourceMetrics.scopeMetrics.flatMap(({ metrics, scope }) =>
        metrics
          .filter((_): _ is HistogramMetricData => _.dataPointType === DataPointType.HISTOGRAM)
          .filter(({ descriptor }) => descriptor.name === Telemetry.durationMetric)
          .map((metric) => ({
            scope,
            metric
          }))
      )
  )

afterEach(unregister)

const call = (baseUrl: string, retry = RetryPolicy.standard) =>
  Effect.flatMap(CheckoutSessions, (sessions) =>
    Effect.exit(sessions.get(CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")))
  ).pipe(Effect.provide(Gr4vy.layer({ baseUrl, token: Redacted.make("token"), retry })))

describe("http.client.request.duration", () => {
  it.live("is recorded per request: the conventions' unit, boundaries and attributes, nothing that grows", () =>
    Effect.gen(function* () {
      const reader = register()
      const { baseUrl } = yield* Script.script(Script.status(503), Script.session)
      yield* call(baseUrl)
      const refused = yield* Effect.scoped(Script.script())
      yield* call(refused.baseUrl, RetryPolicy.none)

      const [recorded, ...others] = yield* collect(reader)
      assert.lengthOf(others, 0)
      const descriptor = recorded?.metric.descriptor
      assert.strictEqual(descriptor?.name, "http.client.request.duration")
      assert.strictEqual(descriptor?.unit, "s")
      assert.strictEqual(recorded?.scope.name, "@effect-gr4vy/node")
      assert.strictEqual(recorded?.scope.schemaUrl, Telemetry.schemaUrl)

      const common = (url: string) => ({
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": Number(new URL(url).port),
        "url.template": "/checkout/sessions/{checkout_session_id}"
      })
      const points = recorded?.metric.dataPoints ?? []
      assert.deepStrictEqual(
        points.map((_) => _.attributes),
        [
          {
            ...common(baseUrl),
            "http.response.status_code": 503,
            "error.type": "503"
          },
          { ...common(baseUrl), "http.response.status_code": 200 },
          { ...common(refused.baseUrl), "error.type": "Connect" }
        ]
      )
      for (const { value } of points) {
        assert.strictEqual(value.count, 1)
        assert.deepStrictEqual(
          value.buckets.boundaries,
          [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
        )
        // Seconds: a request on loopback takes some of them, not hundreds.
        assert.isAbove(value.sum ?? 0, 0)
        assert.isBelow(value.sum ?? 0, 15)
      }
    }).pipe(Effect.scoped)
  )

  it.live("goes to the meter provider that is registered, also to one registered after the first call", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      yield* call(baseUrl)
      const counts: Array<number> = []
      for (const _ of [1, 2]) {
        const reader = register()
        yield* call(baseUrl)
        const [recorded] = yield* collect(reader)
        counts.push(recorded?.metric.dataPoints[0]?.value.count ?? 0)
        unregister()
      }
      assert.deepStrictEqual(counts, [1, 1])
    }).pipe(Effect.scoped)
  )
})
