// Makes one call with a limit of 1 s, and says what it came to.
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Redacted } from "effect"

const [, , baseUrl] = process.argv
const outcome = await Effect.runPromise(
  Effect.scoped(
    Effect.flatMap(
      Gr4vy.make({ baseUrl, token: Redacted.make("token"), retry: RetryPolicy.none, attemptTimeout: 1000 }),
      (sessions) => Effect.either(sessions.add())
    )
  )
)
process.send(
  outcome._tag === "Right"
    ? { id: outcome.right.id }
    : { reason: outcome.left.reason, delivered: outcome.left.delivered }
)
