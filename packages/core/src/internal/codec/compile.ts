/**
 * A schema's syntax tree as closures, compiled once for each direction.
 *
 * A step returns the converted value, or {@link failed}: then Effect's interpreter decides and explains. So a step can
 * only be wrong by accepting.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { finite, jsonValue } from "./json.js"
import {
  type Compile,
  failed,
  type Inner,
  isDecoding,
  type Mode,
  needsTime,
  redactedsIn,
  run,
  type Step,
  undecided,
  type Walk
} from "./step.js"
import { renamed, struct } from "./struct.js"

type Compilers = { readonly [Tag in AST.AST["_tag"]]: Compile<Extract<AST.AST, { readonly _tag: Tag }>> }

/** An unknown property would be dropped silently, so it is an error. */
export const strictly: AST.ParseOptions = { errors: "all", onExcessProperty: "error" }
const leniently: AST.ParseOptions = {}

/** A caller asked for unknown properties to be sent. */
export const openly: AST.ParseOptions = { errors: "all", onExcessProperty: "preserve" }

export const optionsOf = (mode: Mode): AST.ParseOptions => (mode === "decode" ? leniently : strictly)

/** Compiles with these compilers, each node once. */
export const compilerOf = (compilers: Compilers): Inner => {
  const known: Record<Mode, WeakMap<AST.AST, Step>> = {
    decode: new WeakMap(),
    check: new WeakMap(),
    encode: new WeakMap(),
    wire: new WeakMap()
  }
  const compile: Inner = (ast, mode) => {
    const before = known[mode].get(ast)
    if (before !== undefined) return before
    const step = hasOwnOptions(ast)
      ? interpreted(ast, mode, compile)
      : // TypeScript cannot follow that the compiler under a node's tag takes the node.
        (compilers[ast._tag] as Compile)(ast, mode, compile)
    known[mode].set(ast, step)
    return step
  }
  return compile
}

/** Options of a node change how everything inside it is parsed; a fallback replaces a failure. */
const hasOwnOptions = (ast: AST.AST): boolean =>
  Option.isSome(AST.getParseOptionsAnnotation(ast)) || Option.isSome(AST.getDecodingFallbackAnnotation(ast))

/** A node by Effect's interpreter. The secrets in it are looked for before and after. */
export const interpreted: Compile = (ast, mode) => {
  const schema = Schema.make<unknown, unknown>(ast)
  const parse = isDecoding(mode) ? ParseResult.decodeUnknownEither(schema) : ParseResult.encodeUnknownEither(schema)
  const options = optionsOf(mode)
  return (value, walk) => {
    const parsed = parse(value, walk.sendsUnknown ? openly : options)
    if (Either.isLeft(parsed)) {
      // A transformation that needs time is forbidden here, which says nothing of the value.
      walk.undecided ||= needsTime(parsed.left)
      return failed
    }
    if (mode === "decode") return parsed.right
    const secrets = redactedsIn(value)
    for (const secret of secrets) walk.read(secret)
    if (mode === "check") return parsed.right
    if (secrets.length > 0) walk.became(value, parsed.right)
    return mode === "wire" ? jsonValue(parsed.right, walk) : parsed.right
  }
}

// --- leaves ----------------------------------------------------------------------------------------------------------

const leaf =
  (accepts: (value: unknown) => boolean): Compile =>
  () =>
  (value) =>
    accepts(value) ? value : failed

/** A leaf that JSON cannot hold. */
const unsendable =
  (accepts: (value: unknown) => boolean, name: string): Compile =>
  (_, mode) =>
  (value, walk) =>
    !accepts(value) ? failed : mode === "wire" ? walk.loses(`a JSON value, not ${name}`) : value

const number: Compile = (_, mode) =>
  mode === "wire"
    ? (value, walk) => (Predicate.isNumber(value) ? finite(value, walk) : failed)
    : (value) => (Predicate.isNumber(value) ? value : failed)

/** Whatever the caller gives is sent as it is. */
const anything =
  (accepts: (value: unknown) => boolean): Compile =>
  (_, mode) =>
    mode === "wire"
      ? (value, walk) => (accepts(value) ? jsonValue(value, walk) : failed)
      : (value) => (accepts(value) ? value : failed)

// --- what has something inside ---------------------------------------------------------------------------------------

const tuple: Compile<AST.TupleType> = (ast, mode, compile) => {
  const elements = ast.elements.map(({ isOptional, type }) => ({ isOptional, step: compile(type, mode) }))
  const [rest, ...last] = ast.rest.map(({ type }) => compile(type, mode))
  const required = elements.filter(({ isOptional }) => !isOptional).length + last.length
  return (value, walk) => {
    if (!Array.isArray(value) || value.length < required) return failed
    if (rest === undefined && value.length > elements.length) return failed
    const items: Array<unknown> = []
    const add = (step: Step, index: number): boolean => {
      const item = step(value[index], walk)
      if (item === failed) return false
      if (item === undefined && mode === "wire") {
        walk.loses("present: JSON has no undefined")
        return false
      }
      items.push(item)
      return true
    }
    let index = 0
    for (const { step } of elements) {
      if (index >= value.length) break
      if (!add(step, index)) return walk.failedAt(index)
      index++
    }
    if (rest === undefined) return items
    for (; index < value.length - last.length; index++) if (!add(rest, index)) return walk.failedAt(index)
    for (const step of last) {
      if (index < value.length && !add(step, index)) return walk.failedAt(index)
      index++
    }
    return items
  }
}

const union: Compile<AST.Union> = (ast, mode, compile) => {
  const step = anyMember(ast, mode, compile)
  if (mode === "decode" || ast.types.filter((type) => !AST.isLiteral(type)).length < 2) return step
  return (value, walk) => {
    if (!walk.sendsUnknown) return step(value, walk)
    // A property that one member lacks may be known to another, and have another name on the wire.
    let best: unknown = failed
    let fewest = Number.POSITIVE_INFINITY
    for (const type of ast.types) {
      const before = walk.unknown
      const result = compile(type, mode)(value, walk)
      if (walk.undecided) return failed
      const unknown = walk.unknown - before
      if (result === failed || unknown >= fewest) continue
      best = result
      fewest = unknown
    }
    return best
  }
}

/** The members are tried in the interpreter's order: those with a literal that fits, then those without literals. */
const anyMember: Compile<AST.Union> = (ast, mode, compile) => {
  const literals = new Set<unknown>(ast.types.flatMap((type) => (AST.isLiteral(type) ? [type.literal] : [])))
  if (literals.size === ast.types.length && !hasBigInt(literals)) {
    return (value) => (literals.has(value) ? value : failed)
  }
  const keyed = new Map<PropertyKey, Map<string, Array<Step>>>()
  const otherwise: Array<Step> = []
  for (const type of ast.types) {
    const step = compile(type, mode)
    const tags = tagsOf(type, isDecoding(mode))
    if (tags.length === 0) otherwise.push(step)
    for (const [index, [key, literal]] of tags.entries()) {
      const buckets = keyed.get(key) ?? new Map<string, Array<Step>>()
      keyed.set(key, buckets)
      const bucket = buckets.get(literal)
      // A literal that others have, too, tells less than the next one.
      if (bucket !== undefined && index < tags.length - 1) continue
      buckets.set(literal, [...(bucket ?? []), step])
      break
    }
  }
  const [first, second, ...others] = otherwise
  // Most unions are of a value and `null`.
  if (keyed.size === 0 && first !== undefined && second !== undefined && others.length === 0) {
    return (value, walk) => {
      const result = first(value, walk)
      return result !== failed || walk.undecided ? result : second(value, walk)
    }
  }
  // The interpreter keeps keys in an object, where array indices come first.
  const keys = Reflect.ownKeys(Object.fromEntries(Array.from(keyed.keys(), (key) => [key, null])))
  return (value, walk) => {
    if (keys.length > 0 && Predicate.isObject(value) && !Predicate.isFunction(value)) {
      for (const key of keys) {
        if (!Object.hasOwn(value, key)) continue
        const bucket = keyed
          .get(Predicate.isSymbol(key) ? key : asGiven(keyed, key))
          ?.get(String(Reflect.get(value, key)))
        if (bucket === undefined) continue
        const result = firstOf(bucket, value, walk)
        if (result !== failed || walk.undecided) return result
      }
    }
    return firstOf(otherwise, value, walk)
  }
}

const hasBigInt = (literals: ReadonlySet<unknown>): boolean => Array.from(literals).some(Predicate.isBigInt)

const asGiven = (keyed: ReadonlyMap<PropertyKey, unknown>, key: string): PropertyKey =>
  keyed.has(key) ? key : Number(key)

const firstOf = (steps: ReadonlyArray<Step>, value: unknown, walk: Walk): unknown => {
  for (const step of steps) {
    const result = step(value, walk)
    if (result !== failed || walk.undecided) return result
  }
  return failed
}

/** The literals by which the interpreter tells the members of a union apart. */
const tagsOf = (ast: AST.AST, decoding: boolean): ReadonlyArray<readonly [key: PropertyKey, literal: string]> => {
  const side = decoding ? AST.encodedAST : AST.typeAST
  const literalOf = (key: PropertyKey, type: AST.AST, isOptional: boolean) => {
    const inner = side(type)
    return AST.isLiteral(inner) && !isOptional ? [[key, String(inner.literal)] as const] : []
  }
  switch (ast._tag) {
    case "Declaration":
      return Option.match(AST.getSurrogateAnnotation(ast), {
        onNone: () => [],
        onSome: (surrogate) => tagsOf(surrogate, decoding)
      })
    case "TypeLiteral":
      return ast.propertySignatures.flatMap(({ isOptional, name, type }) => literalOf(name, type, isOptional))
    case "TupleType":
      return ast.elements.flatMap(({ isOptional, type }, index) => literalOf(index, type, isOptional))
    case "Refinement":
      return tagsOf(ast.from, decoding)
    case "Suspend":
      return tagsOf(ast.f(), decoding)
    case "Transformation":
      return tagsOf(decoding ? ast.from : ast.to, decoding)
    default:
      return []
  }
}

const refinement: Compile<AST.Refinement> = (ast, mode, compile) => {
  if (isDecoding(mode)) {
    const from = compile(ast.from, mode)
    const options = optionsOf(mode)
    return (value, walk) => {
      const inner = from(value, walk)
      if (inner === failed) return failed
      try {
        return Option.isNone(ast.filter(inner, options, ast)) ? inner : failed
      } catch {
        return undecided(walk)
      }
    }
  }
  const check = compile(AST.typeAST(ast), "check")
  const to = compile(unrefined(ast.from), mode)
  return (value, walk) => {
    const checked = check(value, walk)
    return checked === failed ? failed : to(checked, walk)
  }
}

const unrefined = (ast: AST.AST): AST.AST => (AST.isRefinement(ast) ? unrefined(ast.from) : ast)

const suspended: Compile<AST.Suspend> = (ast, mode, compile) => {
  let step: Step | undefined
  return (value, walk) => {
    step ??= compile(ast.f(), mode)
    return step(value, walk)
  }
}

const declaration: Compile<AST.Declaration> = (ast, mode) => {
  const options = optionsOf(mode)
  const parse = isDecoding(mode) ? ast.decodeUnknown(...ast.typeParameters) : ast.encodeUnknown(...ast.typeParameters)
  return (value, walk) => {
    // Any declared type may hold one.
    if (mode !== "decode") for (const secret of redactedsIn(value)) walk.read(secret)
    const parsed = run(() => parse(value, walk.sendsUnknown ? openly : options, ast), walk)
    return mode === "wire" && parsed !== failed ? jsonValue(parsed, walk) : parsed
  }
}

const transformation: Compile<AST.Transformation> = (ast, mode, compile) => {
  const { from, to, transformation } = ast
  if (transformation._tag === "TypeLiteralTransformation") return renamed(ast, transformation, mode, compile)
  const options = optionsOf(mode)
  const isFinal = transformation._tag === "FinalTransformation"
  if (isDecoding(mode)) {
    const first = compile(from, mode)
    const second = compile(to, mode)
    return (value, walk) => {
      const decoded = first(value, walk)
      if (decoded === failed) return failed
      const made = isFinal ? run(() => transformation.decode(decoded, options, ast, value), walk) : decoded
      return made === failed ? failed : second(made, walk)
    }
  }
  const first = compile(to, "encode")
  const second = compile(from, mode)
  // `Schema.parseJson` writes JSON of its own.
  const isJson = Option.contains(AST.getSchemaIdAnnotation(ast), AST.ParseJsonSchemaId)
  return (value, walk) => {
    const reads = walk.reads
    const given = first(value, walk)
    const encoded = given !== failed && isJson ? jsonValue(given, walk) : given
    if (encoded === failed) return failed
    const made = isFinal ? run(() => transformation.encode(encoded, options, ast, value), walk) : encoded
    const result = made === failed ? failed : second(made, walk)
    // A function that read a secret may have made something else of it.
    if (result !== failed && walk.reads > reads && (made !== encoded || !isFinal)) {
      walk.became(encoded, made)
      walk.became(encoded, result)
    }
    return result
  }
}

export const compilers: Compilers = {
  StringKeyword: leaf(Predicate.isString),
  NumberKeyword: number,
  BooleanKeyword: leaf(Predicate.isBoolean),
  BigIntKeyword: unsendable(Predicate.isBigInt, "a bigint"),
  SymbolKeyword: unsendable(Predicate.isSymbol, "a symbol"),
  UniqueSymbol: (ast, mode, compile) => unsendable((value) => value === ast.symbol, "a symbol")(ast, mode, compile),
  UndefinedKeyword: leaf(Predicate.isUndefined),
  NeverKeyword: leaf(() => false),
  VoidKeyword: anything(() => true),
  AnyKeyword: anything(() => true),
  UnknownKeyword: anything(() => true),
  ObjectKeyword: anything(Predicate.isObject),
  Literal: (ast, mode, compile) =>
    Predicate.isBigInt(ast.literal)
      ? unsendable((value) => value === ast.literal, "a bigint")(ast, mode, compile)
      : leaf((value) => value === ast.literal)(ast, mode, compile),
  Enums: (ast, mode, compile) => {
    const values = new Set<unknown>(ast.enums.map(([, value]) => value))
    return leaf((value) => values.has(value))(ast, mode, compile)
  },
  TemplateLiteral: interpreted,
  TupleType: tuple,
  TypeLiteral: struct,
  Union: union,
  Refinement: refinement,
  Suspend: suspended,
  Declaration: declaration,
  Transformation: transformation
}
