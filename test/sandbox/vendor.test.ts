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

it.live("the vendor's SDK pays, captures, refunds and voids, and reads pages of transactions", () =>
  Effect.gen(function* () {
    const { bank, baseUrl } = yield* Sandbox.Sandbox
    const vendor = new Gr4vy({ serverURL: baseUrl, bearerAuth: "any" })
    const { checkoutSessions, transactions } = vendor
    const { id: session } = yield* Effect.promise(() => checkoutSessions.create({ amount: 1299, currency: "EUR" }))
    yield* request("PUT", `/checkout/sessions/${session}/fields`, { body: JSON.stringify({ payment_method: card }) })
    const pay = (key: string) =>
      Effect.promise(() =>
        transactions.create(
          { amount: 1299, currency: "EUR", paymentMethod: { method: "checkout-session", id: session } },
          undefined,
          key
        )
      )
    const paid = yield* pay("order-1/1")
    assert.deepInclude(paid, { status: "authorization_succeeded", amount: 1299 })
    assert.strictEqual((yield* pay("order-1/1")).id, paid.id)
    const captured = yield* Effect.promise(() =>
      transactions.capture({ transactionId: paid.id, transactionCaptureCreate: { amount: 1000 } })
    )
    assert.propertyVal(captured, "capturedAmount", 1000)
    const refund = yield* Effect.promise(() => transactions.refunds.create({ amount: 300 }, paid.id))
    assert.deepInclude(refund, { status: "succeeded", amount: 300, transactionId: paid.id })
    assert.strictEqual((yield* Effect.promise(() => vendor.refunds.get(refund.id))).id, refund.id)
    const other = yield* pay("order-2/1")
    assert.propertyVal(yield* Effect.promise(() => transactions.void(other.id)), "status", "authorization_voided")

    yield* pay("order-3/1")
    const listed = yield* Effect.promise(async () => {
      const ids: Array<string> = []
      for await (const page of await transactions.list({ limit: 2 })) {
        ids.push(...page.result.items.map(({ id }) => id))
      }
      return ids
    })
    assert.deepStrictEqual(
      listed,
      (yield* bank.transactions).map(({ id }) => id)
    )
    assert.lengthOf(listed, 3)
  }).pipe(Effect.provide(Sandbox.layer()))
)

it.live("the vendor's SDK keeps buyers and payment methods, and lists both", () =>
  Effect.gen(function* () {
    const { baseUrl } = yield* Sandbox.Sandbox
    const { buyers, paymentMethods } = new Gr4vy({ serverURL: baseUrl, bearerAuth: "any" })
    const buyer = yield* Effect.promise(() => buyers.create({ displayName: "Ada", externalIdentifier: "ada" }))
    assert.deepInclude(buyer, { displayName: "Ada", externalIdentifier: "ada" })
    const method = yield* Effect.promise(() =>
      paymentMethods.create({
        method: "card",
        number: "4111111111111111",
        expirationDate: "12/30",
        securityCode: "123",
        buyerId: buyer.id
      })
    )
    assert.deepInclude(method, { label: "1111", scheme: "visa", method: "card" })
    const { items } = yield* Effect.promise(() => buyers.paymentMethods.list({ buyerId: buyer.id }))
    assert.deepStrictEqual(
      items.map(({ id }) => id),
      [method.id]
    )
    const pages = yield* Effect.promise(() => buyers.list())
    assert.deepStrictEqual(
      pages.result.items.map(({ id }) => id),
      [buyer.id]
    )
    yield* Effect.promise(() => paymentMethods.delete(method.id))
    const gone = yield* Effect.promise(() => paymentMethods.get(method.id).catch((error: unknown) => error))
    assert.propertyVal(gone, "statusCode", 404)
  }).pipe(Effect.provide(Sandbox.layer()))
)
