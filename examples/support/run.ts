/**
 * Runs an example when it is the program that was started: against the real API where the environment says so, else
 * against the embedded sandbox.
 */
import type { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, Sandbox } from "@effect-gr4vy/node"
import { Effect, Layer, Redacted } from "effect"

const configured = ["GR4VY_ID", "GR4VY_BASE_URL", "GR4VY_TOKEN", "GR4VY_PRIVATE_KEY", "GR4VY_PRIVATE_KEY_FILE"].some(
  (name) => (process.env[name] ?? "") !== ""
)

export const SessionsInSandbox = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("sandbox-token") }))
).pipe(Layer.provide(Sandbox.layer()))

export const Sessions = Layer.suspend(() => (configured ? Gr4vy.layerConfig() : SessionsInSandbox))

export const run = <A, E>(file: string, program: Effect.Effect<A, E, CheckoutSessions>): void => {
  if (process.argv[1] !== file) return
  Effect.runPromise(Effect.provide(program, Sessions)).catch((error) => {
    console.error(String(error))
    process.exitCode = 1
  })
}
