/**
 * The third process: the sandbox in place of Gr4vy, with Effect's own OTLP exporter. It responds once with 503, and creates
 * server spans, so that the trace continues there.
 */
import * as Otlp from "@effect/opentelemetry/Otlp"
import { FetchHttpClient } from "@effect/platform"
import { NodeRuntime } from "@effect/platform-node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect, Layer } from "effect"

const Tracing = Otlp.layerJson({
  baseUrl: process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "http://127.0.0.1:4318",
  resource: { serviceName: "gr4vy" }
}).pipe(Layer.provide(FetchHttpClient.layer))

const announce = Effect.flatMap(Sandbox.Sandbox, ({ baseUrl }) => Effect.sync(() => process.send?.(baseUrl)))

const Server = Layer.effectDiscard(announce).pipe(
  Layer.provide(Sandbox.layer({ tracing: true, faults: [undefined, { status: 503 }] })),
  Layer.provide(Tracing)
)

NodeRuntime.runMain(Layer.launch(Server))
