/**
 * One definition of each field gives two schemas. The schema of a *request* checks every limit of the API. The schema of a
 * *response* checks types only, because a response outside a limit is still the response.
 *
 * A model is a record of fields with TypeScript names. The names on the wire are the same in snake_case.
 */
import type { LazyArbitrary } from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { ExpectedId, says } from "./explain.js"

/** A field, with the syntax trees of its two schemas. */
export interface Field<in out A> {
  readonly sent: AST.AST
  readonly read: AST.AST
  /** The expectation in error messages. */
  readonly expected: string
  /** The JSON Schema of the API's description; absent for a model, which is described under its own name. */
  readonly json: Json | undefined
  readonly description?: string
  readonly _A?: (_: A) => A
}

interface Json {
  readonly type: string
  readonly [_: string]: unknown
}

interface Property<in out A, in out Presence> {
  readonly field: Field<A>
  readonly optional: boolean
  readonly nullable: boolean
  readonly _Presence?: (_: Presence) => Presence
}

type PropertyOf<T> = null extends T
  ? Property<Exclude<T, null | undefined>, "nullish">
  : undefined extends T
    ? Property<Exclude<T, undefined>, "optional">
    : Property<T, "required">

/** A required property. */
export const required = <A>(field: Field<A>): Property<A, "required"> => ({ field, optional: false, nullable: false })

/** An optional property. */
export const optional = <A>(field: Field<A>): Property<A, "optional"> => ({ field, optional: true, nullable: false })

/** An optional property that may be `null` in a request. */
export const nullish = <A>(field: Field<A>): Property<A, "nullish"> => ({ field, optional: true, nullable: true })

/** The wire type of a field. */
export type Wire<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends Redacted.Redacted<infer A>
    ? A
    : T extends ReadonlyArray<infer Item>
      ? ReadonlyArray<Wire<Item>>
      : T extends object
        ? { readonly [K in keyof T as K extends string ? Snake<K> : K]: Wire<T[K]> }
        : T

type Snake<K extends string> = string extends K
  ? K
  : K extends `${infer First}${infer Rest}`
    ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Rest>}`
    : K

/** The response type of a `T`: nothing is `null`, and a set of strings is open to new values. */
export type Answered<T> = T extends null | undefined
  ? never
  : T extends string
    ? string extends T
      ? T
      : T | (string & {})
    : T extends ReadonlyArray<infer Item>
      ? ReadonlyArray<Answered<Item>>
      : T extends object
        ? { readonly [K in keyof T]: Answered<T[K]> }
        : T

/** The schema of a part of a request, with its limits. */
export interface Model<in out A, in out I> extends Schema.Schema<A, I> {
  /** Checks and returns the value. Throws a `ParseError` that never quotes it. */
  readonly make: (value: A, options?: Schema.MakeOptions) => A
}

export const model = <A, I>(ast: AST.AST): Model<A, I> => {
  const schema = Schema.make<A, I>(ast)
  return Object.assign(schema, {
    make: (value: A, options?: Schema.MakeOptions): A =>
      (Predicate.isBoolean(options) ? options : options?.disableValidation === true)
        ? value
        : ParseResult.validateSync(schema)(value)
  })
}

/** The annotations of {@link says} for a syntax tree. */
const expecting = (expected: string): AST.Annotations => ({
  [AST.MessageAnnotationId]: says(expected).message,
  [ExpectedId]: expected
})

/**
 * A struct with renamed keys is a transformation between two more structs. Their own messages would quote the value, so
 * all three get a message with the expectation.
 */
export const silent = (ast: AST.AST, expected: string): AST.AST =>
  AST.isTransformation(ast)
    ? new AST.Transformation(
        AST.annotations(ast.from, expecting(expected)),
        AST.annotations(ast.to, expecting(expected)),
        ast.transformation,
        { ...ast.annotations, ...expecting(expected) }
      )
    : ast

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The API's description of a field, and an example value. */
type About = readonly [description: string, example?: unknown]

const jsonOf = (type: string, rules: object, [description, example]: About): Json => ({
  type,
  ...rules,
  description,
  ...(example === undefined ? {} : { examples: [example] })
})

const field = <A>(base: Schema.Schema<A>, sent: Schema.Schema<A>, expected: string, json: Json): Field<A> => {
  const annotations = { ...says(expected), jsonSchema: json }
  return { sent: sent.annotations(annotations).ast, read: base.annotations(annotations).ast, expected, json }
}

const limited = <A>(
  base: Schema.Schema<A>,
  keeps: (value: A) => boolean,
  arbitrary: LazyArbitrary<A>,
  expected: string,
  json: Json
): Field<A> =>
  field(
    base,
    base.annotations(says(expected)).pipe(Schema.filter(keeps, { arbitrary: () => arbitrary })),
    expected,
    json
  )

// The API counts code points, JavaScript UTF-16 units.
const lengthOf = (text: string): number => Array.from(text).length

/** A string of `min` to `max` characters. */
export const text = (min: number, max: number | undefined, about: About): Field<string> => {
  const upTo = max ?? Number.POSITIVE_INFINITY
  return limited(
    Schema.String,
    (value) =>
      value.length >= min && (value.length <= upTo || lengthOf(value) <= upTo) && (min < 2 || lengthOf(value) >= min),
    (fc) => fc.string({ minLength: min, ...(max === undefined ? {} : { maxLength: max }) }),
    max === undefined
      ? `a string of at least ${min} character${min === 1 ? "" : "s"}`
      : min === max
        ? `a string of ${min} characters`
        : `a string of ${min} to ${max} characters`,
    jsonOf("string", { minLength: min, ...(max === undefined ? {} : { maxLength: max }) }, about)
  )
}

/** A string of any length. */
export const anyText = (about: About): Field<string> =>
  field(Schema.String, Schema.String, "a string", jsonOf("string", {}, about))

/** A string that matches a pattern. */
export const pattern = (regExp: RegExp, expected: string, about: About, rules?: object): Field<string> =>
  limited(
    Schema.String,
    (value) => regExp.test(value),
    (fc) => fc.stringMatching(regExp),
    expected,
    jsonOf("string", rules ?? { pattern: regExp.source }, about)
  )

const uuidPattern = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/

export const uuid = (about: About): Field<string> => pattern(uuidPattern, "a UUID", about, { format: "uuid" })

export const country = (about: About): Field<string> =>
  pattern(/^[A-Z]{2}$/, "2 capital letters (ISO 3166-1 alpha-2)", about)

export const phoneNumber = (about: About): Field<string> =>
  pattern(/^\+[1-9]\d{1,14}$/, "a phone number with + and country code (E.164)", about)

// RFC 3339, section 5.6: without an offset the instant would depend on the machine's time zone.
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i

/** The milliseconds since 1970 of a date and time with an offset, `NaN` for anything else. */
export const parseInstant = (value: string): number => (rfc3339.test(value) ? Date.parse(value) : Number.NaN)

/** Checks that the day exists: `Date.parse` turns 30 February into March. */
const isDay = (value: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const millis = Date.parse(value)
  return !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(value)
}

/** Times with four-digit years. */
export const anyTime: LazyArbitrary<string> = (fc) =>
  fc
    .date({ min: new Date("1970-01-01T00:00:00Z"), max: new Date("9999-12-31T00:00:00Z"), noInvalidDate: true })
    .map((date) => date.toISOString())

/** A time that stays a string: the offset gives the local time at an airport, and an instant would lose it. */
export const dateTime = (about: About): Field<string> =>
  limited(
    Schema.String,
    (value) => isDay(value.slice(0, 10)) && !Number.isNaN(parseInstant(value)),
    anyTime,
    "a date and time with an offset (RFC 3339)",
    jsonOf("string", { format: "date-time" }, about)
  )

export const date = (about: About): Field<string> =>
  limited(
    Schema.String,
    isDay,
    (fc) => anyTime(fc).map((time) => time.slice(0, 10)),
    "a date as YYYY-MM-DD",
    jsonOf("string", { format: "date" }, about)
  )

/** The API's largest amount and quantity. */
const largest = 99_999_999

// JSON has no infinite numbers.
const finite = Schema.Number.annotations({ arbitrary: () => (fc) => fc.integer() })

const wholeNumber = (minimum: number, unit: string, about: About): Field<number> =>
  limited(
    finite,
    (value) => Number.isInteger(value) && value >= minimum && value <= largest,
    (fc) => fc.integer({ min: minimum, max: largest }),
    `an integer from ${minimum} to ${largest}${unit}`,
    jsonOf("integer", { minimum, maximum: largest }, about)
  )

/** An amount in the smallest unit of its currency. */
export const amount = (about: About): Field<number> =>
  wholeNumber(0, ", in the currency's smallest unit (1299 is 12.99 USD)", about)

export const quantity = (about: About): Field<number> => wholeNumber(1, "", about)

export const flag = (about: About): Field<boolean> =>
  field(Schema.Boolean, Schema.Boolean, "true or false", jsonOf("boolean", {}, about))

/** One of a few strings in a request, any string in a response. */
export const oneOf = <const A extends string>(values: readonly [A, ...ReadonlyArray<A>], about: About): Field<A> => {
  const expected = values.length > 12 ? "one of the kinds the API knows" : values.map((_) => `"${_}"`).join(" or ")
  const said = says(expected)
  const annotations = {
    ...said,
    // Without `override`, Effect shows the messages of the members, which quote the value.
    message: () => ({ message: said.message(), override: true }),
    jsonSchema: jsonOf("string", { enum: values }, about)
  }
  return {
    sent: Schema.Literal(...values).annotations(annotations).ast,
    read: Schema.String.annotations(annotations).ast,
    expected,
    json: annotations.jsonSchema
  }
}

/** The string that distinguishes the members of a union. */
export const tag = <const A extends string>(value: A, about: About): Field<A> => oneOf([value], about)

/** Strings with keys of the user's choice. They pass unchanged, so that no key is renamed or lost. */
export const texts = (about: About): Field<Readonly<Record<string, string>>> => {
  const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
    Predicate.isRecord(value) && Object.values(value).every(Predicate.isString)
  const schema = Schema.declare(isTexts, {
    arbitrary: () => (fc) => fc.dictionary(fc.string(), fc.string(), { maxKeys: 5 })
  })
  return field(
    schema,
    schema,
    "an object of strings",
    jsonOf("object", { additionalProperties: { type: "string" } }, about)
  )
}

/** A secret string: `Redacted` in TypeScript. */
export const secret = (regExp: RegExp, expected: string, about: About): Field<Redacted.Redacted<string>> => {
  const [description] = about
  const json = jsonOf("string", { pattern: regExp.source }, about)
  const { ast } = Schema.transform(
    Schema.String.annotations({
      ...says(expected),
      jsonSchema: json,
      arbitrary: () => (fc) => fc.stringMatching(regExp)
    }),
    Schema.RedactedFromSelf(Schema.String.annotations(says(expected)))
      .annotations({ ...says(`a Redacted of ${expected}`), description })
      .pipe(
        Schema.filter((redacted) => regExp.test(Redacted.value(redacted)), {
          ...says(expected),
          description,
          arbitrary: () => (fc) => fc.stringMatching(regExp).map((value) => Redacted.make(value))
        })
      ),
    { strict: true, decode: (value) => Redacted.make(value), encode: Redacted.value }
  )
  return { sent: ast, read: ast, expected, json }
}

/** A duration, in whole seconds on the wire. */
export const seconds = (
  minimum: number,
  maximum: number,
  expected: string,
  about: About
): Field<Duration.DurationInput> => {
  const isWithin = (value: unknown): value is Duration.DurationInput =>
    Option.exists(Duration.decodeUnknown(value), (duration) => {
      const given = Duration.toSeconds(duration)
      return given >= minimum && given <= maximum
    })
  const onTheWire = `${minimum} to ${maximum} seconds`
  const json = jsonOf("number", { minimum, maximum }, about)
  const { ast } = Schema.transform(
    Schema.Number.annotations(says(onTheWire)).pipe(
      Schema.filter((value) => value >= minimum && value <= maximum, { ...says(onTheWire), jsonSchema: json })
    ),
    Schema.declare(isWithin, {
      ...says(expected),
      arbitrary: () => (fc) => fc.integer({ min: minimum, max: maximum }).map(Duration.seconds)
    }),
    {
      strict: true,
      decode: (value) => Duration.seconds(value),
      encode: (duration) => Math.floor(Duration.toSeconds(duration))
    }
  )
  return { sent: ast, read: ast, expected, json }
}

/** A list of up to `max` values. */
export const list = <A>(item: Field<A>, about: About, max?: number): Field<ReadonlyArray<A>> => {
  const expected = max === undefined ? "a list" : `a list of up to ${max}`
  const [description] = about
  const of = (ast: AST.AST) => Schema.Array(Schema.make<A>(ast)).annotations({ ...says(expected), description })
  const sent = of(item.sent)
  return {
    sent: max === undefined ? sent.ast : sent.pipe(Schema.maxItems(max, says(expected))).ast,
    read: of(item.read).ast,
    expected,
    json: undefined,
    description
  }
}

/** A record of fields under a name of its own. Everything is built when it is first used, so that an import stays cheap. */
export const object = <T extends object>(
  identifier: string,
  description: string,
  properties: () => { readonly [K in keyof T]-?: PropertyOf<T[K]> }
): Field<T> => {
  const entries = () => Object.entries<Property<unknown, never>>(properties() as never)
  const side = (isSent: boolean): AST.AST =>
    new AST.Suspend(() => renamed(entries(), isSent, { identifier, description }), {
      [AST.IdentifierAnnotationId]: identifier
    })
  return { sent: side(true), read: side(false), expected: "an object", json: undefined, description }
}

/** A model with a rule over several fields, which the type `B` expresses. */
export const kept = <A extends object, B extends A>(
  { description, sent }: Field<A>,
  keeps: (value: A) => boolean,
  expected: string
): Field<B> => {
  const ast = new AST.Suspend(
    () =>
      Schema.make<A>(eager(sent)).pipe(
        Schema.filter(keeps, {
          ...says(expected),
          ...Option.match(AST.getIdentifierAnnotation(sent), {
            onNone: () => ({}),
            onSome: (identifier) => ({ identifier })
          })
        })
      ).ast,
    sent.annotations
  )
  return { sent: ast, read: ast, expected, json: undefined, ...(description === undefined ? {} : { description }) }
}

/** One of several models, distinguished by a {@link tag}. */
export const byTag = <A extends object>(
  members: ReadonlyArray<{ readonly sent: AST.AST }>,
  expected: string,
  description: string
): Field<A> => {
  const { message } = says(expected)
  const union = () => {
    // A union finds its members by their tags only if they are not suspended.
    const types = members.map(({ sent }) => eager(sent))
    return AST.annotations(AST.Union.make(types), {
      ...expecting(expected),
      [AST.DescriptionAnnotationId]: description,
      // A union's own message quotes an unknown tag; the messages of its members are ours.
      [AST.MessageAnnotationId]: (issue: ParseResult.ParseIssue) => ({
        message: message(),
        override:
          issue._tag === "Composite" &&
          [issue.issues].flat().some((member) => member._tag === "Composite" && !AST.isTransformation(member.ast))
      })
    })
  }
  return {
    get sent() {
      return union()
    },
    get read() {
      return union()
    },
    expected,
    json: undefined,
    description
  }
}

const eager = (ast: AST.AST): AST.AST => (AST.isSuspend(ast) ? ast.f() : ast)

const renamed = (
  properties: ReadonlyArray<readonly [name: string, Property<unknown, never>]>,
  isSent: boolean,
  annotations: { readonly identifier: string; readonly description: string }
): AST.AST => {
  const from: Array<AST.PropertySignature> = []
  const to: Array<AST.PropertySignature> = []
  const renames: Array<AST.PropertySignatureTransformation> = []
  for (const [name, property] of properties) {
    const { field, optional } = property
    const ast = isSent ? field.sent : field.read
    const [given, kept] = isSent
      ? [property.nullable ? orNull(field, ast) : ast, isNotUndefined]
      : [optional ? orNull(field, ast) : ast, Predicate.isNotNullable]
    const type = AST.typeAST(ast)
    from.push(new AST.PropertySignature(snake(name), given, optional, true))
    to.push(new AST.PropertySignature(name, isSent && optional ? orAbsent(property, type) : type, optional, true))
    if (optional || snake(name) !== name) {
      renames.push(
        new AST.PropertySignatureTransformation(snake(name), name, Option.filter(kept), Option.filter(isNotUndefined))
      )
    }
  }
  return new AST.Transformation(
    new AST.TypeLiteral(from, [], expecting("an object")),
    new AST.TypeLiteral(to, [], expecting("an object")),
    new AST.TypeLiteralTransformation(renames),
    {
      ...expecting("an object"),
      [AST.IdentifierAnnotationId]: annotations.identifier,
      [AST.DescriptionAnnotationId]: annotations.description
    }
  )
}

const isNotUndefined = (value: unknown): boolean => value !== undefined

/** The field or `null`. */
const orNull = (field: Described, ast: AST.AST): AST.AST =>
  either(
    field,
    `${field.expected} or null`,
    [ast, AST.null],
    field.json === undefined ? undefined : nullable(field.json)
  )

/** The field, `null` if allowed, or `undefined`, which TypeScript permits for an optional property. */
const orAbsent = (
  { field, nullable }: { readonly field: Described; readonly nullable: boolean },
  ast: AST.AST
): AST.AST =>
  nullable
    ? either(field, `${field.expected} or null`, [ast, AST.null, AST.undefinedKeyword])
    : either(field, field.expected, [ast, AST.undefinedKeyword])

type Described = Pick<Field<never>, "expected" | "json" | "description">

/** A scalar has one message for all problems; inside an object or a list each problem has its own. */
const either = (
  { description, json }: Described,
  expected: string,
  [ast, ...others]: readonly [AST.AST, ...ReadonlyArray<AST.AST>],
  documented?: object
): AST.AST => {
  const { message } = says(expected)
  return AST.annotations(AST.Union.make([ast, ...others.map((other) => AST.annotations(other, expecting(expected)))]), {
    ...expecting(expected),
    ...(json === undefined ? {} : { [AST.MessageAnnotationId]: () => ({ message: message(), override: true }) }),
    ...(documented === undefined ? {} : { [AST.JSONSchemaAnnotationId]: documented }),
    ...(description === undefined ? {} : { [AST.DescriptionAnnotationId]: description })
  })
}

const nullable = (json: Json): object => ({
  ...json,
  type: [json.type, "null"],
  ...(Array.isArray(json["enum"]) ? { enum: [...json["enum"], null] } : {})
})

/** A property of a response for a `Schema.Class`: `null` becomes absent. */
export const answered = <A, Presence, Key extends string>(
  { field }: Property<A, Presence>,
  key: Key
): Schema.PropertySignature<"?:", Answered<A>, Key, "?:", Wire<A> | null, false, never> =>
  Schema.makePropertySignature(
    new Schema.PropertySignatureTransformation(
      new Schema.FromPropertySignature(orNull(field, field.read), true, true, {}, key),
      new Schema.ToPropertySignature(AST.typeAST(field.read), true, true, {}, undefined),
      Option.filter(Predicate.isNotNullable),
      Option.filter(isNotUndefined)
    )
  )
