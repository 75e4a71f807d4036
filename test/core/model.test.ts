/** The three combinators that make the schemas of a model, over any schema: names, limits, messages. */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { CartItem, CheckoutSessionCreate, CheckoutSessionSecureFieldsUpdate } from "@effect-gr4vy/core"
import * as Model from "@effect-gr4vy/core/spi/Model"
import { Either, FastCheck, ParseResult, Redacted, Schema, type SchemaAST } from "effect"

const through =
  (...combinators: ReadonlyArray<(ast: SchemaAST.AST) => SchemaAST.AST>) =>
  (schema: Schema.Schema.All): Schema.Schema<unknown, unknown> =>
    Schema.make(combinators.reduce((ast, combinator) => combinator(ast), schema.ast))

const named = through(Model.wireNames)
const relaxed = through(Model.relaxed)
const silent = through(Model.silent)

interface Tree {
  readonly childNodes: ReadonlyArray<Tree>
  readonly nodeName: string
}

const Tree: Schema.Schema<Tree> = Schema.Struct({
  childNodes: Schema.Array(Schema.suspend(() => Tree)),
  nodeName: Schema.String
})

describe("wireNames", () => {
  for (const [what, declared, ours, wire] of [
    ["a struct", Schema.Struct({ unitAmount: Schema.Number }), { unitAmount: 1 }, { unit_amount: 1 }],
    [
      "structs in lists, tuples, records and unions",
      Schema.Struct({
        aList: Schema.Array(Schema.Struct({ inList: Schema.Number })),
        aTuple: Schema.Tuple(Schema.Struct({ inTuple: Schema.Number })),
        aRecord: Schema.Record({ key: Schema.String, value: Schema.Struct({ inRecord: Schema.Number }) }),
        aUnion: Schema.NullOr(Schema.Struct({ inUnion: Schema.Number }))
      }),
      {
        aList: [{ inList: 1 }],
        aTuple: [{ inTuple: 1 }],
        aRecord: { userKey: { inRecord: 1 }, user_key: { inRecord: 2 } },
        aUnion: { inUnion: 1 }
      },
      {
        a_list: [{ in_list: 1 }],
        a_tuple: [{ in_tuple: 1 }],
        a_record: { userKey: { in_record: 1 }, user_key: { in_record: 2 } },
        a_union: { in_union: 1 }
      }
    ],
    [
      "a schema that contains itself",
      Tree,
      { nodeName: "a", childNodes: [{ nodeName: "b", childNodes: [] }] },
      { node_name: "a", child_nodes: [{ node_name: "b", child_nodes: [] }] }
    ],
    [
      "a struct with a rule",
      Schema.Struct({ unitAmount: Schema.Number }).pipe(Schema.filter(({ unitAmount }) => unitAmount > 0)),
      { unitAmount: 1 },
      { unit_amount: 1 }
    ],
    [
      "a property that has another name already",
      Schema.Struct({ unitAmount: Schema.propertySignature(Schema.Number).pipe(Schema.fromKey("priceInCents")) }),
      { unitAmount: 1 },
      { priceInCents: 1 }
    ],
    [
      "a transformation of structs",
      Schema.transform(Schema.Struct({ aNumber: Schema.NumberFromString }), Schema.Number, {
        strict: true,
        decode: ({ aNumber }) => aNumber,
        encode: (aNumber) => ({ aNumber })
      }),
      7,
      { a_number: "7" }
    ]
  ] as ReadonlyArray<readonly [string, Schema.Schema.All, unknown, unknown]>) {
    it(`names ${what} by the rule, in both directions`, () => {
      const schema = named(declared)
      assert.deepStrictEqual(Schema.encodeSync(schema)(ours), wire)
      assert.deepStrictEqual(Schema.decodeSync(schema)(wire), ours)
    })
  }

  it("leaves out a property that is undefined, and keeps null", () => {
    const schema = named(
      Schema.Struct({ anAmount: Schema.optionalWith(Schema.NullOr(Schema.Number), { exact: true }) })
    )
    assert.deepStrictEqual(Schema.encodeSync(schema)({ anAmount: undefined }), {})
    assert.deepStrictEqual(Schema.encodeSync(schema)({ anAmount: null }), { an_amount: null })
  })

  it("changes nothing of what it has named", () => {
    const { ast } = named(Schema.Struct({ unitAmount: Schema.Number }))
    assert.strictEqual(Model.wireNames(ast), ast)
  })
})

describe("relaxed", () => {
  const schema = relaxed(
    Schema.Struct({
      text: Schema.String.pipe(Schema.maxLength(2)),
      number: Schema.Int.pipe(Schema.between(1, 2)),
      list: Schema.Array(Schema.UUID).pipe(Schema.maxItems(1)),
      set: Schema.optionalWith(Schema.NullOr(Schema.Literal("a", "b")), { exact: true }),
      required: Schema.NullOr(Schema.String),
      nested: Schema.optionalWith(Schema.Struct({ text: Schema.NonEmptyString }), { exact: true }),
      secret: Schema.Redacted(Schema.String.pipe(Schema.minLength(3))),
      size: Schema.optionalWith(Schema.Number, { default: () => 7 }),
      id: Schema.UUID.pipe(Schema.brand("Id"))
    })
  )
  const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"
  const given = { text: "long", number: 0.5, list: ["a", "b"], required: null, secret: "", id }

  it("takes what is outside a limit, opens sets, and makes null absent", () => {
    assert.deepStrictEqual(Schema.decodeSync(schema)({ ...given, set: "new", nested: { text: "" }, unknown: 1 }), {
      text: "long",
      number: 0.5,
      list: ["a", "b"],
      set: "new",
      nested: { text: "" },
      secret: Redacted.make(""),
      size: 7,
      id
    })
    assert.notProperty(Schema.decodeSync(schema)({ ...given, set: null, nested: null }), "set")
  })

  for (const [what, wrong] of [
    ["a number for a string", { text: 1 }],
    ["a string for a number", { number: "1" }],
    ["a struct for a list", { list: {} }],
    ["a number for a secret", { secret: 1 }],
    ["another string for a brand", { id: "a" }]
  ] as const) {
    it(`refuses ${what}`, () => {
      assert(Either.isLeft(Schema.decodeUnknownEither(schema)({ ...given, ...wrong })))
    })
  }
})

// No schema has this by itself.
const marker = "Zq7Xv9"

const quoting = {
  message: (issue: ParseResult.ParseIssue) => ({ message: `no ${inspect(issue.actual)}`, override: true }),
  parseIssueTitle: (issue: ParseResult.ParseIssue) => `of ${inspect(issue.actual)}`
}

const text = Schema.String.annotations(quoting)

const of = (schema: Schema.Schema.All): Schema.Schema<unknown, unknown> => Schema.make(schema.ast)

const leaf = FastCheck.constantFrom(
  ...[
    Schema.Number.annotations(quoting),
    Schema.Literal("a", "b").annotations(quoting),
    Schema.Int,
    Schema.UUID.annotations(quoting),
    Schema.DateFromString,
    text.pipe(Schema.maxLength(3, quoting)),
    text.pipe(Schema.filter((value) => `${value} is wrong`)),
    text.pipe(Schema.filter((value) => ({ path: [value], message: `${value} is wrong` }))),
    Schema.transformOrFail(text, text, {
      strict: true,
      decode: (value) => ParseResult.fail(new ParseResult.Type(Schema.Literal(value).ast, value, value)),
      encode: (value) => ParseResult.fail(new ParseResult.Type(text.ast, value, value))
    }),
    Schema.declare<number>((_): _ is number => false, quoting),
    Schema.Redacted(Schema.UUID),
    Schema.OptionFromNullOr(Schema.Number),
    Schema.TemplateLiteral("a", Schema.Number)
  ].map(of)
)

const { schema: anySchema } = FastCheck.letrec<{ schema: Schema.Schema<unknown, unknown> }>((tie) => ({
  schema: FastCheck.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie("schema").map((_) => of(Schema.Struct({ givenName: _, other: Schema.optional(_) }).annotations(quoting))),
    tie("schema").map((_) => of(Schema.Array(_).annotations(quoting))),
    tie("schema").map((_) => of(Schema.Tuple(_, _))),
    tie("schema").map((_) => of(Schema.NullOr(_).annotations(quoting))),
    tie("schema").map((_) => of(Schema.Record({ key: Schema.String, value: _ }).annotations(quoting))),
    tie("schema").map((_) => of(Schema.suspend(() => _))),
    tie("schema").map((_) =>
      of(
        Schema.Union(
          Schema.Struct({ kind: Schema.Literal("a"), a: _ }),
          Schema.Struct({ kind: Schema.Literal("b"), b: _ })
        )
      )
    ),
    FastCheck.tuple(tie("schema"), tie("schema")).map(([a, b]) => of(Schema.Union(a, b)))
  )
}))

const { value: anyValue } = FastCheck.letrec<{ value: unknown }>((tie) => ({
  value: FastCheck.oneof(
    { maxDepth: 4 },
    FastCheck.constantFrom<unknown>(marker, `a${marker}`, [marker], Redacted.make(marker)),
    FastCheck.array(tie("value"), { minLength: 1, maxLength: 3 }),
    tie("value").map((_) => ({ givenName: _, given_name: _ })),
    tie("value").map((_) => ({ [marker]: _, givenName: _ })),
    tie("value").map((_) => ({ kind: marker, a: _ })),
    tie("value").map((_) => ({ kind: "a", a: _ }))
  )
}))

const formatted = (error: ParseResult.ParseError): string =>
  [
    error.message,
    ParseResult.TreeFormatter.formatErrorSync(error),
    JSON.stringify(ParseResult.ArrayFormatter.formatErrorSync(error))
  ].join("\n")

describe("silent", () => {
  it.prop(
    "keeps every value out of Effect's own messages, whatever the schema's messages say",
    { schema: anySchema, value: anyValue },
    ({ schema, value }) => {
      for (const quiet of [silent(schema), through(Model.wireNames, Model.silent)(schema)]) {
        for (const run of [Schema.decodeUnknownEither, Schema.encodeUnknownEither]) {
          const result = run(quiet, { errors: "all" })(value)
          if (Either.isLeft(result)) assert.notInclude(formatted(result.left), marker)
        }
      }
    },
    { fastCheck: { numRuns: 400 } }
  )

  it("accepts, refuses and converts as the schema does", () => {
    const schema = Schema.Struct({ a: Schema.NumberFromString, b: Schema.Array(Schema.Literal("x")) })
    assert.deepStrictEqual(Schema.decodeUnknownSync(silent(schema))({ a: "1", b: ["x"] }), { a: 1, b: ["x"] })
    assert(Either.isLeft(Schema.decodeUnknownEither(silent(schema))({ a: "1", b: ["y"] })))
  })

  it("says the path and the expectation", () => {
    const result = Schema.decodeUnknownEither(CartItem)({ name: marker.repeat(99), quantity: 1, unit_amount: 1 })
    assert(Either.isLeft(result))
    assert.include(result.left.message, '["name"]')
    assert.include(result.left.message, "must be a string of 1 to 255 characters")
    assert.notInclude(result.left.message, marker)
  })

  it("keeps the values of a request out of the messages of `make`", () => {
    for (const make of [
      () => CartItem.make({ name: marker.repeat(99), quantity: 1, unitAmount: 1 }),
      () => CheckoutSessionCreate.make({ currency: marker, buyer: { externalIdentifier: marker.repeat(99) } }),
      () => CheckoutSessionSecureFieldsUpdate.make({ postalCode: marker.repeat(99) })
    ]) {
      assert.throws(make, /must be/)
      assert.doesNotThrow(() => {
        try {
          make()
        } catch (error) {
          assert.notInclude(String(error), marker)
        }
      })
    }
  })
})
