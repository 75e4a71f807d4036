import {
  FetchHttpClient,
  HttpApiBuilder,
  HttpApiClient,
  HttpClient,
  HttpClientRequest,
  HttpServer
} from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessionsMemory, Unauthorized } from "@effect-gr4vy/core"
import { CheckoutSessionsApi, Sandbox } from "@effect-gr4vy/sandbox"
import { BearerAuth } from "@effect-gr4vy/sandbox/CheckoutSessionsApi"
import * as CheckoutSessionsServer from "@effect-gr4vy/sandbox/CheckoutSessionsServer"
import { Effect, Layer } from "effect"
import { card, visa } from "../support/cards.js"

const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"
const session = `/checkout/sessions/${id}`

const ask = (method: string, path: string, options: { readonly body?: string; readonly anonymous?: boolean } = {}) =>
  Effect.gen(function* () {
    const { baseUrl } = yield* Sandbox.Sandbox
    const response = yield* Effect.promise(() =>
      fetch(baseUrl + path, {
        method,
        headers: {
          ...(options.anonymous === true ? {} : { authorization: "Bearer any" }),
          ...(options.body === undefined ? {} : { "content-type": "application/json" })
        },
        ...(options.body === undefined ? {} : { body: options.body })
      })
    )
    const text = yield* Effect.promise(() => response.text())
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) }
  })

const newSession = Effect.map(ask("POST", "/checkout/sessions"), ({ body }): string => `/checkout/sessions/${body.id}`)

const error = (status: number, code: string, message: string, details: ReadonlyArray<unknown> = []) => ({
  status,
  body: { type: "error", code, status, message, details }
})

const notFound = error(404, "not_found", "The resource could not be found")

describe("a server of the contract", () => {
  for (const [what, method, path, expected] of [
    ["a session it does not know", "GET", session, notFound],
    ["an id that cannot be one", "GET", "/checkout/sessions/a.b", notFound],
    ["a method it does not have", "PATCH", session, error(405, "method_not_allowed", "Method not allowed")],
    ["a list nobody offers", "GET", "/checkout/sessions", error(405, "method_not_allowed", "Method not allowed")]
  ] as const) {
    it.scopedLive(`responds to ${what} in the API's form`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* ask(method, path), expected)
      }).pipe(Effect.provide(Sandbox.layer()))
    )
  }

  it.effect("responds to an unknown path in the API's form", () =>
    Effect.gen(function* () {
      const { dispose, handler } = HttpApiBuilder.toWebHandler(
        Layer.mergeAll(CheckoutSessionsServer.layer, CheckoutSessionsServer.errors, HttpServer.layerContext).pipe(
          Layer.provide(CheckoutSessionsMemory.layer),
          Layer.provide(Layer.succeed(BearerAuth, { BearerAuth: () => Effect.void }))
        )
      )
      const response = yield* Effect.promise(() => handler(new Request("http://localhost/elsewhere")))
      assert.deepStrictEqual({ status: response.status, body: yield* Effect.promise(() => response.json()) }, notFound)
      yield* Effect.promise(dispose)
    })
  )

  for (const [method, path] of [
    ["POST", "/checkout/sessions"],
    ["GET", session],
    ["PUT", `${session}/fields`],
    ["DELETE", session]
  ] as const) {
    it.scopedLive(`responds with 401 to ${method} without a bearer`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(
          yield* ask(method, path, { anonymous: true }),
          error(401, "unauthorized", "No valid API authentication found")
        )
      }).pipe(Effect.provide(Sandbox.layer()))
    )
  }

  const wrong = (pointer: string, message: string) =>
    error(400, "bad_request", "Request failed validation", [
      { location: "body", type: "value_error", pointer, message }
    ])

  for (const [what, body, expected] of [
    ["broken JSON", "{", error(400, "incorrect_json", "The request body was not valid JSON.")],
    [
      "a card with a typo",
      JSON.stringify({ payment_method: { ...visa, number: "4111x" } }),
      wrong("/payment_method/number", "must be 13 to 19 digits, without blanks or dashes")
    ],
    [
      "a card without a code",
      JSON.stringify({ payment_method: { ...visa, security_code: undefined } }),
      wrong("/payment_method/security_code", "is missing")
    ],
    [
      "both identifiers of a buyer",
      JSON.stringify({ payment_method: { ...visa, buyer_id: id, buyer_external_identifier: "b" } }),
      wrong("/payment_method", "must be a card with either buyer_id or buyer_external_identifier, not both")
    ],
    [
      "a number in place of a card",
      JSON.stringify({ payment_method: visa.number }),
      wrong("/payment_method", `must be an object with the method "card", "click-to-pay" or "id"`)
    ]
  ] as const) {
    it.scopedLive(`responds with 400 to ${what}`, () =>
      Effect.gen(function* () {
        const path = yield* newSession
        assert.deepStrictEqual(yield* ask("PUT", `${path}/fields`, { body }), expected)
      }).pipe(Effect.provide(Sandbox.layer()))
    )
  }

  it.scopedLive("says all that is wrong with a card at once", () =>
    Effect.gen(function* () {
      const path = yield* newSession
      const { body } = yield* ask("PUT", `${path}/fields`, {
        body: JSON.stringify({ payment_method: { ...visa, number: "1", expiration_date: "soon" } })
      })
      assert.deepStrictEqual(
        body.details.map(({ pointer }: { readonly pointer: string }) => pointer),
        ["/payment_method/number", "/payment_method/expiration_date"]
      )
    }).pipe(Effect.provide(Sandbox.layer()))
  )

  it.scopedLive("takes an update with a card, with nothing in it, and without a body", () =>
    Effect.gen(function* () {
      const path = yield* newSession
      for (const options of [{ body: JSON.stringify({ payment_method: visa }) }, { body: "{}" }, {}]) {
        assert.deepStrictEqual(yield* ask("PUT", `${path}/fields`, options), { status: 204, body: undefined })
      }
    }).pipe(Effect.provide(Sandbox.layer()))
  )
})

describe("the platform's own client of the contract", () => {
  const client = (token: string) =>
    Effect.flatMap(Sandbox.Sandbox, ({ baseUrl }) =>
      HttpApiClient.make(CheckoutSessionsApi, {
        baseUrl,
        transformClient: HttpClient.mapRequest(HttpClientRequest.bearerToken(token))
      })
    )

  it.scopedLive("does the whole job", () =>
    Effect.gen(function* () {
      const { checkoutSessions } = yield* client("any")
      const { id } = yield* checkoutSessions.add({ payload: { amount: 1299 } })
      const path = { checkout_session_id: id }
      assert.strictEqual((yield* checkoutSessions.get({ path })).id, id)
      assert.strictEqual((yield* checkoutSessions.update({ path, payload: { currency: "EUR" } })).amount, 1299)
      yield* checkoutSessions.updateFields({ path, payload: { paymentMethod: card() } })
      yield* checkoutSessions.delete({ path })
      const error = yield* Effect.flip(checkoutSessions.get({ path }))
      assert.strictEqual(error._tag, "NotFound")
    }).pipe(Effect.provide([Sandbox.layer(), FetchHttpClient.layer]))
  )

  it.scopedLive("knows the errors by their tags", () =>
    Effect.gen(function* () {
      const { checkoutSessions } = yield* client("")
      const path = { checkout_session_id: CheckoutSessionId.make(id) }
      const error: unknown = yield* Effect.flip(checkoutSessions.get({ path }))
      assert.instanceOf(error, Unauthorized)
    }).pipe(Effect.provide([Sandbox.layer(), FetchHttpClient.layer]))
  )
})
