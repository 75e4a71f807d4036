/**
 * An example of what an endpoint answers, made from its schema: for operations that the sandbox keeps no state of.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/** How deep optional properties are filled; required ones always are. */
const maxDepth = 4

/**
 * A value on the wire that the schema accepts. Properties take the examples of their documentation. Throws a `TypeError`
 * for a schema of which none can be made.
 */
export const exampleOf = (schema: Schema.Schema.AnyNoContext): unknown => {
  const made = valueOf(AST.encodedAST(schema.ast), 0)
  if (made === none || !Schema.is(Schema.encodedSchema(schema))(made) || !decodes(schema, made)) {
    throw new TypeError("No example can be made from the schema of a success.")
  }
  return made
}

const decodes = (schema: Schema.Schema.AnyNoContext, value: unknown): boolean =>
  Option.isSome(Schema.decodeUnknownOption(schema)(value))

const takesNull = (ast: AST.AST): boolean =>
  AST.isUnion(ast) ? ast.types.some(takesNull) : AST.isLiteral(ast) && ast.literal === null

const cursors: ReadonlySet<PropertyKey> = new Set(["next_cursor", "previous_cursor"])

const none: unique symbol = Symbol()

interface Documented {
  readonly type?: unknown
  readonly format?: unknown
  readonly examples?: unknown
  readonly enum?: unknown
  readonly minimum?: unknown
}

const valueOf = (ast: AST.AST, depth: number): unknown => {
  const json = Option.getOrElse(AST.getJSONSchemaAnnotation(ast), (): Documented => ({})) as Documented
  if (Array.isArray(json.examples) && json.examples.length > 0) return json.examples[0]
  switch (ast._tag) {
    case "Literal":
      return ast.literal
    case "StringKeyword":
      return text(json)
    case "NumberKeyword":
      return Predicate.isNumber(json.minimum) ? json.minimum : 1
    case "BooleanKeyword":
      return false
    case "Enums":
      return ast.enums[0]?.[1] ?? none
    case "UnknownKeyword":
    case "AnyKeyword":
    case "ObjectKeyword":
      return {}
    case "Refinement":
      return valueOf(ast.from, depth)
    case "Suspend":
      return valueOf(ast.f(), depth)
    case "Union": {
      const members = ast.types.filter((type) => !AST.isUndefinedKeyword(type))
      const values = members.map((type) => valueOf(type, depth)).filter((value) => value !== none)
      return values.find(Predicate.isNotNull) ?? values[0] ?? none
    }
    case "TupleType": {
      if (depth >= maxDepth && ast.elements.length === 0) return []
      const items = [...ast.elements, ...ast.rest].map(({ type }) => valueOf(type, depth + 1))
      return items.includes(none) ? (ast.elements.length === 0 ? [] : none) : items
    }
    case "TypeLiteral": {
      const object: Record<string, unknown> = {}
      for (const { isOptional, name, type } of ast.propertySignatures) {
        if (Predicate.isSymbol(name) || (isOptional && depth >= maxDepth)) continue
        // An example of a list is all there is of it.
        if (cursors.has(name)) {
          if (takesNull(type)) object[String(name)] = null
          if (takesNull(type) || isOptional) continue
        }
        const value = valueOf(type, depth + 1)
        if (value === none && !isOptional) return none
        if (value !== none) object[String(name)] = value
      }
      return object
    }
    default:
      return none
  }
}

const text = ({ enum: members, format }: Documented): string => {
  if (Array.isArray(members) && Predicate.isString(members[0])) return members[0]
  switch (format) {
    case "uuid":
      return "8724fd24-5489-4a5d-90fd-0604df7d3b83"
    case "date-time":
      return "2026-01-01T00:00:00+00:00"
    case "date":
      return "2026-01-01"
    case "uri":
      return "https://example.com"
    case "email":
      return "ada@example.com"
    default:
      return "example"
  }
}
