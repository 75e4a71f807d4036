/**
 * Examples that the sandbox answers where it keeps no state.
 */
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSession } from "@effect-gr4vy/core"
import { Schema } from "effect"
import { exampleOf } from "../../packages/sandbox/dist/internal/example.js"

const item = Schema.Struct({ id: Schema.UUID, note: Schema.NullOr(Schema.String), at: Schema.DateFromString })

const schemas: Readonly<Record<string, Schema.Schema.AnyNoContext>> = {
  "a Checkout Session": CheckoutSession,
  "a list": Schema.Struct({ items: Schema.Array(CheckoutSession), next_cursor: Schema.NullOr(Schema.String) }),
  "a union by its tag": Schema.Union(
    Schema.Struct({ kind: Schema.Literal("a"), n: Schema.Int }),
    Schema.Struct({ kind: Schema.Literal("b") })
  ),
  "a record": Schema.Record({ key: Schema.String, value: Schema.Number })
}

describe("an example", () => {
  for (const [what, schema] of Object.entries(schemas)) {
    it(`of ${what} is one that the schema accepts`, () => {
      assert.doesNotThrow(() => Schema.decodeUnknownSync(schema)(exampleOf(schema)))
    })
  }

  it("of a session has its contents, as its documentation shows them", () => {
    const example = exampleOf(CheckoutSession)
    assert.nestedPropertyVal(example, "type", "checkout-session")
    assert.nestedProperty(example, "cart_items[0].unit_amount")
    assert.nestedProperty(example, "buyer.billing_details.email_address")
  })

  it("of a schema that no example fits is none", () => {
    assert.throws(() => exampleOf(item), /No example can be made/)
  })
})
