import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer, RetryPolicy } from "@effect-gr4vy/node"
import type { Context } from "@opentelemetry/api"
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Effect, Logger, LogLevel, Redacted } from "effect"
import * as Script from "../../support/script.js"
import { unregister } from "../../support/setUps.js"

/** Counts what is open, and how often each span was ended. */
class Ledger implements SpanProcessor {
  readonly open = new Set<string>()
  started = 0
  doubly = 0

  onStart(span: Span, _: Context): void {
    this.started++
    this.open.add(span.spanContext().spanId)
  }

  onEnd(span: ReadableSpan): void {
    if (!this.open.delete(span.spanContext().spanId)) this.doubly++
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

const ledger = new Ledger()

beforeAll(() => new NodeTracerProvider({ spanProcessors: [ledger] }).register())
afterAll(unregister)

const json = { "content-type": "application/json" }
const sessionOf = (id = "") => JSON.stringify({ ...JSON.parse(Script.sessionJson), id })

describe("spans", () => {
  it.live(
    "none is left open after 10,000 mixed calls: fine, faulty, interrupted",
    () =>
      Effect.gen(function* () {
        const server = yield* Script.script((request, response) => {
          const kind = request.url?.split("/").at(-1)
          if (kind === "dropped") Script.droppedMidBody(request, response)
          else if (kind === "broken") Script.status(500)(request, response)
          else if (kind === "reset") request.socket.resetAndDestroy()
          else if (kind !== "silent") Script.reply(200, sessionOf(kind), json)(request, response)
        })
        yield* Effect.gen(function* () {
          const sessions = yield* CheckoutSessions
          const get = (name: string) => sessions.get(CheckoutSessionId.make(name))
          const fine = Array.from({ length: 14 }, () => get("fine"))
          const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
            ...fine,
            get("broken"),
            get("dropped"),
            get("reset"),
            get("silent").pipe(Effect.timeout("5 millis")),
            get("fine").pipe(Effect.timeout("1 millis")),
            // Forced past the type, as a caller in JavaScript may.
            sessions.get("../invalid" as CheckoutSessionId)
          ]
          yield* Effect.forEach(
            Array.from({ length: 10_000 }, (_, i) => calls[i % calls.length] ?? Effect.void),
            Effect.exit,
            { concurrency: 32, discard: true }
          )
        }).pipe(
          Effect.provide(
            Gr4vy.layer({
              baseUrl: server.baseUrl,
              token: Redacted.make("token"),
              retry: RetryPolicy.make({ baseDelay: "1 millis" })
            })
          ),
          Effect.provide(OtelTracer.layer),
          Logger.withMinimumLogLevel(LogLevel.None)
        )
        assert.isAbove(ledger.started, 19_000)
        assert.strictEqual(ledger.open.size, 0)
        assert.strictEqual(ledger.doubly, 0)
      }).pipe(Effect.scoped),
    120_000
  )
})
