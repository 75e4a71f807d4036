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
import { CheckoutSessions, Generic, Unauthorized } from "@effect-gr4vy/core"
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

/** To a till, a 401 or 403 is about its key. One about the gateway's own token is the gateway's fault, and in its log. */
const ownFault = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E | Generic> =>
  Effect.catchIf(
    call,
    (error) => error instanceof Unauthorized || (error instanceof Generic && error.status === 403),
    (error) =>
      Effect.zipRight(
        Effect.logError(`Gr4vy refused the gateway's own token: ${error}`),
        new Generic({ status: 500, code: "server_error", message: "The gateway cannot reach Gr4vy. Call its team." })
      )
  )

const Upstream = Layer.effect(
  CheckoutSessions,
  Effect.map(CheckoutSessions, (sessions) => ({
    add: (...args: Parameters<typeof sessions.add>) => ownFault(sessions.add(...args)),
    get: (...args: Parameters<typeof sessions.get>) => ownFault(sessions.get(...args)),
    update: (...args: Parameters<typeof sessions.update>) => ownFault(sessions.update(...args)),
    updateFields: (...args: Parameters<typeof sessions.updateFields>) => ownFault(sessions.updateFields(...args)),
    delete: (...args: Parameters<typeof sessions.delete>) => ownFault(sessions.delete(...args))
  }))
)

/** The four operations, and every error in the API's own form: clients need not know that this is not Gr4vy. */
const Gateway = HttpApiBuilder.serve().pipe(
  Layer.provide([CheckoutSessionsServer.layer, CheckoutSessionsServer.errors]),
  Layer.provide(Upstream),
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
  const { failNext, seen } = yield* Sandbox.Sandbox
  yield* failNext({ status: 401 })
  yield* till("till-7")
  yield* Console.log(`Gr4vy saw ${(yield* seen).length} requests`)
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
