import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSession, CheckoutSessionCreate, CheckoutSessionSecureFieldsUpdate } from "@effect-gr4vy/core"
import { Arbitrary, Either, FastCheck, ParseResult, Schema } from "effect"
import { explain, problems } from "../../packages/core/dist/internal/explain.js"

const decodeError = <A, I>(schema: Schema.Schema<A, I>, value: unknown) => {
  const result = Schema.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })(value)
  assert(Either.isLeft(result), "it was taken")
  return result.left
}

const explained = <A, I>(schema: Schema.Schema<A, I>, value: unknown) =>
  explain(decodeError(schema, value).issue, schema.ast, "payload", "read")

describe("the problem with a value", () => {
  for (const [schema, value, sentence] of [
    [
      Schema.Struct({ currency: Schema.String.pipe(Schema.pattern(/^[A-Z]{3}$/)) }),
      { currency: "eur" },
      "payload.currency must match ^[A-Z]{3}$"
    ],
    [Schema.Struct({ currency: Schema.String }), { currency: 1 }, "payload.currency must be a string"],
    [Schema.Struct({ currency: Schema.String }), {}, "payload.currency is missing"],
    [Schema.Struct({ currency: Schema.String }), 7, "payload must be an object"],
    [
      Schema.Struct({ currency: Schema.optional(Schema.String) }),
      { eur: 1 },
      "payload has an unknown property (known: currency)"
    ],
    [
      Schema.Struct({ unitAmount: Schema.optional(Schema.Number), name: Schema.optional(Schema.String) }),
      { unit_amount: 1 },
      "payload has an unknown property (did you mean unitAmount?)"
    ],
    [
      Schema.Struct({ items: Schema.Array(Schema.Struct({ quantity: Schema.optional(Schema.Number) })) }),
      { items: [{ "4111111111111111": 1 }] },
      "payload.items.0 has an unknown property (known: quantity)"
    ],
    [
      Schema.Struct({ line_item: Schema.Struct({ unit_price: Schema.Number }) }),
      { line_item: { unit_price: "" } },
      "payload.line_item.unit_price must be a number"
    ],
    [Schema.Literal("a", "b"), "c", 'payload must be one of "a", "b"'],
    [Schema.Int.pipe(Schema.greaterThanOrEqualTo(1)), 0, "payload must be at least 1"],
    [Schema.Int, 1.5, "payload must be an integer"],
    [Schema.UUID, "x", "payload must be a valid uuid"],
    [Schema.Array(Schema.Number), [1, "x"], "payload.1 must be a number"],
    [Schema.Record({ key: Schema.String, value: Schema.Number }), { secret: "x" }, "payload.* must be a number"],
    [Schema.NullOr(Schema.String), 1, "payload must be a string or null"],
    [Schema.NullOr(Schema.Struct({ a: Schema.Number })), { a: "x" }, "payload.a must be a number"],
    [
      Schema.Union(
        Schema.Struct({ kind: Schema.Literal("a"), n: Schema.Number }),
        Schema.Struct({ kind: Schema.Literal("b") })
      ),
      { kind: "c" },
      'payload.kind must be one of "a", "b"'
    ],
    [
      Schema.Union(
        Schema.Struct({ kind: Schema.Literal("a"), n: Schema.Number }),
        Schema.Struct({ kind: Schema.Literal("b") })
      ),
      { kind: "a", n: "" },
      "payload.n must be a number"
    ],
    [Schema.NumberFromString, "x", "payload is not a valid NumberFromString"],
    [
      Schema.String.pipe(Schema.filter((text) => text.length > 9, { description: "a long text" })),
      "x",
      "payload must be a long text"
    ],
    [Schema.String.pipe(Schema.filter((text) => text.length > 9)), "x", "payload does not satisfy its rule"],
    [
      Schema.Struct({ a: Schema.Number, b: Schema.Number }).pipe(
        Schema.filter(({ a, b }) => (a < b ? undefined : { path: ["b"], message: `must be over ${a}` }), {
          description: "an ascending pair"
        })
      ),
      { a: 2, b: 1 },
      "payload.b must be an ascending pair"
    ]
  ] as ReadonlyArray<readonly [Schema.Schema<unknown, unknown>, unknown, string]>) {
    it(`is described as "${sentence}"`, () => {
      assert.strictEqual(explained(schema, value), sentence)
    })
  }

  it("is described up to twenty times", () => {
    const sentence = explained(Schema.Array(Schema.Number), Array.from({ length: 50 }, String))
    assert.strictEqual(sentence.split("; ").length, 21)
    assert.include(sentence, "and 30 more")
  })

  it("has its path in the names of the decoded side", () => {
    const schema = Schema.Struct({
      unitPrice: Schema.propertySignature(Schema.Number).pipe(Schema.fromKey("unit_price"))
    })
    assert.deepStrictEqual(problems(decodeError(schema, { unit_price: "x" }), schema.ast), [
      { path: ["unit_price"], message: "must be a number" }
    ])
    const encoded = Schema.encodeUnknownEither(schema)({ unitPrice: "x" })
    assert(Either.isLeft(encoded))
    assert.deepStrictEqual(problems(encoded.left, schema.ast), [{ path: ["unitPrice"], message: "must be a number" }])
  })
})

// No schema has this by itself.
const marker = "Zq7Xv9"

/** Messages of a user's schema that quote what they get, in every way Effect knows. */
const quoting = {
  message: (issue: ParseResult.ParseIssue) => ({ message: `no ${inspect(issue.actual)}`, override: true }),
  parseIssueTitle: (issue: ParseResult.ParseIssue) => `of ${inspect(issue.actual)}`
}

const text = Schema.String.annotations(quoting)

/** Schemas that refuse whatever holds the marker, and say so in ways of their own. */
// Schemas of all types, as one that knows none of them.
const of = (schema: Schema.Schema.All): Schema.Schema<unknown, unknown> => Schema.make(schema.ast)

const leaf = FastCheck.constantFrom(
  ...[
    Schema.Number.annotations(quoting),
    Schema.Literal("a", "b").annotations(quoting),
    Schema.Int,
    Schema.UUID.annotations(quoting),
    Schema.DateFromString,
    Schema.NumberFromString.annotations(quoting),
    text.pipe(Schema.maxLength(3, quoting)),
    text.pipe(Schema.filter((value) => `${value} is wrong`)),
    text.pipe(Schema.filter((value) => ({ path: [value], message: `${value} is wrong` }))),
    text.pipe(Schema.filter((value, _, ast) => new ParseResult.Type(ast, value, value))),
    text.pipe(Schema.filter((value) => new ParseResult.Type(Schema.Literal(value).ast, 1))),
    Schema.transformOrFail(text, text, {
      strict: true,
      decode: (value) => ParseResult.fail(new ParseResult.Type(Schema.Literal(value).ast, value, value)),
      encode: (value) => ParseResult.fail(new ParseResult.Pointer(value, value, new ParseResult.Type(text.ast, value)))
    }),
    Schema.declare<number>((_): _ is number => false, { ...quoting, identifier: "Never" }),
    Schema.declare([text], {
      decode: () => (value) =>
        ParseResult.fail(new ParseResult.Type(Schema.Literal(String(value)).ast, value, String(value))),
      encode: () => (value, _, ast) => ParseResult.fail(new ParseResult.Type(ast, value, String(value)))
    }),
    Schema.parseJson(Schema.Struct({ a: Schema.Number })),
    Schema.Redacted(Schema.UUID),
    Schema.OptionFromNullOr(Schema.Number),
    Schema.TemplateLiteral("a", Schema.Number)
  ].map(of)
)

const { schema: anySchema } = FastCheck.letrec<{ schema: Schema.Schema<unknown, unknown> }>((tie) => ({
  schema: FastCheck.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie("schema").map((_) => of(Schema.Struct({ given_name: _, other: Schema.optional(_) }).annotations(quoting))),
    tie("schema").map((_) => of(Schema.Array(_).annotations(quoting))),
    tie("schema").map((_) => of(Schema.Tuple(_, _))),
    tie("schema").map((_) => of(Schema.NullOr(_).annotations(quoting))),
    tie("schema").map((_) => of(Schema.Record({ key: Schema.String, value: _ }).annotations(quoting))),
    tie("schema").map((_) =>
      of(Schema.Record({ key: Schema.String.pipe(Schema.maxLength(2)), value: Schema.Unknown }))
    ),
    tie("schema").map((_) => of(Schema.suspend(() => _))),
    tie("schema").map((_) => of(Schema.Struct({ a: Schema.propertySignature(_).pipe(Schema.fromKey("given_name")) }))),
    FastCheck.tuple(tie("schema"), tie("schema")).map(([a, b]) => of(Schema.Union(a, b)))
  )
}))

const { value: anyValue } = FastCheck.letrec<{ value: unknown }>((tie) => ({
  value: FastCheck.oneof(
    { maxDepth: 4 },
    FastCheck.constantFrom(marker, `a${marker}`, `${marker}@b`, `{"a":"${marker}"}`, [marker]),
    FastCheck.array(tie("value"), { minLength: 1, maxLength: 3 }),
    tie("value").map((_) => ({ given_name: _ })),
    tie("value").map((_) => ({ [marker]: _, given_name: _ })),
    tie("value").map((_) => ({ kind: marker, a: _ }))
  )
}))

const assertSilent = (error: ParseResult.ParseError, { ast }: Schema.Schema<unknown, unknown>) => {
  assert.notInclude(explain(error.issue, ast, "payload", "sent"), marker)
  assert.notInclude(JSON.stringify(problems(error, ast)), marker)
  assert.notStrictEqual(explain(error.issue, ast, "payload", "sent"), "")
}

describe("no schema makes a message quote a value", () => {
  it.prop(
    "when it decodes or encodes, whatever its own messages say",
    { schema: anySchema, value: anyValue },
    ({ schema, value }) => {
      for (const onExcessProperty of ["ignore", "error"] as const) {
        for (const run of [Schema.decodeUnknownEither, Schema.encodeUnknownEither]) {
          const result = run(schema, { errors: "all", onExcessProperty })(value)
          if (Either.isLeft(result)) assertSilent(result.left, schema)
        }
      }
    },
    { fastCheck: { numRuns: 400 } }
  )
})

/** Puts the marker at one place of a value, as a text, a key or the whole. */
const planted = (value: unknown, at: number): unknown => {
  let places = 0
  const walk = (part: unknown): unknown => {
    if (places++ === at) return { [marker]: marker }
    if (Array.isArray(part)) return part.map(walk)
    if (typeof part !== "object" || part === null) return places++ === at ? marker : part
    return Object.fromEntries(
      Object.entries(part).flatMap(([key, inside]) => [
        [key, walk(inside)],
        ...(places++ === at ? [[marker, marker]] : [])
      ])
    )
  }
  return walk(value)
}

describe("no message of our own schemas quotes a value", () => {
  it("of a required property with a few allowed strings, formatted by Effect", () => {
    const error = decodeError(CheckoutSessionCreate, {
      buyer: { billing_details: { tax_id: { kind: marker, value: "GB123456789" } } }
    })
    assert.include(error.message, "must be one of the kinds the API knows")
    assert.notInclude(error.message, marker)
  })

  for (const schema of [CheckoutSessionCreate, CheckoutSessionSecureFieldsUpdate, CheckoutSession] as ReadonlyArray<
    Schema.Schema<unknown, unknown>
  >) {
    const options = { errors: "all", onExcessProperty: "error" } as const
    it.prop(
      `of ${String(schema.ast.annotations[Symbol.for("effect/annotation/Identifier")] ?? "CheckoutSession")}, formatted by Effect or by us`,
      { value: Arbitrary.make(schema), at: FastCheck.nat(120) },
      ({ at, value }) => {
        const wire = planted(JSON.parse(JSON.stringify(Schema.encodeSync(schema)(value))), at)
        const decoded = Schema.decodeUnknownEither(schema, options)(wire)
        if (Either.isLeft(decoded)) {
          assertSilent(decoded.left, schema)
          // The name of an unknown property is the only thing of the value that Effect shows, with `onExcessProperty`.
          const plain = Schema.decodeUnknownEither(schema, { errors: "all" })(wire)
          if (Either.isLeft(plain)) assert.notInclude(`${plain.left.message}${inspect(plain.left.message)}`, marker)
        }
        const encoded = Schema.encodeUnknownEither(schema, options)(planted(value, at))
        if (Either.isLeft(encoded)) assertSilent(encoded.left, schema)
      }
    )
  }
})
