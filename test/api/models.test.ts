/**
 * Responses whose parts are one of several models: the one that fits best is read, and nothing of it is lost.
 */
import { assert, describe, it } from "@effect/vitest"
import { PaymentOptions, WebhookSubscriptions } from "@effect-gr4vy/api"
import { Schema } from "effect"

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
