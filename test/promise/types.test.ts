/** The models of both packages come from one generator: these are the types of the promise package, derived from the service. */
import { it } from "@effect/vitest"
import type * as Api from "@effect-gr4vy/api"
import type * as Core from "@effect-gr4vy/core"
import type * as Promised from "@effect-gr4vy/promise"
import type { CardRequest, CheckoutSession, Client, Options } from "@effect-gr4vy/promise"
import type { DateTime, Effect, Redacted } from "effect"
import { expectTypeOf } from "vitest"

/** `T` with instants as `Date`, secrets and branded strings as strings, and without what needs Effect's `Clock`. */
type Plain<T> = T extends DateTime.Utc
  ? Date
  : T extends Redacted.Redacted<infer A>
    ? A
    : T extends string
      ? T extends Core.CheckoutSessionId
        ? string
        : T
      : T extends ReadonlyArray<infer A>
        ? ReadonlyArray<Plain<A>>
        : T extends object
          ? { readonly [K in keyof T as T[K] extends Effect.Effect<unknown> ? never : K]: Plain<T[K]> }
          : T

/** Intersections as one object, so that two types are equal when their properties are. */
type Flat<T> = T extends Date ? T : T extends object ? { readonly [K in keyof T]: Flat<T[K]> } : T

type Service = Effect.Effect.Success<typeof Core.CheckoutSessions>

it("the models are those of the service, as plain values", () => {
  expectTypeOf<Flat<CheckoutSession>>().toEqualTypeOf<Flat<Plain<Core.CheckoutSession>>>()
  expectTypeOf<Flat<CardRequest>>().toEqualTypeOf<Flat<Plain<Core.CardRequest>>>()
  expectTypeOf<Flat<Promised.CheckoutSessionSecureFieldsUpdate>>().toEqualTypeOf<
    Flat<Plain<Core.CheckoutSessionSecureFieldsUpdate>>
  >()
  // A duration is a plain value already; Effect's own forms are left out.
  expectTypeOf<Flat<Omit<Promised.CheckoutSessionCreate, "expiresIn">>>().toEqualTypeOf<
    Flat<Plain<Omit<Core.CheckoutSessionCreate, "expiresIn">>>
  >()
  expectTypeOf<Flat<Omit<Promised.CheckoutSessionUpdate, "expiresIn">>>().toEqualTypeOf<
    Flat<Plain<Omit<Core.CheckoutSessionUpdate, "expiresIn">>>
  >()
  expectTypeOf<Promised.CheckoutSessionCreate>().toExtend<Core.CheckoutSessionCreate>()
  expectTypeOf<Flat<Omit<Promised.UnknownWebhookEvent, "isKnown">>>().toEqualTypeOf<
    Flat<Plain<Core.Webhooks.WebhookEvent>>
  >()
})

it("the functions of the API take and give the models of the endpoints, as plain values", () => {
  type Endpoints = typeof Api.Transactions.endpoints
  expectTypeOf<Flat<Promised.Api.Refund>>().toEqualTypeOf<Flat<Plain<Api.Refund>>>()
  expectTypeOf<Flat<Promised.Api.TransactionRefundCreate>>().toEqualTypeOf<Flat<Plain<Api.TransactionRefundCreate>>>()
  expectTypeOf<Flat<Promised.Api.TransactionsListQuery>>().toEqualTypeOf<Flat<Plain<Api.TransactionsListQuery>>>()
  expectTypeOf<keyof Promised.Api.Transactions>().toEqualTypeOf<keyof Endpoints>()
  expectTypeOf<Parameters<Client["transactions"]["refunds"]["create"]>[0]>().toEqualTypeOf<string>()
  // Without a key it does not compile.
  expectTypeOf<Client["transactions"]["create"]>().parameter(1).toExtend<{ readonly idempotencyKey: string }>()
})

it("a client has every operation of the service, with a plain result", () => {
  expectTypeOf<Exclude<keyof Service, keyof Client>>().toEqualTypeOf<never>()
  type Results<M> = { [K in keyof Service]: K extends keyof M ? M[K] : never }
  expectTypeOf<
    Results<{ [K in keyof Client]: Client[K] extends (...args: never) => Promise<infer A> ? A : never }>
  >().branded.toEqualTypeOf<{
    [K in keyof Service]: Service[K] extends (...args: never) => Effect.Effect<infer A, unknown>
      ? A extends Core.CheckoutSession
        ? CheckoutSession
        : A
      : never
  }>()
})

it("the options accept secrets as strings, and have the API's limits", () => {
  const card = { method: "card", number: "4111111111111111", expirationDate: "11/29", securityCode: "123" } as const
  expectTypeOf({ id: "plantly", environment: "production", token: "ey" } as const).toExtend<Options>()
  expectTypeOf({ baseUrl: new URL("https://x.test"), privateKey: "-----BEGIN" }).toExtend<Options>()
  expectTypeOf({ getToken: async () => ({ token: "ey", expiresAt: new Date() }) }).toExtend<Options>()
  expectTypeOf({ deadline: "10 seconds", attemptTimeout: 500, retry: "none" } as const).toExtend<Options>()
  expectTypeOf({ deadline: "soon" } as const).not.toExtend<Options>()
  expectTypeOf({ token: "ey", privateKey: "-----BEGIN" }).not.toExtend<Options>()
  expectTypeOf({ id: "plantly", baseUrl: "https://x.test" }).not.toExtend<Options>()
  expectTypeOf({ ...card, buyerId: "id" }).toExtend<CardRequest>()
  expectTypeOf({ ...card, buyerId: "id", buyerExternalIdentifier: "user" }).not.toExtend<CardRequest>()
})
