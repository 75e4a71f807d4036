/**
 * Describes what is wrong with a value by paths and expectations only: the value itself may be a card.
 *
 * The message is derived from the schema, never from the formatted issue. A schema's own `message` is a function of the
 * value and may quote it, so only messages of our own schemas are shown: they carry `ExpectedId`, a constant.
 */
import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as AST from "effect/SchemaAST"
import { advice } from "../spi/Names.js"

export interface Problem {
  /** The path to the value, in the names of the side that was checked. A key that comes from the data is `*`. */
  readonly path: ReadonlyArray<string>
  readonly message: string
}

/** Marks a schema whose expectation is our own constant. */
export const ExpectedId: unique symbol = Symbol("@effect-gr4vy/core/expected")

/** The name of a parameter in messages, where a program does not give it the name in the path. */
export const PlaceId: unique symbol = Symbol("@effect-gr4vy/core/place")

/** Annotations that say what a schema expects, for this module and for Effect's own formatters. */
export const says = (expected: string) => ({ message: () => `must be ${expected}`, [ExpectedId]: expected })

/** Lists the problems; `ast` belongs to the schema that was used. */
export const problems = (error: ParseResult.ParseError, ast: AST.AST): ReadonlyArray<Problem> =>
  problemsOf(error.issue, ast, asIs)

const problemsOf = (issue: ParseResult.ParseIssue, ast: AST.AST, names: Names): ReadonlyArray<Problem> => {
  const seen = new Set<string>()
  return walk(issue, ast, [], names).problems.filter(({ message, path }) => {
    const key = [...path, message].join("\n")
    return !seen.has(key) && seen.add(key)
  })
}

/** The most problems in one message. */
const maxProblems = 20

/**
 * The problems in one sentence. Of what is sent, fields have the names that the program gives them; of a response, those
 * on the wire.
 */
export const explain = (issue: ParseResult.ParseIssue, ast: AST.AST, root: string, kind: "sent" | "read"): string => {
  const all = problemsOf(issue, ast, kind === "sent" ? inProgram : asIs)
  const shown = all.slice(0, maxProblems).map(({ message, path }) => `${[root, ...path].join(".")} ${message}`)
  return (all.length > maxProblems ? [...shown, `and ${all.length - maxProblems} more`] : shown).join("; ")
}

/** How properties are named. A renamed struct was converted before its wire side is checked. */
interface Names {
  readonly ofWire: (transformation: AST.TransformationKind) => Names
  readonly of: (name: string) => string
}

const asIs: Names = { ofWire: () => asIs, of: (name) => name }

const inProgram: Names = {
  ofWire: (transformation) =>
    transformation._tag === "TypeLiteralTransformation"
      ? {
          ofWire: inProgram.ofWire,
          of: (name) =>
            String(transformation.propertySignatureTransformations.find(({ from }) => from === name)?.to ?? name)
        }
      : inProgram,
  of: (name) => name
}

/** How close a value came. Among a union's members, the closest one gives the best message. */
type Nearness = 0 /* another type */ | 1 /* its type, against a rule */ | 2 /* something inside it */

interface Found {
  readonly near: Nearness
  readonly problems: ReadonlyArray<Problem>
}

const one = (near: Nearness, path: ReadonlyArray<string>, message: string): Found => ({
  near,
  problems: [{ path, message }]
})

/**
 * Declared types, transformations and predicates report their own issues, whose messages, paths and syntax trees may
 * contain the value. An issue is therefore used only if it belongs to the schema at that place.
 */
const walk = (issue: ParseResult.ParseIssue, ast: AST.AST, path: ReadonlyArray<string>, names: Names): Found => {
  switch (issue._tag) {
    case "Missing":
      return one(2, path, "is missing")
    case "Unexpected":
      return one(2, path, "has an unknown property")
    case "Forbidden":
      return one(1, path, "cannot be checked here")
    case "Pointer":
      return one(1, path, expectation(ast))
  }
  if (!isAbout(issue.ast, ast)) return one(1, path, expectation(ast))
  switch (issue._tag) {
    case "Type":
      return one(0, path, expectation(issue.ast))
    case "Composite":
      return composite(issue, path, names)
    case "Refinement":
      return issue.kind === "From" ? walk(issue.issue, issue.ast.from, path, names) : broken(issue, path, names)
    case "Transformation":
      if (issue.kind === "Transformation") return one(1, path, expectation(issue.ast))
      return issue.kind === "Encoded"
        ? walk(issue.issue, issue.ast.from, path, names.ofWire(issue.ast.transformation))
        : walk(issue.issue, issue.ast.to, path, names)
  }
}

/** Whether a syntax tree is the expected one, or what Effect makes of it to check one side of it. */
const isAbout = (ast: AST.AST, expected: AST.AST): boolean => {
  if (ast === expected || (ast._tag === expected._tag && ast.annotations === expected.annotations)) return true
  switch (expected._tag) {
    case "Suspend":
      return isAbout(ast, expected.f())
    case "Refinement":
      return isAbout(ast, expected.from)
    case "Transformation":
      return isAbout(ast, expected.to)
    default:
      return false
  }
}

const isOf = (issue: ParseResult.ParseIssue, expected: AST.AST): boolean =>
  (issue._tag === "Type" ||
    issue._tag === "Composite" ||
    issue._tag === "Refinement" ||
    issue._tag === "Transformation") &&
  isAbout(issue.ast, expected)

const composite = ({ ast, issues }: ParseResult.Composite, path: ReadonlyArray<string>, names: Names): Found => {
  const all = Predicate.hasProperty(issues, "_tag") ? [issues] : issues
  switch (ast._tag) {
    case "Union":
      return nearest(
        withTheirLiterals(all, ast).map((issue) => member(issue, ast, path, names)),
        ast,
        path
      )
    case "Declaration": {
      const [issue] = all
      const parameter = ast.typeParameters.find((type) => issue !== undefined && isOf(issue, type))
      return issue === undefined || parameter === undefined
        ? one(1, path, expectation(ast))
        : walk(issue, parameter, path, names)
    }
    default:
      return { near: 2, problems: all.flatMap((issue) => inside(issue, ast, path, names).problems) }
  }
}

const inside = (issue: ParseResult.ParseIssue, owner: AST.AST, path: ReadonlyArray<string>, names: Names): Found => {
  if (issue._tag !== "Pointer") return walk(issue, owner, path, names)
  const key = [issue.path].flat()[0]
  // The name of an unexpected property is also a value: it is not shown.
  if (key === undefined) return walk(issue.issue, owner, path, names)
  if (issue.issue._tag === "Unexpected") {
    const known = namesOf(owner)
    return known.length === 0
      ? walk(issue.issue, owner, path, names)
      : one(2, path, `has an unknown property (${advice(String(key), known)})`)
  }
  const { name, types } = at(owner, key)
  const [first, ...others] = types
  const inner = issue.issue
  const type = others.find((type) => isOf(inner, type)) ?? first
  return walk(inner, type ?? AST.neverKeyword, [...path, names.of(name)], names.ofWire(nothing))
}

/** Inside a property, nothing is renamed so far. */
const nothing = AST.composeTransformation

/** A key as the schema has it, and what it may hold there. The key of a record comes from the data. */
const at = (owner: AST.AST, key: PropertyKey): { readonly name: string; readonly types: ReadonlyArray<AST.AST> } => {
  switch (owner._tag) {
    case "TypeLiteral": {
      const property = owner.propertySignatures.find(({ name }) => name === key)
      return property === undefined
        ? { name: "*", types: owner.indexSignatures.flatMap(({ parameter, type }) => [type, parameter]) }
        : { name: String(key), types: [property.type] }
    }
    case "TupleType": {
      const element = Predicate.isNumber(key) ? owner.elements[key] : undefined
      return {
        name: Predicate.isNumber(key) ? String(key) : "*",
        types: element === undefined ? owner.rest.map(({ type }) => type) : [element.type]
      }
    }
    case "Refinement":
      return at(owner.from, key)
    case "Transformation":
      return at(owner.to, key)
    case "Suspend":
      return at(owner.f(), key)
    default:
      return { name: "*", types: [] }
  }
}

/** The names of the properties that a schema has. */
const namesOf = (owner: AST.AST): ReadonlyArray<string> => {
  switch (owner._tag) {
    case "TypeLiteral":
      return owner.propertySignatures.flatMap(({ name }) => (Predicate.isString(name) ? [name] : []))
    case "Refinement":
      return namesOf(owner.from)
    case "Transformation":
      return namesOf(owner.to)
    case "Suspend":
      return namesOf(owner.f())
    default:
      return []
  }
}

/** The message of one member of a union, or the union's message about the property that distinguishes its members. */
const member = (issue: ParseResult.ParseIssue, union: AST.Union, path: ReadonlyArray<string>, names: Names): Found => {
  const type = union.types.find((each) => isOf(issue, each))
  if (type !== undefined) return walk(issue, type, path, names)
  const [inner] = issue._tag === "Composite" ? [issue.issues].flat() : []
  const name = inner?._tag === "Pointer" ? inner.path : undefined
  const literals = union.types.flatMap((each) => literalsAt(each, name))
  return literals.length === 0
    ? one(0, path, expectation(union))
    : one(
        2,
        [...path, names.of(String(name))],
        inner?._tag === "Pointer" && inner.issue._tag === "Missing" ? "is missing" : oneOf([...new Set(literals)])
      )
}

/** The members whose literals the value has, if there are any: a card with a wrong date is a card. */
const withTheirLiterals = (
  issues: ReadonlyArray<ParseResult.ParseIssue>,
  union: AST.Union
): ReadonlyArray<ParseResult.ParseIssue> => {
  const fitting = issues.filter((issue) => {
    const type = union.types.find((each) => isOf(issue, each))
    return type !== undefined && hasLiteral(type) && !hasOtherLiteral(issue)
  })
  return fitting.length === 0 ? issues : fitting
}

const isLiterals = (ast: AST.AST): boolean =>
  AST.isLiteral(ast) ||
  (AST.isUnion(ast) && ast.types.every((type) => isLiterals(type) || AST.isUndefinedKeyword(type)))

const hasLiteral = (ast: AST.AST): boolean => {
  switch (ast._tag) {
    case "TypeLiteral":
      return ast.propertySignatures.some(({ type }) => isLiterals(type))
    case "Refinement":
      return hasLiteral(ast.from)
    case "Suspend":
      return hasLiteral(ast.f())
    case "Transformation":
      return hasLiteral(ast.from) || hasLiteral(ast.to)
    default:
      return false
  }
}

/** Whether a value has another literal than the member that it was checked against, or none. */
const hasOtherLiteral = (issue: ParseResult.ParseIssue): boolean => {
  switch (issue._tag) {
    case "Refinement":
    case "Transformation":
      return hasOtherLiteral(issue.issue)
    case "Composite":
      return [issue.issues].flat().some((each) => {
        if (each._tag !== "Pointer") return hasOtherLiteral(each)
        const inner = each.issue
        if (inner._tag === "Missing") return isLiterals(inner.ast.type)
        return (inner._tag === "Type" || inner._tag === "Composite") && isLiterals(inner.ast)
      })
    default:
      return false
  }
}

const literalsAt = (ast: AST.AST, name: unknown): ReadonlyArray<string> => {
  switch (ast._tag) {
    case "TypeLiteral":
      return ast.propertySignatures.flatMap((property) =>
        property.name === name && AST.isLiteral(property.type) ? [literal(property.type.literal)] : []
      )
    case "Refinement":
      return literalsAt(ast.from, name)
    case "Transformation":
      return [...literalsAt(ast.from, name), ...literalsAt(ast.to, name)]
    default:
      return []
  }
}

const nearest = (found: ReadonlyArray<Found>, union: AST.Union, path: ReadonlyArray<string>): Found => {
  const near = Math.max(...found.map((each) => each.near))
  const [best, ...others] = found
    .filter((each) => each.near === near)
    .sort((one, other) => one.problems.length - other.problems.length)
  // Two members that came equally near, at the value itself: only the union as a whole tells what is expected.
  return best === undefined || (near < 2 && (near === 0 || others.length > 0))
    ? one(0, path, orNull(found, union) ?? expectation(union))
    : best
}

/**
 * The expectation of a value or `null`, from the side of the schema that refused the value: a `Redacted` of digits is a
 * string on the other side.
 */
const orNull = (found: ReadonlyArray<Found>, union: AST.Union): string | undefined => {
  const [empty, values] = Arr.partition(union.types, (type) => !isNull(type) && !AST.isUndefinedKeyword(type))
  if (values.length !== 1 || !empty.some(isNull)) return undefined
  const ofEmpty = new Set(empty.map(expectation))
  const messages = found.flatMap(({ problems }) => problems.map(({ message }) => message))
  const [value, ...others] = messages.filter((message) => !ofEmpty.has(message))
  return value?.startsWith("must be ") === true && others.length === 0 ? `${value} or null` : undefined
}

const isNull = (ast: AST.AST): boolean => AST.isLiteral(ast) && ast.literal === null

/** A rule that a value of the right type breaks, at the field the rule names where it names one. */
const broken = ({ ast, issue }: ParseResult.Refinement, path: ReadonlyArray<string>, names: Names): Found => {
  const [key] = issue._tag === "Pointer" ? [issue.path].flat() : []
  const name = key === undefined ? "*" : at(ast.from, key).name
  return one(1, name === "*" ? path : [...path, names.of(name)], expectation(ast))
}

const expectation = (ast: AST.AST): string => {
  const ours = ast.annotations[ExpectedId]
  if (Predicate.isString(ours)) return `must be ${ours}`
  const described = Option.getOrUndefined(description(ast))
  switch (ast._tag) {
    case "Refinement":
      return rulesOf(ast) ?? (described === undefined ? "does not satisfy its rule" : byDescription(described))
    case "Declaration":
      return declared(ast) ?? (described === undefined ? "is not valid" : byDescription(described))
    case "Transformation":
      return described === undefined ? "is not valid" : byDescription(described)
    case "Suspend":
      return expectation(ast.f())
    case "Literal":
      return `must be ${literal(ast.literal)}`
    case "Enums":
      return oneOf(ast.enums.map(([, value]) => literal(value)))
    case "Union": {
      const literals = ast.types.filter(AST.isLiteral)
      return literals.length === ast.types.length
        ? oneOf(literals.map((each) => literal(each.literal)))
        : anyOf(ast.types)
    }
    case "TemplateLiteral":
      return `must match ${String(ast)}`
    case "StringKeyword":
      return "must be a string"
    case "NumberKeyword":
      return "must be a number"
    case "BooleanKeyword":
      return "must be a boolean"
    case "BigIntKeyword":
      return "must be a bigint"
    case "UndefinedKeyword":
    case "VoidKeyword":
      return "must be absent"
    case "TypeLiteral":
    case "ObjectKeyword":
      return "must be an object"
    case "TupleType":
      return "must be an array"
    case "NeverKeyword":
      return "must be absent"
    default:
      return described === undefined ? "is not valid" : byDescription(described)
  }
}

/** Effect's own types, by what a program gives for them. */
const declared = (ast: AST.Declaration): string | undefined => {
  const constructor = Option.getOrUndefined(
    AST.getAnnotation<{ readonly _tag: string }>(AST.TypeConstructorAnnotationId)(ast)
  )
  const identifier = Option.getOrUndefined(AST.getIdentifierAnnotation(ast)) ?? ""
  switch (constructor?._tag ?? identifier) {
    case "effect/Redacted":
      return "must be a Redacted, from Redacted.make(…)"
    case "effect/Option":
      return "must be an Option, from Option.some(…) or Option.none()"
    case "DateFromSelf":
      return "must be a Date"
    default:
      return undefined
  }
}

const description = (ast: AST.AST) =>
  Option.orElse(AST.getIdentifierAnnotation(ast), () =>
    Option.orElse(AST.getTitleAnnotation(ast), () => AST.getDescriptionAnnotation(ast))
  )

// Effect's own descriptions are nouns with their article ("a non empty string"), those of users are anything.
const byDescription = (text: string): string => (/^an? /.test(text) ? `must be ${text}` : `is not a valid ${text}`)

const literal = (value: AST.LiteralValue): string => (Predicate.isString(value) ? JSON.stringify(value) : String(value))

const maxLiterals = 12

const oneOf = (values: ReadonlyArray<string>): string =>
  values.length === 1
    ? `must be ${values.join()}`
    : `must be one of ${values.slice(0, maxLiterals).join(", ")}${values.length > maxLiterals ? ", …" : ""}`

const anyOf = (types: ReadonlyArray<AST.AST>): string => {
  const expectations = [...new Set(types.map(expectation))]
  return expectations.every((each) => each.startsWith("must be "))
    ? `must be ${expectations.map((each) => each.slice("must be ".length)).join(" or ")}`
    : "is not one of the allowed values"
}

/** Describes a rule by its JSON Schema. */
const rulesOf = (ast: AST.Refinement): string | undefined => {
  const rules: Record<string, unknown> = Option.getOrElse(AST.getJSONSchemaAnnotation(ast), () => ({})) as never
  const say = (name: string, text: (value: string) => string): ReadonlyArray<string> => {
    const value = rules[name]
    return Predicate.isString(value) || Predicate.isNumber(value) ? [text(String(value))] : []
  }
  const said = [
    ...(Predicate.isString(rules["format"])
      ? say("format", (format) => `must be a valid ${format}`)
      : say("pattern", (pattern) => `must match ${pattern}`)),
    ...(rules["type"] === "integer" ? ["must be an integer"] : []),
    ...say("minimum", (bound) => `must be at least ${bound}`),
    ...say("exclusiveMinimum", (bound) => `must be greater than ${bound}`),
    ...say("maximum", (bound) => `must be at most ${bound}`),
    ...say("exclusiveMaximum", (bound) => `must be less than ${bound}`),
    ...say("multipleOf", (step) => `must be a multiple of ${step}`),
    ...say("minLength", (bound) => `must have at least ${counted(bound, "character")}`),
    ...say("maxLength", (bound) => `must have at most ${counted(bound, "character")}`),
    ...say("minItems", (bound) => `must have at least ${counted(bound, "item")}`),
    ...say("maxItems", (bound) => `must have at most ${counted(bound, "item")}`)
  ]
  return said.length === 0 ? undefined : said.join(" and ")
}

const counted = (count: string, noun: string): string => `${count} ${noun}${count === "1" ? "" : "s"}`
