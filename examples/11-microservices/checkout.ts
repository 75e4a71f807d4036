/**
 * The checkout service: Effect, with the `NodeSdk` of `@effect/opentelemetry`. It creates a Checkout Session and reads it
 * back. Tracing needs no setting for this SDK.
 */
import { createServer } from "node:http"
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import { HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Effect, Layer } from "effect"

const Tracing = NodeSdk.layer(() => ({
  resource: { serviceName: "checkout" },
  spanProcessor: new BatchSpanProcessor(new OTLPTraceExporter())
}))

const router = HttpRouter.empty.pipe(
  HttpRouter.post(
    "/sessions",
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { id } = yield* sessions.add()
      const session = yield* sessions.get(id)
      return yield* HttpServerResponse.json({ id: session.id })
    })
  )
)

const announce = HttpServer.addressWith((address) =>
  Effect.sync(() => process.send?.(address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : address.path))
)

// GR4VY_BASE_URL and GR4VY_TOKEN come from the environment.
const Server = Layer.merge(HttpServer.serve(router), Layer.effectDiscard(announce)).pipe(
  Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 0 })),
  Layer.provide(Gr4vy.layerConfig()),
  Layer.provide(Tracing)
)

NodeRuntime.runMain(Layer.launch(Server))
