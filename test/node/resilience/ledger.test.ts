/**
 * A server that keeps a ledger of what it really did, by the trace that each call belongs to: a POST without a body has
 * nothing else of its own.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Context, Effect, Either, Redacted } from "effect"
import { loopback } from "../../support/loopback.js"
import { sessionJson } from "../../support/script.js"

interface Entry {
  seen: number
  executed: number
  answered: number
}

type Work = (entry: Entry, request: IncomingMessage, response: ServerResponse) => void

const answer = (entry: Entry, response: ServerResponse, status: number, body?: string) => {
  entry.answered++
  response.writeHead(status, { "content-type": "application/json" }).end(body)
}

/** Of 100 requests 6 are lost before the server acts (reset, or 503), and 6 after it has acted (reset, or 502). */
const unreliable = (): Work => {
  let requests = 0
  return (entry, request, response) => {
    const fate = (requests++ * 37) % 100
    if (fate < 3) return void request.socket.resetAndDestroy()
    if (fate < 6) return answer(entry, response, 503)
    entry.executed++
    if (fate < 9) return void request.socket.resetAndDestroy()
    if (fate < 12) return answer(entry, response, 502)
    answer(entry, response, 201, sessionJson)
  }
}

/** What each of many calls came to, beside its entry once every connection is closed. */
const adds = (
  count: number,
  work: Work,
  options: Pick<Gr4vy.Options, "retry" | "connections" | "attemptTimeout" | "deadline">
) =>
  Effect.gen(function* () {
    const calls = new Map<string, Entry>()
    const server = createServer((request, response) => {
      const trace = String(request.headers["traceparent"]).slice(3, 35)
      const entry = calls.get(trace) ?? { seen: 0, executed: 0, answered: 0 }
      calls.set(trace, entry)
      entry.seen++
      work(entry, request, response)
    })
    const { port, quiet } = yield* loopback(server)
    const outcomes = yield* Effect.gen(function* () {
      const sessions = yield* Gr4vy.make({
        baseUrl: `http://127.0.0.1:${port}`,
        token: Redacted.make("token"),
        ...options
      })
      return yield* Effect.forEach(
        Array.from({ length: count }, (_, n) => `a${n.toString(16).padStart(31, "0")}`),
        (traceId) =>
          sessions.add().pipe(
            Effect.withParentSpan({
              _tag: "ExternalSpan",
              traceId,
              spanId: "00f067aa0ba902b7",
              sampled: true,
              context: Context.empty()
            }),
            Effect.either,
            Effect.map((outcome) => ({ outcome, traceId }))
          ),
        { concurrency: 64 }
      )
    }).pipe(Effect.scoped)
    yield* quiet
    return outcomes.map(({ outcome, traceId }) => ({
      outcome,
      entry: calls.get(traceId) ?? { seen: 0, executed: 0, answered: 0 }
    }))
  })

/** Holds each outcome against the ledger, and counts what the failures say of their delivery. */
const checked = (calls: Effect.Effect.Success<ReturnType<typeof adds>>) => {
  const counts = { fine: 0, answered: 0, no: 0, unknown: 0, yes: 0, executedUnknown: 0 }
  for (const { entry, outcome } of calls) {
    assert.isAtMost(entry.executed, 1)
    if (Either.isRight(outcome)) {
      counts.fine++
      assert.strictEqual(entry.executed, 1)
    } else if (outcome.left._tag !== "RequestFailed") {
      counts.answered++
      assert.isAbove(entry.answered, 0)
    } else {
      const { delivered } = outcome.left
      counts[delivered]++
      if (delivered === "no") assert.strictEqual(entry.seen, 0, '"no", yet seen')
      if (delivered === "yes") assert.isAbove(entry.answered, 0, '"yes", yet never answered')
      if (delivered === "unknown" && entry.executed > 0) counts.executedUnknown++
    }
  }
  return counts
}

const quick = { baseDelay: 1, maxDelay: 2 } as const

describe("a server's ledger", () => {
  it.scopedLive(
    "5,000 adds with 12 % faults, 64 at a time, create no session twice, and delivered is right for each",
    () =>
      Effect.gen(function* () {
        const counts = checked(yield* adds(5_000, unreliable(), { retry: RetryPolicy.make(quick) }))
        assert.isAbove(counts.fine, 4_000)
        assert.isAbove(counts.answered, 200)
        // Half of what was lost had been carried out: nobody could know.
        assert.isAbove(counts.executedUnknown, 100)
        assert.isAbove(counts.unknown - counts.executedUnknown, 100)
      }),
    60_000
  )

  it.scopedLive(
    "a call that times out while it waits for a connection is delivered: no; after the request was sent, unknown",
    () =>
      Effect.gen(function* () {
        const silent: Work = (entry) => void entry.executed++
        const counts = checked(
          yield* adds(40, silent, {
            retry: RetryPolicy.make(quick),
            connections: 1,
            attemptTimeout: 50,
            deadline: 500
          })
        )
        assert.isAbove(counts.executedUnknown, 0)
        assert.isAbove(counts.no, 0)
        assert.strictEqual(counts.no + counts.unknown, 40)
      })
  )

  it.scopedLive(
    "would show duplicates: creates with at-least-once make some",
    () =>
      Effect.gen(function* () {
        const calls = yield* adds(1_000, unreliable(), {
          retry: RetryPolicy.make({ ...quick, creates: "at-least-once" })
        })
        assert.isAbove(calls.filter(({ entry }) => entry.executed > 1).length, 10)
      }),
    60_000
  )
})
