import { assert, describe, it } from "@effect/vitest"
import { CheckoutSession, CheckoutSessionCreate, CheckoutSessionSecureFieldsUpdate } from "@effect-gr4vy/core"
import {
  Arbitrary,
  BigDecimal,
  Chunk,
  DateTime,
  Duration,
  Effect,
  Either,
  Equal,
  FastCheck,
  Option,
  ParseResult,
  Redacted,
  Schema,
  type SchemaAST
} from "effect"
import { type Encoded, makeCodec, type Refusal } from "../../packages/core/dist/internal/codec/codec.js"
import { compilerOf, compilers } from "../../packages/core/dist/internal/codec/compile.js"
import { failed, Walk } from "../../packages/core/dist/internal/codec/step.js"

type AnySchema = Schema.Schema.AnyNoContext

class Person extends Schema.Class<Person>("Person")({
  name: Schema.NonEmptyString,
  born: Schema.optional(Schema.Date),
  pin: Schema.Redacted(Schema.String)
}) {}

class Employee extends Person.extend<Employee>("Employee")({ badge: Schema.Int }) {}

class Tagged extends Schema.TaggedClass<Tagged>()("Tagged", { value: Schema.NumberFromString }) {}

class Strange extends Schema.Class<Strange>("Strange")({ a: Schema.String }) {
  // @effect-diagnostics-next-line overriddenSchemaConstructor:off
  constructor(props: { readonly a: string }, options?: Schema.MakeOptions) {
    super({ a: `${props.a}!` }, options)
  }
}

interface Category {
  readonly name: string
  readonly children: ReadonlyArray<Category>
}
const Category: Schema.Schema<Category> = Schema.Struct({
  name: Schema.String,
  children: Schema.Array(Schema.suspend((): Schema.Schema<Category> => Category))
})

enum Fruit {
  Apple = "apple",
  Pear = 2
}

/** One schema or more of every kind that users write. */
const zoo: Record<string, AnySchema> = {
  string: Schema.String,
  int: Schema.Int.pipe(Schema.between(-5, 5)),
  trimmed: Schema.Trim,
  literals: Schema.Literal("a", "b", 3, null, true),
  enums: Schema.Enums(Fruit),
  template: Schema.TemplateLiteral("id-", Schema.Number),
  brand: Schema.String.pipe(Schema.minLength(2), Schema.brand("Two")),
  nullOr: Schema.NullOr(Schema.NumberFromString),
  undefinedOr: Schema.Struct({ a: Schema.UndefinedOr(Schema.String) }),
  struct: Schema.Struct({ a: Schema.String, b: Schema.optional(Schema.Number), c: Schema.NullishOr(Schema.Boolean) }),
  exact: Schema.Struct({ a: Schema.optionalWith(Schema.String, { exact: true }) }),
  defaults: Schema.Struct({
    a: Schema.optionalWith(Schema.String, { default: () => "x" }),
    b: Schema.optionalWith(Schema.Date, { default: () => new Date(0), nullable: true }),
    c: Schema.optionalWith(Schema.Number, { nullable: true }),
    d: Schema.optionalWith(Schema.NumberFromString, { as: "Option" })
  }),
  renamed: Schema.Struct({
    amount: Schema.Int,
    orderId: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("order_id")),
    paidAt: Schema.optional(Schema.DateTimeUtc).pipe(Schema.fromKey("paid_at"))
  }),
  swapped: Schema.Struct({
    a: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("b")),
    b: Schema.propertySignature(Schema.Number).pipe(Schema.fromKey("a"))
  }),
  converted: Schema.Struct({
    a: Schema.optionalToOptional(Schema.String, Schema.NumberFromString, {
      decode: Option.filter((text) => text !== ""),
      encode: Option.filter((text) => text !== "0")
    }),
    b: Schema.optionalToRequired(Schema.Number, Schema.Boolean, {
      decode: Option.isSome,
      encode: (given) => (given ? Option.some(1) : Option.none())
    }),
    c: Schema.requiredToOptional(Schema.String, Schema.Date, {
      decode: Option.liftPredicate((text) => text !== ""),
      encode: Option.getOrElse(() => "")
    })
  }),
  nested: Schema.Struct({
    list: Schema.Array(Schema.Struct({ when: Schema.Date.pipe(Schema.propertySignature, Schema.fromKey("at")) })),
    deep: Schema.Struct({ deeper: Schema.Struct({ n: Schema.NumberFromString }) })
  }),
  refined: Schema.Struct({ a: Schema.Number, b: Schema.Number }).pipe(Schema.filter(({ a, b }) => a <= b)),
  refinedTransformation: Schema.Struct({ a: Schema.NumberFromString }).pipe(Schema.filter(({ a }) => a > 0)),
  record: Schema.Record({ key: Schema.String, value: Schema.Number }),
  patternRecord: Schema.Record({ key: Schema.String.pipe(Schema.pattern(/^x/)), value: Schema.NumberFromString }),
  mixed: Schema.Struct({ a: Schema.String }, { key: Schema.String, value: Schema.Union(Schema.String, Schema.Int) }),
  tuple: Schema.Tuple(Schema.String, Schema.NumberFromString),
  optionalTuple: Schema.Tuple(Schema.String, Schema.optionalElement(Schema.Number)),
  restTuple: Schema.Tuple([Schema.String], Schema.Date, Schema.Boolean),
  nonEmpty: Schema.NonEmptyArray(Schema.Int),
  suspended: Category,
  union: Schema.Union(Schema.String, Schema.Struct({ a: Schema.Number }), Schema.Array(Schema.Boolean)),
  taggedUnion: Schema.Union(
    Schema.Struct({ kind: Schema.Literal("card"), number: Schema.Redacted(Schema.String) }),
    Schema.Struct({ kind: Schema.Literal("id"), id: Schema.UUID }),
    Schema.Struct({ kind: Schema.Literal("id"), other: Schema.Number }),
    Schema.Struct({ free: Schema.String })
  ),
  taggedStructs: Schema.Union(
    Schema.TaggedStruct("A", { n: Schema.NumberFromString }),
    Schema.TaggedStruct("B", { n: Schema.Number })
  ),
  class: Person,
  extended: Employee,
  taggedClass: Tagged,
  classUnion: Schema.Union(Tagged, Person),
  strange: Strange,
  option: Schema.Option(Schema.NumberFromString),
  optionFromNull: Schema.OptionFromNullOr(Schema.Redacted(Schema.String)),
  either: Schema.Either({ left: Schema.String, right: Schema.Number }),
  redacted: Schema.Redacted(Schema.Struct({ a: Schema.NumberFromString })),
  date: Schema.Date,
  dateNumber: Schema.DateFromNumber,
  dateTime: Schema.DateTimeUtc,
  duration: Schema.Duration,
  durationMillis: Schema.DurationFromMillis,
  bigint: Schema.BigInt,
  bigDecimal: Schema.BigDecimal,
  url: Schema.URL,
  chunk: Schema.Chunk(Schema.NumberFromString),
  hashMap: Schema.HashMap({ key: Schema.String, value: Schema.Number }),
  map: Schema.Map({ key: Schema.String, value: Schema.Date }),
  list: Schema.List(Schema.Redacted(Schema.String)),
  json: Schema.parseJson(Schema.Struct({ a: Schema.Number })),
  base64: Schema.StringFromBase64,
  composed: Schema.compose(Schema.Trim, Schema.NonEmptyString),
  pick: Schema.Struct({ a: Schema.NumberFromString, b: Schema.String }).pipe(Schema.pick("a")),
  partial: Schema.partial(Schema.Struct({ a: Schema.String, b: Schema.Number })),
  extendedStruct: Schema.extend(Schema.Struct({ a: Schema.String }), Schema.Struct({ b: Schema.NumberFromString })),
  transformed: Schema.transform(Schema.String, Schema.Array(Schema.String), {
    strict: true,
    decode: (text) => text.split(","),
    encode: (parts) => parts.join(",")
  }),
  effectful: Schema.transformOrFail(Schema.String, Schema.Number, {
    strict: true,
    decode: (text, _, ast) =>
      Effect.suspend(() => (text === "" ? Effect.fail(new ParseResult.Type(ast, text)) : Effect.succeed(text.length))),
    encode: (n) => Effect.sync(() => "x".repeat(Math.min(10, Math.max(1, Number.isFinite(n) ? Math.trunc(n) : 1))))
  }),
  withOptions: Schema.Struct({ a: Schema.String }).annotations({ parseOptions: { onExcessProperty: "preserve" } }),
  withFallback: Schema.Struct({
    a: Schema.Number.annotations({ decodingFallback: () => Either.right(7) })
  }),
  unknown: Schema.Struct({ any: Schema.Unknown, more: Schema.optional(Schema.Unknown) }),
  empty: Schema.Struct({}),
  session: CheckoutSession,
  sessionCreate: CheckoutSessionCreate,
  secureFields: CheckoutSessionSecureFieldsUpdate
}

/** Large ones, whose values take long to make. */
const models = new Set(["session", "sessionCreate", "secureFields"])

/** Values that no schema has made, to put in the place of others. */
const odd: ReadonlyArray<unknown> = [
  undefined,
  null,
  "",
  "text",
  "3",
  0,
  1.5,
  Number.NaN,
  true,
  [],
  ["a", 1],
  {},
  { kind: "id", other: 1 },
  { kind: "card" },
  { _tag: "A", n: "1" },
  new Date(0),
  Redacted.make("s3cret"),
  Option.some(1),
  DateTime.unsafeMake(0),
  Duration.seconds(1),
  BigDecimal.fromNumber(1),
  Chunk.make(1),
  10n,
  Symbol("s"),
  () => 1
]

/** The value, or the value with one part replaced, left out or added. */
const mutated = (value: unknown): FastCheck.Arbitrary<unknown> =>
  FastCheck.tuple(FastCheck.nat(4), FastCheck.nat(), FastCheck.constantFrom(...odd)).map(([kind, at, other]) =>
    kind < 2 ? value : mutate(value, kind, at, other)
  )

const mutate = (value: unknown, kind: number, at: number, other: unknown): unknown => {
  if (Array.isArray(value)) {
    if (value.length === 0) return kind === 2 ? [other] : other
    const index = at % value.length
    const items: Array<unknown> = [...value]
    if (kind === 3) items.push(other)
    else items[index] = at % 2 === 0 ? other : mutate(items[index], kind, at >> 1, other)
    return items
  }
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    const keys = Object.keys(value)
    const key = keys[at % Math.max(1, keys.length)]
    if (kind === 3 || key === undefined) return { ...value, extra: other }
    if (kind === 4) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
    return { ...value, [key]: at % 2 === 0 ? other : mutate(Reflect.get(value, key), kind, at >> 1, other) }
  }
  return other
}

const strictly = { errors: "all", onExcessProperty: "error" } as const

const same = (one: unknown, other: unknown): boolean => {
  if (Equal.equals(one, other) || Object.is(one, other)) return true
  try {
    assert.deepStrictEqual(one, other)
    return true
  } catch {
    return false
  }
}

const asJson = (value: unknown): unknown => {
  const text = JSON.stringify(value)
  return text === undefined ? undefined : JSON.parse(text)
}

/** Whether JSON has a value exactly as it is; a `Date` is its ISO string. */
const survivesJson = (value: unknown): boolean => {
  if (value instanceof Date) return !Number.isNaN(value.getTime())
  if (Array.isArray(value)) return value.every((item) => item !== undefined && survivesJson(item))
  if (typeof value === "object" && value !== null) {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (Redacted.isRedacted(value) || (prototype !== Object.prototype && !("toJSON" in value))) return false
    return Object.values(value).every(survivesJson)
  }
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)
}

type Codec = ReturnType<typeof makeCodec>

const agreeOnEncoding = (codec: Codec, schema: AnySchema, value: unknown): void => {
  const ours: Either.Either<Encoded, Refusal> = codec.encoder(schema)(value)
  const theirs = Schema.encodeUnknownEither(schema, strictly)(value)
  if (Either.isRight(ours)) {
    if (Either.isLeft(theirs)) throw new Error("accepts what the interpreter refuses")
    if (!same(asJson(ours.right.value), asJson(theirs.right))) throw new Error("encodes to something else")
  } else if (ours.left._tag === "Lossy") {
    if (Either.isRight(theirs) && survivesJson(theirs.right) && survivesJson(value))
      throw new Error("refuses what JSON can hold")
  } else if (Either.isRight(theirs)) {
    throw new Error("refuses what the interpreter accepts")
  }
}

const agreeOnDecoding = (codec: Codec, schema: AnySchema, value: unknown): void => {
  const ours = codec.decoder(schema)(value)
  const theirs = Schema.decodeUnknownEither(schema)(value)
  if (Either.isRight(ours) !== Either.isRight(theirs)) throw new Error("decides otherwise than the interpreter")
  if (Either.isRight(ours) && Either.isRight(theirs) && !same(ours.right, theirs.right)) {
    throw new Error("decodes to something else")
  }
}

const check = (codec: Codec, schema: AnySchema, numRuns: number): void => {
  const typed = Arbitrary.make(Schema.typeSchema(schema))
  const onTheWire = typed.map((value) => {
    const encoded = Schema.encodeUnknownEither(schema)(value)
    return Either.isRight(encoded) ? encoded.right : null
  })
  const options = { numRuns, seed: 42 }
  FastCheck.assert(
    FastCheck.property(typed.chain(mutated), (value) => agreeOnEncoding(codec, schema, value)),
    options
  )
  FastCheck.assert(
    FastCheck.property(onTheWire.chain(mutated), (value) => agreeOnDecoding(codec, schema, value)),
    options
  )
}

describe("the compiled codec and Effect's interpreter have the same result", () => {
  const codec = makeCodec(compilerOf(compilers))
  for (const [name, schema] of Object.entries(zoo)) {
    it(`for a schema of the kind ${name}`, () => check(codec, schema, models.has(name) ? 20 : 200))
  }
})

describe("the compiled steps decide by themselves", () => {
  const slow = new Set(["template", "withOptions", "withFallback"])
  for (const [name, schema] of Object.entries(zoo)) {
    if (slow.has(name)) continue
    it(`about every valid value of the kind ${name}`, () => {
      const compile = compilerOf(compilers)
      for (const value of FastCheck.sample(Arbitrary.make(Schema.typeSchema(schema)), {
        numRuns: models.has(name) ? 10 : 100,
        seed: 1
      })) {
        const encoded = Schema.encodeUnknownEither(schema, strictly)(value)
        if (Either.isLeft(encoded) || !survivesJson(encoded.right) || same(value, { a: Number.NaN })) continue
        const walk = new Walk()
        assert.notStrictEqual(compile(schema.ast, "wire")(value, walk), failed)
        assert.notStrictEqual(compile(schema.ast, "decode")(encoded.right, new Walk()), failed)
      }
    })
  }
})

describe("the property notices", () => {
  const through = () => (value: unknown) => value
  const tags = Object.keys(compilers) as ReadonlyArray<keyof typeof compilers>
  // A value of these kinds is valid whatever it is.
  const permissive = new Set(["AnyKeyword", "UnknownKeyword", "VoidKeyword"])
  const more: Record<string, AnySchema> = {
    ...Object.fromEntries(Object.entries(zoo).filter(([name]) => !models.has(name))),
    bigintFromSelf: Schema.Struct({ a: Schema.BigIntFromSelf }),
    symbol: Schema.SymbolFromSelf,
    uniqueSymbol: Schema.UniqueSymbolFromSelf(Symbol.for("one")),
    never: Schema.Struct({
      a: Schema.optionalWith(
        Schema.Never.annotations({ arbitrary: () => (fc) => fc.constant<never>("impossible" as never) }),
        { exact: true }
      )
    }),
    undefined: Schema.Struct({ a: Schema.Undefined }),
    object: Schema.Object,
    boolean: Schema.Boolean,
    number: Schema.Number
  }
  for (const tag of tags) {
    if (permissive.has(tag)) continue
    it(`a step for ${tag} that lets everything through`, () => {
      const broken = makeCodec(compilerOf({ ...compilers, [tag]: through }))
      const isNoticed = Object.values(more).some((schema) => {
        try {
          check(broken, schema, 50)
          return false
        } catch {
          return true
        }
      })
      assert.isTrue(isNoticed)
    })
  }
})

describe("the secrets that were read", () => {
  const codec = makeCodec(compilerOf(compilers))
  const secretsOf = (schema: AnySchema, value: unknown): ReadonlyArray<string> =>
    Either.match(codec.encoder(schema)(value), { onLeft: () => [], onRight: ({ secrets }) => [...secrets] })
  const Pin = Schema.Struct({ pin: Schema.Redacted(Schema.String), label: Schema.String })
  const pin = { pin: Redacted.make("4-7-1-1"), label: "blue" }

  it("are what the program has and what is on the wire", () => {
    assert.deepStrictEqual(secretsOf(Schema.Redacted(Schema.StringFromBase64), Redacted.make("hidden")), [
      "hidden",
      "aGlkZGVu"
    ])
    assert.includeMembers(
      [...secretsOf(Schema.Redacted(Schema.Date), Redacted.make(new Date("2030-01-02T03:04:05Z")))],
      ["2030-01-02T03:04:05.000Z"]
    )
  })
  it("are nothing but secrets", () => {
    assert.deepStrictEqual(secretsOf(Pin, pin), ["4-7-1-1"])
  })
  it("include the text of JSON inside JSON", () => {
    const secrets = secretsOf(Schema.Struct({ doc: Schema.parseJson(Pin) }), { doc: pin })
    assert.includeMembers([...secrets], ["4-7-1-1"])
    assert.notInclude(secrets, "blue")
  })
  it("include what a function of the schema made of them", () => {
    const Sealed = Schema.transform(
      Schema.Struct({ sealed: Schema.String, label: Schema.String }),
      Schema.typeSchema(Pin),
      {
        strict: true,
        decode: ({ label, sealed }) => ({ pin: Redacted.make(atob(sealed)), label }),
        encode: ({ label, pin }) => ({ sealed: btoa(Redacted.value(pin)), label })
      }
    )
    assert.sameMembers([...secretsOf(Sealed, pin)], ["4-7-1-1", btoa("4-7-1-1")])
  })
  it("are found at any depth, behind accessors and in lists", () => {
    const Deep = Schema.Struct({
      list: Schema.List(Schema.Struct({ a: Schema.Struct({ pin: Schema.Redacted(Schema.String) }) }))
    })
    const list = Schema.decodeUnknownSync(Deep)({
      list: Array.from({ length: 5_000 }, (_, i) => ({ a: { pin: `p${i}` } }))
    })
    assert.strictEqual(secretsOf(Deep, list).length, 5_000)
    const reactive = Object.defineProperty({ label: "x" }, "pin", {
      enumerable: true,
      get: () => Redacted.make("once")
    })
    assert.deepStrictEqual(secretsOf(Pin, reactive), ["once"])
  })
  it("stay known when the program wipes them afterwards", () => {
    const secret = Redacted.make("wiped")
    const secrets = secretsOf(Schema.Redacted(Schema.String), secret)
    Redacted.unsafeWipe(secret)
    assert.deepStrictEqual(secrets, ["wiped"])
  })
})

describe("what JSON would change in silence is refused:", () => {
  const codec = makeCodec(compilerOf(compilers))
  class WithGetter {
    readonly name = "x"
    get amount() {
      return 1299
    }
  }
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic
  const Body = Schema.Struct({ body: Schema.Unknown })
  const rows: ReadonlyArray<readonly [string, AnySchema, unknown, ReadonlyArray<PropertyKey>]> = [
    ["NaN", Schema.Struct({ amount: Schema.Number }), { amount: Number.NaN }, ["amount"]],
    ["Infinity", Schema.Array(Schema.Number), [1, Number.POSITIVE_INFINITY], [1]],
    ["NaN in JSON inside JSON", Schema.parseJson(Schema.Struct({ a: Schema.Number })), { a: Number.NaN }, ["a"]],
    ["undefined in a list", Schema.Array(Schema.UndefinedOr(Schema.String)), [undefined], [0]],
    [
      "a Redacted that is not opened",
      Schema.Struct({ pin: Schema.RedactedFromSelf(Schema.String) }),
      { pin: Redacted.make("x") },
      ["pin"]
    ],
    [
      "a Map in a schema of its own",
      Schema.Struct({ map: Schema.MapFromSelf({ key: Schema.String, value: Schema.String }) }),
      { map: new Map([["a", "b"]]) },
      ["map"]
    ],
    ["a bigint", Schema.Struct({ a: Schema.BigIntFromSelf }), { a: 1n }, ["a"]],
    [
      "a getter of a class",
      Schema.Struct({ name: Schema.String, amount: Schema.optional(Schema.Number) }),
      new WithGetter(),
      ["amount"]
    ],
    ...(
      [
        ["a Promise", Promise.resolve(1)],
        ["a Map", new Map([["amount", 1]])],
        ["a Set", new Set([1])],
        ["FormData", new FormData()],
        ["URLSearchParams", new URLSearchParams("a=b")],
        ["a Blob", new Blob(["x"])],
        ["a stream", new ReadableStream()],
        ["bytes", new Uint8Array([1])],
        ["a class with getters", new WithGetter()],
        ["a function", () => 1],
        ["a symbol", Symbol("x")],
        ["a bigint deep inside", 1n],
        ["an Error", new Error("x")],
        ["an invalid Date", new Date(Number.NaN)],
        ["a Redacted", Redacted.make("x")],
        ["NaN deep inside", Number.NaN],
        ["an undefined property", undefined]
      ] as const
    ).map(([name, value]) => [name, Body, { body: { deep: [value] } }, ["body", "deep", 0]] as const)
  ]
  for (const [name, schema, value, path] of rows) {
    it(`${name}, with its path`, () => {
      const encoded = codec.encoder(schema)(value)
      assert.isTrue(Either.isLeft(encoded))
      if (Either.isLeft(encoded)) {
        assert.strictEqual(encoded.left._tag, "Lossy")
        if (encoded.left._tag === "Lossy") assert.deepStrictEqual(encoded.left.lossy.path, path)
      }
    })
  }
  class Hidden {
    readonly #amount = 1299
    get twice() {
      return 2 * this.#amount
    }
  }
  const Optional = Schema.Struct({ amount: Schema.optional(Schema.Int), currency: Schema.optional(Schema.String) })
  const Renamed = Schema.Struct({
    orderId: Schema.optional(Schema.String).pipe(Schema.fromKey("order_id"))
  })
  const Texts = Schema.Record({ key: Schema.String, value: Schema.Unknown })
  for (const [what, value] of [
    ["a Promise", Promise.resolve({ amount: 1299 })],
    ["a Map", new Map([["amount", 1299]])],
    ["a Set", new Set()],
    ["a Date", new Date(0)],
    ["an Option", Option.none()],
    ["a Redacted", Redacted.make({ amount: 1299 })],
    ["URLSearchParams", new URLSearchParams("amount=1299")],
    ["a class with private fields", new Hidden()],
    ["an Effect", Effect.succeed({ amount: 1299 })]
  ] as ReadonlyArray<readonly [string, object]>) {
    it(`${what} in place of an object whose properties are all optional`, () => {
      const schemas: ReadonlyArray<AnySchema> = [Optional, Renamed, Texts, CheckoutSessionCreate]
      for (const schema of schemas) {
        assert.isTrue(Either.isLeft(codec.encoder(schema)(value)), String(schema))
        assert.isTrue(Either.isLeft(codec.encoder(Schema.Struct({ inner: schema }))({ inner: value })), String(schema))
      }
    })
  }
  it("a Redacted inside what writes its own JSON", () => {
    for (const value of [Option.some(Redacted.make("x")), Chunk.make(Redacted.make("x"))]) {
      const encoded = codec.encoder(Body)({ body: value })
      assert.strictEqual(Either.isLeft(encoded) && encoded.left._tag, "Lossy")
    }
  })
  it("symbols, hidden and inherited properties", () => {
    const hidden = Object.defineProperty({ name: "x" }, "amount", { value: 1, enumerable: false })
    const inherited = Object.create(Object.assign(Object.create(null), { amount: 1 }))
    for (const value of [{ [Symbol("amount")]: 1 }, hidden, inherited]) {
      const encoded = codec.encoder(Body)({ body: value })
      assert.strictEqual(Either.isLeft(encoded) && encoded.left._tag, "Lossy")
    }
  })
  it("a cycle", () => {
    const encoded = codec.encoder(Body)({ body: cyclic })
    assert.strictEqual(Either.isLeft(encoded) && encoded.left._tag, "Lossy")
  })
  it("but not what JSON writes as people expect", () => {
    const when = new Date(0)
    const Optional = Schema.Struct({ a: Schema.optional(Schema.Unknown), b: Schema.optional(Schema.Number) })
    assert.isTrue(Either.isRight(codec.encoder(Optional)({ a: undefined, b: undefined })))
    const encoded = codec.encoder(Body)({ body: { when, list: [1, null], own: { toJSON: () => "x" } } })
    assert.deepStrictEqual(Either.getOrThrow(encoded).value, {
      body: { when: when.toISOString(), list: [1, null], own: "x" }
    })
  })
})

it("a schema that needs time is undecided in both directions", () => {
  const Slow = Schema.transformOrFail(Schema.String, Schema.String, {
    strict: true,
    decode: (text) => Effect.delay(Effect.succeed(text), 1),
    encode: (text) => Effect.delay(Effect.succeed(text), 1)
  })
  const codec = makeCodec(compilerOf(compilers))
  const tag = (refused: Either.Either<unknown, Refusal>) => Either.isLeft(refused) && refused.left._tag
  assert.strictEqual(tag(codec.encoder(Schema.Struct({ a: Slow }))({ a: "x" })), "Undecided")
  assert.strictEqual(tag(codec.decoder(Schema.Struct({ a: Slow }))({ a: "x" })), "Undecided")
})

it("a property named __proto__ is a property like any other", () => {
  const codec = makeCodec(compilerOf(compilers))
  const Texts = Schema.Record({ key: Schema.String, value: Schema.String })
  const encoded = Either.getOrThrow(codec.encoder(Texts)(JSON.parse('{"__proto__":"x","a":"b"}')))
  assert.strictEqual(JSON.stringify(encoded.value), '{"__proto__":"x","a":"b"}')
})

it("every kind of node has a step", () => {
  const tags: ReadonlyArray<SchemaAST.AST["_tag"]> = Object.keys(compilers) as never
  assert.strictEqual(tags.length, 22)
})
