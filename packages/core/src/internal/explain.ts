/**
 * Says what is wrong with a value by paths and expectations alone: the value itself may be a card.
 *
 * The text is derived from the schema, never from the formatted issue. A schema's own `message` is a function of the
 * value and may quote it, so only messages of our own schemas are shown: they carry `ExpectedId`, a constant text.
 */
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as AST from "effect/SchemaAST"

export interface Problem {
  /** The way to the value, by the names of the side that was read. A key that comes from the data is `*`. */
  readonly path: ReadonlyArray<string>
  readonly message: string
}

/** Marks a schema whose expectation is a constant text of ours. */
export const ExpectedId: unique symbol = Symbol("@effect-gr4vy/core/expected")

/** Annotations that say what a schema expects, for this module and for Effect's own formatters. */
export const says = (expected: string) => ({ message: () => `must be ${expected}`, [ExpectedId]: expected })

export const problems = (error: ParseResult.ParseError): ReadonlyArray<Problem> => {
  const seen = new Set<string>()
  return walk(error.issue, []).problems.filter(({ message, path }) => {
    const key = [...path, message].join("\n")
    return !seen.has(key) && seen.add(key)
  })
}

/** More than a person reads at once. */
const maxProblems = 20

/** The problems in one sentence, with TypeScript's names for the fields. */
export const explain = (error: ParseResult.ParseError, root: string): string => {
  const all = problems(error)
  const shown = all
    .slice(0, maxProblems)
    .map(
      ({ message, path }) =>
        `${[root, ...path].join(".").replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())} ${message}`
    )
  return (all.length > maxProblems ? [...shown, `and ${all.length - maxProblems} more`] : shown).join("; ")
}

/** How near a value came: of a union's members, the nearest one explains best. */
type Nearness = 0 /* another type */ | 1 /* its type, against a rule */ | 2 /* something inside it */

interface Found {
  readonly near: Nearness
  readonly problems: ReadonlyArray<Problem>
}

const one = (near: Nearness, path: ReadonlyArray<string>, message: string): Found => ({
  near,
  problems: [{ path, message }]
})

const walk = (issue: ParseResult.ParseIssue, path: ReadonlyArray<string>): Found => {
  switch (issue._tag) {
    case "Type":
      return one(0, path, expectation(issue.ast))
    case "Missing":
      return one(2, path, "is missing")
    case "Unexpected":
      return one(2, path, "has a property of an unknown name")
    case "Forbidden":
      return one(1, path, "cannot be checked here")
    case "Pointer":
      return inside(issue, undefined, path)
    case "Composite":
      return composite(issue, path)
    case "Refinement":
      // A predicate may give issues of its own making: their texts and syntax trees may hold the value.
      return issue.kind === "From" ? walk(issue.issue, path) : broken(issue, path)
    case "Transformation":
      return issue.kind === "Transformation" ? one(1, path, expectation(issue.ast)) : walk(issue.issue, path)
  }
}

const composite = (issue: ParseResult.Composite, path: ReadonlyArray<string>): Found => {
  const issues = Predicate.hasProperty(issue.issues, "_tag") ? [issue.issues] : issue.issues
  if (AST.isUnion(issue.ast)) return nearest(issues, issue.ast, path)
  // What a declared type reports is of its own making, except where it hands on what its parameters say.
  if (AST.isDeclaration(issue.ast)) {
    const { typeParameters } = issue.ast
    const [first] = issues
    return first !== undefined && "ast" in first && typeParameters.some((parameter) => parameter === first.ast)
      ? walk(first, path)
      : one(1, path, expectation(issue.ast))
  }
  return { near: 2, problems: issues.flatMap((each) => inside(each, issue.ast, path).problems) }
}

const inside = (
  issue: ParseResult.ParseIssue,
  owner: AST.AST | undefined,
  path: ReadonlyArray<string>
): { readonly near: 2; readonly problems: ReadonlyArray<Problem> } => {
  if (issue._tag !== "Pointer") return { near: 2, problems: walk(issue, path).problems }
  const keys = Array.isArray(issue.path) ? issue.path : [issue.path]
  const to = issue.issue._tag === "Unexpected" ? path : [...path, ...keys.map((key) => nameOf(key, owner))]
  return { near: 2, problems: walk(issue.issue, to).problems }
}

/** A key as the schema has it; the key of a record comes from the data. */
const nameOf = (key: PropertyKey, owner: AST.AST | undefined): string =>
  (owner !== undefined && AST.isTupleType(owner) && Predicate.isNumber(key)) || declares(owner, key) ? String(key) : "*"

const declares = (ast: AST.AST | undefined, key: PropertyKey): boolean => {
  if (ast === undefined) return false
  switch (ast._tag) {
    case "TypeLiteral":
      return ast.propertySignatures.some(({ name }) => name === key)
    case "Refinement":
      return declares(ast.from, key)
    case "Transformation":
      return declares(ast.to, key)
    case "Union":
      return ast.types.some((type) => declares(type, key))
    default:
      return false
  }
}

const nearest = (
  issues: ReadonlyArray<ParseResult.ParseIssue>,
  union: AST.Union,
  path: ReadonlyArray<string>
): Found => {
  const found = issues.map((issue) => walk(issue, path))
  const near = Math.max(...found.map((each) => each.near))
  const [best, ...others] = found
    .filter((each) => each.near === near)
    .sort((one, other) => one.problems.length - other.problems.length)
  // Two members that came equally near, at the value itself: only the union as a whole tells what is expected.
  return best === undefined || (near < 2 && (near === 0 || others.length > 0)) ? one(0, path, expectation(union)) : best
}

/** A rule that a value of the right type breaks, at the field the rule names where it names one. */
const broken = ({ ast, issue }: ParseResult.Refinement, path: ReadonlyArray<string>): Found => {
  const keys = issue._tag === "Pointer" ? [issue.path].flat() : []
  return one(1, [...path, ...keys.map((key) => nameOf(key, ast.from))], expectation(ast))
}

const expectation = (ast: AST.AST): string => {
  const ours = ast.annotations[ExpectedId]
  if (Predicate.isString(ours)) return `must be ${ours}`
  const described = Option.getOrUndefined(description(ast))
  switch (ast._tag) {
    case "Refinement":
      return rulesOf(ast) ?? (described === undefined ? "does not keep its rule" : byDescription(described))
    case "Declaration":
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
    : "is none of what is allowed here"
}

/** What JSON Schema says of a rule, in words. */
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
    ...say("minLength", (bound) => `must have at least ${bound} characters`),
    ...say("maxLength", (bound) => `must have at most ${bound} characters`),
    ...say("minItems", (bound) => `must have at least ${bound} items`),
    ...say("maxItems", (bound) => `must have at most ${bound} items`)
  ]
  return said.length === 0 ? undefined : said.join(" and ")
}
