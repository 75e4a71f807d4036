import { CheckoutSessionId } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Effect, Redacted } from "effect"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const call = Effect.flatMap(Gr4vy.make({ baseUrl: process.argv[2], token: Redacted.make("token") }), (sessions) =>
  Effect.either(sessions.get(id))
)
console.log(JSON.stringify(await Effect.runPromise(Effect.scoped(call))))
