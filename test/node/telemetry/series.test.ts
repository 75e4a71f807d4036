/** How many series a client has, and for how long: none holds an id, and none outlives its client. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, Telemetry } from "@effect-gr4vy/node"
import { create } from "@effect-gr4vy/promise"
import * as Otel from "@opentelemetry/api"
import { MeterProvider } from "@opentelemetry/sdk-metrics"
import { Effect, Metric, Redacted } from "effect"
import { collect, durations, gauge, Reader } from "../../support/metrics.js"
import * as Script from "../../support/script.js"
import { registered, unregister } from "../../support/setUps.js"

afterEach(unregister)

const register = () => {
  const reader = new Reader()
  Otel.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  return reader
}

const layer = (baseUrl: string, options: Gr4vy.TravelOptions = {}) =>
  Gr4vy.layer({ baseUrl, token: Redacted.make("token"), ...options })

const addIt = Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())

/** The names of Effect's own metrics of a server, as a reader sees them. */
const read = (baseUrl: string): ReadonlyArray<string> =>
  Metric.unsafeSnapshot()
    .filter(({ metricKey }) =>
      metricKey.tags.some(({ key, value }) => key === "server.port" && value === new URL(baseUrl).port)
    )
    .map(({ metricKey }) => metricKey.name)

describe("request() of the promise package", () => {
  it.scopedLive("has a span name and a series for each template, whatever its ids look like", () =>
    Effect.gen(function* () {
      const reader = register()
      const { baseUrl } = yield* Script.script(Script.reply(204, ""))
      const client = yield* Effect.acquireRelease(
        Effect.promise(() => create({ baseUrl, token: "token" })),
        (client) => Effect.promise(client.close)
      )
      const [, spans] = yield* registered(
        Effect.forEach(
          Array.from({ length: 100 }, (_, n) => n),
          (n) =>
            Effect.promise(async () => {
              // Lower-case letters and dashes, as in a word of a path.
              const id = `order-${String.fromCharCode(97 + (n % 26), 97 + Math.floor(n / 26))}`
              await client.request("GET", `/buyers/${id}`)
              await client.request("PUT", `/transactions/${id}/capture`, { body: {} })
            }),
          { discard: true }
        )
      )
      const templates = ["/buyers/{id}", "/transactions/{id}/capture"]
      assert.sameMembers(
        [...new Set(spans.map((_) => _.name))],
        ["Gr4vy.request", `GET ${templates[0]}`, `PUT ${templates[1]}`]
      )
      const scopes = yield* collect(reader)
      for (const name of [Telemetry.durationMetric, Telemetry.callDurationMetric]) {
        const points = durations(scopes, name).flatMap((_) => _.points)
        assert.sameMembers(
          points.map((_) => String(_.attributes["url.template"])),
          templates
        )
        assert.deepStrictEqual(
          points.map((_) => _.count),
          [100, 100]
        )
      }
    })
  )

  it.scopedLive("records nothing where no meter provider is registered", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.reply(204, ""))
      yield* Effect.promise(async () => {
        const client = await create({ baseUrl, token: "token" })
        await client.request("GET", "/buyers")
        await client.close()
      })
      assert.deepStrictEqual(read(baseUrl), [])
    })
  )
})

describe("the series of a closed client", () => {
  it.scopedLive("are kept until a reader has seen their last values, and are gone then", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      yield* Effect.provide(addIt, layer(baseUrl))
      const last = read(baseUrl)
      for (const name of [Telemetry.durationMetric, Telemetry.callDurationMetric, Telemetry.retryBudgetMetric]) {
        assert.include(last, name)
      }
      yield* Effect.yieldNow()
      assert.deepStrictEqual(read(baseUrl), [])
    })
  )

  it.scopedLive("stay while another client of the server is open", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      yield* Effect.gen(function* () {
        yield* Effect.provide(addIt, layer(baseUrl))
        read(baseUrl)
        yield* Effect.yieldNow()
        assert.include(read(baseUrl), Telemetry.callDurationMetric)
      }).pipe(Effect.provide(layer(baseUrl)))
      // A new client of the server counts on, or from 0.
      yield* Effect.provide(addIt, layer(baseUrl))
      assert.include(read(baseUrl), Telemetry.callDurationMetric)
    })
  )

  it.live("are those of 100 servers at most where nobody reads them", () =>
    Effect.gen(function* () {
      const urls = Array.from({ length: 250 }, (_, n) => `http://127.0.0.1:${20_000 + n}`)
      yield* Effect.forEach(urls, (baseUrl) => Effect.provide(CheckoutSessions, layer(baseUrl)), { discard: true })
      assert.isAtMost(urls.filter((baseUrl) => read(baseUrl).length > 0).length, 100)
    })
  )

  it.scopedLive("are 0 once at OpenTelemetry's meter, which keeps the last value", () =>
    Effect.gen(function* () {
      const reader = register()
      const { baseUrl } = yield* Script.script(Script.session)
      yield* Effect.provide(Effect.zipRight(addIt, collect(reader)), layer(baseUrl))
      for (const _ of [1, 2]) {
        const scopes = yield* collect(reader)
        for (const name of [Telemetry.openConnectionsMetric, Telemetry.retryBudgetMetric]) {
          assert.deepStrictEqual([...new Set(gauge(scopes, name).map((_) => _.value))], [0], name)
        }
      }
    })
  )
})

describe("a call that is refused before it has a request", () => {
  it.scopedLive("has a point in gr4vy.client.call.duration, and none of a request", () =>
    Effect.gen(function* () {
      const reader = register()
      const { baseUrl, requests } = yield* Script.script(Script.session)
      const refused = Effect.flatMap(CheckoutSessions, (sessions) => sessions.add({ amount: -1, currency: "USD" }))
      const exit = yield* Effect.exit(Effect.provide(refused, layer(baseUrl)))
      assert.strictEqual(exit._tag, "Failure")
      assert.lengthOf(requests, 0)
      const scopes = yield* collect(reader)
      assert.deepStrictEqual(durations(scopes), [])
      assert.deepStrictEqual(
        durations(scopes, Telemetry.callDurationMetric).flatMap((_) => _.points.map(({ attributes }) => attributes)),
        [
          {
            "http.request.method": "POST",
            "url.template": "/checkout/sessions",
            "server.address": "127.0.0.1",
            "server.port": Number(new URL(baseUrl).port),
            "error.type": "InvalidRequest",
            "gr4vy.delivered": "no"
          }
        ]
      )
    })
  )
})
