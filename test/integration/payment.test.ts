import { execFile } from "node:child_process"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import { HttpServer } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Bank, cardArrives, PaymentSandbox, program, Shop } from "@effect-gr4vy/examples/12-take-a-payment"
import { capture, type Order, openSession, pay, totalOf } from "@effect-gr4vy/examples/12-take-a-payment/payment"
import { RetryPolicy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect, Layer } from "effect"
import { loopback } from "../support/loopback.js"

const order = (id: string, unitAmount = 12_000): Order => ({
  id,
  currency: "USD",
  items: [{ name: "Espresso machine", quantity: 1, unitAmount }]
})

/** A session of this order that holds a card. */
const withCard = Effect.fnUntraced(function* (order: Order) {
  const { baseUrl } = yield* Sandbox.Sandbox
  const session = yield* openSession(order)
  yield* cardArrives(baseUrl, session)
  return session
})

const taken = (id: string) =>
  Effect.flatMap(Bank, ({ transactions }) =>
    Effect.map(transactions, (all) => all.filter((_) => _.external_identifier === id))
  )

const quick = RetryPolicy.make({ baseDelay: "1 millis", maxDelay: "2 millis" })

// What goes wrong with the requests of one payment, in order; all but the first two may have taken the money.
const troubles: Readonly<Record<string, ReadonlyArray<Sandbox.Fault | undefined>>> = {
  "nothing goes wrong": [],
  "the connection is cut before the payment": [{ reset: "before" }],
  "the API is too busy": [
    { status: 429, retryAfterSeconds: 0 },
    { status: 503, retryAfterSeconds: 0 }
  ],
  "the response is lost": [{ reset: "after" }],
  "every response of a call is lost": [{ reset: "after" }, { reset: "after" }, { reset: "after" }],
  "half of the response arrives": [{ truncate: true }, { truncate: true }],
  "a gateway gives up": [{ status: 502 }, { status: 504 }],
  "one after the other": [{ reset: "after" }, { status: 503 }, { truncate: true }, { reset: "before" }],
  "the last response of a call says: later": [{ reset: "after" }, { status: 408 }, { status: 425 }]
}

describe("a payment", () => {
  for (const [what, faults] of Object.entries(troubles)) {
    it.live(`is taken once when ${what}`, () =>
      Effect.gen(function* () {
        const { failNext } = yield* Sandbox.Sandbox
        const mine = order(`order-${what}`)
        const session = yield* withCard(mine)
        yield* failNext(...faults)
        const { transaction } = yield* pay(mine, session).pipe(RetryPolicy.withPolicy(quick))
        assert.deepInclude(transaction, { status: "authorization_succeeded", amount: totalOf(mine) })
        assert.lengthOf(yield* taken(mine.id), 1)
      }).pipe(Effect.provide(PaymentSandbox))
    )
  }

  it.live("is captured once, also when the response to the capture is lost", () =>
    Effect.gen(function* () {
      const { failNext, seen } = yield* Sandbox.Sandbox
      const mine = order("order-captured")
      const { transaction } = yield* pay(mine, yield* withCard(mine))
      yield* failNext({ reset: "after" })
      const captured = yield* capture(transaction)
      assert.deepInclude(captured, { status: "capture_succeeded", captured_amount: totalOf(mine) })
      const routes = (yield* seen).map(({ method, route }) => `${method} ${route}`)
      assert.deepStrictEqual(routes.slice(-2), [
        "POST /transactions/{transaction_id}/capture",
        "GET /transactions/{transaction_id}"
      ])
    }).pipe(Effect.provide(PaymentSandbox))
  )

  it.live("without a card in the session is refused, in the API's words", () =>
    Effect.gen(function* () {
      const mine = order("order-without-card")
      const error = yield* Effect.flip(pay(mine, yield* openSession(mine)))
      assert.deepInclude(error, { _tag: "Generic", status: 400, message: "The session holds no payment method" })
    }).pipe(Effect.provide(PaymentSandbox))
  )

  it.live("is in the session as it was ordered", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const session = yield* sessions.get((yield* withCard(order("order-read"))).id)
      assert.strictEqual(session.amount, 12_000)
      assert.deepInclude(session.paymentMethod, { scheme: "visa", label: "1111" })
      assert.deepStrictEqual(session.metadata, { orderId: "order-read" })
    }).pipe(Effect.provide(PaymentSandbox))
  )

  it.live("runs to the end of the example's story", () => Effect.provide(program, PaymentSandbox))
})

/** The shop of the example, at a port of its own. */
const ShopServer = Shop.pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0 })),
  Layer.provideMerge(PaymentSandbox)
)

const shopUrl = Effect.map(
  HttpServer.HttpServer,
  ({ address }) => `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`
)

describe("the shop", () => {
  it.live("responds with the status that the HTTP guide has for an error, and sells no cart it does not have", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const shop = yield* shopUrl
      const open = (cart: string) =>
        Effect.promise(() => fetch(`${shop}/orders/${cart}`, { method: "POST" }).then(({ status }) => status))
      const rows: ReadonlyArray<readonly [fault: Sandbox.Fault, status: number]> = [
        [{ status: 400 }, 400],
        [{ status: 401 }, 500],
        [{ status: 403 }, 500],
        [{ status: 429, retryAfterSeconds: 60 }, 503],
        [{ status: 501 }, 502],
        [{ reset: "after" }, 502]
      ]
      for (const [fault, status] of rows) {
        yield* failNext(fault)
        assert.strictEqual(yield* open("approve"), status, JSON.stringify(fault))
      }
      assert.strictEqual(yield* open("aprove"), 404)
    }).pipe(Effect.provide(ShopServer))
  )

  it.scopedLive("says in one line that its port is in use, and how to choose another", () =>
    Effect.gen(function* () {
      const { port } = yield* loopback(createServer())
      const file = fileURLToPath(new URL("../../examples/dist/12-take-a-payment.js", import.meta.url))
      const { code, stderr } = yield* Effect.promise(
        () =>
          new Promise<{ readonly code: unknown; readonly stderr: string }>((resolve) =>
            execFile(process.execPath, [file, "serve"], { env: { PORT: String(port) } }, (error, _, stderr) =>
              resolve({ code: error?.code, stderr })
            )
          )
      )
      assert.strictEqual(code, 1)
      assert.strictEqual(
        stderr,
        `Port ${port} is in use. Choose another one: PORT=${port + 1} npm run example 12 serve\n`
      )
    })
  )

  it.live("takes a payment from a form to the receipt, and never sees the card", () =>
    Effect.gen(function* () {
      const { baseUrl, seen } = yield* Sandbox.Sandbox
      const shop = yield* shopUrl
      const ask = (path: string, method = "GET") =>
        Effect.promise(async () => {
          const response = await fetch(shop + path, { method })
          return { url: response.url, html: await response.text() }
        })
      const checkout = yield* ask("/orders/approve", "POST")
      const frame = /src="([^"]+)\/card-form\/([^"]+)"/.exec(checkout.html)
      assert.strictEqual(frame?.[1], baseUrl)
      const form = yield* Effect.promise(() => fetch(`${baseUrl}/card-form/${frame?.[2]}`).then((_) => _.text()))
      assert.include(form, `/checkout/sessions/${frame?.[2]}/fields`)
      yield* cardArrives(baseUrl, { id: frame?.[2] ?? "" })
      const receipt = yield* ask(`${new URL(checkout.url).pathname}/pay`, "POST")
      assert.match(receipt.html, /Paid \$129\.80/)
      assert.match(receipt.html, /visa ending 1111/)
      assert.match(receipt.html, /<svg[\s\S]*POST \/transactions/)
      assert.include((yield* seen).map(({ route }) => route).join(" "), "/transactions/{transaction_id}/capture")
    }).pipe(Effect.provide(ShopServer))
  )
})
