/**
 * One process of one wiring, for `main.ts`: serves its metrics to Prometheus, and makes calls that fill every panel.
 *
 * node wiring.js nodeSdk|otlp|plain|promise PORT
 */
import { createServer } from "node:http"
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import * as Otlp from "@effect/opentelemetry/Otlp"
import { FetchHttpClient } from "@effect/platform"
import { CheckoutSessionId, CheckoutSessions, Credentials, RequestFailed } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { create } from "@effect-gr4vy/promise"
import * as Otel from "@opentelemetry/api"
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus"
import { MeterProvider } from "@opentelemetry/sdk-metrics"
import { Effect, Layer, Logger, LogLevel, Redacted } from "effect"
import { otlpMetrics } from "../support/otlpMetrics.js"
import * as Script from "../support/script.js"

const [wiring, port] = process.argv.slice(2)

/** The longest life of the process, should nobody end it. */
setTimeout(() => process.exit(1), 120_000).unref()

const id = CheckoutSessionId.make(Script.sessionId)

/** GETs work after a retry, some never come, POSTs are reset. */
const server = Script.script((request, response) => {
  if (request.method === "POST") request.socket.resetAndDestroy()
  else if (Number(process.hrtime.bigint() % 5n) === 0) Script.status(503)(request, response)
  else setTimeout(() => Script.session(request, response), 20)
})

const retry = RetryPolicy.make({ baseDelay: "1 millis" })

const credentials = Layer.sync(Credentials, () => {
  let asked = 0
  const none = new RequestFailed({
    reason: "Credentials",
    delivered: "no",
    attempts: 0,
    message: "The vault is sealed."
  })
  return {
    token: Effect.zipRight(
      Effect.sleep("1 millis"),
      Effect.suspend(() => (asked++ % 10 === 9 ? Effect.fail(none) : Effect.succeed(Redacted.make("token"))))
    )
  }
})

const round = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
    sessions.get(id),
    sessions.get(id),
    sessions.add(),
    Effect.timeoutOption(sessions.get(id), "5 millis")
  ]
  yield* Effect.forEach(calls, Effect.exit, { concurrency: "unbounded" })
  yield* Effect.sleep("50 millis")
})

const withEffect = Effect.gen(function* () {
  const { baseUrl } = yield* server
  const gr4vy = Layer.provide(Gr4vy.layerWithoutCredentials({ baseUrl, retry, connections: 2 }), credentials)
  return yield* Effect.provide(Effect.forever(round), gr4vy)
})

const withPromises = Effect.gen(function* () {
  const { baseUrl } = yield* server
  let asked = 0
  const getToken = async () => {
    if (asked++ % 2 === 0) throw new Error("The vault is sealed.")
    return { token: "token", expiresAt: new Date(Date.now() + 2_000) }
  }
  const gr4vy = yield* Effect.promise(() => create({ baseUrl, getToken, connections: 2, retry: { baseDelay: 1 } }))
  return yield* Effect.forever(
    Effect.promise(async () => {
      const cancelled = new AbortController()
      setTimeout(() => cancelled.abort(), 5)
      await Promise.allSettled([gr4vy.get(id), gr4vy.get(id), gr4vy.add(), gr4vy.get(id, { signal: cancelled.signal })])
      await new Promise((resolve) => setTimeout(resolve, 50))
    })
  )
})

const pull = () => new PrometheusExporter({ port: Number(port), host: "127.0.0.1" })

const registeredMeter = Layer.effectDiscard(
  Effect.sync(() => Otel.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [pull()] })))
)

const otlp = Layer.unwrapScoped(
  Effect.gen(function* () {
    const { text, url } = yield* otlpMetrics
    createServer((_, response) => void response.writeHead(200, { "content-type": "text/plain" }).end(text())).listen(
      Number(port),
      "127.0.0.1"
    )
    return Otlp.layerJson({
      baseUrl: url,
      resource: { serviceName: "shop" },
      metricsExportInterval: "500 millis"
    }).pipe(Layer.provide(FetchHttpClient.layer))
  })
)

const programs: Readonly<Record<string, Effect.Effect<void, unknown>>> = {
  nodeSdk: Effect.scoped(withEffect).pipe(
    Effect.provide(NodeSdk.layer(() => ({ resource: { serviceName: "shop" }, metricReader: pull() })))
  ),
  otlp: Effect.scoped(withEffect).pipe(Effect.provide(otlp)),
  plain: Effect.scoped(withEffect).pipe(Effect.provide(registeredMeter)),
  promise: Effect.scoped(withPromises).pipe(Effect.provide(registeredMeter))
}

await Effect.runPromise(
  (programs[wiring ?? ""] ?? Effect.fail(`There is no wiring "${wiring}".`)).pipe(
    Logger.withMinimumLogLevel(LogLevel.None)
  )
)
