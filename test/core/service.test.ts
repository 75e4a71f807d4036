import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSessionId,
  CheckoutSessions,
  Credentials,
  Endpoint,
  Gr4vyHttpClient,
  NotFound,
  RequestFailed
} from "@effect-gr4vy/core"
import { Cause, Context, Effect, Exit, Layer, Redacted, Schema } from "effect"
import { token } from "../support/layers.js"
import { reply, script } from "../support/script.js"

const Refund = Schema.Struct({ id: Schema.String, amount: Schema.Int })
const params = { transaction_id: Schema.String }

const endpoints = {
  get: Endpoint.get("Transactions.get", "/transactions/{transaction_id}", {
    params,
    success: Schema.Struct({ id: Schema.String }),
    errors: [NotFound],
    scope: "transactions.read"
  }),
  refunds: {
    create: Endpoint.post("Transactions.refunds.create", "/transactions/{transaction_id}/refunds", {
      params,
      payload: Schema.Struct({ amount: Schema.Int }),
      success: Refund,
      resend: "keyed",
      scope: "refunds.write",
      status: 200
    }),
    settlements: {
      list: Endpoint.get("Transactions.refunds.settlements.list", "/settlements", { success: Schema.Array(Refund) })
    }
  }
}

class Transactions extends Endpoint.Service<Transactions>()("test/Transactions", endpoints) {}

const forced = <A>(value: unknown): A => value as A

describe("a service of endpoints", () => {
  it.scopedLive("calls each of them over the client, nested ones too", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(reply(200, '{"id":"t1"}'), reply(200, '{"id":"r1","amount":5}'))
      const layer = Transactions.layer.pipe(
        Layer.provide(Gr4vyHttpClient.layer({ baseUrl })),
        Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make(token))])
      )
      const answers = yield* Effect.flatMap(Transactions, (transactions) =>
        Effect.all([
          transactions.get("t1"),
          transactions.refunds.create("t1", { amount: 5 }, { idempotencyKey: "order-1/refund-1" })
        ])
      ).pipe(Effect.provide(layer))
      assert.deepStrictEqual(answers, [{ id: "t1" }, { id: "r1", amount: 5 }])
      assert.deepStrictEqual(
        requests.map(({ method, url }) => `${method} ${url}`),
        ["GET /transactions/t1", "POST /transactions/t1/refunds"]
      )
      assert.strictEqual(requests[1]?.headers["idempotency-key"], "order-1/refund-1")
    })
  )

  it("has its endpoints, their scopes, and a tag of its own", () => {
    assert.strictEqual(Transactions.endpoints, endpoints)
    assert.strictEqual(Transactions.key, "test/Transactions")
    assert.deepStrictEqual(Endpoint.scopes(Transactions.endpoints), ["transactions.read", "refunds.write"])
    assert.isTrue(Context.isTag(Transactions))
  })

  it.effect("is made of code of one's own, whose arguments are checked", () =>
    Effect.gen(function* () {
      const amounts: Array<number> = []
      const own = Transactions.of({
        get: (id) => Effect.succeed({ id }),
        refunds: {
          create: (_, { amount }) =>
            Effect.sync(() => {
              amounts.push(amount)
              return { id: "r1", amount }
            }),
          settlements: { list: () => Effect.succeed([]) }
        }
      })
      const program = Effect.gen(function* () {
        const { refunds } = yield* Transactions
        yield* refunds.create("t1", { amount: 5 }, { idempotencyKey: "k" })
        return yield* Effect.flip(refunds.create("t1", { amount: 0.5 }, { idempotencyKey: "k" }))
      })
      const error = yield* Effect.provideService(program, Transactions, own)
      assert.instanceOf(error, RequestFailed)
      assert.include(error.message, "payload.amount must be an integer")
      assert.deepStrictEqual(amounts, [5])
      assert.strictEqual(own[Endpoint.Implemented], endpoints)
      assert.deepStrictEqual(Object.keys(own), ["get", "refunds"])
    })
  )
})

describe("a fake of a service", () => {
  const fake = Transactions.fake({
    refunds: { create: (id, { amount }) => Effect.succeed({ id: `${id}/r1`, amount }) }
  })

  it.effect("has the functions that were given, nested ones too", () =>
    Effect.gen(function* () {
      const { refunds } = yield* Transactions
      const refund = yield* refunds.create("t1", { amount: 5 }, { idempotencyKey: "k" })
      assert.deepStrictEqual(refund, { id: "t1/r1", amount: 5 })
    }).pipe(Effect.provide(fake))
  )

  it.effect("checks arguments as the real one does", () =>
    Effect.gen(function* () {
      const { refunds } = yield* Transactions
      const error = yield* Effect.flip(refunds.create("..", { amount: 5 }, { idempotencyKey: "k" }))
      assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no" })
      const keyless = yield* Effect.flip(refunds.create("t1", { amount: 5 }, forced({})))
      assert.include(keyless.message, "idempotencyKey must be")
    }).pipe(Effect.provide(fake))
  )

  it.effect("dies in a sentence where a function is called that was not given", () =>
    Effect.gen(function* () {
      const transactions = yield* Transactions
      const dies = (call: Effect.Effect<unknown, unknown>) =>
        Effect.map(Effect.exit(call), (exit) => {
          assert(Exit.isFailure(exit))
          assert(Cause.isDie(exit.cause))
          return Cause.pretty(exit.cause)
        })
      assert.include(
        yield* dies(transactions.get("t1")),
        "test/Transactions.get was called, but test/Transactions.fake was not given a function for it"
      )
      assert.include(
        yield* dies(transactions.refunds.settlements.list()),
        "test/Transactions.refunds.settlements.list was called"
      )
    }).pipe(Effect.provide(fake))
  )

  it("refuses a name that no endpoint has, and a function where a record is", () => {
    const refused = (handlers: unknown, message: string) =>
      assert.throws(() => Transactions.fake(forced(handlers)), message)
    refused({ gett: () => Effect.void }, "test/Transactions.fake: there is no endpoint gett (did you mean get?)")
    refused(
      { refunds: { creat: () => Effect.void } },
      "test/Transactions.fake: there is no endpoint refunds.creat (did you mean create?)"
    )
    refused({ refunds: () => Effect.void }, "test/Transactions.fake: give an object of functions for refunds")
    refused({ get: { id: "t1" } }, "test/Transactions.fake: get must be a function")
    refused(undefined, "test/Transactions.fake: give an object of functions")
  })

  it.effect("is what a test of Checkout Sessions needs, too", () =>
    Effect.gen(function* () {
      const id = CheckoutSessionId.make("s1")
      const sessions = yield* CheckoutSessions
      const error = yield* Effect.flip(sessions.get(id))
      assert.strictEqual(error._tag, "NotFound")
      const exit = yield* Effect.exit(sessions.delete(id))
      assert(Exit.isFailure(exit))
      assert.include(Cause.pretty(exit.cause), "@effect-gr4vy/core/CheckoutSessions.delete was called")
    }).pipe(
      Effect.provide(CheckoutSessions.fake({ get: () => Effect.fail(new NotFound({ message: "No such session" })) }))
    )
  )
})

describe("an absent success", () => {
  const start = Endpoint.post("Jobs.start", "/jobs", {
    success: Endpoint.optional(Schema.Struct({ id: Schema.String })),
    resend: "once"
  })

  it.scopedLive("is undefined where the response has no body, and the value where it has one", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* script(
        reply(204, ""),
        reply(201, '{"id":"j1"}'),
        reply(200, ""),
        reply(201, '{"no":1}')
      )
      const client = yield* Effect.provide(
        Endpoint.client({ start }),
        Gr4vyHttpClient.layer({ baseUrl }).pipe(
          Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make(token))])
        )
      )
      assert.strictEqual(yield* client.start(), undefined)
      assert.deepStrictEqual(yield* client.start(), { id: "j1" })
      assert.strictEqual(yield* client.start(), undefined)
      assert.deepInclude(yield* Effect.flip(client.start()), { reason: "InvalidResponse", delivered: "yes" })
    })
  )
})

describe("a response that does not fit", () => {
  it.scopedLive("says every property that is wrong, not the first alone", () =>
    Effect.gen(function* () {
      const list = Endpoint.get("Refunds.list", "/refunds", { success: Schema.Array(Refund) })
      const { baseUrl } = yield* script(reply(200, '[{"id":7,"amount":1},{"amount":"x"}]'))
      const client = yield* Effect.provide(
        Endpoint.client({ list }),
        Gr4vyHttpClient.layer({ baseUrl }).pipe(
          Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make(token))])
        )
      )
      const { message } = yield* Effect.flip(client.list())
      assert.include(message, "body.0.id must be a string; body.1.id is missing; body.1.amount must be a number")
    })
  )
})

describe("a message about a payload", () => {
  it.effect("has the name that the endpoint gives it", () =>
    Effect.gen(function* () {
      const create = Endpoint.post("Refunds.create", "/refunds", {
        payload: Schema.Struct({ amount: Schema.Int }),
        resend: "once",
        docs: { payload: "refund" }
      })
      const { call } = Endpoint.implement({ call: create }, { call: () => Effect.void })
      const { message } = yield* Effect.flip(call({ amount: 0.5 }))
      assert.strictEqual(message, "Nothing was sent: refund.amount must be an integer.")
      const sessions = yield* CheckoutSessions
      const ofSession = yield* Effect.flip(sessions.add({ amount: -1 }))
      assert.include(ofSession.message, "Nothing was sent: session.amount must be")
      const ofUpdate = yield* Effect.flip(sessions.updateFields(CheckoutSessionId.make("s1"), forced({ card: 1 })))
      assert.include(ofUpdate.message, "Nothing was sent: update has an unknown property")
    }).pipe(Effect.provide(CheckoutSessions.fake({ add: () => Effect.die("not called") })))
  )
})
