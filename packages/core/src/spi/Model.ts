/**
 * The parts that models are made of. A model is a struct of `effect/Schema` with TypeScript names, declared once;
 * {@link request} and {@link response} make its two schemas. Generated sources use this module, and it has no semantic
 * versioning.
 *
 * @since 0.1.0
 */
import type { LazyArbitrary } from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { nullIsAbsent, undefinedIsAbsent } from "../internal/codec/struct.js"
import { says } from "../internal/explain.js"
import { anyTime, isDay, parseInstant } from "../internal/instant.js"
import { ReadId, relaxed } from "../internal/schema/relaxed.js"
import { orNull } from "../internal/schema/rewrite.js"
import { silent } from "../internal/schema/silent.js"
import { GivenId, snake, WireNameId, wireNames } from "../internal/schema/wireNames.js"

export { nullIsAbsent, relaxed, silent, snake, undefinedIsAbsent, wireNames }

/**
 * The schema of a part of a request or a response.
 *
 * @since 0.1.0
 * @category models
 */
export interface Model<in out A, in out I> extends Schema.Schema<A, I> {
  /** Checks and returns the value. Throws a `ParseError` that never quotes it. */
  readonly make: (value: A, options?: Schema.MakeOptions) => A
}

/**
 * The wire type of a model: names in snake_case, secrets as strings, times as strings, durations as seconds.
 *
 * @since 0.1.0
 * @category models
 */
export type Wire<T> = unknown extends T
  ? T
  : [Duration.DurationInput] extends [T]
    ? number | Extract<T, null | undefined>
    : T extends string | number | boolean | null | undefined
      ? T
      : T extends Redacted.Redacted<infer A>
        ? A
        : T extends DateTime.Utc
          ? string
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

/**
 * A schema with the names of TypeScript on both sides.
 *
 * @since 0.1.0
 * @category models
 */
export type Field = Schema.Schema.AnyNoContext

/**
 * The schema of a request: wire names, every limit, messages without values.
 *
 * @since 0.1.0
 * @category schemas
 */
export const request = <A, I = Wire<A>>(declared: Field): Model<A, I> => model(silent(wireNames(declared.ast)))

/**
 * The schema of a response: wire names, types only, messages without values.
 *
 * @since 0.1.0
 * @category schemas
 */
export const response = <A, I = Wire<A>>(declared: Field): Model<A, I> =>
  model(silent(wireNames(relaxed(declared.ast))))

const model = <A, I>(ast: AST.AST): Model<A, I> => {
  const schema = Schema.make<A, I>(ast)
  return Object.assign(schema, {
    make: (value: A, options?: Schema.MakeOptions): A =>
      (Predicate.isBoolean(options) ? options : options?.disableValidation === true)
        ? value
        : ParseResult.validateSync(schema)(value)
  })
}

/**
 * A property of a response for a `Schema.Class`: the parts of {@link response} for one property.
 *
 * @since 0.1.0
 * @category schemas
 */
export const answered = <A, Key extends string>(
  declared: Field,
  key: Key
): Schema.PropertySignature<"?:", A, Key, "?:", Wire<A> | null, false, never> => {
  const read = silent(wireNames(relaxed(declared.ast)))
  return Schema.makePropertySignature(
    new Schema.PropertySignatureTransformation(
      new Schema.FromPropertySignature(silent(orNull(read)), true, true, {}, key),
      new Schema.ToPropertySignature(AST.typeAST(read), true, true, {}, undefined),
      nullIsAbsent,
      undefinedIsAbsent
    )
  )
}

/**
 * A struct under a name of its own; `keyof T` names its fields. Its parts are built when they are first used, so that an
 * import stays cheap.
 *
 * @since 0.1.0
 * @category constructors
 */
export const object = <T extends object>(
  identifier: string,
  description: string,
  fields: () => { readonly [K in keyof T]-?: Schema.Struct.Fields[string] }
): Field => {
  const annotations = { identifier, description, ...says("an object") }
  return Schema.suspend(() => Schema.make(Schema.Struct(fields()).annotations(annotations).ast)).annotations(
    annotations
  )
}

/**
 * An optional property.
 *
 * @since 0.1.0
 * @category constructors
 */
export const optional = (field: Field): Schema.Struct.Fields[string] =>
  Schema.optionalWith(Schema.make(field.ast), { exact: true })

/**
 * An optional property that may be `null` in a request.
 *
 * @since 0.1.0
 * @category constructors
 */
export const nullish = (field: Field): Schema.Struct.Fields[string] => optional(nullable(field))

/**
 * A property whose name on the wire is not the snake_case of its own, e.g. `adyen-card`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const named = (wire: string, property: Schema.Struct.Fields[string]): Schema.Struct.Fields[string] =>
  signatureOf(property).annotations({ [WireNameId]: wire })

/**
 * An optional property that is left out, or has a value: `undefined` is refused, because the API takes the absence for
 * something else than an accident.
 *
 * @since 0.1.0
 * @category constructors
 */
export const given = (property: Schema.Struct.Fields[string]): Schema.Struct.Fields[string] =>
  signatureOf(property).annotations({ [GivenId]: true })

const signatureOf = (property: Schema.Struct.Fields[string]) =>
  Schema.isPropertySignature(property) ? property : Schema.propertySignature(Schema.make(property.ast))

/**
 * A value or `null`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const nullable = (field: Field): Field => Schema.make(orNull(field.ast))

/** The description of a field, and an example value. */
type About = readonly [description?: string, example?: unknown]

const jsonOf = (type: string, rules: object, [description, example]: About) => ({
  jsonSchema: { type, ...rules, ...described(description), ...(example === undefined ? {} : { examples: [example] }) }
})

const described = (description: string | undefined) => (description === undefined ? {} : { description })

const limited = <A>(
  base: Schema.Schema<A>,
  keeps: (value: A) => boolean,
  arbitrary: LazyArbitrary<A>,
  expected: string,
  json: { readonly jsonSchema: object }
): Field =>
  base
    .annotations(says(expected))
    .pipe(Schema.filter(keeps, { arbitrary: () => arbitrary }), Schema.annotations({ ...says(expected), ...json }))

// The API counts code points, JavaScript UTF-16 units.
const lengthOf = (text: string): number => Array.from(text).length

/**
 * A string of `min` to `max` characters.
 *
 * @since 0.1.0
 * @category fields
 */
export const text = (min: number, max: number | undefined, ...about: About): Field => {
  const upTo = max ?? Number.POSITIVE_INFINITY
  const length = { minLength: min, ...(max === undefined ? {} : { maxLength: max }) }
  return limited(
    Schema.String,
    (value) =>
      value.length >= min && (value.length <= upTo || lengthOf(value) <= upTo) && (min < 2 || lengthOf(value) >= min),
    (fc) => fc.string(length),
    max === undefined
      ? `a string of at least ${min} character${min === 1 ? "" : "s"}`
      : min === max
        ? `a string of ${min} characters`
        : `a string of ${min} to ${max} characters`,
    jsonOf("string", length, about)
  )
}

/**
 * A string of any length.
 *
 * @since 0.1.0
 * @category fields
 */
export const anyText = (...about: About): Field => Schema.String.annotations(jsonOf("string", {}, about))

/**
 * A string that matches a pattern.
 *
 * @since 0.1.0
 * @category fields
 */
export const pattern = (regExp: RegExp, expected: string, ...about: About): Field =>
  matching(regExp, expected, jsonOf("string", { pattern: sourceOf(regExp) }, about))

const matching = (regExp: RegExp, expected: string, json: { readonly jsonSchema: object }): Field =>
  limited(
    Schema.String,
    (value) => regExp.test(value),
    (fc) => fc.stringMatching(regExp),
    expected,
    json
  )

// A regular expression escapes a slash, which no other notation needs.
const sourceOf = (regExp: RegExp): string => regExp.source.replaceAll("\\/", "/")

const uuidPattern = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/

/**
 * @since 0.1.0
 * @category fields
 */
export const uuid = (...about: About): Field =>
  matching(uuidPattern, "a UUID", jsonOf("string", { format: "uuid" }, about))

const anInstant = "a date and time with an offset (RFC 3339)"

/**
 * A time that stays a string: the offset gives the local time at an airport, and an instant would lose it.
 *
 * @since 0.1.0
 * @category fields
 */
export const localTime = (...about: About): Field =>
  limited(
    Schema.String,
    (value) => isDay(value.slice(0, 10)) && !Number.isNaN(parseInstant(value)),
    anyTime,
    anInstant,
    jsonOf("string", { format: "date-time" }, about)
  )

/**
 * A time: `DateTime.Utc` in TypeScript.
 *
 * @since 0.1.0
 * @category fields
 */
export const instant = (...about: About): Schema.Schema<DateTime.Utc, string> =>
  Schema.transformOrFail(
    Schema.String.annotations({ ...says(anInstant), ...jsonOf("string", { format: "date-time" }, about) }),
    Schema.DateTimeUtcFromSelf.annotations({
      ...says("a DateTime.Utc"),
      ...described(about[0]),
      // RFC 3339 writes years of four digits.
      arbitrary: () => (fc) => anyTime(fc).map((time) => DateTime.unsafeMake(time))
    }),
    {
      strict: true,
      decode: (time, _, ast) => {
        const millis = parseInstant(time)
        return Number.isNaN(millis)
          ? ParseResult.fail(new ParseResult.Type(ast, time))
          : ParseResult.succeed(DateTime.unsafeMake(millis))
      },
      encode: (time) => ParseResult.succeed(DateTime.formatIso(time))
    }
  ).annotations(says(anInstant))

/**
 * A date as a string, `YYYY-MM-DD`.
 *
 * @since 0.1.0
 * @category fields
 */
export const date = (...about: About): Field =>
  limited(
    Schema.String,
    isDay,
    (fc) => anyTime(fc).map((time) => time.slice(0, 10)),
    "a date as YYYY-MM-DD",
    jsonOf("string", { format: "date" }, about)
  )

// JSON has no infinite numbers.
const finite = Schema.Number.annotations({ arbitrary: () => (fc) => fc.integer() })

/**
 * An integer; `unit` ends the expectation.
 *
 * @since 0.1.0
 * @category fields
 */
export const integer = (minimum: number, maximum: number, unit: string, ...about: About): Field =>
  limited(
    finite,
    (value) => Number.isInteger(value) && value >= minimum && value <= maximum,
    (fc) => fc.integer({ min: minimum, max: maximum }),
    `an integer from ${minimum} to ${maximum}${unit}`,
    jsonOf("integer", { minimum, maximum }, about)
  )

/**
 * An integer without limits of the API's.
 *
 * @since 0.1.0
 * @category fields
 */
export const whole = (...about: About): Field =>
  limited(finite, Number.isSafeInteger, (fc) => fc.integer(), "an integer", jsonOf("integer", {}, about))

/**
 * Any number.
 *
 * @since 0.1.0
 * @category fields
 */
export const number = (...about: About): Field =>
  limited(finite, Number.isFinite, (fc) => fc.integer(), "a number", jsonOf("number", {}, about))

/**
 * An amount from 0 to 99,999,999 in the smallest unit of its currency.
 *
 * @since 0.1.0
 * @category fields
 */
export const amount = (...about: About): Field =>
  integer(0, 99_999_999, ", in the currency's smallest unit (1299 is 12.99 USD)", ...about)

/**
 * @since 0.1.0
 * @category fields
 */
export const flag = (...about: About): Field => Schema.Boolean.annotations(jsonOf("boolean", {}, about))

/**
 * One of a few strings in a request, any string in a response.
 *
 * @since 0.1.0
 * @category fields
 */
export const oneOf = (values: readonly [string, ...ReadonlyArray<string>], ...about: About): Field =>
  Schema.Literal(...values).annotations(jsonOf("string", { enum: values }, about))

/**
 * One string, in a response as well.
 *
 * @since 0.1.0
 * @category fields
 */
export const exactly = <const Value extends string>(value: Value, description: string): Schema.Schema<Value> =>
  Schema.Literal(value).annotations({ ...says(JSON.stringify(value)), description })

/**
 * Strings with keys of the user's choice. They pass unchanged, so that no key is renamed or lost.
 *
 * @since 0.1.0
 * @category fields
 */
export const texts = (...about: About): Field => {
  const json = jsonOf("object", { additionalProperties: { type: "string" } }, about)
  const strings = guard(
    isRecordOf(Predicate.isString),
    (fc) => fc.dictionary(fc.string(), fc.string(), { maxKeys: 5 }),
    "an object of strings",
    json
  )
  const orNulls = guard(
    isRecordOf((value) => value === null || Predicate.isString(value)),
    (fc) => fc.dictionary(fc.string(), fc.option(fc.string()), { maxKeys: 5 }),
    "an object of strings",
    json
  )
  return readAs(strings, () => Schema.transform(orNulls, strings, withoutNulls))
}

const isRecordOf =
  (is: (value: unknown) => boolean) =>
  (value: unknown): value is Readonly<Record<string, unknown>> =>
    Predicate.isRecord(value) && Object.values(value).every(is)

/** In a response a `null` is an absent key. */
const withoutNulls = {
  strict: true,
  decode: (record: Readonly<Record<string, unknown>>) =>
    Object.values(record).includes(null)
      ? Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null))
      : record,
  encode: (record: Readonly<Record<string, unknown>>) => record
} as const

/** Says what a part is in a response, where that is more than its limits off. */
const readAs = (field: Field, read: () => Field): Field =>
  Schema.make(AST.annotations(field.ast, { [ReadId]: () => read().ast }))

/**
 * Values with keys of the user's choice, which pass unchanged.
 *
 * @since 0.1.0
 * @category fields
 */
export const record = (item: Field, ...about: About): Field => recordWith(Schema.String, item, about)

/**
 * Values whose keys are of a set; in a response of any.
 *
 * @since 0.1.0
 * @category fields
 */
export const recordBy = (keys: readonly [string, ...ReadonlyArray<string>], item: Field, ...about: About): Field => {
  const known = new Set(keys)
  const key = limited(
    Schema.String,
    (name) => known.has(name),
    (fc) => fc.constantFrom(...keys),
    "a known key",
    {
      jsonSchema: { type: "string", enum: keys }
    }
  )
  return recordWith(Schema.make<string>(key.ast), item, about)
}

const recordWith = (key: Schema.Schema<string>, item: Field, [description]: About): Field => {
  const of = (keys: Schema.Schema<string>, value: AST.AST): Schema.Schema<Readonly<Record<string, unknown>>> =>
    Schema.make(
      Schema.Record({ key: keys, value: Schema.make<unknown>(value) }).annotations({
        ...says("an object"),
        ...described(description)
      }).ast
    )
  return readAs(of(key, item.ast), () => {
    const read = relaxed(item.ast)
    return Schema.transform(of(Schema.String, orNull(read)), of(Schema.String, AST.typeAST(read)), withoutNulls)
  })
}

/**
 * An object whose properties the API does not describe. It passes unchanged.
 *
 * @since 0.1.0
 * @category fields
 */
export const free = (...about: About): Field =>
  guard(
    isRecordOf(() => true),
    (fc) => fc.dictionary(fc.string(), fc.string(), { maxKeys: 5 }),
    "an object",
    jsonOf("object", { additionalProperties: true }, about)
  )

/**
 * A JSON value that the API does not describe.
 *
 * @since 0.1.0
 * @category fields
 */
export const anything = (...about: About): Field =>
  Schema.Unknown.annotations({ ...says("a JSON value"), ...described(about[0]) })

// A refinement of `unknown` rather than a declaration, because a refinement is one function.
const guard = <A>(
  is: (value: unknown) => value is A,
  arbitrary: LazyArbitrary<A>,
  expected: string,
  annotations: object
): Schema.Schema<A> =>
  Schema.make(
    // `Schema.Unknown` has a title, which a description would show.
    Schema.make<unknown>(new AST.UnknownKeyword()).pipe(
      Schema.filter(is, { arbitrary: () => arbitrary, ...says(expected), ...annotations })
    ).ast
  )

/**
 * A secret string: `Redacted` in TypeScript.
 *
 * @since 0.1.0
 * @category fields
 */
export const secret = (regExp: RegExp, expected: string, ...about: About): Field => {
  const arbitrary: LazyArbitrary<string> = (fc) => fc.stringMatching(regExp)
  const annotations = { ...says(expected), ...jsonOf("string", { pattern: sourceOf(regExp) }, about) }
  return Schema.transform(
    Schema.String.annotations({ ...annotations, arbitrary: () => arbitrary }),
    Schema.RedactedFromSelf(Schema.String.annotations(says(expected)))
      .annotations({ ...says(`a Redacted of ${expected}`), ...described(about[0]) })
      .pipe(
        Schema.filter((redacted) => regExp.test(Redacted.value(redacted)), {
          ...says(expected),
          ...described(about[0]),
          arbitrary: () => (fc) => arbitrary(fc).map((value) => Redacted.make(value))
        })
      ),
    { strict: true, decode: (value) => Redacted.make(value), encode: Redacted.value }
  ).annotations(annotations)
}

/**
 * A secret string of `min` to `max` characters: `Redacted` in TypeScript.
 *
 * @since 0.1.0
 * @category fields
 */
export const secretText = (min: number, max?: number, ...about: About): Field =>
  secret(
    new RegExp(`^[\\s\\S]{${min},${max ?? ""}}$`, "u"),
    max === undefined
      ? min === 0
        ? "a string"
        : "a string that is not empty"
      : `a string of ${min} to ${max} characters`,
    ...about
  )

/**
 * A secret object, or a secret string that may also be an object: `Redacted` in TypeScript. It passes unchanged.
 *
 * @since 0.1.0
 * @category fields
 */
export const secretValue = (kinds: "object" | "string or object", ...about: About): Field => {
  const expected = kinds === "object" ? "an object" : "a string or an object"
  const value = guard(
    (given): given is unknown => Predicate.isRecord(given) || (kinds !== "object" && Predicate.isString(given)),
    (fc) => fc.dictionary(fc.string(), fc.string(), { minKeys: 1, maxKeys: 5 }),
    expected,
    kinds === "object" ? jsonOf("object", { additionalProperties: true }, about) : { ...described(about[0]) }
  )
  return Schema.transform(
    value,
    Schema.RedactedFromSelf(value).annotations({ ...says(`a Redacted of ${expected}`), ...described(about[0]) }),
    { strict: true, decode: (given) => Redacted.make(given), encode: Redacted.value }
  ).annotations(says(expected))
}

/**
 * A number, `true` or `false` in a query, where it is a string.
 *
 * @since 0.1.0
 * @category fields
 */
export const written = (field: Field): Field =>
  Schema.transformOrFail(Schema.String, Schema.make<unknown>(AST.typeAST(field.ast)), {
    strict: true,
    decode: (text, _, ast) =>
      text === "true" || text === "false"
        ? ParseResult.succeed(text === "true")
        : text.trim() === "" || Number.isNaN(Number(text))
          ? ParseResult.fail(new ParseResult.Type(ast, text))
          : ParseResult.succeed(Number(text)),
    encode: (value) => ParseResult.succeed(String(value))
  })

/**
 * A duration, in whole seconds on the wire; `example` ends the expectation.
 *
 * @since 0.1.0
 * @category fields
 */
export const seconds = (minimum: number, maximum: number, expected: string, ...about: About): Field => {
  const isWithin = (value: unknown): value is Duration.DurationInput =>
    Option.exists(Duration.decodeUnknown(value), (duration) => {
      const given = Duration.toSeconds(duration)
      return given >= minimum && given <= maximum
    })
  const onTheWire = `${minimum} to ${maximum} seconds`
  const json = jsonOf("number", { minimum, maximum }, about)
  return Schema.transform(
    Schema.Number.annotations(says(onTheWire)).pipe(
      Schema.filter((value) => value >= minimum && value <= maximum, { ...says(onTheWire), ...json })
    ),
    guard(isWithin, (fc) => fc.integer({ min: minimum, max: maximum }).map(Duration.seconds), expected, {}),
    {
      strict: true,
      decode: (value) => Duration.seconds(value),
      encode: (duration) => Math.floor(Duration.toSeconds(duration))
    }
  )
}

/**
 * A list of up to `max` values; of at least `min`, each once if it is `unique`.
 *
 * @since 0.1.0
 * @category fields
 */
export const list = (
  item: Field,
  max?: number,
  description?: string,
  { min = 0, unique = false }: { readonly min?: number; readonly unique?: boolean } = {}
): Field => {
  const expected = `a list${
    max === undefined
      ? min === 0
        ? ""
        : ` of at least ${min}`
      : min === 0
        ? ` of up to ${max}`
        : ` of ${min} to ${max}`
  }${unique ? ", each once" : ""}`
  const annotations = { ...says(expected), ...described(description) }
  const all = Schema.Array(Schema.make<unknown>(item.ast)).annotations(annotations)
  const few = max === undefined ? all : all.pipe(Schema.maxItems(max, annotations))
  const some = min === 0 ? few : few.pipe(Schema.minItems(min, annotations))
  return unique
    ? some.pipe(
        Schema.filter((items) => new Set(items).size === items.length, {
          ...annotations,
          jsonSchema: { uniqueItems: true }
        })
      )
    : some
}

/**
 * A model with a rule over several fields.
 *
 * @since 0.1.0
 * @category constructors
 */
export const kept = <A>(declared: Field, keeps: (value: A) => boolean, expected: string): Field => {
  const annotations = Option.match(AST.getIdentifierAnnotation(declared.ast), {
    onNone: () => says(expected),
    onSome: (identifier) => ({ identifier, ...says(expected) })
  })
  return Schema.suspend(() => Schema.make<A>(eager(declared.ast)).pipe(Schema.filter(keeps, annotations))).annotations({
    ...annotations,
    ...says("an object")
  })
}

/**
 * One of several models, distinguished by a literal.
 *
 * @since 0.1.0
 * @category constructors
 */
export const byTag = (members: ReadonlyArray<Field>, expected: string, description?: string): Field =>
  // A union finds its members by their tags only if they are not suspended.
  Schema.Union(...members.map((member) => Schema.make(eager(member.ast)))).annotations({
    ...says(expected),
    ...described(description)
  })

/**
 * One of several models. In a response, an object that is none of them is read as it is: the API adds kinds.
 *
 * @since 0.1.0
 * @category constructors
 */
export const anyOf = (members: ReadonlyArray<Field>, expected: string, description?: string): Field => {
  const known = byTag(members, expected, description)
  return readAs(known, () =>
    byTag(
      [...members.map((member) => Schema.make(relaxed(eager(member.ast)))), free(description)],
      expected,
      description
    )
  )
}

const eager = (ast: AST.AST): AST.AST => (AST.isSuspend(ast) ? ast.f() : ast)
