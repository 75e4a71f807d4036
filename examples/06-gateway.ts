/**
 * A gateway: the whole contract served over the real client. Your tills get keys of your own, and Gr4vy's private key
 * stays in one place, together with retries, limits and traces.
 *
 *   node examples/dist/06-gateway.js            two tills call, against the sandbox
 *   node examples/dist/06-gateway.js serve      the gateway, on PORT, for the keys in TILL_KEYS
 */
import { createServer } from "node:http"
import { HttpApiBuilder, HttpServer } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Unauthorized } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { BearerAuth } from "@effect-gr4vy/sandbox/CheckoutSessionsApi"
import * as CheckoutSessionsServer from "@effect-gr4vy/sandbox/CheckoutSessionsServer"
import { Config, Console, Effect, HashSet, Layer, Redacted } from "effect"

/** Accepts callers that have one of these keys. */
const authentication = (keys: Iterable<Redacted.Redacted>) => {
  const known = HashSet.fromIterable(keys)
  return Layer.succeed(BearerAuth, {
    BearerAuth: (key) =>
      HashSet.has(known, key)
        ? Effect.void
        : new Unauthorized({ code: "unauthorized", message: "This till has no key, or an old one." })
  })
}

/** The four operations, and every error in the API's own form: clients need not know that this is not Gr4vy. */
const Gateway = HttpApiBuilder.serve().pipe(
  Layer.provide([CheckoutSessionsServer.layer, CheckoutSessionsServer.errors]),
  HttpServer.withLogAddress
)

// Provided last, built first, closed last: `Gr4vy` outlives the server that needs it.
const service = Layer.launch(
  Gateway.pipe(
    Layer.provide(NodeHttpServer.layerConfig(createServer, { port: Config.withDefault(Config.integer("PORT"), 3000) })),
    Layer.provide(Layer.unwrapEffect(Effect.map(Config.array(Config.redacted("KEY"), "TILL_KEYS"), authentication))),
    Layer.provide(Gr4vy.layerConfig())
  )
)

/** A till is a client like any other: same package, another address. */
const till = (key: string) =>
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const baseUrl = address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : address.path
    const sessions = yield* Gr4vy.make({ baseUrl, token: Redacted.make(key) })
    return yield* sessions.add()
  }).pipe(
    Effect.match({
      onSuccess: ({ id }) => `${key}  ${id}`,
      onFailure: (error) => `${key}  ${error.message}`
    }),
    Effect.tap(Console.log),
    Effect.scoped
  )

export const program = Effect.gen(function* () {
  yield* till("till-7")
  yield* till("till-8")
  const { seen } = yield* Sandbox.Sandbox
  yield* Console.log(`Gr4vy saw ${(yield* seen).length} request`)
})

const inSandbox = program.pipe(
  Effect.provide(
    Gateway.pipe(
      Layer.provide(authentication([Redacted.make("till-7")])),
      Layer.provide(
        Layer.unwrapEffect(
          Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("any") }))
        )
      ),
      Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0 })),
      Layer.provideMerge(Sandbox.layer())
    )
  )
)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(process.argv[2] === "serve" ? service : inSandbox)
