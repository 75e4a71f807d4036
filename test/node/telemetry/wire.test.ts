import { createRequire } from "node:module"
import { afterEach, assert, describe, it } from "@effect/vitest"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer, Telemetry } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { NodeSDK } from "@opentelemetry/sdk-node"
import * as Conventions from "@opentelemetry/semantic-conventions/incubating"
import { Effect, Layer, Redacted } from "effect"
import { otlpReceiver } from "../../support/otlpReceiver.js"
import { unregister } from "../../support/setUps.js"

afterEach(unregister)

const { version } = createRequire(import.meta.url)("@effect-gr4vy/node/package.json") as { readonly version: string }

describe("over OTLP/HTTP, to a third-party receiver", () => {
  it.live("a trace arrives whole, with the scope's name, version and schema URL", () =>
    Effect.gen(function* () {
      const receiver = yield* otlpReceiver
      yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          const sdk = new NodeSDK({
            serviceName: "shop",
            traceExporter: new OTLPTraceExporter({ url: `${receiver.url}/v1/traces` }),
            instrumentations: [],
            metricReaders: [],
            logRecordProcessors: []
          })
          sdk.start()
          return sdk
        }),
        () =>
          Effect.gen(function* () {
            const sessions = yield* CheckoutSessions
            const session = yield* sessions.add()
            yield* sessions.get(session.id)
          }).pipe(
            Effect.withSpan("purchase"),
            Effect.provide(
              Layer.unwrapEffect(
                Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("token") }))
              )
            ),
            Effect.provide(Sandbox.layer()),
            Effect.provide(OtelTracer.layer)
          ),
        (sdk) => Effect.promise(() => sdk.shutdown())
      )

      const spans = receiver.spans()
      const named = (name: string) => spans.find((_) => _.name === name)
      const tree = spans.map((_) => [_.name, spans.find((parent) => parent.spanId === _.parentSpanId)?.name])
      assert.sameDeepMembers(tree, [
        ["purchase", undefined],
        ["CheckoutSessions.add", "purchase"],
        ["POST /checkout/sessions", "CheckoutSessions.add"],
        ["CheckoutSessions.get", "purchase"],
        ["GET /checkout/sessions/{checkout_session_id}", "CheckoutSessions.get"]
      ])
      assert.strictEqual(new Set(spans.map((_) => _.traceId)).size, 1)
      assert.strictEqual(named("POST /checkout/sessions")?.attributes["http.response.status_code"], 201)
      for (const { name, scope } of spans) {
        if (name !== "purchase") {
          assert.deepStrictEqual(scope, { name: "@effect-gr4vy/node", version, schemaUrl: Telemetry.schemaUrl })
        }
      }
      // What the program makes itself is not this library's.
      assert.strictEqual(named("purchase")?.scope.name, "effect")
    }).pipe(Effect.scoped)
  )
})

describe("the semantic conventions", () => {
  it("have every name that is used here", () => {
    assert.deepStrictEqual(
      [
        Conventions.ATTR_HTTP_REQUEST_METHOD,
        Conventions.ATTR_SERVER_ADDRESS,
        Conventions.ATTR_SERVER_PORT,
        Conventions.ATTR_URL_FULL,
        Conventions.ATTR_URL_TEMPLATE,
        Conventions.ATTR_HTTP_RESPONSE_STATUS_CODE,
        Conventions.ATTR_ERROR_TYPE,
        Conventions.ATTR_HTTP_REQUEST_RESEND_COUNT,
        Conventions.ATTR_NETWORK_PROTOCOL_VERSION,
        Conventions.ATTR_NETWORK_PEER_ADDRESS,
        Conventions.ATTR_NETWORK_PEER_PORT,
        Conventions.ATTR_HTTP_CONNECTION_STATE,
        Conventions.METRIC_HTTP_CLIENT_REQUEST_DURATION,
        Conventions.METRIC_HTTP_CLIENT_OPEN_CONNECTIONS
      ],
      [
        "http.request.method",
        "server.address",
        "server.port",
        "url.full",
        "url.template",
        "http.response.status_code",
        "error.type",
        "http.request.resend_count",
        "network.protocol.version",
        "network.peer.address",
        "network.peer.port",
        "http.connection.state",
        Telemetry.durationMetric,
        Telemetry.openConnectionsMetric
      ]
    )
    assert.match(Telemetry.schemaUrl, /^https:\/\/opentelemetry\.io\/schemas\/1\.4\d\.0$/)
  })
})
