/**
 * Buys something in the shop of example 12 with a headless Chromium: the card is typed into the iframe, goes to the API and
 * never to the shop. `npm run test:browser -- folder` keeps pictures of the checkout and of the receipt.
 */
import { createServer } from "node:http"
import { join } from "node:path"
import { HttpServer } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { PaymentSandbox, Shop } from "@effect-gr4vy/examples/12-take-a-payment"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Console, Effect, Layer } from "effect"
import type { BrowserContext } from "playwright-core"

/** A test card of the sandbox. */
const declined = "4000000000009995"

const number = "4111111111111111"

export const buy = (context: BrowserContext, pictures: string | undefined) =>
  Effect.gen(function* () {
    const { baseUrl, seen } = yield* Sandbox.Sandbox
    const { address } = yield* HttpServer.HttpServer
    const shop = `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`
    const sent: Array<{ readonly to: string; readonly body: string }> = []
    yield* Effect.promise(async () => {
      const page = await context.newPage()
      page.on("request", (request) => sent.push({ to: request.url(), body: request.postData() ?? "" }))
      const picture = async (name: string) => {
        if (pictures !== undefined) await page.screenshot({ path: join(pictures, name), fullPage: true })
      }
      await page.setViewportSize({ width: 1100, height: 760 })
      await page.goto(shop)
      await page.getByRole("button", { name: /Buy for \$129\.80/ }).click()
      const form = page.frameLocator("iframe")
      await form.getByPlaceholder("4111 1111 1111 1111").fill("4111 1111 1111 1111")
      await form.getByPlaceholder("12/30").fill("12/30")
      await form.getByPlaceholder("123", { exact: true }).fill("123")
      await picture("shop-checkout.png")
      await form.getByRole("button", { name: "Pay" }).click()
      await page.getByRole("heading", { name: "Paid $129.80" }).waitFor()
      await page.getByText(/visa ending 1111/).waitFor()
      await picture("shop-receipt.png")
      await page.getByRole("button", { name: "Give it back" }).click()
      await page.getByRole("heading", { name: "Refunded $129.80" }).waitFor()

      await page.goto(shop)
      await page.getByRole("button", { name: /Buy for \$4\.90/ }).click()
      const pay = async (card: string) => {
        await form.getByPlaceholder("4111 1111 1111 1111").fill(card)
        await form.getByPlaceholder("12/30").fill("12/30")
        await form.getByPlaceholder("123", { exact: true }).fill("123")
        await form.getByRole("button", { name: "Pay" }).click()
      }
      await pay(declined)
      await page.getByRole("heading", { name: "Declined" }).waitFor()
      await page.getByRole("link", { name: "Try again" }).click()
      await pay(number)
      await page.getByRole("heading", { name: "Paid $4.90" }).waitFor()
      await page.close()
    })
    const withCard = sent.filter(({ body }) =>
      [number, declined].some((card) => body.replace(/\D/g, "").includes(card))
    )
    if (withCard.length !== 3 || withCard.some(({ to }) => !to.startsWith(`${baseUrl}/checkout/sessions/`))) {
      return yield* Effect.dieMessage(`The card went to: ${withCard.map(({ to }) => to).join(", ")}`)
    }
    const routes = (yield* seen).map(({ method, route }) => `${method} ${route}`)
    if (!routes.includes("PUT /checkout/sessions/{checkout_session_id}/fields")) {
      return yield* Effect.dieMessage("The API got no card.")
    }
    yield* Console.log(
      "The shop takes a payment, refunds it, and takes another card after a decline; the cards went to the API alone."
    )
  }).pipe(
    Effect.provide(
      Shop.pipe(Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0 })), Layer.provideMerge(PaymentSandbox))
    )
  )
