/**
 * The checkout over HTTP, by order id.
 *
 *   POST   /orders/:id        { amount, currency } starts the checkout; a second request joins it
 *   GET    /orders/:id        { order, state, session? }
 *   POST   /orders/:id/card   stores the card at Gr4vy, then tells the workflow
 *   DELETE /orders/:id        cancels the checkout
 *
 * Listens on PORT. Start it again after a crash: running checkouts continue by themselves.
 */
import { createServer } from "node:http"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { DurableDeferred } from "@effect/workflow"
import { CheckoutSessionSecureFieldsUpdate, CheckoutSessions, type CheckoutSessionsError } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Cause, Config, Data, Effect, Layer, Option, Schema } from "effect"
import { statusOf } from "../support/statusOf.js"
import { Engine } from "./engine.js"
import { Orders } from "./orders.js"
import { CardStored, Checkout, CheckoutWorkflow } from "./workflow.js"

const orderId = Effect.map(HttpRouter.schemaPathParams(Schema.Struct({ id: Schema.NonEmptyString })), ({ id }) => id)

/** A request that cannot be served: the order is unknown, or it is too early. */
class Refused extends Data.TaggedError("Refused")<{ readonly status: number; readonly message: string }> {}

const order = Effect.flatMap(orderId, (id) => Effect.flatMap(Orders, (orders) => orders.find(id))).pipe(
  Effect.flatMap(
    Option.match({
      onNone: () => new Refused({ status: 404, message: "No such order." }),
      onSome: Effect.succeed
    })
  )
)

const start = Effect.gen(function* () {
  const id = yield* orderId
  const { amount, currency } = yield* HttpServerRequest.schemaBodyJson(
    Checkout.payloadSchema.pick("amount", "currency")
  )
  const payload = { orderId: id, amount, currency }
  // Returns once the request is in the database. From here on, the order ends even without this process.
  const executionId = yield* Checkout.execute(payload, { discard: true })
  yield* Effect.flatMap(Orders, (orders) => orders.start(id, executionId))
  return yield* HttpServerResponse.json({ order: id }, { status: 202 })
})

const state = Effect.gen(function* () {
  const { executionId, orderId, sessionId } = yield* order
  const result = yield* Checkout.poll(executionId)
  return yield* HttpServerResponse.json({ order: orderId, session: sessionId, ...describe(result) })
})

/** The state of a checkout in words. */
const describe = (result: Effect.Effect.Success<ReturnType<typeof Checkout.poll>>) => {
  // No result yet: a step is running, here or on another runner.
  if (result === undefined) return { state: "running" }
  if (result._tag === "Suspended") return { state: "waiting" }
  if (result.exit._tag === "Success") return { state: result.exit.value._tag === "Ready" ? "ready" : "expired" }
  const failure = Cause.failureOption(result.exit.cause)
  if (Option.isNone(failure)) return { state: Cause.isInterrupted(result.exit.cause) ? "cancelled" : "failed" }
  const unknown = failure.value._tag === "RequestFailed" && failure.value.delivered === "unknown"
  return { state: unknown ? "unknown" : "failed", message: failure.value.message }
}

// Only for servers that may see cards (PCI DSS). Otherwise the browser sends the card to Gr4vy, and the server only signals.
const card = Effect.gen(function* () {
  const { executionId, sessionId } = yield* order
  if (sessionId === undefined) return yield* new Refused({ status: 409, message: "No session yet. Try again soon." })
  const update = yield* HttpServerRequest.schemaBodyJson(CheckoutSessionSecureFieldsUpdate)
  const sessions = yield* CheckoutSessions
  yield* sessions.updateFields(sessionId, update)
  // Returns once the signal is in the database. If the process ends before that, the buyer's browser gets no response and
  // sends the card again: both steps may run twice.
  const token = DurableDeferred.tokenFromExecutionId(CardStored, { workflow: Checkout, executionId })
  yield* DurableDeferred.succeed(CardStored, { token, value: undefined })
  return HttpServerResponse.empty({ status: 202 })
})

const cancel = Effect.gen(function* () {
  const { executionId } = yield* order
  // A running step finishes first. If the order ends with it, it is not cancelled: GET shows the state.
  yield* Checkout.interrupt(executionId)
  return HttpServerResponse.empty({ status: 202 })
})

const failed = (error: CheckoutSessionsError) =>
  HttpServerResponse.json({ message: error.message }, { status: statusOf(error) })

const router = HttpRouter.empty.pipe(
  HttpRouter.post("/orders/:id", start),
  HttpRouter.get("/orders/:id", state),
  HttpRouter.post("/orders/:id/card", card),
  HttpRouter.del("/orders/:id", cancel),
  // The messages of the SDK's errors name the wrong field and never quote a card.
  HttpRouter.catchTags({
    Refused: ({ message, status }) => HttpServerResponse.json({ message }, { status }),
    ParseError: ({ message }) => HttpServerResponse.json({ message }, { status: 400 }),
    NotFound: ({ message }) => HttpServerResponse.json({ message }, { status: 410 }),
    Unauthorized: failed,
    Generic: failed,
    RequestFailed: failed
  })
)

const announce = HttpServer.addressWith((address) =>
  Effect.sync(() => process.send?.(address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : address.path))
)

/** The service, over any `CheckoutSessions`. */
export const serverWith = <E, R>(orders: Layer.Layer<Orders, E, R>) =>
  Layer.merge(HttpServer.serve(router), Layer.effectDiscard(announce)).pipe(
    Layer.provide(
      NodeHttpServer.layerConfig(createServer, {
        host: Config.succeed("127.0.0.1"),
        port: Config.withDefault(Config.integer("PORT"), 3000)
      })
    ),
    // Closed after the HTTP server: running requests finish first, then running steps.
    Layer.provide(CheckoutWorkflow),
    Layer.provide(orders),
    Layer.provide(Engine)
  )

if (process.argv[1] === import.meta.filename) {
  // GR4VY_BASE_URL and GR4VY_TOKEN, or the others that `Gr4vy.layerConfig` reads, come from the environment.
  NodeRuntime.runMain(Layer.launch(serverWith(Orders.layer).pipe(Layer.provide(Gr4vy.layerConfig()))))
}
