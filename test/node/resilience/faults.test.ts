import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessionSecureFieldsUpdate, type CheckoutSessionsService } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Either, Redacted } from "effect"
import { faultServer, type Scenario, scenarioNames } from "../../support/FaultServer.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

const update = CheckoutSessionSecureFieldsUpdate.make({
  paymentMethod: {
    method: "card",
    number: Redacted.make("4111111111111111"),
    expirationDate: "11/29",
    securityCode: Redacted.make("123")
  }
})

const calls: Readonly<
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

interface Expected {
  /** The outcome's `reason`, or its `_tag` where the API answered; "fine" for a session, which void methods refuse. */
  readonly outcome: string
  readonly delivered?: "no" | "unknown" | "yes"
  /** Requests on the wire for GET, PUT and DELETE; a POST always makes one. */
  readonly wire: number
}

const lost: Expected = { outcome: "Disconnected", delivered: "unknown", wire: 3 }
const late: Expected = { outcome: "Timeout", delivered: "unknown", wire: 2 }
const broken: Expected = { outcome: "InvalidResponse", delivered: "unknown", wire: 1 }
const garbage: Expected = { outcome: "InvalidResponse", delivered: "yes", wire: 1 }

const table: Readonly<Record<Scenario, Expected>> = {
  "a whole answer": { outcome: "fine", wire: 1 },
  "early hints before the answer": { outcome: "fine", wire: 1 },
  "reset before an answer": lost,
  "end before an answer": lost,
  "reset mid-body": lost,
  "a body shorter than its Content-Length": lost,
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

const deadline = 700

describe("whatever the server does, a call settles, truthfully, and without a request too many", () => {
  it.live.each(scenarioNames)("%s", (scenario) => {
    const expected = table[scenario]
    return Effect.forEach(
      Object.entries(calls),
      ([method, call]) =>
        Effect.gen(function* () {
          const server = yield* faultServer(scenario)
          const sessions = yield* Gr4vy.make({
            baseUrl: server.baseUrl,
            token: Redacted.make("token"),
            attemptTimeout: 300,
            deadline,
            retry: RetryPolicy.make({ baseDelay: 5, maxDelay: 10 })
          })
          const began = performance.now()
          const outcome = yield* Effect.either(call(sessions))
          const took = performance.now() - began
          const where = `${method}: ${scenario}`
          assert.isBelow(took, deadline * 1.1 + 500, where)
          const isVoid = method === "PUT" || method === "DELETE"
          if (expected.outcome === "fine" && !isVoid) {
            assert.isTrue(Either.isRight(outcome), where)
          } else {
            const error = Either.match(outcome, {
              onLeft: (_): Readonly<Record<string, unknown>> => ({ ..._ }),
              onRight: (value): Readonly<Record<string, unknown>> => ({ accepted: value })
            })
            const reason = expected.outcome === "fine" ? "InvalidResponse" : expected.outcome
            assert.strictEqual(error["reason"] ?? error["_tag"], reason, where)
            assert.strictEqual(error["delivered"], expected.outcome === "fine" ? "yes" : expected.delivered, where)
          }
          const wire = method === "POST" ? 1 : expected.wire
          if (expected === late && method !== "POST") assert.isAtLeast(server.requests(), 2, where)
          else assert.strictEqual(server.requests(), wire, where)
        }).pipe(Effect.scoped),
      { concurrency: "unbounded" }
    )
  })
})
