/**
 * Structs: the properties of an object, their names in TypeScript and on the wire, and nothing else in the object.
 */
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as AST from "effect/SchemaAST"
import { hiddenContent, inheritsNothing, isObjectPrototype, jsonValue, set } from "./json.js"
import { fits, takesUndefined } from "./sameType.js"
import { type Compile, failed, type Inner, isDecoding, type Mode, run, type Step, type Walk } from "./step.js"

/** An object with named properties, with keys of the user's choice, or both. */
export const struct: Compile<AST.TypeLiteral> = (ast, mode, compile) => {
  if (ast.propertySignatures.length === 0 && ast.indexSignatures.length === 0) {
    return (value, walk) =>
      !Predicate.isNotNullable(value) ? failed : mode === "wire" ? jsonValue(value, walk) : value
  }
  const properties = new Map(
    ast.propertySignatures.map(({ isOptional, name, type }) => [
      name,
      // JSON leaves out what is `undefined`, as the schema allows.
      {
        isOptional,
        keeps: mode === "decode" ? keptBy(type) : undefined,
        omits: mode === "wire" && isOptional && takesUndefined(type),
        step: compile(type, mode)
      }
    ])
  )
  const required = ast.propertySignatures.filter(({ isOptional }) => !isOptional).map(({ name }) => name)
  const keysOf = keysFor(properties.keys(), mode)
  const index = ast.indexSignatures.length === 0 ? undefined : new Index(ast, mode, compile)
  return (value, walk) => {
    if (!Predicate.isRecord(value)) return failed
    const hidden = mode === "decode" ? undefined : hiddenContent(value)
    if (hidden !== undefined) return walk.loses(hidden)
    if (index !== undefined && mode !== "decode" && !inheritsNothing(value)) {
      return walk.loses("a plain object: what a class has as getters would be left out")
    }
    const result: Record<PropertyKey, unknown> = {}
    let missing = required.length
    for (const key of keysOf(value)) {
      const property = properties.get(key)
      if (property === undefined) {
        if (mode === "decode" || index !== undefined) continue
        if (!addUnknown(result, key, value, walk)) return failed
        continue
      }
      const given = value[key]
      const part =
        typeof given === property.keeps || (property.omits && given === undefined) ? given : property.step(given, walk)
      if (part === failed) return walk.failedAt(key)
      if (!property.isOptional) missing--
      result[key] = part
    }
    if (mode !== "decode") {
      const lost = inheritedName(value, properties.keys())
      if (lost !== undefined) return lostAt(lost, walk)
    }
    if (missing > 0) {
      for (const name of required) {
        if (Object.hasOwn(value, name)) continue
        const part = properties.get(name)?.step(undefined, walk)
        if (part === failed) return failed
        result[name] = part
      }
    }
    return index === undefined || index.read(value, result, walk) ? result : failed
  }
}

/** Adds a property that the schema does not have, if the caller asked for that. It may be a secret of a later version. */
const addUnknown = (result: Result, key: PropertyKey, value: Readonly<Record<PropertyKey, unknown>>, walk: Walk) => {
  if (!walk.sendsUnknown || !Predicate.isString(key)) return false
  const given = value[key]
  if (given === undefined) return true
  const part = jsonValue(given, walk)
  if (part === failed) {
    walk.failedAt(key)
    return false
  }
  walk.became(undefined, part)
  walk.unknown++
  set(result, key, part)
  return true
}

/** The properties whose names a schema does not list. */
class Index {
  private readonly names: ReadonlySet<PropertyKey>
  private readonly signatures: ReadonlyArray<{
    readonly isSymbol: boolean
    readonly key: Step
    readonly value: Step
  }>

  constructor(
    { indexSignatures, propertySignatures }: AST.TypeLiteral,
    private readonly mode: Mode,
    compile: Inner
  ) {
    this.names = new Set(propertySignatures.map(({ name }) => name))
    this.signatures = indexSignatures.map(({ parameter, type }) => ({
      isSymbol: isSymbolKey(parameter),
      key: compile(parameter, mode === "wire" ? "encode" : mode),
      value: compile(type, mode)
    }))
  }

  /** Adds them to `result`; returns whether all are as the schema says. */
  read(value: Readonly<Record<PropertyKey, unknown>>, result: Record<PropertyKey, unknown>, walk: Walk): boolean {
    const covered = new Set(this.names)
    for (const { isSymbol, key: accepts, value: step } of this.signatures) {
      for (const key of isSymbol ? Object.getOwnPropertySymbols(value) : Object.keys(value)) {
        if (accepts(key, walk) === failed) continue
        const property = step(value[key], walk)
        if (property === failed) {
          walk.failedAt(key)
          return false
        }
        if (!this.names.has(key)) set(result, key, property)
        covered.add(key)
      }
    }
    return (
      this.mode === "decode" ||
      Reflect.ownKeys(value).every((key) => covered.has(key) || addUnknown(result, key, value, walk))
    )
  }
}

const isSymbolKey = (parameter: AST.Parameter): boolean =>
  AST.isRefinement(parameter) ? isSymbolKey(parameter.from) : AST.isSymbolKeyword(parameter)

/** The own keys of an object. V8 lists all of them ten times slower than names and symbols apart. */
const keysFor = (names: Iterable<PropertyKey>, mode: Mode): ((value: object) => ReadonlyArray<PropertyKey>) => {
  if (Array.from(names).some(Predicate.isSymbol)) return Reflect.ownKeys
  return mode === "decode"
    ? Object.getOwnPropertyNames
    : (value) =>
        (Object.getOwnPropertySymbols(value).length === 0 ? Object.getOwnPropertyNames : Reflect.ownKeys)(value)
}

/** A property that the object's class has: Effect does not look for it, and JSON leaves it out. */
const inheritedName = (value: object, names: Iterable<PropertyKey>): PropertyKey | undefined => {
  const parent: unknown = Object.getPrototypeOf(value)
  if (!isClass(parent)) return undefined
  for (const name of names) {
    if (Object.hasOwn(value, name)) continue
    for (let prototype: unknown = parent; isClass(prototype); prototype = Object.getPrototypeOf(prototype)) {
      if (Object.hasOwn(prototype, name)) return name
    }
  }
  return undefined
}

const isClass = (prototype: unknown): prototype is object =>
  Predicate.isObject(prototype) && !isObjectPrototype(prototype)

const lostAt = (name: PropertyKey, walk: Walk): typeof failed => {
  walk.loses("a property of the object itself: a getter of its class would be left out")
  return walk.failedAt(name)
}

// --- renamed ---------------------------------------------------------------------------------------------------------

/** Keeps `null` out of what was read: the shared transformation of our own models. */
export const nullIsAbsent = Option.filter(Predicate.isNotNullable)

/** Keeps `undefined` out of what is sent: the shared transformation of our own models. */
export const undefinedIsAbsent = Option.filter(Predicate.isNotUndefined)

type Convert = (value: Option.Option<unknown>) => Option.Option<unknown>

/** One property on both sides. */
interface Pair {
  readonly from: AST.PropertySignature
  readonly to: AST.PropertySignature
  readonly decode: Convert
  readonly encode: Convert
}

/** A struct whose properties have other names on the wire, or are optional there. */
export const renamed = (
  ast: AST.Transformation,
  transformation: AST.TypeLiteralTransformation,
  mode: Mode,
  compile: Inner
): Step => {
  const pairs = pairsOf(ast, transformation)
  if (pairs === undefined) return inSteps(ast, transformation, mode, compile)
  return isDecoding(mode) ? decoding(pairs, mode, compile) : encoding(pairs, mode, compile)
}

/** Absent if one property's conversion could see another's. */
const pairsOf = (
  { from, to }: AST.Transformation,
  { propertySignatureTransformations: conversions }: AST.TypeLiteralTransformation
): ReadonlyArray<Pair> | undefined => {
  if (!isPlain(from) || !isPlain(to)) return undefined
  const isApart = conversions.every((one) =>
    conversions.every(
      (other) => one === other || (one.from !== other.from && one.to !== other.to && one.to !== other.from)
    )
  )
  const pairs = from.propertySignatures.flatMap((property) => {
    const conversion = conversions.find((each) => each.from === property.name)
    const name = conversion === undefined ? property.name : conversion.to
    const twin = to.propertySignatures.find((each) => each.name === name)
    return twin === undefined
      ? []
      : [{ from: property, to: twin, decode: conversion?.decode ?? identity, encode: conversion?.encode ?? identity }]
  })
  const isWhole =
    pairs.length === from.propertySignatures.length &&
    pairs.length === to.propertySignatures.length &&
    new Set(pairs.map((pair) => pair.to)).size === pairs.length &&
    conversions.every((each) => pairs.some((pair) => pair.from.name === each.from))
  return isApart && isWhole ? pairs : undefined
}

const isPlain = (ast: AST.AST): ast is AST.TypeLiteral =>
  AST.isTypeLiteral(ast) &&
  ast.propertySignatures.length > 0 &&
  ast.indexSignatures.length === 0 &&
  Option.isNone(AST.getParseOptionsAnnotation(ast)) &&
  Option.isNone(AST.getDecodingFallbackAnnotation(ast))

/** Returns whether a value that the schema accepts needs no check against the type. */
const fitting = (schema: AST.AST, type: AST.AST): ((value: unknown) => boolean) => {
  if (fits(schema, type, "counts")) return () => true
  return fits(schema, type, "aside") ? Predicate.isNotNullable : () => false
}

/** The `typeof` of values that a schema of scalars leaves as they are. */
const keptBy = (type: AST.AST): string | undefined => {
  const members = AST.isUnion(type) ? type.types : [type]
  if (!members.every((member) => AST.isLiteral(member) || scalars.has(member._tag))) return undefined
  return members.map((member) => scalars.get(member._tag)).find(Predicate.isNotUndefined)
}

const scalars: ReadonlyMap<string, string> = new Map([
  ["StringKeyword", "string"],
  ["NumberKeyword", "number"],
  ["BooleanKeyword", "boolean"]
])

type Result = Record<PropertyKey, unknown>

const decoding = (pairs: ReadonlyArray<Pair>, mode: Mode, compile: Inner): Step => {
  const properties = new Map(pairs.map((pair) => [pair.from.name, new Decoding(pair, mode, compile)]))
  const others = [...properties].filter(([, { isLeftOut }]) => !isLeftOut)
  const keysOf = keysFor(properties.keys(), mode)
  return (value, walk) => {
    if (!Predicate.isRecord(value)) return failed
    const result: Result = {}
    for (const key of keysOf(value)) {
      const property = properties.get(key)
      if (property === undefined) {
        if (mode === "decode") continue
        return failed
      }
      const given = value[key]
      if (typeof given === property.keeps) result[property.toName] = given
      else if (!property.add(result, given, true, walk)) return failed
    }
    for (const [name, property] of others) {
      if (!Object.hasOwn(value, name) && !property.add(result, undefined, false, walk)) return failed
    }
    return result
  }
}

class Decoding {
  /** Whether an absent property stays absent. */
  readonly isLeftOut: boolean
  /** The `typeof` of values that stay as they are. */
  readonly keeps: string | undefined
  readonly toName: PropertyKey
  private readonly read: Step
  private readonly check: Step
  private readonly fits: (value: unknown) => boolean
  private readonly dropsNull: boolean
  private readonly convert: Convert | undefined
  private readonly fromOptional: boolean
  private readonly toOptional: boolean

  constructor({ decode, from, to }: Pair, mode: Mode, compile: Inner) {
    this.read = compile(from.type, mode)
    this.check = compile(to.type, mode)
    this.fits = fitting(from.type, to.type)
    this.dropsNull = decode === nullIsAbsent
    this.convert = decode === identity || decode === nullIsAbsent ? undefined : decode
    this.fromOptional = from.isOptional
    this.toName = to.name
    this.toOptional = to.isOptional
    this.isLeftOut = from.isOptional && to.isOptional && this.convert === undefined
    this.keeps = this.convert === undefined && fits(from.type, to.type, "aside") ? keptBy(from.type) : undefined
  }

  /** Adds the property to the result; returns whether it is as the schema says. */
  add(result: Result, given: unknown, isGiven: boolean, walk: Walk): boolean {
    let has = isGiven || !this.fromOptional
    let part: unknown
    if (has) {
      part = this.read(given, walk)
      if (part === failed) return false
      if (this.dropsNull && (part === null || part === undefined)) has = false
    }
    let isRead = has
    if (this.convert !== undefined) {
      const converted = this.convert(has ? Option.some(part) : Option.none())
      isRead = has && Option.isSome(converted) && converted.value === part
      has = Option.isSome(converted)
      part = Option.getOrUndefined(converted)
    }
    if (!has && this.toOptional) return true
    // What was read by the schema of the wire need not be checked a second time.
    const checked = isRead && this.fits(part) ? part : this.check(has ? part : undefined, walk)
    if (checked === failed) return false
    result[this.toName] = checked
    return true
  }
}

const encoding = (pairs: ReadonlyArray<Pair>, mode: Mode, compile: Inner): Step => {
  const properties = new Map(pairs.map((pair) => [pair.to.name, new Encoding(pair, mode, compile)]))
  const byWireName = new Map(pairs.map(({ from, to }) => [from.name, to.name]))
  const others = [...properties].filter(([, { isLeftOut }]) => !isLeftOut)
  const keysOf = keysFor(properties.keys(), mode)
  return (value, walk) => {
    if (!Predicate.isRecord(value)) return failed
    const hidden = hiddenContent(value)
    if (hidden !== undefined) return walk.loses(hidden)
    const result: Result = {}
    for (const key of keysOf(value)) {
      const property = properties.get(key)
      if (property === undefined) {
        const known = walk.sendsUnknown ? byWireName.get(key) : undefined
        if (known !== undefined) {
          // Its limits would be avoided, and a secret would be a plain string.
          walk.loses(`given as ${String(known)}`)
          return walk.failedAt(key)
        }
        if (!addUnknown(result, key, value, walk)) return failed
      } else if (!property.add(result, value[key], true, walk)) return walk.failedAt(key)
    }
    const lost = inheritedName(value, properties.keys())
    if (lost !== undefined) return lostAt(lost, walk)
    for (const [name, property] of others) {
      if (!Object.hasOwn(value, name) && !property.add(result, undefined, false, walk)) return walk.failedAt(name)
    }
    return result
  }
}

class Encoding {
  /** Whether an absent property stays absent. */
  readonly isLeftOut: boolean
  private readonly check: Step
  private readonly fits: (value: unknown) => boolean
  private readonly convert: Convert | undefined
  private readonly dropsUndefined: boolean
  private readonly toOptional: boolean
  private readonly write: Step
  private readonly omits: boolean
  private readonly fromName: PropertyKey
  private readonly fromOptional: boolean

  constructor({ encode, from, to }: Pair, mode: Mode, compile: Inner) {
    this.check = compile(to.type, "encode")
    this.fits = fitting(from.type, to.type)
    this.convert = encode === identity || encode === undefinedIsAbsent ? undefined : encode
    this.dropsUndefined = encode === undefinedIsAbsent
    this.toOptional = to.isOptional
    this.write = compile(from.type, mode)
    this.omits = mode === "wire" && from.isOptional && takesUndefined(from.type)
    this.fromName = from.name
    this.fromOptional = from.isOptional
    this.isLeftOut = from.isOptional && to.isOptional && this.convert === undefined
  }

  /** Adds the property to the result; returns whether it is as the schema says. */
  add(result: Result, given: unknown, isGiven: boolean, walk: Walk): boolean {
    const { reads } = walk
    let has = isGiven || !this.toOptional
    // `write` checks what it gets: the type side of the schema of the wire.
    const isChecked = this.fits(given)
    const checked = has && !isChecked ? this.check(given, walk) : given
    if (checked === failed) return false
    let part = checked
    if (this.convert !== undefined) {
      const converted = this.convert(has ? Option.some(checked) : Option.none())
      has = Option.isSome(converted)
      part = Option.getOrUndefined(converted)
    } else if (this.dropsUndefined && given === undefined) {
      has = false
    }
    const isUnchecked = isChecked && !(isGiven && has && part === given)
    if (isUnchecked && (isGiven || !this.toOptional) && this.check(given, walk) === failed) return false
    if (!has && this.fromOptional) return true
    const written = this.omits && part === undefined ? undefined : this.write(part, walk)
    if (written === failed) return false
    if (walk.reads > reads && part !== checked) {
      // A function that read a secret may have made something else of it.
      walk.became(checked, part)
      walk.became(checked, written)
    }
    result[this.fromName] = written
    return true
  }
}

/** One side, the conversions one after the other, and the other side: as the interpreter does it. */
const inSteps = (
  { from, to }: AST.Transformation,
  { propertySignatureTransformations: conversions }: AST.TypeLiteralTransformation,
  mode: Mode,
  compile: Inner
): Step => {
  const isReading = isDecoding(mode)
  const first = compile(isReading ? from : to, isReading ? mode : "encode")
  const second = compile(isReading ? to : from, mode)
  return (value, walk) => {
    const { reads } = walk
    const given = first(value, walk)
    if (!Predicate.isRecord(given)) return failed
    const between = run(() => Either.right(converted(given, conversions, isReading)), walk)
    const result = between === failed ? failed : second(between, walk)
    if (!isReading && result !== failed && walk.reads > reads) {
      walk.became(given, between)
      walk.became(given, result)
    }
    return result
  }
}

const converted = (
  given: Readonly<Record<PropertyKey, unknown>>,
  conversions: ReadonlyArray<AST.PropertySignatureTransformation>,
  isReading: boolean
): Record<PropertyKey, unknown> => {
  const result: Record<PropertyKey, unknown> = { ...given }
  for (const { decode, encode, from, to } of conversions) {
    const [source, target, convert] = isReading ? [from, to, decode] : [to, from, encode]
    const value: Option.Option<unknown> = convert(
      Object.hasOwn(result, source) ? Option.some(result[source]) : Option.none()
    )
    delete result[source]
    if (Option.isSome(value)) set(result, target, value.value)
  }
  return result
}
