/**
 * The mistakes of a first program: the message says what to change.
 */
import { assert, describe, it } from "@effect/vitest"
import { Buyers, Payment, Transactions } from "@effect-gr4vy/api"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect, Layer, Redacted } from "effect"

const unknownId = "8724fd24-5489-4a5d-90fd-0604df7d3b83"

/** Calls a function past its types. */
const untyped = <A>(f: (...args: never) => A, ...args: ReadonlyArray<unknown>): A => Reflect.apply(f, undefined, args)

const card = {
  method: "card",
  number: Redacted.make("4111111111111111"),
  expirationDate: "12/30",
  securityCode: Redacted.make("123")
} as const

const key = (attempt: number) => ({ idempotencyKey: Payment.key("order-1001", attempt) })

describe("without a request", () => {
  const Fakes = Layer.merge(Transactions.fake({}), Buyers.fake({}))
  const cases: ReadonlyArray<
    readonly [
      string,
      (services: {
        transactions: typeof Transactions.Service
        buyers: typeof Buyers.Service
      }) => Effect.Effect<unknown, { readonly message: string }>,
      string
    ]
  > = [
    [
      "a security code as a plain string",
      ({ transactions }) =>
        untyped(
          transactions.create,
          { amount: 1299, currency: "EUR", paymentMethod: { ...card, securityCode: "123" } },
          key(1)
        ),
      "Nothing was sent: payload.paymentMethod.securityCode must be a Redacted of 3 or 4 digits or null."
    ],
    [
      "a key on a read",
      ({ transactions }) => untyped(transactions.get, unknownId, key(1)),
      "Nothing was sent: Transactions.get needs no idempotencyKey, because a second copy changes nothing: leave it out."
    ],
    [
      "a key that the API does not honour",
      ({ buyers }) => untyped(buyers.create, { displayName: "Ada" }, key(1)),
      "Nothing was sent: Buyers.create honours no idempotencyKey, so a second copy could act twice: leave it out."
    ]
  ]
  it.effect.each(cases)("%s is refused", ([, call, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(call({ transactions: yield* Transactions, buyers: yield* Buyers }))
      assert.strictEqual(error.message, message)
    }).pipe(Effect.provide(Fakes))
  )
})

const Client = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) =>
    Layer.provideMerge(Transactions.layer, Gr4vy.layer({ baseUrl, token: Redacted.make("any") }))
  )
).pipe(Layer.provide(Sandbox.layer()))

describe("at the sandbox", () => {
  it.live("the message names the session or the payment method that does not exist", () =>
    Effect.gen(function* () {
      const { create } = yield* Transactions
      const paid = { amount: 1299, currency: "EUR" }
      const session = create({ ...paid, paymentMethod: { method: "checkout-session", id: unknownId } }, key(1))
      assert.include((yield* Effect.flip(session)).message, "The checkout session of the payment does not exist")
      const stored = create({ ...paid, paymentMethod: { method: "id", id: unknownId } }, key(1))
      assert.include((yield* Effect.flip(stored)).message, "The stored payment method of the payment does not exist")
    }).pipe(Effect.provide(Client))
  )

  it.live("the message says where an empty session gets its card", () =>
    Effect.gen(function* () {
      const { create } = yield* Transactions
      const { id } = yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())
      const call = create({ amount: 1299, currency: "EUR", paymentMethod: { method: "checkout-session", id } }, key(1))
      assert.include((yield* Effect.flip(call)).message, "PUT /checkout/sessions/{checkout_session_id}/fields")
    }).pipe(Effect.provide(Client))
  )

  it.live("the message says how much is left to capture and to refund", () =>
    Effect.gen(function* () {
      const { capture, create, refunds } = yield* Transactions
      const { id } = yield* create({ amount: 1299, currency: "EUR", paymentMethod: card }, key(1))
      const captured = capture(id, { amount: 5000 }, key(2))
      assert.strictEqual((yield* Effect.flip(captured)).message, "There is only 1299 left to capture")
      const nothing = refunds.create(id, { amount: 1 }, key(3))
      assert.strictEqual(
        (yield* Effect.flip(nothing)).message,
        "There is nothing to refund: the transaction is authorization_succeeded"
      )
      yield* capture(id, { amount: 1000 }, key(4))
      const refunded = refunds.create(id, { amount: 1001 }, key(5))
      assert.strictEqual((yield* Effect.flip(refunded)).message, "There is only 1000 left to refund")
    }).pipe(Effect.provide(Client))
  )
})
