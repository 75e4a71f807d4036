/**
 * Responses whose parts are one of several models: the one that fits best is read, and nothing of it is lost.
 */

import { HttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { PaymentOptions, Transactions, WebhookSubscriptions } from "@effect-gr4vy/api"
import { Credentials, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { Effect, Redacted, Schema } from "effect"

const read = (schema: Schema.Schema.AnyNoContext | undefined, wire: unknown): unknown => {
  if (schema === undefined) throw new Error("The endpoint has no success.")
  return Schema.decodeUnknownSync(schema)(wire)
}

describe("a response", () => {
  it("keeps the gateway of Google Pay, which another wallet's model would leave out", () => {
    const options = read(PaymentOptions.endpoints.list.success, {
      items: [
        {
          method: "googlepay",
          mode: "wallet",
          can_store_payment_method: true,
          can_delay_capture: true,
          context: {
            merchant_name: "Shop",
            supported_schemes: ["visa"],
            gateway: "gr4vy",
            gateway_merchant_id: "m-1"
          }
        }
      ]
    })
    assert.nestedPropertyVal(options, "items[0].context.gateway", "gr4vy")
    assert.nestedPropertyVal(options, "items[0].context.gatewayMerchantId", "m-1")
  })

  const oauth = {
    type: "webhook-authentication",
    client_id: "c",
    client_secret: "********",
    token_url: "https://x.test"
  }
  for (const [kind, authentication, property] of [
    ["basic", { kind: "basic", username: "ada", password: "********" }, "username"],
    ["oauth_client_credentials", { ...oauth, kind: "oauth_client_credentials" }, "clientId"],
    ["oauth_password", { ...oauth, kind: "oauth_password", username: "ada", password: "********" }, "username"],
    ["of tomorrow", { kind: "of tomorrow", key_id: "k" }, "kind"]
  ] as const) {
    it(`keeps a webhook's authentication of the kind ${kind}`, () => {
      const subscription = read(WebhookSubscriptions.endpoints.get.success, {
        id: "8724fd24-5489-4a5d-90fd-0604df7d3b83",
        active: true,
        url: "https://shop.example.com",
        rotating: false,
        authentication
      })
      assert.nestedPropertyVal(subscription, "authentication.kind", kind)
      assert.nestedProperty(subscription, `authentication.${property}`)
    })
  }
})

describe("a request", () => {
  for (const [what, schema] of [
    ["a refund", Transactions.endpoints.refunds.create.payload],
    ["a capture", Transactions.endpoints.capture.payload]
  ] as const) {
    it(`for ${what} without an amount is of everything, and an amount that got lost is refused`, () => {
      if (schema === undefined) throw new Error("The endpoint has no payload.")
      const encode = Schema.encodeUnknownSync(schema)
      assert.deepStrictEqual(encode({}), {})
      assert.deepStrictEqual(encode({ amount: null }), { amount: null })
      assert.deepStrictEqual(encode({ amount: 1 }), { amount: 1 })
      assert.throws(() => encode({ amount: undefined }), /amount/)
    })
  }

  it("for a refund whose amount got lost sends nothing", () => {
    const sent: Array<string> = []
    const http = HttpClient.make((request) => {
      sent.push(request.url)
      return Effect.die("sent")
    })
    return Effect.gen(function* () {
      const { refunds } = yield* Transactions
      // What a plain JavaScript program does.
      const lost = { amount: undefined } as object
      const error = yield* Effect.flip(
        refunds.create("8724fd24-5489-4a5d-90fd-0604df7d3b83", lost, { idempotencyKey: "order-1/refund/1" })
      )
      assert.include(error.message, "Nothing was sent: payload.amount must be")
      assert.deepStrictEqual(sent, [])
    }).pipe(
      Effect.provide(Transactions.layer),
      Effect.provide(Gr4vyHttpClient.layer({ baseUrl: "https://api.example" })),
      Effect.provide(Credentials.layerToken(Redacted.make("token"))),
      Effect.provideService(HttpClient.HttpClient, http),
      Effect.runPromise
    )
  })
})
