/**
 * An HTTP server of Effect 4 that takes a payment, traced by Effect 4's own exporter.
 *
 * The page's server creates the session, the browser stores the card, and the server pays with it once. A buyer who leaves
 * ends the request to Gr4vy. Here a sandbox is the API, a script is the browser, and a few lines print the trace.
 *
 *   npm run example 15
 */
import { createServer } from "node:http"
import { CheckoutSessions, type CheckoutSessionsError, Gr4vy, request } from "@effect-gr4vy/effect4"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect as Effect3 } from "effect"
import { Effect, Layer, Redacted, Tracer } from "effect4" // In your application: "effect".

/** What the shop does with a request. */
const createSession = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const session = yield* sessions.add({ amount: 1299, currency: "EUR", metadata: { order: "1001" } })
  return session.id
}).pipe(Effect.withSpan("POST /checkout", { kind: "server" }))

/** The key is of the order and the buyer's try: a repeated request pays once. */
const pay = (session: string) =>
  request("POST", "/transactions", {
    body: { amount: 1299, currency: "EUR", payment_method: { method: "checkout-session", id: session } },
    idempotencyKey: "order-1001/1"
  }).pipe(
    Effect.map((transaction) => String(Object(transaction).status)),
    Effect.catchTag("RequestFailed", (error) =>
      // The server may have acted: the same key tells, a new one would pay twice.
      Effect.succeed(error.delivered === "no" ? "try again" : "unknown: ask again with the same key")
    ),
    Effect.withSpan("POST /pay", { kind: "server" })
  )

/** Stores the test card, as the form in the browser does. */
const fill = (session: string) =>
  Effect.flatMap(CheckoutSessions, (sessions) =>
    sessions.updateFields(session, {
      paymentMethod: {
        method: "card",
        number: Redacted.make("4111111111111111"),
        expirationDate: "11/29",
        securityCode: Redacted.make("123")
      }
    })
  )

/** Prints each span when it ends; an application takes `Otlp.layerJson` of `effect/observability` in its place. */
const Printed = Layer.succeed(
  Tracer.Tracer,
  Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const end = span.end.bind(span)
      span.end = (time, exit) => {
        end(time, exit)
        const parent = options.parent._tag === "Some" ? options.parent.value.spanId : "-"
        console.log(
          `${span.traceId.slice(0, 6)} ${parent.slice(0, 6).padEnd(6)} → ${span.spanId.slice(0, 6)}  ${span.name}`
        )
      }
      return span
    }
  })
)

const serve = Effect.gen(function* () {
  const services = yield* Effect.context<CheckoutSessions | Gr4vy>()
  return yield* Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = createServer((incoming, response) => {
        const [, path = "", session = ""] = (incoming.url ?? "").split("/")
        const program: Effect.Effect<string, CheckoutSessionsError, CheckoutSessions | Gr4vy> =
          path === "checkout" ? createSession : pay(session)
        const stop = Effect.runCallbackWith(services)(program, {
          onExit: (exit) =>
            void response.writeHead(exit._tag === "Success" ? 200 : 502).end(exit._tag === "Success" ? exit.value : "")
        })
        // A buyer who leaves ends what Gr4vy is asked.
        response.once("close", () => stop())
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close: () => void server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
})

const buyer = (url: string) =>
  Effect.gen(function* () {
    const text = (path: string) =>
      Effect.promise(() => fetch(`${url}/${path}`, { method: "POST" }).then((_) => _.text()))
    const session = yield* text("checkout")
    yield* fill(session)
    console.log(`paid: ${yield* text(`pay/${session}`)}`)
  })

const shop = (baseUrl: string) => {
  const Client = Gr4vy.layer({ baseUrl, token: Redacted.make("any") })
  const Shop = Layer.provideMerge(CheckoutSessions.layerClient, Client)
  return Effect.flatMap(serve, ({ url }) => buyer(url)).pipe(Effect.scoped, Effect.provide([Shop, Printed]))
}

// The sandbox is of Effect 3: both run in one process.
await Effect3.runPromise(
  Effect3.flatMap(Sandbox.Sandbox, ({ baseUrl }) => Effect3.promise(() => Effect.runPromise(shop(baseUrl)))).pipe(
    Effect3.provide(Sandbox.layer())
  )
)
