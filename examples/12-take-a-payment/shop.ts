/**
 * A small shop for a browser: carts, a card form in an iframe of the sandbox, the payment, the receipt, and the trace of the
 * payment. The card goes from the iframe to the API; this server never sees it.
 */
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Payment } from "@effect-gr4vy/api"
import { CheckoutSessionId, CheckoutSessions, type CheckoutSessionsError } from "@effect-gr4vy/core"
import { Data, Effect, Option, Ref, Schema } from "effect"
import { drawTraceSvg } from "../support/drawTraceSvg.js"
import { statusOf } from "../support/statusOf.js"
import type { TraceSpan } from "../support/trace.js"
import { captureOnce, payOnce, refundOnce, wordsFor } from "./checkout.js"
import { type Order, type OutcomeUnknown, openSession, totalOf } from "./payment.js"
import { nextAttempt, type Purchase, Purchases } from "./purchases.js"

/** A request for an order or a cart that does not exist. */
class Refused extends Data.TaggedError("Refused")<{ readonly status: number; readonly message: string }> {}

const carts: Readonly<Record<string, Order["items"]>> = {
  machine: [
    { name: "Espresso machine", quantity: 1, unitAmount: 12_000 },
    { name: "Coffee, 250 g", quantity: 2, unitAmount: 490 }
  ],
  coffee: [{ name: "Coffee, 250 g", quantity: 1, unitAmount: 490 }]
}

export const shop = (options: { readonly sandboxUrl: string; readonly spans: () => ReadonlyArray<TraceSpan> }) =>
  Effect.gen(function* () {
    const purchases = yield* Purchases
    const sessionsOf = yield* Ref.make<ReadonlyMap<string, string>>(new Map())
    let orders = 1000

    const purchaseOf = Effect.gen(function* () {
      const { id } = yield* HttpRouter.schemaPathParams(Schema.Struct({ id: Schema.String }))
      const sessionId = (yield* Ref.get(sessionsOf)).get(id)
      const found = sessionId === undefined ? Option.none() : yield* purchases.find(sessionId)
      return yield* Effect.mapError(found, () => new Refused({ status: 404, message: "no such order" }))
    })

    const toReceipt = (order: Order) => HttpServerResponse.redirect(`/orders/${order.id}/receipt`, { status: 303 })

    return HttpRouter.empty.pipe(
      HttpRouter.get("/", HttpServerResponse.html(page("The shop", storefront))),
      HttpRouter.post(
        "/orders/:cart",
        Effect.gen(function* () {
          const { cart } = yield* HttpRouter.schemaPathParams(Schema.Struct({ cart: Schema.String }))
          const order: Order = {
            id: `order-${++orders}`,
            currency: "USD",
            items: carts[cart] ?? (yield* new Refused({ status: 404, message: "no such cart" }))
          }
          const session = yield* openSession(order)
          yield* purchases.open(order, session)
          yield* Ref.update(sessionsOf, (all) => new Map(all).set(order.id, session.id))
          return HttpServerResponse.redirect(`/orders/${order.id}`, { status: 303 })
        })
      ),
      HttpRouter.get(
        "/orders/:id",
        Effect.flatMap(purchaseOf, (purchase) =>
          HttpServerResponse.html(page(`Order ${purchase.order.id}`, checkout(purchase, options.sandboxUrl)))
        )
      ),
      HttpRouter.post(
        "/orders/:id/pay",
        Effect.gen(function* () {
          const { sessionId } = yield* purchaseOf
          const { attempt } = yield* HttpServerRequest.schemaBodyUrlParams(
            Schema.Struct({ attempt: Schema.NumberFromString })
          )
          const purchase = yield* Effect.flatten(purchases.begin(sessionId, attempt))
          yield* payOnce(purchase).pipe(
            // This shop ships at once, so it captures at once.
            Effect.flatMap(({ outcome, transaction }) =>
              outcome._tag === "Authorized"
                ? Effect.flatMap(captureOnce(transaction.id), (captured) => purchases.learn(purchase, captured))
                : Effect.void
            ),
            Effect.withSpan("Shop.pay", { attributes: { "order.id": purchase.order.id } })
          )
          return toReceipt(purchase.order)
        })
      ),
      HttpRouter.post(
        "/orders/:id/refund",
        Effect.gen(function* () {
          const purchase = yield* purchaseOf
          const { order, transaction } = purchase
          if (transaction !== undefined && Payment.outcome(transaction)._tag === "Paid") {
            yield* refundOnce(transaction.id)
            // The refund may be pending or declined: the transaction says how much went back.
            yield* payOnce(purchase)
          }
          return toReceipt(order)
        })
      ),
      HttpRouter.get(
        "/orders/:id/receipt",
        Effect.gen(function* () {
          const purchase = yield* purchaseOf
          const session = yield* Effect.flatMap(CheckoutSessions, (sessions) =>
            sessions.get(CheckoutSessionId.make(purchase.sessionId))
          ).pipe(Effect.option)
          const trace = tracesOf(options.spans(), purchase.order.id)
          const card = session._tag === "Some" ? session.value.paymentMethod : undefined
          return yield* HttpServerResponse.html(
            page(
              "Receipt",
              receipt(purchase, card?.label === undefined ? "" : `${card.scheme ?? "card"} ending ${card.label}`, trace)
            )
          )
        })
      ),
      // The SDK's messages are for the shop's log; a buyer gets a status and the name of the error.
      HttpRouter.catchTags({
        Refused: ({ message, status }) => HttpServerResponse.json({ error: message }, { status }),
        NotCaptured: ({ message }) =>
          Effect.zipRight(
            Effect.logWarning(message),
            HttpServerResponse.json({ error: "NotCaptured" }, { status: 502 })
          ),
        ParseError: () => HttpServerResponse.json({ error: "The attempt is missing" }, { status: 400 }),
        NoSuchElementException: () => HttpServerResponse.json({ error: "no such order" }, { status: 404 }),
        NotFound: failed,
        Unauthorized: failed,
        Generic: failed,
        RequestFailed: failed,
        OutcomeUnknown: failed
      })
    )
  })

const failed = (error: CheckoutSessionsError | OutcomeUnknown) =>
  Effect.zipRight(
    Effect.logWarning(`${error._tag}: ${error.message}`),
    HttpServerResponse.json(
      { error: error._tag },
      { status: statusOf(error._tag === "OutcomeUnknown" ? error.last : error) }
    )
  )

/** Draws the trace of a payment. */
const tracesOf = (spans: ReadonlyArray<TraceSpan>, orderId: string): string => {
  const root = spans.find(({ attributes }) => attributes["order.id"] === orderId)
  if (root === undefined) return ""
  return drawTraceSvg(
    "Trace of the payment",
    spans.filter(({ traceId }) => traceId === root.traceId)
  )
}

const money = (amount: number, currency: string): string =>
  new Intl.NumberFormat("en-US", { style: "currency", currency }).format(amount / 100)

const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)

const cartTable = (order: Order): string => `<table>
${order.items
  .map(
    ({ name, quantity, unitAmount }) =>
      `<tr><td>${quantity} × ${escape(name)}</td><td>${money(quantity * unitAmount, order.currency)}</td></tr>`
  )
  .join("\n")}
<tr class="total"><td>Total</td><td>${money(totalOf(order), order.currency)}</td></tr>
</table>`

const storefront = `<h1>The shop</h1>
${Object.entries(carts)
  .map(
    ([name, items]) =>
      `<form method="post" action="/orders/${name}" class="card"><b>${escape(items.map((item) => item.name).join(", "))}</b>
<button>Buy for ${money(totalOf({ id: "", currency: "USD", items }), "USD")}</button></form>`
  )
  .join("\n")}`

const checkout = (purchase: Purchase, sandboxUrl: string): string => `<h1>Checkout</h1>
<div class="card">${cartTable(purchase.order)}</div>
<div class="card"><iframe title="Card" src="${sandboxUrl}/card-form/${purchase.sessionId}"></iframe>
<p class="hint">This form belongs to another origin. The card goes to the API and not to this shop. Any card works:
4111 1111 1111 1111, a future date, three digits. 4000000000009995 is declined, and 4000000000003220 needs the bank's
approval: <a href="${sandboxUrl}">all test cards</a>.</p></div>
<form id="pay" method="post" action="/orders/${purchase.order.id}/pay">
<input type="hidden" name="attempt" value="${nextAttempt(purchase)}"></form>
<script>
  addEventListener("message", ({ data, origin }) => {
    if (origin === "${sandboxUrl}" && data.type === "card-stored") document.querySelector("#pay").submit()
  })
</script>`

const receipt = ({ order, transaction }: Purchase, card: string, trace: string): string => {
  const again = '<p><a href="/">Back to the shop</a></p>'
  const retry = `<p><a href="/orders/${order.id}">Try again</a></p>`
  if (transaction === undefined) return `<h1>Not paid yet</h1>${retry}${again}`
  const facts = `<div class="card">${cartTable(order)}
<p class="hint">${escape([card, transaction.id, transaction.status].filter((fact) => fact !== "").join(" · "))}</p></div>`
  const outcome = Payment.outcome(transaction)
  const amountOf = (amount: number) => money(amount, transaction.currency)
  const words = `<p>${escape(wordsFor(outcome))}</p>`
  const headline = Payment.$match(outcome, {
    Paid: ({ captured, refunded }) => `<h1 class="good">Paid ${amountOf(captured)}</h1>
${refunded > 0 ? `<p>${amountOf(refunded)} went back.</p>` : ""}
<form method="post" action="/orders/${order.id}/refund"><button class="quiet">Give it back</button></form>`,
    Refunded: ({ refunded }) => `<h1>Refunded ${amountOf(refunded)}</h1>`,
    Authorized: ({ authorized }) => `<h1>Reserved ${amountOf(authorized)}</h1>${words}`,
    NeedsApproval: ({ url }) =>
      `<h1>Your bank asks you to approve</h1><p><a href="${escape(url)}">${escape(url)}</a></p>`,
    Pending: () => `<h1>Pending</h1>${words}`,
    Declined: ({ code }) => `<h1 class="bad">Declined</h1>${words}<p>${escape(code ?? "")}</p>${retry}`,
    Failed: () => `<h1 class="bad">Failed</h1>${words}${retry}`,
    Voided: () => `<h1>Cancelled</h1>${words}${retry}`,
    Unknown: () => `<h1>We are looking at it</h1>${words}`
  })
  return `${headline}${facts}${again}<div class="trace">${trace}</div>`
}

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
  body { font: 16px/1.5 system-ui, sans-serif; color: #1f2328; background: #f6f8fa; margin: 0 }
  main { max-width: 1060px; margin: 3rem auto; padding: 0 1rem }
  h1 { font-size: 1.6rem } .good { color: #1a7f37 } .bad { color: #cf222e }
  .card { background: #fff; border: 1px solid #d1d9e0; border-radius: 12px; padding: 1.25rem; margin: 1rem 0; max-width: 30rem }
  form.card { display: flex; justify-content: space-between; align-items: center; gap: 1rem }
  table { width: 100%; border-spacing: 0 } td { padding: .3rem 0 } td + td { text-align: right; font-variant-numeric: tabular-nums }
  .total td { border-top: 1px solid #d1d9e0; font-weight: 600 }
  button { font: inherit; font-weight: 600; border: 0; border-radius: 8px; padding: .6rem 1rem; background: #1f883d; color: #fff; cursor: pointer; white-space: nowrap }
  button.quiet { background: #eaeef2; color: #1f2328 }
  iframe { border: 0; width: 100%; height: 225px } .hint { color: #59636e; font-size: 13px; margin: .5rem 0 0 }
  .trace { overflow-x: auto; background: #fff; border: 1px solid #d1d9e0; border-radius: 12px; margin-top: 1.5rem } .trace:empty { display: none }
</style>
<main>${body}</main></html>`
