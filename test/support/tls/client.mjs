// Calls the server at the first argument, and prints the outcome; the second argument is a `dispatcher`.
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Effect, Redacted } from "effect"

const [, , baseUrl, dispatcher] = process.argv
const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const options = { baseUrl, token: Redacted.make("token"), ...(dispatcher === undefined ? {} : { dispatcher }) }
const call = Effect.flatMap(Gr4vy.make(options), (sessions) => Effect.either(sessions.get(id)))
console.log(JSON.stringify(await Effect.runPromise(Effect.scoped(call))))
