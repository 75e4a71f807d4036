/** The vendor's own SDK against the sandbox: a client that knows nothing of ours. */
import { assert, it } from "@effect/vitest"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Gr4vy } from "@gr4vy/sdk"
import { Effect } from "effect"
import { card, request } from "./support.js"

it.live("the vendor's SDK creates, reads, updates and deletes a session, and gets what it sent", () =>
  Effect.gen(function* () {
    const { baseUrl } = yield* Sandbox.Sandbox
    const { checkoutSessions } = new Gr4vy({ serverURL: baseUrl, bearerAuth: "any" })
    const sent = {
      amount: 1299,
      currency: "EUR",
      cartItems: [
        {
          name: "Tea",
          quantity: 2,
          unitAmount: 500,
          discountAmount: 0,
          taxAmount: 19,
          sku: "tea-1",
          categories: ["hot"]
        },
        { name: "Cup", quantity: 1, unitAmount: 299, discountAmount: 1, taxAmount: 0, productType: "physical" as const }
      ],
      buyer: {
        displayName: "Ada Lovelace",
        externalIdentifier: "buyer-1",
        billingDetails: {
          firstName: "Ada",
          lastName: "Lovelace",
          emailAddress: "ada@example.com",
          phoneNumber: "+442071234567",
          address: { line1: "12 St James's Square", city: "London", postalCode: "SW1Y 4JH", country: "GB" },
          taxId: { value: "12345678931", kind: "gb.vat" as const }
        },
        shippingDetails: { firstName: "Ada", address: { city: "London" } }
      },
      metadata: { order_id: "4711", camelCase: "kept" }
    }

    const created = yield* Effect.promise(() => checkoutSessions.create({ ...sent, expiresIn: 7200 }))
    const { expiresAt, id, type, ...contents } = created
    assert.deepInclude(contents, sent)
    assert.strictEqual(type, "checkout-session")
    assert.approximately(expiresAt.getTime() - Date.now(), 7_200_000, 60_000)
    assert.deepStrictEqual(yield* Effect.promise(() => checkoutSessions.get(id)), created)

    const updated = yield* Effect.promise(() => checkoutSessions.update({ amount: 500, buyer: null }, id))
    assert.deepInclude(updated, { amount: 500, currency: "EUR", cartItems: sent.cartItems, metadata: sent.metadata })
    assert.isTrue(updated.buyer === undefined || updated.buyer === null)

    yield* request("PUT", `/checkout/sessions/${id}/fields`, { body: JSON.stringify({ payment_method: card }) })
    const { paymentMethod } = yield* Effect.promise(() => checkoutSessions.get(id))
    assert.deepInclude(paymentMethod, { method: "card", scheme: "visa", label: "1111", details: { bin: "411111" } })

    yield* Effect.promise(() => checkoutSessions.delete(id))
    const gone = yield* Effect.promise(() => checkoutSessions.get(id).catch((error: unknown) => error))
    assert.propertyVal(gone, "statusCode", 404)
  }).pipe(Effect.provide(Sandbox.layer()))
)
