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
import { Effect, type Redacted, Schema } from "effect"
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
