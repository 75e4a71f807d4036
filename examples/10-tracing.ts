/**
 * A process with a registered OpenTelemetry SDK, which uses Effect for one call only. `OtelTracer.layer` puts the call
 * into the trace of its caller.
 *
 * npm run example 10
 */
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { trace } from "@opentelemetry/api"
import { resourceFromAttributes } from "@opentelemetry/resources"
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"
import { TreeExporter } from "./support/TreeExporter.js"

export const tracing = async (print: (text: string) => void): Promise<void> => {
  // Any OpenTelemetry SDK with any exporter.
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ "service.name": "shop" }),
    spanProcessors: [new SimpleSpanProcessor(new TreeExporter(print))]
  })
  provider.register()
  const tracer = trace.getTracer("shop")

  // The SDK, built once when the process starts; the sandbox responds once with 503.
  const Sessions = Layer.unwrapEffect(
    Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("sandbox-token") }))
  ).pipe(Layer.provide(Sandbox.layer({ faults: [undefined, { status: 503 }] })))
  const runtime = ManagedRuntime.make(Layer.provideMerge(Sessions, OtelTracer.layer))
  const sessions = await runtime.runPromise(CheckoutSessions)

  // A request handler, as auto-instrumentation would wrap it.
  await tracer.startActiveSpan("POST /pay", async (span) => {
    await tracer.startActiveSpan("SELECT cart", async (query) => query.end())
    const session = await runtime.runPromise(sessions.add())
    await runtime.runPromise(sessions.get(session.id))
    span.end()
  })

  await runtime.dispose()
  await provider.shutdown()
}

if (process.argv[1] === import.meta.filename) await tracing(console.log)
