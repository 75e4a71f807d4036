/**
 * What each of the fault server's scenarios comes to, whatever carries the requests.
 */
import { assert } from "@effect/vitest"
import { CheckoutSessionId, type CheckoutSessionsService } from "@effect-gr4vy/core"
import { RetryPolicy } from "@effect-gr4vy/node"
import { Cause, Effect, Exit, Redacted, type Scope } from "effect"
import { faultServer, type Scenario } from "./FaultServer.js"
import { token, update } from "./sinks.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

export const calls: Readonly<
  Record<
    "GET" | "POST" | "PUT" | "DELETE",
    (sessions: CheckoutSessionsService) => Effect.Effect<unknown, { readonly _tag: string }>
  >
> = {
  GET: (sessions) => sessions.get(id),
  POST: (sessions) => sessions.add(),
  PUT: (sessions) => sessions.updateFields(id, update),
  DELETE: (sessions) => sessions.delete(id)
}

export interface Expected {
  /** The outcome's `reason`, or its `_tag` where the API answered; "fine" for a session, which void methods refuse. */
  readonly outcome: string
  readonly delivered?: "no" | "unknown" | "yes"
  /** Requests on the wire for GET, PUT and DELETE; a POST always makes one. */
  readonly wire: number
}

export const lost: Expected = { outcome: "Disconnected", delivered: "unknown", wire: 3 }
export const late: Expected = { outcome: "Timeout", delivered: "unknown", wire: 2 }
const broken: Expected = { outcome: "InvalidResponse", delivered: "unknown", wire: 1 }
const garbage: Expected = { outcome: "InvalidResponse", delivered: "yes", wire: 1 }

export const table: Readonly<Record<Scenario, Expected>> = {
  "a whole answer": { outcome: "fine", wire: 1 },
  "early hints before the answer": { outcome: "fine", wire: 1 },
  "reset before an answer": lost,
  "end before an answer": lost,
  "reset mid-body": lost,
  "a body shorter than its Content-Length": lost,
  "a body shorter than its Content-Length, before a close that was announced": lost,
  "a chunked body without its end": lost,
  "no answer at all": late,
  "a body that stalls": late,
  "a byte every 50 ms": late,
  "a malformed chunk": broken,
  "a Content-Length that is no number": broken,
  "two Content-Lengths": broken,
  "a header of 64 KB": broken,
  "an answer that is not HTTP": broken,
  "an upgrade nobody asked for": broken,
  "broken JSON": garbage,
  HTML: garbage,
  "an empty body": garbage,
  null: garbage,
  "a wrong shape": garbage,
  "a gzipped body": garbage,
  "a body over the cap, declared": { outcome: "ResponseTooLarge", delivered: "yes", wire: 1 },
  "a body over the cap, undeclared": { outcome: "ResponseTooLarge", delivered: "yes", wire: 1 },
  "a redirect": { outcome: "Generic", wire: 1 }
}

/** Short where a call ends by them alone; elsewhere a busy machine must not meet them. */
const limits = (expected: Expected) => ({
  attemptTimeout: expected === late ? 300 : 2000,
  deadline: expected === late ? 1500 : 5000,
  retry: RetryPolicy.make({ baseDelay: 5, maxDelay: 10 })
})

export interface Options {
  readonly baseUrl: string
  readonly token: Redacted.Redacted
  readonly attemptTimeout: number
  readonly deadline: number
  readonly retry: RetryPolicy.RetryPolicy
}

/** Makes each call once against a server of this scenario, and compares; hands out what the failures were. */
export const settles = <E>(
  scenario: Scenario,
  make: (options: Options) => Effect.Effect<CheckoutSessionsService, E, Scope.Scope>,
  expected: Expected = table[scenario]
): Effect.Effect<ReadonlyArray<readonly [where: string, failure: Cause.Cause<unknown>]>, E> =>
  Effect.forEach(
    Object.entries(calls),
    ([method, call]) =>
      Effect.gen(function* () {
        const server = yield* faultServer(scenario)
        const options = { baseUrl: server.baseUrl, token: Redacted.make(token), ...limits(expected) }
        const sessions = yield* make(options)
        const began = performance.now()
        const exit = yield* Effect.exit(call(sessions))
        const took = performance.now() - began
        const where = `${method}: ${scenario}`
        assert.isBelow(took, options.deadline * 1.1 + 500, where)
        const isVoid = method === "PUT" || method === "DELETE"
        if (expected.outcome === "fine" && !isVoid) {
          assert.isTrue(Exit.isSuccess(exit), where)
        } else {
          const error: Readonly<Record<string, unknown>> = Exit.match(exit, {
            onFailure: (cause) => ({ ...Object(Cause.squash(cause)) }),
            onSuccess: (value) => ({ accepted: value })
          })
          const reason = expected.outcome === "fine" ? "InvalidResponse" : expected.outcome
          assert.strictEqual(error["reason"] ?? error["_tag"], reason, where)
          assert.strictEqual(error["delivered"], expected.outcome === "fine" ? "yes" : expected.delivered, where)
        }
        const wire = method === "POST" ? 1 : expected.wire
        if (expected === late && method !== "POST") assert.isAtLeast(server.requests(), 2, where)
        else assert.strictEqual(server.requests(), wire, where)
        return Exit.match(exit, { onFailure: (cause) => [[where, cause] as const], onSuccess: () => [] })
      }).pipe(Effect.scoped),
    { concurrency: "unbounded" }
  ).pipe(Effect.map((failures) => failures.flat()))
