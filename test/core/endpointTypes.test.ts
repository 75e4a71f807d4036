import { HttpApiEndpoint } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  Endpoint,
  type Generic,
  type Gr4vyHttpClient,
  NotFound,
  type RequestFailed,
  type Unauthorized
} from "@effect-gr4vy/core"
import { Effect, type Layer, type Redacted, Schema, type Stream } from "effect"
import { expectTypeOf } from "vitest"

// These run as part of the build: a wrong type, or an unused `@ts-expect-error`, does not compile.

class Conflict extends Schema.TaggedError<Conflict>()(
  "Conflict",
  { message: Schema.String, resource_id: Schema.String },
  Endpoint.status(409)
) {}

const Transaction = Schema.Struct({ id: Schema.String, amount: Schema.Int })
type Transaction = typeof Transaction.Type
type Always = Unauthorized | Generic | RequestFailed

const transactions = {
  create: Endpoint.post("Transactions.create", "/transactions", {
    payload: Schema.Struct({ amount: Schema.Int }),
    success: Transaction,
    errors: [Conflict],
    resend: "keyed",
    scope: "transactions.write"
  }),
  capture: Endpoint.post("Transactions.capture", "/transactions/{transaction_id}/capture", {
    params: { transaction_id: Schema.String },
    payload: Endpoint.optional(Schema.Struct({ amount: Schema.Int })),
    success: Transaction,
    errors: [NotFound],
    resend: "once"
  }),
  refund: Endpoint.post("Transactions.refund", "/transactions/{transaction_id}/refunds", {
    params: { transaction_id: Schema.String },
    payload: Endpoint.optional(Schema.Struct({ amount: Schema.Int })),
    success: Transaction,
    resend: "keyed"
  }),
  get: Endpoint.get("Transactions.get", "/transactions/{transaction_id}", {
    params: { transaction_id: Schema.String },
    success: Transaction,
    errors: [NotFound, Conflict],
    scope: "transactions.read"
  }),
  list: Endpoint.get("Transactions.list", "/transactions", {
    query: Schema.Struct({ limit: Schema.optional(Schema.NumberFromString) }),
    success: Schema.Array(Transaction)
  }),
  event: Endpoint.get("Transactions.event", "/transactions/{transaction_id}/events/{event_id}", {
    params: { transaction_id: Schema.String, event_id: Schema.NumberFromString },
    success: Schema.Unknown
  }),
  byCard: Endpoint.get("Transactions.byCard", "/cards/{number}", {
    params: { number: Schema.Redacted(Schema.String) },
    success: Transaction
  }),
  rename: Endpoint.put("Transactions.rename", "/transactions/{transaction_id}", {
    params: { transaction_id: Schema.String },
    payload: Schema.Struct({ name: Schema.String })
  }),
  delete: Endpoint.delete("Transactions.delete", "/transactions/{transaction_id}", {
    params: { transaction_id: Schema.String },
    errors: [NotFound]
  })
}

type Client = Endpoint.Client<typeof transactions>

/** The declaration throws a message with this text. */
const throws = (declare: () => unknown, text: string) => {
  try {
    declare()
  } catch (error) {
    assert.instanceOf(error, Error)
    assert.include(error.message, text)
    return
  }
  assert.fail(`nothing was thrown: ${text}`)
}

describe("the types of endpoints", () => {
  it("give each function its arguments, its success and its exact errors", () => {
    expectTypeOf<Client["create"]>().toEqualTypeOf<
      (
        payload: { readonly amount: number },
        options: Endpoint.KeyedCallOptions
      ) => Effect.Effect<Transaction, Always | Conflict>
    >()
    expectTypeOf<Client["capture"]>().toEqualTypeOf<
      (
        param: string,
        payload?: { readonly amount: number },
        options?: Endpoint.CallOptions
      ) => Effect.Effect<Transaction, Always | NotFound>
    >()
    expectTypeOf<Client["refund"]>().toEqualTypeOf<
      (
        param: string,
        payload: { readonly amount: number } | undefined,
        options: Endpoint.KeyedCallOptions
      ) => Effect.Effect<Transaction, Always>
    >()
    expectTypeOf<Client["get"]>().toEqualTypeOf<
      (param: string, options?: Endpoint.CallOptions) => Effect.Effect<Transaction, Always | NotFound | Conflict>
    >()
    expectTypeOf<Client["list"]>().toEqualTypeOf<
      (
        query?: { readonly limit?: number | undefined },
        options?: Endpoint.CallOptions
      ) => Effect.Effect<ReadonlyArray<Transaction>, Always>
    >()
    expectTypeOf<Client["event"]>().toEqualTypeOf<
      (
        params: { readonly transaction_id: string; readonly event_id: number },
        options?: Endpoint.CallOptions
      ) => Effect.Effect<unknown, Always>
    >()
    expectTypeOf<Client["byCard"]>().parameter(0).toEqualTypeOf<Redacted.Redacted<string>>()
    expectTypeOf<Client["rename"]>().toEqualTypeOf<
      (param: string, payload: { readonly name: string }, options?: Endpoint.CallOptions) => Effect.Effect<void, Always>
    >()
    expectTypeOf<Client["delete"]>().toEqualTypeOf<
      (param: string, options?: Endpoint.CallOptions) => Effect.Effect<void, Always | NotFound>
    >()
    expectTypeOf(Endpoint.client(transactions)).toEqualTypeOf<Effect.Effect<Client, never, Gr4vyHttpClient>>()
  })

  it("refuse a POST and a PATCH without resend, also in plain JavaScript", () => {
    throws(() => {
      // @ts-expect-error
      Endpoint.post("A.create", "/a", { success: Transaction })
    }, "Endpoint.post: A.create: resend must say whether it may be sent a second time")
    throws(() => {
      // @ts-expect-error
      Endpoint.patch("A.change", "/a", { success: Transaction })
    }, "Endpoint.patch: A.change: resend must say whether it may be sent a second time")
    throws(() => {
      // @ts-expect-error
      Endpoint.post("A.create", "/a", { success: Transaction, resend: "maybe" })
    }, "resend must say")
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "/a", { success: Transaction, resend: "keyed" })
    }, 'Endpoint.get: A.get: resend must be "idempotent" or "once"')
  })

  it("refuse an option that no constructor has, also in plain JavaScript", () => {
    throws(() => {
      // @ts-expect-error
      Endpoint.post("A.create", "/a", { sucess: Transaction, resend: "once" })
    }, 'Endpoint.post: A.create: there is no option "sucess" (did you mean success?)')
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "/a", { payload: Transaction })
    }, "a GET has no payload: give a query")
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "/a", { query: { limit: Schema.String } })
    }, "query must be a schema, e.g. Schema.Struct({ … })")
  })

  it("refuse a path that the client cannot fill, also in plain JavaScript", () => {
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "a", {})
    }, "Endpoint.get: A.get: the path must begin with a slash, e.g. /transactions")
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "/a/:id", {})
    }, "a parameter of the path is a name in braces: {transaction_id}, not :transaction_id")
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "/a/{id", {})
    }, "in braces that are both there")
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "/a/id}", {})
    }, "in braces that are both there")
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "/a/{}", {})
    }, "in braces that are both there")
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "/a/{x{id}}", { params: { id: Schema.String } })
    }, "in braces that are both there")
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "/a?limit=1", {})
    }, "the path must have no blank, ?, # or empty segment")
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A.get", "/a//b", {})
    }, "the path must have no blank, ?, # or empty segment")
    // The compiler does not know this one.
    const path: string = "a"
    throws(() => Endpoint.get("A.get", path, {}), "the path must begin with a slash")
    Endpoint.get("A.get", "/", {})
    Endpoint.get("A.get", "/a/{id}:run/{b}", { params: { id: Schema.String, b: Schema.String } })
  })

  it("refuse an error class without a status at its declaration", () => {
    class Lost extends Schema.TaggedError<Lost>()("Lost", { message: Schema.String }) {}
    throws(
      () => Endpoint.get("A.get", "/a", { errors: [NotFound, Lost] }),
      "Endpoint.get: A.get: errors has Lost without a status: give the class Endpoint.status(409) as its annotations"
    )
    throws(
      () => Endpoint.get("A.get", "/a", { errors: [Schema.Union(Conflict, Lost)] }),
      "errors has Lost without a status"
    )
  })

  it("refuse a header of the client's own, and one that is of the connection", () => {
    throws(
      () => Endpoint.get("A.get", "/a", { headers: Schema.Struct({ Authorization: Schema.String }) }),
      "headers must not have authorization, which the client sets itself"
    )
    throws(
      () => Endpoint.get("A.get", "/a", { headers: Schema.Struct({ "Transfer-Encoding": Schema.String }) }),
      "headers must not have transfer-encoding, which belongs to the connection"
    )
  })

  it("refuse a parameter too few or too many, also in plain JavaScript", () => {
    const problem = "params must have a schema for each name in the path, and no other"
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A", "/a/{id}", { success: Transaction })
    }, problem)
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A", "/a/{id}", { params: { other: Schema.String }, success: Transaction })
    }, problem)
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A", "/a/{id}", { params: { id: Schema.String, other: Schema.String }, success: Transaction })
    }, problem)
    throws(() => {
      // @ts-expect-error
      Endpoint.get("A", "/a", { params: { id: Schema.String }, success: Transaction })
    }, problem)
    throws(() => {
      // @ts-expect-error
      Endpoint.delete("A", "/a/{id}/{other}", { params: { id: Schema.String } })
    }, problem)
    throws(() => Endpoint.get("A", "/a/{id}/{id}", { params: { id: Schema.String } }), problem)
  })

  it("refuse a keyed call without its key", () => {
    const call = (client: Client) => [
      // @ts-expect-error
      client.create({ amount: 1 }),
      // @ts-expect-error
      client.refund("id"),
      // @ts-expect-error
      client.refund("id", undefined, {})
    ]
    expectTypeOf(call).toBeFunction()
  })

  it("refuse a handler that fails with an undeclared error, or is missing", () => {
    const { get } = transactions
    Endpoint.implement({ get }, { get: () => Effect.fail(new NotFound({ message: "none" })) })
    const undeclared = (): Effect.Effect<Transaction, string> => Effect.fail("other")
    // @ts-expect-error
    Endpoint.implement({ get }, { get: undeclared })
    throws(() => {
      // @ts-expect-error
      Endpoint.implement({ get }, {})
    }, "Endpoint.implement: there is no handler for get")
    // @ts-expect-error
    Endpoint.implement({ get }, { get: () => Effect.succeed("another shape") })
  })

  it("have payload, query and headers on any verb, in one order", () => {
    const Query = Schema.Struct({ limit: Schema.optional(Schema.NumberFromString) })
    const Required = Schema.Struct({ at: Schema.String })
    const Body = Schema.Struct({ amount: Schema.Int })
    const Prefer = Schema.Struct({
      prefer: Schema.optional(Schema.Literal("resource=transaction")),
      forwardedFor: Schema.optional(Schema.String).pipe(Schema.fromKey("X-Forwarded-For"))
    })
    const things = {
      change: Endpoint.patch("Things.change", "/things/{id}", {
        params: { id: Schema.String },
        payload: Body,
        query: Query,
        success: Endpoint.optional(Transaction),
        resend: "once"
      }),
      keyed: Endpoint.post("Things.keyed", "/things", {
        payload: Endpoint.optional(Body),
        query: Query,
        headers: Prefer,
        success: Transaction,
        resend: "keyed"
      }),
      required: Endpoint.put("Things.required", "/things", { payload: Endpoint.optional(Body), query: Required }),
      remove: Endpoint.delete("Things.remove", "/things", {
        payload: Body,
        headers: Schema.Struct({ "x-reason": Schema.String }),
        success: Transaction
      }),
      nothing: Endpoint.get("Things.nothing", "/nothing", {}),
      deeper: {
        list: Endpoint.get("Things.deeper.list", "/deeper", { query: Query, success: Schema.Array(Transaction) }),
        deepest: { get: Endpoint.get("Things.deeper.deepest.get", "/deepest", { success: Transaction }) }
      }
    }
    type Things = Endpoint.Client<typeof things>
    type Limit = { readonly limit?: number | undefined }
    expectTypeOf<Things["change"]>().toEqualTypeOf<
      (
        param: string,
        payload: { readonly amount: number },
        query?: Limit,
        options?: Endpoint.CallOptions
      ) => Effect.Effect<Transaction | undefined, Always>
    >()
    expectTypeOf<Things["keyed"]>().parameter(0).toEqualTypeOf<{ readonly amount: number } | undefined>()
    expectTypeOf<Things["keyed"]>().parameter(1).toEqualTypeOf<Limit | undefined>()
    expectTypeOf<Things["required"]>().toEqualTypeOf<
      (
        payload: { readonly amount: number } | undefined,
        query: { readonly at: string },
        options?: Endpoint.CallOptions
      ) => Effect.Effect<void, Always>
    >()
    expectTypeOf<Things["nothing"]>().toEqualTypeOf<(options?: Endpoint.CallOptions) => Effect.Effect<void, Always>>()
    expectTypeOf<Things["deeper"]["list"]>().toEqualTypeOf<
      (query?: Limit, options?: Endpoint.CallOptions) => Effect.Effect<ReadonlyArray<Transaction>, Always>
    >()
    expectTypeOf<Things["deeper"]["deepest"]["get"]>().toEqualTypeOf<
      (options?: Endpoint.CallOptions) => Effect.Effect<Transaction, Always>
    >()
    const call = ({ keyed, remove }: Things) => [
      keyed(undefined, undefined, { idempotencyKey: "k", headers: { prefer: "resource=transaction", "x-free": "a" } }),
      keyed({ amount: 1 }, { limit: 1 }, { idempotencyKey: "k", headers: { forwardedFor: "192.0.2.1" } }),
      // @ts-expect-error another value than the schema's
      keyed(undefined, undefined, { idempotencyKey: "k", headers: { prefer: "respond-async" } }),
      // @ts-expect-error no key
      keyed({ amount: 1 }, { limit: 1 }),
      remove({ amount: 1 }, { headers: { "x-reason": "test" } }),
      // @ts-expect-error the header is required
      remove({ amount: 1 }, { headers: {} }),
      // @ts-expect-error the header is required
      remove({ amount: 1 })
    ]
    expectTypeOf(call).toBeFunction()
    Endpoint.implement(things.deeper, {
      list: () => Effect.succeed([]),
      deepest: { get: () => Effect.succeed({ id: "t1", amount: 1 }) }
    })
    throws(() => {
      // @ts-expect-error a handler of the inner record is missing
      Endpoint.implement(things.deeper, { list: () => Effect.succeed([]), deepest: {} })
    }, "Endpoint.implement: there is no handler for deepest.get")
  })

  it("make a service: its tag, its layer and its fake", () => {
    const endpoints = {
      get: transactions.get,
      refunds: { create: transactions.refund }
    }
    class Transactions extends Endpoint.Service<Transactions>()("Transactions", endpoints) {}
    expectTypeOf<Transactions["Type"]>().toEqualTypeOf<Endpoint.Client<typeof endpoints>>()
    expectTypeOf(Transactions.endpoints).toEqualTypeOf<typeof endpoints>()
    expectTypeOf(Transactions.layer).toEqualTypeOf<Layer.Layer<Transactions, never, Gr4vyHttpClient>>()
    expectTypeOf(Transactions.fake({})).toEqualTypeOf<Layer.Layer<Transactions>>()
    const used = Effect.flatMap(Transactions, ({ refunds }) => refunds.create("t1", undefined, { idempotencyKey: "k" }))
    expectTypeOf(used).toEqualTypeOf<Effect.Effect<Transaction, Always, Transactions>>()
    Transactions.fake({ refunds: { create: () => Effect.succeed({ id: "r1", amount: 1 }) } })
    // @ts-expect-error another success
    Transactions.fake({ get: () => Effect.succeed({ id: "t1" }) })
    throws(() => {
      // @ts-expect-error no such endpoint
      Transactions.fake({ refund: {} })
    }, "Transactions.fake: there is no endpoint refund (did you mean refunds?)")
    interface Own {
      readonly get: (id: string) => Effect.Effect<Transaction, Always | NotFound | Conflict>
    }
    class Documented extends Endpoint.Service<Documented, Own>()("Documented", { get: transactions.get }) {}
    expectTypeOf<Documented["Type"]>().toEqualTypeOf<Own>()
    type Infallible = { readonly get: (id: string) => Effect.Effect<Transaction> }
    // @ts-expect-error the endpoint can fail with more
    class Narrow extends Endpoint.Service<Narrow, Infallible>()("Narrow", transactions) {}
    assert.isFunction(Narrow)
  })

  it("make a list a stream of its pages, and of its items", () => {
    const list = Endpoint.get("Buyers.list", "/buyers", {
      query: Schema.Struct({ cursor: Schema.optional(Schema.String), limit: Schema.optional(Schema.NumberFromString) }),
      success: Schema.Struct({ items: Schema.Array(Transaction), nextCursor: Schema.optional(Schema.String) })
    })
    const cards = Endpoint.get("Buyers.cards", "/buyers/{id}/cards", {
      params: { id: Schema.String },
      query: Schema.Struct({ cursor: Schema.optionalWith(Schema.String, { exact: true }) }),
      success: Schema.Struct({ items: Schema.Array(Schema.String), next_cursor: Schema.NullOr(Schema.String) })
    })
    const streams = (buyers: Endpoint.Client<{ list: typeof list; cards: typeof cards }>) => ({
      pages: Endpoint.pages(buyers.list, { limit: 50 }),
      items: Endpoint.items(buyers.list),
      cards: Endpoint.items((query) => buyers.cards("b1", query)),
      limited: Endpoint.items((query) => buyers.list(query), { limit: 2 })
    })
    type Streams = ReturnType<typeof streams>
    expectTypeOf<Streams["pages"]>().toEqualTypeOf<
      Stream.Stream<{ readonly items: ReadonlyArray<Transaction>; readonly nextCursor?: string | undefined }, Always>
    >()
    expectTypeOf<Streams["items"]>().toEqualTypeOf<Stream.Stream<Transaction, Always>>()
    expectTypeOf<Streams["cards"]>().toEqualTypeOf<Stream.Stream<string, Always>>()
    expectTypeOf<Streams["limited"]>().toEqualTypeOf<Stream.Stream<Transaction, Always>>()
  })

  it("take a contract in the platform's terms", () => {
    const platform = HttpApiEndpoint.post("charge", "/charges/:charge_id")
      .setPath(Schema.Struct({ charge_id: Schema.String }))
      .setPayload(Schema.Struct({ amount: Schema.Int }))
      .addSuccess(Transaction, { status: 201 })
      .addError(Conflict)
    const charge = Endpoint.fromHttpApi(platform, { resend: "keyed" })
    expectTypeOf<Endpoint.Call<typeof charge>>().toEqualTypeOf<
      (
        param: string,
        payload: { readonly amount: number },
        options: Endpoint.KeyedCallOptions
      ) => Effect.Effect<Transaction, Always | Conflict>
    >()
    // @ts-expect-error
    Endpoint.fromHttpApi(platform, {})
  })
})
