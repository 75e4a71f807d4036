/**
 * An HTTP service that offers checkout to a storefront. The card goes from the buyer's browser to Gr4vy: this
 * service opens and closes sessions, and never sees a card.
 *
 *   node examples/dist/05-http-service.js            a buyer's visit, against the sandbox
 *   node examples/dist/05-http-service.js serve      the service, on PORT, against the API that GR4VY_… names
 */
import { createServer } from "node:http"
import {
  HttpApi,
  HttpApiBuilder,
  HttpApiClient,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiSchema,
  HttpServer
} from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import type { Generic, RequestFailed, Unauthorized } from "@effect-gr4vy/core"
import { type CheckoutSession, CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Config, Console, Duration, Effect, Layer, Redacted, Schema } from "effect"

const Checkout = Schema.Struct({ id: CheckoutSessionId, secondsLeft: Schema.Int })

/** The buyer's session has expired: start again. */
class CheckoutOver extends Schema.TaggedError<CheckoutOver>()(
  "CheckoutOver",
  {},
  HttpApiSchema.annotations({ status: 410 })
) {}

/** Not the buyer's mistake: try again later. */
class CheckoutUnavailable extends Schema.TaggedError<CheckoutUnavailable>()(
  "CheckoutUnavailable",
  { secondsToWait: Schema.Int },
  HttpApiSchema.annotations({ status: 503 })
) {}

const path = Schema.Struct({ id: CheckoutSessionId })

export class Storefront extends HttpApi.make("storefront").add(
  HttpApiGroup.make("checkout")
    .add(HttpApiEndpoint.post("open", "/checkout").addSuccess(Checkout, { status: 201 }))
    .add(HttpApiEndpoint.get("read", "/checkout/:id").setPath(path).addSuccess(Checkout).addError(CheckoutOver))
    .add(HttpApiEndpoint.del("cancel", "/checkout/:id").setPath(path).addSuccess(HttpApiSchema.NoContent))
    .addError(CheckoutUnavailable)
) {}

const operations = HttpApiBuilder.group(Storefront, "checkout", (handlers) =>
  Effect.map(CheckoutSessions, (sessions) =>
    handlers
      .handle("open", () => sessions.add().pipe(Effect.flatMap(toCheckout), Effect.catchAll(unavailable)))
      .handle("read", ({ path: { id } }) =>
        sessions.get(id).pipe(
          Effect.flatMap(toCheckout),
          Effect.catchTag("NotFound", () => new CheckoutOver()),
          Effect.catchTags({ Unauthorized: unavailable, Generic: unavailable, RequestFailed: unavailable })
        )
      )
      .handle("cancel", ({ path: { id } }) =>
        sessions.delete(id).pipe(
          // A session that is gone counts as cancelled.
          Effect.catchTag("NotFound", () => Effect.void),
          Effect.catchAll(unavailable)
        )
      )
  )
)

const toCheckout = (session: CheckoutSession) =>
  Effect.map(session.timeLeft, (left) => ({ id: session.id, secondsLeft: Math.floor(Duration.toSeconds(left)) }))

/** Logs the message: it says what to do, and contains no card and no token. */
const unavailable = (error: Unauthorized | Generic | RequestFailed) =>
  Effect.logWarning(`${error._tag}: ${error.message}`).pipe(
    Effect.zipRight(
      new CheckoutUnavailable({
        secondsToWait:
          error._tag === "Generic" && error.retryAfter ? Math.ceil(Duration.toSeconds(error.retryAfter)) : 30
      })
    )
  )

/** The service, over any HTTP server and any `CheckoutSessions`. */
export const StorefrontServer = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.api(Storefront)),
  Layer.provide(operations),
  HttpServer.withLogAddress
)

/**
 * Runs until SIGINT or SIGTERM, then finishes the running requests. Layers close in reverse order of construction, and
 * the last `Layer.provide` is built first, so `Gr4vy` outlives the server.
 */
const service = Layer.launch(
  StorefrontServer.pipe(
    Layer.provide(NodeHttpServer.layerConfig(createServer, { port: Config.withDefault(Config.integer("PORT"), 3000) })),
    Layer.provide(Gr4vy.layerConfig())
  )
)

/** The storefront: a typed client of the same API description. */
export const visit = Effect.gen(function* () {
  const { failNext } = yield* Sandbox.Sandbox
  const { checkout } = yield* HttpApiClient.make(Storefront)

  const { id, secondsLeft } = yield* checkout.open()
  yield* Console.log(`open       ${id}, ${secondsLeft} s left`)

  yield* failNext({ status: 429, retryAfterSeconds: 60 })
  const busy = yield* Effect.flip(checkout.read({ path: { id } }))
  yield* Console.log(`read       ${busy}`)

  yield* checkout.cancel({ path: { id } })
  const over = yield* Effect.flip(checkout.read({ path: { id } }))
  yield* Console.log(`cancelled  ${over}`)
})

const inSandbox = visit.pipe(
  Effect.provide(
    StorefrontServer.pipe(
      Layer.provideMerge(NodeHttpServer.layerTest),
      Layer.provide(
        Layer.unwrapEffect(
          Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("any") }))
        )
      ),
      Layer.provideMerge(Sandbox.layer())
    )
  )
)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(process.argv[2] === "serve" ? service : inSandbox)
