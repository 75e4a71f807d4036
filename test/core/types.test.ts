import type { HttpClient } from "@effect/platform"
import {
  CardRequest,
  type CartItem,
  type CheckoutSession,
  type CheckoutSessionCreate,
  CheckoutSessionId,
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessions,
  CheckoutSessionsMemory,
  type CheckoutSessionUpdate,
  Credentials,
  type Generic,
  Gr4vyHttpClient,
  type NotFound,
  type RequestFailed,
  type Unauthorized
} from "@effect-gr4vy/core"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { Gr4vy, OtelTracer, SignedCredentials } from "@effect-gr4vy/node"
import { type ConfigError, type Effect, type Layer, Redacted, type Scope } from "effect"
import { describe, expectTypeOf, it } from "vitest"

// These run as part of the build: a wrong type, or an unused `@ts-expect-error`, does not compile.

type Service = CheckoutSessions["Type"]
type OnSession = Unauthorized | NotFound | Generic | RequestFailed

describe("the types of the service", () => {
  it("have the exact errors of each method", () => {
    expectTypeOf<Service["add"]>().toEqualTypeOf<
      (
        session?: CheckoutSessionCreate,
        options?: Endpoint.CallOptions
      ) => Effect.Effect<CheckoutSession, Unauthorized | Generic | RequestFailed>
    >()
    expectTypeOf<Service["get"]>().toEqualTypeOf<
      (id: CheckoutSessionId, options?: Endpoint.CallOptions) => Effect.Effect<CheckoutSession, OnSession>
    >()
    expectTypeOf<Service["update"]>().toEqualTypeOf<
      (
        id: CheckoutSessionId,
        session: CheckoutSessionUpdate,
        options?: Endpoint.CallOptions
      ) => Effect.Effect<CheckoutSession, OnSession>
    >()
    expectTypeOf<Service["updateFields"]>().toEqualTypeOf<
      (
        id: CheckoutSessionId,
        update?: CheckoutSessionSecureFieldsUpdate,
        options?: Endpoint.CallOptions
      ) => Effect.Effect<void, OnSession>
    >()
    expectTypeOf<Service["delete"]>().toEqualTypeOf<
      (id: CheckoutSessionId, options?: Endpoint.CallOptions) => Effect.Effect<void, OnSession>
    >()
  })

  it("have the layers of the design", () => {
    expectTypeOf(CheckoutSessions.layer).toEqualTypeOf<Layer.Layer<CheckoutSessions, never, Gr4vyHttpClient>>()
    expectTypeOf(CheckoutSessionsMemory.layer).toEqualTypeOf<Layer.Layer<CheckoutSessions>>()
    expectTypeOf(Credentials.layerToken).returns.toEqualTypeOf<Layer.Layer<Credentials, ConfigError.ConfigError>>()
    expectTypeOf(Gr4vyHttpClient.layer).returns.toEqualTypeOf<
      Layer.Layer<Gr4vyHttpClient, ConfigError.ConfigError, HttpClient.HttpClient | Credentials>
    >()
    expectTypeOf(Gr4vy.layer).returns.toEqualTypeOf<
      Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError>
    >()
    expectTypeOf(Gr4vy.layerConfig).returns.toEqualTypeOf<
      Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError>
    >()
    expectTypeOf(Gr4vy.layerWithoutTransport).returns.toEqualTypeOf<
      Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError, HttpClient.HttpClient>
    >()
    expectTypeOf(Gr4vy.make).returns.toEqualTypeOf<Effect.Effect<Service, ConfigError.ConfigError, Scope.Scope>>()
    expectTypeOf(SignedCredentials.layer).returns.toEqualTypeOf<Layer.Layer<Credentials, ConfigError.ConfigError>>()
    expectTypeOf(OtelTracer.layer).toEqualTypeOf<Layer.Layer<never>>()
  })
})

describe("the types of a session that was read", () => {
  it("have no null, and sets that are open", () => {
    expectTypeOf<CheckoutSession["amount"]>().toEqualTypeOf<number | undefined>()
    expectTypeOf<CheckoutSession["metadata"]>().toEqualTypeOf<{ readonly [x: string]: string } | undefined>()
    type Item = NonNullable<CheckoutSession["cartItems"]>[number]
    expectTypeOf<Item["name"]>().toEqualTypeOf<string>()
    expectTypeOf<Item["sku"]>().toEqualTypeOf<string | undefined>()
    expectTypeOf<"food">().toExtend<NonNullable<Item["productType"]>>()
    expectTypeOf<"new">().toExtend<NonNullable<NonNullable<CheckoutSession["paymentMethod"]>["scheme"]>>()
  })

  it("have the wire's names in their encoded form", () => {
    type Wire = typeof CheckoutSessionCreate.Encoded
    expectTypeOf<Wire["expires_in"]>().toEqualTypeOf<number | undefined>()
    expectTypeOf<NonNullable<Wire["cart_items"]>[number]["unit_amount"]>().toEqualTypeOf<number>()
    expectTypeOf<NonNullable<Wire["metadata"]>>().toEqualTypeOf<{ readonly [x: string]: string }>()
    expectTypeOf<(typeof CardRequest.Encoded)["security_code"]>().toEqualTypeOf<string>()
  })
})

describe("code that breaks the contract does not compile", () => {
  const card = {
    method: "card",
    number: Redacted.make("4111111111111111"),
    expirationDate: "11/29",
    securityCode: Redacted.make("123")
  } as const

  const compiles = (_: () => unknown) => {}

  it("a buyer's id together with an external identifier", () => {
    compiles(() => CardRequest.make({ ...card, buyerId: "fe26475d-ec3e-4884-9553-f7356683f7f9" }))
    compiles(() => CardRequest.make({ ...card, buyerExternalIdentifier: "user-789123" }))
    // @ts-expect-error never together
    compiles((): CardRequest => ({ ...card, buyerId: "a", buyerExternalIdentifier: "b" }))
    compiles(() =>
      CheckoutSessionSecureFieldsUpdate.make({
        // @ts-expect-error never together
        paymentMethod: { ...card, buyerId: "a", buyerExternalIdentifier: "b" }
      })
    )
  })

  it("a card number or a security code as a plain string", () => {
    // @ts-expect-error Redacted from the moment it is typed in
    compiles((): CardRequest => ({ ...card, number: "4111111111111111" }))
    // @ts-expect-error Redacted from the moment it is typed in
    compiles((): CardRequest => ({ ...card, securityCode: "123" }))
  })

  it("a card without its code, a method nobody knows, a stored method without its id", () => {
    compiles(
      (): CheckoutSessionSecureFieldsUpdate => ({
        // @ts-expect-error the code is required
        paymentMethod: { method: "card", number: card.number, expirationDate: "11/29" }
      })
    )
    // @ts-expect-error not a method
    compiles((): CheckoutSessionSecureFieldsUpdate => ({ paymentMethod: { method: "cash" } }))
    // @ts-expect-error the id is required
    compiles((): CheckoutSessionSecureFieldsUpdate => ({ paymentMethod: { method: "id" } }))
  })

  it("a product type, an intent or a field that the API does not know", () => {
    const item = { name: "Tea", quantity: 1, unitAmount: 450 }
    compiles((): CheckoutSessionCreate => ({ cartItems: [item], intent: "capture", expiresIn: "2 hours" }))
    compiles((): CheckoutSessionUpdate => ({ amount: null, buyer: { displayName: undefined } }))
    // @ts-expect-error not a product type
    compiles((): CartItem => ({ ...item, productType: "food" }))
    // @ts-expect-error not an intent
    compiles((): CheckoutSessionCreate => ({ intent: "later" }))
    // @ts-expect-error the wire's name
    compiles((): CheckoutSessionCreate => ({ cart_items: [] }))
    // @ts-expect-error not nullable
    compiles((): CheckoutSessionCreate => ({ expiresIn: null }))
  })

  it("a plain string as an id", () => {
    compiles((): CheckoutSessionId => CheckoutSessionId.make("a"))
    // @ts-expect-error not every string is an id
    compiles((): CheckoutSessionId => "a")
  })

  it("a token together with a private key, an id together with a base URL, neither", () => {
    const secret = Redacted.make("any")
    // @ts-expect-error either
    compiles(() => Gr4vy.layer({ id: "plantly", token: secret, privateKey: secret }))
    // @ts-expect-error either
    compiles(() => Gr4vy.layer({ id: "plantly", baseUrl: "https://api.plantly.gr4vy.app", token: secret }))
    // @ts-expect-error one of them
    compiles(() => Gr4vy.layer({ id: "plantly" }))
  })
})
