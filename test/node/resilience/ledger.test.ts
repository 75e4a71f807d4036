/**
 * A server that keeps a ledger of what it really carried out, by the trace that each call belongs to.
 */
import { createServer } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { RequestFailed } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Redacted } from "effect"
import { sessionJson } from "../../support/script.js"

const traceOf = (traceparent: unknown) => String(traceparent).split("-")[1] ?? ""

/** 12 % of the requests go wrong: half of them before the work is done, half after. */
const ledgerServer = Effect.acquireRelease(
  Effect.async<{
    readonly baseUrl: string
    readonly reached: Set<string>
    readonly executed: Map<string, number>
    readonly stop: () => void
  }>((resume) => {
    const reached = new Set<string>()
    const executed = new Map<string, number>()
    let n = 0
    const server = createServer((request, response) => {
      const call = traceOf(request.headers["traceparent"])
      reached.add(call)
      const fault = (n++ * 7919) % 100
      if (fault < 3) return void request.socket.resetAndDestroy()
      if (fault < 6) return void response.writeHead(503).end()
      executed.set(call, (executed.get(call) ?? 0) + 1)
      if (fault < 9) return void request.socket.resetAndDestroy()
      if (fault < 12) return void response.writeHead(502).end()
      response.writeHead(201, { "content-type": "application/json" }).end(sessionJson)
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(
        Effect.succeed({
          baseUrl: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
          reached,
          executed,
          stop: () => {
            server.close()
            server.closeAllConnections()
          }
        })
      )
    })
  }),
  ({ stop }) => Effect.sync(stop)
)

const createMany = (retry: RetryPolicy.RetryPolicy, calls: number) =>
  Effect.gen(function* () {
    const ledger = yield* ledgerServer
    const sessions = yield* Gr4vy.make({ baseUrl: ledger.baseUrl, token: Redacted.make("token"), retry })
    let failures = 0
    yield* Effect.forEach(
      Array.from({ length: calls }, (_, i) => (i + 1).toString(16).padStart(32, "0")),
      (traceId) =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(sessions.add()).pipe(
            Effect.withParentSpan({
              _tag: "ExternalSpan",
              traceId,
              spanId: "00f067aa0ba902b7",
              sampled: true,
              context: yield* Effect.context<never>()
            }),
            Effect.option
          )
          if (error._tag === "None") return
          failures++
          if (!(error.value instanceof RequestFailed)) return
          if (error.value.delivered === "no") assert.isFalse(ledger.executed.has(traceId), '"no", yet carried out')
          if (error.value.delivered === "yes") assert.isTrue(ledger.reached.has(traceId), '"yes", yet never reached')
        }),
      { concurrency: 64, discard: true }
    )
    const doubles = Array.from(ledger.executed.values()).filter((times) => times > 1).length
    return { doubles, failures, executed: ledger.executed.size }
  }).pipe(Effect.scoped)

describe("a server's ledger", () => {
  it.live("shows no session created twice by one add(), in 5,000 calls with 12 % faults, 64 at a time", () =>
    Effect.map(createMany(RetryPolicy.make({ baseDelay: 1, maxDelay: 2 }), 5000), ({ doubles, executed, failures }) => {
      assert.strictEqual(doubles, 0)
      assert.isAbove(failures, 300)
      assert.isAbove(executed, 4000)
    })
  )

  it.live(
    "would show them: re-sending creates makes doubles",
    () =>
      Effect.map(
        createMany(RetryPolicy.make({ baseDelay: 1, maxDelay: 2, creates: "at-least-once" }), 1000),
        ({ doubles }) => assert.isAbove(doubles, 0)
      ),
    60_000
  )
})
