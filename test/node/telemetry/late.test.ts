import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Effect, Redacted } from "effect"
import * as Script from "../../support/script.js"
import { unregister } from "../../support/setUps.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const getIt = Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id))

// In a file of its own: it has to begin in a process that has never seen an SDK.
describe("OtelTracer", () => {
  it.live("finds an SDK that is registered after its first use, and does without when it has gone", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      const exporter = new InMemorySpanExporter()
      const names = () => exporter.getFinishedSpans().map((span) => span.name)
      yield* Effect.gen(function* () {
        yield* getIt
        new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register()
        yield* getIt
        assert.deepStrictEqual(names(), ["GET /checkout/sessions/{checkout_session_id}", "CheckoutSessions.get"])
        unregister()
        yield* getIt
        assert.lengthOf(names(), 2)
      }).pipe(Effect.provide(Gr4vy.layer({ baseUrl, token: Redacted.make("token") })), Effect.provide(OtelTracer.layer))
    }).pipe(Effect.ensuring(Effect.sync(unregister)), Effect.scoped)
  )
})
