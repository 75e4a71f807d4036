/**
 * A payment from end to end: create a session with an amount and a cart → the page gets what it needs → the card arrives
 * from the browser → authorize → capture → refund. It also handles a decline, a payment that the buyer must approve, and
 * an unknown outcome.
 *
 *   npm run example 12             prints each step, against the embedded sandbox
 *   npm run example 12 serve       a small shop for a browser, on PORT (3000)
 *
 * Copy payment.ts, purchases.ts and checkout.ts of 12-take-a-payment into your shop.
 */
import { generateKeyPairSync } from "node:crypto"
import { createServer } from "node:http"
import { HttpServer } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Payment, Transactions } from "@effect-gr4vy/api"
import { Gr4vy, SignedCredentials } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Config, Console, Effect, Layer, Predicate, Redacted } from "effect"
import { capture, nextPart, type Order, openSession, pay, refund, totalOf } from "./12-take-a-payment/payment.js"
import { Purchases } from "./12-take-a-payment/purchases.js"
import { shop } from "./12-take-a-payment/shop.js"
import { drawTrace } from "./support/drawTrace.js"
import { keepSpans } from "./support/trace.js"

const coffeeFor = (id: string): Order => ({
  id,
  currency: "USD",
  items: [
    { name: "Espresso machine", quantity: 1, unitAmount: 12_000 },
    { name: "Coffee, 250 g", quantity: 2, unitAmount: 450 }
  ]
})

/** Does what the card form in the buyer's browser does: sends the card straight to the API. */
export const cardArrives = (baseUrl: string, { id }: { readonly id: string }, number = "4111111111111111") =>
  Effect.promise(() =>
    fetch(`${baseUrl}/checkout/sessions/${id}/fields`, {
      method: "PUT",
      headers: { "content-type": "application/json", authorization: "Bearer card-form" },
      body: JSON.stringify({
        payment_method: { method: "card", number, expiration_date: "12/30", security_code: "123" }
      })
    })
  )

const say = (what: string, told: string) => Console.log(`${what.padEnd(10)}${told}`)

const money = (amount: number, currency: string): string =>
  new Intl.NumberFormat("en-US", { style: "currency", currency }).format(amount / 100)

export const program = Effect.gen(function* () {
  const { bank, baseUrl, failNext } = yield* Sandbox.Sandbox
  // In your application: the key of your instance, from your secret store.
  const privateKey = Redacted.make(
    generateKeyPairSync("ec", { namedCurve: "secp521r1" })
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString()
  )

  const order = coffeeFor("order-1001")
  const session = yield* openSession(order)
  yield* say("session", `${session.id}, ${money(totalOf(order), order.currency)}, ${order.items.length} items`)

  const token = yield* SignedCredentials.embedToken({
    privateKey,
    checkoutSessionId: session.id,
    embed: { amount: totalOf(order), currency: order.currency }
  })
  yield* say("page", `gets the session's id and an embed token of ${Redacted.value(token).length} characters`)

  yield* cardArrives(baseUrl, session)
  const paid = yield* pay(order, session, 1)
  const { label, scheme } = paid.paymentMethod ?? {}
  yield* say("card", `arrived from the browser: ${scheme} ending ${label}`)
  yield* say("paid", `${paid.id}: ${paid.status}`)
  const captured = yield* capture(yield* Effect.flatten(nextPart("capture", paid.id, 1)))
  yield* say("captured", `${money(captured.capturedAmount, captured.currency)}: ${captured.status}`)
  const given = yield* refund(yield* Effect.flatten(nextPart("refund", paid.id, 1, { amount: 450 })))
  yield* say("refunded", `${money(given.amount, given.currency)}: ${given.status}`)

  const another = Effect.fnUntraced(function* (order: Order, card?: string) {
    const session = yield* openSession(order)
    yield* cardArrives(baseUrl, session, card)
    return { order, session }
  })

  const poor = yield* another(coffeeFor("order-1002"), "4000000000009995")
  const declined = yield* pay(poor.order, poor.session, 1)
  yield* say("declined", `${declined.errorCode}: ask for another card`)
  yield* cardArrives(baseUrl, poor.session)
  const second = yield* pay(poor.order, poor.session, 2)
  yield* say("", `another card, and a new key: ${second.status}`)

  const asking = yield* another(coffeeFor("order-1003"), "4000000000003220")
  const pending = Payment.outcome(yield* pay(asking.order, asking.session, 1))
  yield* say("approval", pending._tag === "NeedsApproval" ? `send the buyer to ${pending.url}` : pending._tag)

  // Three times, the payment is taken and the connection is closed before the response: every attempt of one call.
  const unlucky = yield* another(coffeeFor("order-1004"))
  yield* say("unlucky", "three responses will be lost, on purpose")
  yield* failNext({ reset: "after" }, { reset: "after" }, { reset: "after" })
  const lost = yield* pay(unlucky.order, unlucky.session, 1)
  const taken = (yield* bank.transactions).filter((each) => each["external_identifier"] === unlucky.order.id)
  yield* say("unknown", `three responses lost, the same key again: ${lost.id}, ${lost.status}`)
  yield* say("", `transactions of ${unlucky.order.id} at the API: ${taken.length}`)
}).pipe(Effect.withSpan("checkout"))

/** The sandbox, and the client of sessions and transactions. */
export const PaymentSandbox = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) =>
    Layer.provideMerge(
      Transactions.layer,
      // With a private key: scopes: [...SignedCredentials.defaultScopes, ...Endpoint.scopes(Transactions.endpoints)]
      Gr4vy.layer({ baseUrl, token: Redacted.make("sandbox-token") })
    )
  )
).pipe(Layer.provideMerge(Sandbox.layer()))

const printed = Effect.suspend(() => {
  const { layer, spans } = keepSpans()
  return Effect.provide(program, PaymentSandbox).pipe(
    Effect.provide(layer),
    Effect.zipRight(Effect.suspend(() => Console.log(`\n${drawTrace(spans())}`)))
  )
})

/** The shop, until the process is stopped. */
export const Shop = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) => {
    const { layer, spans } = keepSpans()
    return Layer.unwrapEffect(Effect.map(shop({ sandboxUrl: baseUrl, spans }), (app) => HttpServer.serve(app))).pipe(
      HttpServer.withLogAddress,
      Layer.provide([layer, Purchases.memory])
    )
  })
)

const port = Config.withDefault(Config.integer("PORT"), 3000)

const served = Layer.launch(
  Shop.pipe(
    Layer.provide(NodeHttpServer.layerConfig(createServer, { host: Config.succeed("127.0.0.1"), port })),
    Layer.provide(PaymentSandbox)
  )
).pipe(
  Effect.catchIf(
    (error) =>
      error._tag === "ServeError" && Predicate.hasProperty(error.cause, "code") && error.cause.code === "EADDRINUSE",
    () =>
      Effect.flatMap(port, (port) => {
        process.exitCode = 1
        return Console.error(`Port ${port} is in use. Choose another one: PORT=${port + 1} npm run example 12 serve`)
      })
  )
)

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(process.argv[2] === "serve" ? served : printed)
