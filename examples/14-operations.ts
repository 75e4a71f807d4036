/**
 * Shows the telemetry that a person on call sees: the SDK calls a sandbox with faults, and an OTLP receiver in this process
 * prints the trace, the metrics and the log. With the name of an incident, the same for that incident.
 *
 * npm run example 14
 * npm run example 14 dns
 */
import * as Otlp from "@effect/opentelemetry/Otlp"
import { FetchHttpClient } from "@effect/platform"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect, Layer, Logger, Redacted } from "effect"
import { calls, client, type Incident, incidents } from "./14-operations/incidents.js"
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

const observed = <E>(
  program: Effect.Effect<void, E, CheckoutSessions>,
  client: Layer.Layer<CheckoutSessions, unknown>,
  print: (text: string) => void
): Effect.Effect<void, unknown> =>
  Effect.gen(function* () {
    const { arrived, url } = yield* receiver
    // Spans, metrics and logs, without a setting for Gr4vy. The client outlives the exporters, which export once more when
    // they end.
    const exporters = Otlp.layerJson({ baseUrl: url, resource: { serviceName: "shop" } }).pipe(
      Layer.provide(FetchHttpClient.layer)
    )
    const quiet = Logger.remove(Logger.defaultLogger)
    yield* Effect.provide(program, Layer.provideMerge(Layer.merge(exporters, quiet), client))
    print(arrived())
  }).pipe(Effect.scoped)

export const operations = (print: (text: string) => void): Promise<void> =>
  Effect.runPromise(observed(program, Gr4vyInSandbox, print))

/** The same for an incident. The trace is that of its last call. */
export const show = (incident: Incident, print: (text: string) => void): Promise<void> =>
  Effect.gen(function* () {
    print(`${incident.title}.\n`)
    yield* observed(calls(incident), yield* client(incident), print)
  }).pipe(Effect.scoped, Effect.runPromise)

const start = async (name: string | undefined): Promise<void> => {
  if (name === undefined) return operations(console.log)
  const [, incident] = Object.entries<Incident>(incidents).find(([known]) => known === name) ?? []
  if (incident !== undefined) return show(incident, console.log)
  console.error(`There is no incident "${name}". These are known: ${Object.keys(incidents).join(", ")}.`)
  process.exitCode = 1
}

if (process.argv[1] === import.meta.filename) await start(process.argv[2])
