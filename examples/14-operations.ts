/**
 * Shows the telemetry that a person on call sees: the SDK calls a sandbox with faults, and an OTLP receiver in this process
 * prints the trace, the metrics and the log.
 *
 * npm run example 14
 */
import * as Otlp from "@effect/opentelemetry/Otlp"
import { FetchHttpClient } from "@effect/platform"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect, Layer, Logger, Redacted } from "effect"
import { receiver } from "./support/receiver.js"

/** A read that is retried, a create that must not be retried, and a read with too long a `Retry-After`. */
const program = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const session = yield* sessions.add()
  yield* sessions.get(session.id)
  yield* Effect.exit(sessions.add())
  yield* Effect.exit(sessions.get(session.id))
}).pipe(Effect.withSpan("checkout"))

const badDay = Sandbox.layer({
  faults: [undefined, { status: 503 }, undefined, { status: 502 }, { status: 429, retryAfterSeconds: 60 }]
})

const Gr4vyInSandbox = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("sandbox-token") }))
).pipe(Layer.provide(badDay))

export const operations = (print: (text: string) => void): Promise<void> =>
  Effect.gen(function* () {
    const { arrived, url } = yield* receiver
    // Spans, metrics and logs, without a setting for Gr4vy. The client outlives the exporters, which export once more when
    // they end.
    const exporters = Otlp.layerJson({ baseUrl: url, resource: { serviceName: "shop" } }).pipe(
      Layer.provide(FetchHttpClient.layer)
    )
    const quiet = Logger.remove(Logger.defaultLogger)
    yield* Effect.provide(program, Layer.provideMerge(Layer.merge(exporters, quiet), Gr4vyInSandbox))
    print(arrived())
  }).pipe(Effect.scoped, Effect.runPromise)

if (process.argv[1] === import.meta.filename) await operations(console.log)
