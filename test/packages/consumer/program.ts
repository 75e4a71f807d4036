/** What somebody outside this repository writes first: the whole life of a session, against the sandbox. */
import { CheckoutSessionSecureFieldsUpdate, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect, Layer, Redacted } from "effect"

const program = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const { id } = yield* sessions.add()
  yield* sessions.updateFields(
    id,
    CheckoutSessionSecureFieldsUpdate.make({
      paymentMethod: {
        method: "card",
        number: Redacted.make("4111111111111111"),
        expirationDate: "11/29",
        securityCode: Redacted.make("123")
      }
    })
  )
  const filled = yield* sessions.get(id)
  yield* sessions.delete(id)
  const gone = yield* Effect.flip(sessions.get(id))
  const { seen } = yield* Sandbox.Sandbox
  return { type: filled.type, gone: gone._tag, requests: (yield* seen).length }
})

const Sessions = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("any") }))
).pipe(Layer.provideMerge(Sandbox.layer()))

console.log(JSON.stringify(await Effect.runPromise(Effect.provide(program, Sessions))))
