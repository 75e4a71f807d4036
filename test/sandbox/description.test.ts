import { OpenApi } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { checkoutSessions } from "@effect-gr4vy/core/Endpoints"
import { CheckoutSessionsApi } from "@effect-gr4vy/sandbox"
import { validate } from "@readme/openapi-parser"
import { Effect } from "effect"

const spec = OpenApi.fromApi(CheckoutSessionsApi)

const copy = () => JSON.parse(JSON.stringify(spec))

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const body = (name: string) => ({ "application/json": { schema: ref(name) } })

const operations = [
  [
    "post",
    "/checkout/sessions",
    "add-checkout-session",
    { 201: "CheckoutSession" },
    ["401"],
    ["CheckoutSessionCreate", false]
  ],
  [
    "get",
    "/checkout/sessions/{checkout_session_id}",
    "get-checkout-session",
    { 200: "CheckoutSession" },
    ["401", "404"],
    undefined
  ],
  [
    "put",
    "/checkout/sessions/{checkout_session_id}",
    "update-checkout-session",
    { 200: "CheckoutSession" },
    ["401", "404"],
    ["CheckoutSessionUpdate", true]
  ],
  [
    "put",
    "/checkout/sessions/{checkout_session_id}/fields",
    "update-checkout-session-fields",
    { 204: undefined },
    ["401", "404"],
    ["CheckoutSessionSecureFieldsUpdate", false]
  ],
  [
    "delete",
    "/checkout/sessions/{checkout_session_id}",
    "delete-checkout-session",
    { 204: undefined },
    ["401", "404"],
    undefined
  ]
] as const

const errorBodies: Readonly<Record<string, string>> = {
  401: "Error401Unauthorized",
  404: "Error404NotFound",
  default: "ErrorGeneric"
}

const examples: Readonly<Record<string, unknown>> = {
  CheckoutSessionCreate: checkoutSessions.add.docs.example,
  CheckoutSessionUpdate: checkoutSessions.update.docs.example,
  CheckoutSessionSecureFieldsUpdate: checkoutSessions.updateFields.docs.example
}

describe("the OpenAPI description of the contract", () => {
  it.live("is valid OpenAPI 3.1", () =>
    Effect.gen(function* () {
      const result = yield* Effect.promise(() => validate(copy()))
      assert(result.valid, JSON.stringify(result))
      assert.strictEqual(spec.openapi, "3.1.0")
    })
  )

  it("has the five operations and no other", () => {
    const all = Object.entries(spec.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`)
    )
    assert.sameMembers(
      all,
      operations.map(([method, path]) => `${method} ${path}`)
    )
  })

  for (const [method, path, operationId, success, errors, payload] of operations) {
    it(`describes ${operationId} as the API does`, () => {
      const operation = spec.paths[path]?.[method]
      assert(operation !== undefined)
      assert.strictEqual(operation.operationId, operationId)
      assert.deepStrictEqual(operation.security, [{ BearerAuth: [] }])
      assert.deepStrictEqual(
        operation.parameters.map(({ in: place, name, required }) => [place, name, required]),
        path.includes("{") ? [["path", "checkout_session_id", true]] : []
      )
      const responses: Record<string, unknown> = {}
      for (const [status, { content, description }] of Object.entries(operation.responses)) {
        assert.match(description, /^Returns .*\.$/)
        responses[status] = content
      }
      const [[status, schema] = []] = Object.entries(success)
      assert.deepStrictEqual(responses, {
        [String(status)]: schema === undefined ? undefined : body(schema),
        ...Object.fromEntries([...errors, "default"].map((error) => [error, body(errorBodies[error] ?? "")]))
      })
      assert.deepStrictEqual(
        copy().paths[path][method].requestBody,
        payload && {
          content: { "application/json": { schema: ref(payload[0]), example: examples[payload[0]] } },
          required: payload[1]
        }
      )
    })
  }

  const orNull = (schema: object) => ({ anyOf: [schema, { type: "null" }] })

  const textsOrNull = (...names: ReadonlyArray<string>) =>
    Object.fromEntries(names.map((name) => [name, { type: ["string", "null"] }]))

  /** What a session says of its cart, buyer and airline: their limits are tested with the models. */
  const ofTheOrder = [
    "Address",
    "Airline",
    "AirlineLeg",
    "AirlinePassenger",
    "BillingDetails",
    "Buyer",
    "CartItem",
    "ShippingDetails",
    "TaxId"
  ]

  const contents = {
    cart_items: orNull({ type: "array", items: ref("CartItem"), description: "The lines of the cart." }),
    metadata: { type: ["object", "null"], additionalProperties: { type: "string" } },
    buyer: orNull(ref("Buyer")),
    airline: orNull(ref("Airline")),
    amount: { type: ["integer", "null"], minimum: 0, maximum: 99999999 },
    currency: { type: ["string", "null"], pattern: "^[A-Z]{3}$" },
    payment_service_id: { type: ["string", "null"], format: "uuid" },
    country: { type: ["string", "null"], pattern: "^[A-Z]{2}$" },
    is_subsequent_payment: { type: ["boolean", "null"] },
    merchant_initiated: { type: ["boolean", "null"] },
    payment_source: {
      type: ["string", "null"],
      enum: ["ecommerce", "moto", "recurring", "installment", "card_on_file", null]
    },
    intent: { type: ["string", "null"], enum: ["authorize", "capture", null] }
  }
  const sent = { ...contents, expires_in: { type: "number", minimum: 3600, maximum: 86400 } }

  /** Each component's fields: their types, and whether they are required. */
  const components: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    CheckoutSession: {
      type: orNull({ type: "string", enum: ["checkout-session"], description: "Always `checkout-session`." }),
      id: { type: "string", format: "uuid", required: true },
      expires_at: { type: "string", format: "date-time", required: true },
      payment_method: orNull(ref("CheckoutSessionPaymentMethod")),
      ...contents,
      metadata: orNull({
        type: "object",
        additionalProperties: { type: "string" },
        description: "Your own key-value pairs.",
        examples: [{ order_id: "4711" }]
      })
    },
    CheckoutSessionCreate: sent,
    CheckoutSessionUpdate: sent,
    CheckoutSessionPaymentMethod: {
      ...textsOrNull("type", "id", "label", "method", "scheme", "fingerprint"),
      details: orNull(ref("CheckoutSessionPaymentMethodDetails"))
    },
    CheckoutSessionPaymentMethodDetails: textsOrNull("bin", "card_country", "card_type", "card_issuer_name"),
    CheckoutSessionSecureFieldsUpdate: {
      payment_method: { anyOf: [ref("CardRequest"), ref("ClickToPayRequest"), ref("StoredPaymentMethodRequest")] },
      postal_code: { type: ["string", "null"], minLength: 1, maxLength: 50 }
    },
    ClickToPayRequest: {
      method: { type: "string", enum: ["click-to-pay"], required: true },
      merchant_transaction_id: { type: "string", required: true },
      src_correlation_id: { type: "string", required: true },
      src_dpa_id: { type: "string", required: true },
      src_cx_flow_id: { type: ["string", "null"] }
    },
    StoredPaymentMethodRequest: {
      method: { type: "string", enum: ["id"], required: true },
      id: { type: "string", format: "uuid", required: true },
      security_code: { type: ["string", "null"], pattern: "^\\d{3,4}$" }
    },
    CardRequest: {
      method: { type: "string", enum: ["card"], required: true },
      number: { type: "string", pattern: "^[0-9]{13,19}$", required: true },
      // Narrower than the API's own: there is no month 13.
      expiration_date: { type: "string", pattern: "^(0[1-9]|1[0-2])/\\d{2}$", required: true },
      security_code: { type: "string", pattern: "^\\d{3,4}$", required: true },
      external_identifier: { type: ["string", "null"] },
      buyer_id: { type: "string", format: "uuid" },
      buyer_external_identifier: { type: "string" },
      redirect_url: { type: ["string", "null"] }
    },
    ErrorDetail: {
      location: { type: "string", enum: ["query", "body", "path", "header"] },
      type: { type: "string" },
      pointer: { type: "string" },
      message: { type: "string" }
    },
    ...Object.fromEntries(
      (
        [
          ["Error401Unauthorized", { type: "integer", enum: [401] }],
          ["Error404NotFound", { type: "integer", enum: [404] }],
          ["ErrorGeneric", { type: "integer", minimum: 200, maximum: 599 }]
        ] as const
      ).map(([name, status]) => [
        name,
        {
          type: { type: "string", enum: ["error"] },
          code: { type: "string" },
          status,
          message: { type: "string" },
          details: { type: "array", items: ref("ErrorDetail") }
        }
      ])
    )
  }

  it("has these components and no other", () => {
    const facts: Record<string, unknown> = {}
    for (const [name, schema] of Object.entries<Record<string, never>>(copy().components.schemas)) {
      const required: ReadonlyArray<string> = schema["required"] ?? []
      facts[name] = Object.fromEntries(
        Object.entries<Record<string, unknown>>(schema["properties"] ?? {}).map(
          ([field, { description, examples: _, ...rules }]) => {
            if (rules["$ref"] === undefined)
              assert.match(String(description), /^(A|An|The|Your|Always|Where|Whether|What) .*\.$/)
            return [field, required.includes(field) ? { ...rules, required: true } : rules]
          }
        )
      )
    }
    const others = Object.keys(facts).filter((name) => !(name in components))
    assert.sameMembers(others, ofTheOrder)
    for (const name of others) delete facts[name]
    assert.deepStrictEqual(facts, components)
  })

  it("says that a buyer's id and external identifier never come together", () => {
    assert.include(
      copy().components.schemas.CardRequest.description,
      "Give `buyer_id` or `buyer_external_identifier`, never both."
    )
  })

  it("names both servers and the bearer token", () => {
    assert.deepStrictEqual(
      spec.servers?.map(({ url, variables }) => [url, variables?.["id"]?.default]),
      [
        ["https://api.{id}.gr4vy.app", "plantly"],
        ["https://api.sandbox.{id}.gr4vy.app", "plantly"]
      ]
    )
    assert.deepStrictEqual(copy().components.securitySchemes, {
      BearerAuth: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "JWT",
        description: "A JWT signed with your private key."
      }
    })
  })
})
