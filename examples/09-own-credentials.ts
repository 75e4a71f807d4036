/**
 * Tokens from a secret manager. The client caches each until 20 % of its lifetime is left, reads once for any number of
 * waiting calls, and reads again when the API refuses a token.
 *
 *   node examples/dist/09-own-credentials.js
 */
import { CheckoutSessions, Credentials } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Console, DateTime, Effect, Layer, Redacted } from "effect"

/** Stands for yours: HashiCorp Vault, AWS Secrets Manager, an internal token service. */
class SecretManager extends Effect.Service<SecretManager>()("SecretManager", {
  sync: () => {
    let reads = 0
    return {
      read: Effect.sync(() => ({ token: `token-${++reads}`, secondsToLive: 300 })),
      reads: Effect.sync(() => reads)
    }
  }
}) {}

/** Gets a token and says when it expires. */
const FromSecretManager = Layer.unwrapEffect(
  Effect.map(SecretManager, (manager) =>
    Credentials.layerSource({
      get: Effect.gen(function* () {
        const { secondsToLive, token } = yield* manager.read
        const now = yield* DateTime.now
        return { token: Redacted.make(token), expiresAt: DateTime.add(now, { seconds: secondsToLive }) }
      })
    })
  )
)

const Sessions = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layerWithoutCredentials({ baseUrl }))
).pipe(Layer.provide(FromSecretManager))

export const program = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const manager = yield* SecretManager
  const sandbox = yield* Sandbox.Sandbox

  yield* Effect.all(
    Array.from({ length: 20 }, () => sessions.add()),
    { concurrency: "unbounded" }
  )
  yield* Console.log(`20 calls at once        ${yield* manager.reads} token read`)

  yield* sandbox.failNext({ status: 401 })
  yield* sessions.add()
  yield* Console.log(`after a token refused   ${yield* manager.reads} tokens read`)
}).pipe(Effect.provide(Sessions.pipe(Layer.provideMerge(Layer.merge(SecretManager.Default, Sandbox.layer())))))

if (process.argv[1] === import.meta.filename) Effect.runPromise(program)
