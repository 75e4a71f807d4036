/**
 * A shop over the engine: its checkout over HTTP, by order id. Replace this folder with your own shop.
 *
 *   POST   /orders/:id             { amount, currency } starts the checkout; a second request joins it
 *   GET    /orders/:id             { order, state, attempt, session?, approvalUrl?, message? }
 *   POST   /orders/:id/card?try=n  stores the card of the buyer's n-th try at Gr4vy, and says so to the engine
 *   DELETE /orders/:id             cancels the checkout: releases or refunds the money
 *   POST   /webhooks               Gr4vy's webhooks, with GR4VY_WEBHOOK_SECRET
 *
 * Listens on PORT. Start it again after a crash: running checkouts continue by themselves.
 */
import { createServer } from "node:http"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import {
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessions,
  type CheckoutSessionsError,
  Webhooks
} from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Config, Data, Effect, Layer, Option, Schema } from "effect"
import { statusOf } from "../../support/statusOf.js"
import { Checkouts, hasEnded } from "../engine/checkouts.js"
import * as Engine from "../engine/engine.js"
import { OrderRequest } from "../engine/workflow.js"

const orderId = Effect.map(
  HttpRouter.schemaPathParams(Schema.Struct({ id: OrderRequest.fields.orderId })),
  ({ id }) => id
)

/** A request that cannot be served: the order is unknown, or it is too early or too late. */
class Refused extends Data.TaggedError("Refused")<{ readonly status: number; readonly message: string }> {}

const order = Effect.flatMap(Effect.all([orderId, Checkouts]), ([id, checkouts]) => checkouts.find(id)).pipe(
  Effect.flatMap(
    Option.match({
      onNone: () => new Refused({ status: 404, message: "No such order." }),
      onSome: Effect.succeed
    })
  )
)

const start = Effect.gen(function* () {
  const id = yield* orderId
  const { amount, currency } = yield* HttpServerRequest.schemaBodyJson(OrderRequest.pick("amount", "currency"))
  const checkouts = yield* Checkouts
  yield* checkouts.start({ orderId: id, amount, currency })
  return yield* HttpServerResponse.json({ order: id }, { status: 202 })
})

const state = Effect.flatMap(order, ({ approvalUrl, attempt, message, orderId, sessionId, state }) =>
  HttpServerResponse.json({ order: orderId, state, attempt, session: sessionId, approvalUrl, message })
)

// Only for servers that may see cards (PCI DSS). Otherwise the browser sends the card to Gr4vy, and the server only calls
// `cardStored`.
const card = Effect.gen(function* () {
  const known = yield* order
  const { attempt = 1 } = yield* HttpServerRequest.schemaSearchParams(
    Schema.Struct({ try: Schema.optional(Schema.NumberFromString) })
  ).pipe(Effect.map((params) => ({ attempt: params.try })))
  // A repeated request of a try that has been paid or declined since.
  if (attempt < known.attempt || (attempt === known.cardFor && known.state !== "waiting")) {
    return HttpServerResponse.empty({ status: 202 })
  }
  if (hasEnded(known)) return yield* new Refused({ status: 410, message: `The order is ${known.state}.` })
  if (known.sessionId === undefined || known.state !== "waiting" || attempt !== known.attempt) {
    return yield* new Refused({ status: 409, message: "The order does not wait for this card. Read its state." })
  }
  const update = yield* HttpServerRequest.schemaBodyJson(CheckoutSessionSecureFieldsUpdate)
  const sessions = yield* CheckoutSessions
  yield* sessions.updateFields(known.sessionId, update)
  // If the process ends before the next line has returned, the browser gets no response and sends the card again.
  yield* Effect.flatMap(Checkouts, (checkouts) => checkouts.cardStored(known, attempt))
  return HttpServerResponse.empty({ status: 202 })
})

const cancel = Effect.gen(function* () {
  const known = yield* order
  const cancelled = yield* Effect.flatMap(Checkouts, (checkouts) => checkouts.cancel(known))
  return cancelled
    ? HttpServerResponse.empty({ status: 202 })
    : yield* new Refused({ status: 409, message: "The order has ended. Read its state." })
})

const webhook = Effect.gen(function* () {
  const secret = yield* Config.option(Config.redacted("GR4VY_WEBHOOK_SECRET"))
  if (Option.isNone(secret)) return yield* new Refused({ status: 404, message: "GR4VY_WEBHOOK_SECRET is not set." })
  const request = yield* HttpServerRequest.HttpServerRequest
  const { target } = yield* Webhooks.verify({
    payload: yield* request.text,
    headers: request.headers,
    secret: secret.value
  })
  // The event is only a signal: the workflow reads the transaction itself.
  if (target["type"] === "transaction" && typeof target["id"] === "string") {
    const id = target["id"]
    yield* Effect.flatMap(Checkouts, (checkouts) => checkouts.changed(id))
  }
  return HttpServerResponse.empty({ status: 204 })
})

const failed = (error: CheckoutSessionsError) =>
  HttpServerResponse.json({ message: error.message }, { status: statusOf(error) })

const router = HttpRouter.empty.pipe(
  HttpRouter.post("/orders/:id", start),
  HttpRouter.get("/orders/:id", state),
  HttpRouter.post("/orders/:id/card", card),
  HttpRouter.del("/orders/:id", cancel),
  HttpRouter.post("/webhooks", webhook),
  // The messages of the SDK's errors name the wrong field and never quote a card.
  HttpRouter.catchTags({
    Refused: ({ message, status }) => HttpServerResponse.json({ message }, { status }),
    OrderDiffers: ({ message }) => HttpServerResponse.json({ message }, { status: 409 }),
    Unavailable: ({ message }) => HttpServerResponse.json({ message }, { status: 503 }),
    ParseError: ({ message }) => HttpServerResponse.json({ message }, { status: 400 }),
    WebhookInvalid: ({ message }) => HttpServerResponse.json({ message }, { status: 400 }),
    NotFound: ({ message }) => HttpServerResponse.json({ message }, { status: 410 }),
    Unauthorized: failed,
    Generic: failed,
    RequestFailed: failed
  })
)

const announce = HttpServer.addressWith((address) =>
  Effect.sync(() => process.send?.(address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : address.path))
)

/** The shop, over any `Checkouts`. */
export const serverWith = <E, R>(checkouts: Layer.Layer<Checkouts, E, R>) =>
  Layer.merge(HttpServer.serve(router), Layer.effectDiscard(announce)).pipe(
    Layer.provide(
      NodeHttpServer.layerConfig(createServer, {
        host: Config.succeed("127.0.0.1"),
        port: Config.withDefault(Config.integer("PORT"), 3000)
      })
    ),
    // Closed after the HTTP server: running requests finish first, then running steps.
    Layer.provide(checkouts)
  )

if (process.argv[1] === import.meta.filename) {
  // GR4VY_BASE_URL and GR4VY_TOKEN, or the others that `Gr4vy.layerConfig` reads, come from the environment.
  NodeRuntime.runMain(Layer.launch(serverWith(Engine.layer).pipe(Layer.provide(Gr4vy.layerConfig()))))
}
