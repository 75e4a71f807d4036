/** The sandbox accepts and refuses bodies exactly as the API's description says. */
import { assert, layer } from "@effect/vitest"
import { Endpoint } from "@effect-gr4vy/core"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect, Schema } from "effect"
import { card, created, request } from "./support.js"

const things = Endpoint.implement(
  {
    create: Endpoint.post("Things.create", "/things", {
      payload: Schema.Struct({ amount: Schema.Int, lines: Schema.Array(Schema.Struct({ name: Schema.String })) }),
      success: Schema.Struct({ id: Schema.String }),
      resend: "once"
    })
  },
  { create: () => Effect.succeed({ id: "t1" }) }
)

const { method: _, ...withoutMethod } = card
const clickToPay = { merchant_transaction_id: "m", src_correlation_id: "c", src_dpa_id: "d" }
const stored = { id: "ef9496d8-53a5-4aad-8ca2-00eb68334389" }

layer(Sandbox.layer({ endpoints: [things] }), { excludeTestServices: true })("a body", (it) => {
  const place = (path: string) =>
    path.startsWith("{session}")
      ? Effect.map(created, (session) => path.replace("{session}", session))
      : Effect.succeed(path)

  const unknown: ReadonlyArray<readonly [method: string, path: string, body: object, pointer: string, hint: string]> = [
    ["POST", "/checkout/sessions", { amout: 1299 }, "", "did you mean amount?"],
    ["POST", "/checkout/sessions", { amount: 1299, cartItems: [] }, "", "did you mean cart_items?"],
    ["POST", "/checkout/sessions", { buyer: { displayName: "Ada" } }, "/buyer", "did you mean display_name?"],
    [
      "POST",
      "/checkout/sessions",
      { cart_items: [{ name: "Tea", quantity: 1, unit_amount: 1, unitPrice: 2 }] },
      "/cart_items/0",
      "unknown property"
    ],
    [
      "POST",
      "/checkout/sessions",
      { buyer: { billing_details: { address: { postalCode: "1" } } } },
      "/buyer/billing_details/address",
      "did you mean postal_code?"
    ],
    ["PUT", "{session}", { expiresIn: 3600 }, "", "did you mean expires_in?"],
    ["PUT", "{session}", { type: "checkout-session" }, "", "unknown property"],
    ["PUT", "{session}/fields", { paymentMethod: card }, "", "did you mean payment_method?"],
    ["PUT", "{session}/fields", { payment_method: { ...card, expirationDate: "11/30" } }, "/payment_method", "unknown"],
    ["PUT", "{session}/fields", { payment_method: { ...withoutMethod, cvv: "123" } }, "/payment_method", "unknown"],
    ["PUT", "{session}/fields", { payment_method: { ...stored, method: "id", number: "1" } }, "/payment_method", "unk"],
    ["POST", "/things", { amount: 1, lines: [], amout: 2 }, "", "did you mean amount?"],
    ["POST", "/things", { amount: 1, lines: [{ name: "a", nmae: "b" }] }, "/lines/0", "did you mean name?"]
  ]
  for (const [method, path, body, pointer, hint] of unknown) {
    it.effect(
      `with a property that the contract does not have is a 400: ${method} ${path} ${JSON.stringify(body)}`,
      () =>
        Effect.gen(function* () {
          const target = yield* place(path)
          const answer = yield* request(method, target, { body: JSON.stringify(body) })
          assert.deepInclude(answer.body, { type: "error", code: "bad_request", status: 400 })
          const details = answer.body["details"]
          assert(Array.isArray(details) && details.length === 1)
          assert.deepInclude(details[0], { location: "body", pointer })
          assert.include(details[0].message, hint)
          assert.notInclude(answer.text, "4111")
        })
    )
  }

  it.effect("that was refused has changed nothing", () =>
    Effect.gen(function* () {
      const path = yield* created
      const before = (yield* request("GET", path)).body
      yield* request("PUT", path, { body: JSON.stringify({ amount: 5, currncy: "EUR" }) })
      yield* request("PUT", `${path}/fields`, { body: JSON.stringify({ payment_method: card, postcode: "1" }) })
      assert.deepStrictEqual((yield* request("GET", path)).body, before)
    })
  )

  it.effect("may have any key in its metadata", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ metadata: { anyKey: "a", amout: "b", __proto: "c" } })
      assert.strictEqual((yield* request("POST", "/checkout/sessions", { body })).status, 201)
    })
  )

  for (const [name, payment_method, shown] of [
    ["a card", withoutMethod, { label: "1111", scheme: "visa" }],
    ["a card from Click to Pay", clickToPay, { method: "card" }],
    ["a stored payment method", stored, stored]
  ] as const) {
    it.effect(`with ${name} may leave the method out, which the contract has a default for`, () =>
      Effect.gen(function* () {
        const path = yield* created
        const { status, text } = yield* request("PUT", `${path}/fields`, { body: JSON.stringify({ payment_method }) })
        assert.deepStrictEqual([status, text], [204, ""])
        assert.deepInclude((yield* request("GET", path)).body["payment_method"], shown)
      })
    )
  }

  for (const payment_method of [
    {},
    { ...withoutMethod, ...stored },
    { ...card, method: null },
    { security_code: "1" }
  ]) {
    it.effect(`with a payment method that is none of the contract's is a 400: ${Object.keys(payment_method)}`, () =>
      Effect.gen(function* () {
        const path = yield* created
        const { body } = yield* request("PUT", `${path}/fields`, { body: JSON.stringify({ payment_method }) })
        assert.deepInclude(body, { code: "bad_request", status: 400 })
      })
    )
  }

  for (const body of ["null", "[]", "[{}]"]) {
    it.effect(`of ${body} creates a session as no body does`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* request("POST", "/checkout/sessions", { body })).status, 201)
        assert.strictEqual((yield* request("PUT", yield* created, { body })).status, 400)
      })
    )
  }

  it.effect("of a list with something in it is a 400", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* request("POST", "/checkout/sessions", { body: '[{"amount":1}]' })).status, 400)
    })
  )
})
