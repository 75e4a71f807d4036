/**
 * The schema of a plain value: a `Date` in place of a `DateTime`, a plain value in place of a `Redacted`. The wire stays the
 * same, so that the one codec checks, converts and finds the secrets.
 */
import { isDate } from "node:util/types"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { silent } from "@effect-gr4vy/core/spi/Model"
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/** The same endpoints with plain inputs and results, nested as they are. */
export const plainEndpoints = (endpoints: Endpoint.Endpoints): Endpoint.Endpoints =>
  Object.fromEntries(
    Object.entries(endpoints).map(([name, value]) => [
      name,
      isEndpoint(value) ? plainEndpoint(value) : plainEndpoints(value)
    ])
  )

const isEndpoint = (value: Endpoint.Any | Endpoint.Endpoints): value is Endpoint.Any =>
  Predicate.isString(value["path"])

const plainEndpoint = (endpoint: Endpoint.Any): Endpoint.Any => ({
  ...endpoint,
  query: plainSchema(endpoint.query),
  payload: plainSchema(endpoint.payload),
  success: plainSchema(endpoint.success)
})

type AnySchema = Schema.Schema.AnyNoContext

const plainSchema = (schema: AnySchema | undefined): AnySchema | undefined =>
  schema === undefined ? undefined : Schema.make(plainly(schema.ast))

/** The schema of a response as plain values. */
export const plainOf = (schema: AnySchema): Schema.Schema<unknown, unknown> => Schema.make(plainly(schema.ast))

/** What a leaf is in a program, and how it becomes plain and back. */
interface Leaf {
  readonly plain: AST.AST
  readonly decode: (value: unknown) => unknown
  readonly encode: (value: unknown) => unknown
}

const aDate: Leaf = {
  plain: silent(
    Schema.declare((value): value is Date => isDate(value) && !Number.isNaN(value.getTime())).annotations({
      title: "a valid Date"
    }).ast
  ),
  decode: (value) => (DateTime.isDateTime(value) ? DateTime.toDateUtc(value) : value),
  encode: (value) => (isDate(value) ? DateTime.unsafeMake(value.getTime()) : value)
}

/** `inside` is the type of the content; `from` says what it must be. */
const content = (inside: AST.AST, from: AST.AST): Leaf => ({
  plain: AST.annotations(inside, from.annotations),
  decode: (value) => (Redacted.isRedacted(value) ? Redacted.value(value) : value),
  encode: (value) => Redacted.make(value)
})

/** The type of a program in a schema that the wire has otherwise: an instant or a secret. */
const leafOf = ({ from, to }: AST.Transformation): Leaf | undefined => {
  const type = unrefined(to)
  if (!AST.isDeclaration(type)) return undefined
  const constructor = Option.getOrUndefined(
    AST.getAnnotation<{ readonly _tag: string }>(AST.TypeConstructorAnnotationId)(type)
  )
  const [inside] = type.typeParameters
  if (constructor?._tag === "effect/DateTime.Utc") return aDate
  return constructor?._tag === "effect/Redacted" && inside !== undefined ? content(inside, from) : undefined
}

const unrefined = (ast: AST.AST): AST.AST => (AST.isRefinement(ast) ? unrefined(ast.from) : ast)

const rewritten = new WeakMap<AST.AST, AST.AST>()

/** The syntax tree with a plain decoded side. */
const plainly = (ast: AST.AST): AST.AST => {
  const known = rewritten.get(ast)
  if (known !== undefined) return known
  const result = AST.isSuspend(ast) ? new AST.Suspend(() => plainly(ast.f()), ast.annotations) : made(ast)
  rewritten.set(ast, result)
  // A type has no more to convert.
  rewritten.set(result, result)
  return result
}

const made = (ast: AST.AST): AST.AST => {
  switch (ast._tag) {
    case "Transformation": {
      const leaf = leafOf(ast)
      if (leaf === undefined) {
        return new AST.Transformation(plainly(ast.from), plainType(ast.to), ast.transformation, ast.annotations)
      }
      return new AST.Transformation(
        ast,
        leaf.plain,
        new AST.FinalTransformation(
          (value) => ParseResult.succeed(leaf.decode(value)),
          (value) => ParseResult.succeed(leaf.encode(value))
        ),
        ast.annotations
      )
    }
    case "TypeLiteral":
      return struct(ast, plainly)
    case "TupleType":
      return list(ast, plainly)
    case "Union":
      return union(ast, plainly)
    case "Refinement":
      return new AST.Refinement(plainly(ast.from), ast.filter, ast.annotations)
    default:
      return ast
  }
}

const types = new WeakMap<AST.AST, AST.AST>()

/** The same for a tree that is a type already: the decoded side of a transformation. */
const plainType = (ast: AST.AST): AST.AST => {
  const known = types.get(ast)
  if (known !== undefined) return known
  const result = AST.isSuspend(ast) ? new AST.Suspend(() => plainType(ast.f()), ast.annotations) : madeType(ast)
  types.set(ast, result)
  return result
}

const madeType = (ast: AST.AST): AST.AST => {
  switch (ast._tag) {
    case "TypeLiteral":
      return struct(ast, plainType)
    case "TupleType":
      return list(ast, plainType)
    case "Union":
      return union(ast, plainType)
    case "Transformation":
      return plainly(ast)
    case "Declaration":
    case "Refinement": {
      const type = unrefined(ast)
      if (AST.isDeclaration(type)) return typeOfLeaf(ast, type)
      return AST.isRefinement(ast) ? new AST.Refinement(plainType(ast.from), ast.filter, ast.annotations) : ast
    }
    default:
      return ast
  }
}

/** The plain type of an instant or a secret; a secret's rule is checked where it is wrapped. */
const typeOfLeaf = (ast: AST.AST, type: AST.Declaration): AST.AST =>
  leafOf(new AST.Transformation(type.typeParameters[0] ?? AST.unknownKeyword, type, AST.composeTransformation))
    ?.plain ?? ast

/** A value or nothing says what the value says, which is another type now. */
const union = (ast: AST.Union, rewrite: (ast: AST.AST) => AST.AST): AST.AST => {
  const members = ast.types.map(rewrite)
  const values = members.filter((member) => !AST.isUndefinedKeyword(member) && !AST.isLiteral(member))
  return values.length === 1 ? silent(AST.Union.make(members)) : AST.Union.make(members, ast.annotations)
}

const struct = (ast: AST.TypeLiteral, rewrite: (ast: AST.AST) => AST.AST): AST.AST =>
  new AST.TypeLiteral(
    ast.propertySignatures.map(
      ({ annotations, isOptional, isReadonly, name, type }) =>
        new AST.PropertySignature(name, rewrite(type), isOptional, isReadonly, annotations)
    ),
    ast.indexSignatures.map((each) => new AST.IndexSignature(each.parameter, rewrite(each.type), each.isReadonly)),
    ast.annotations
  )

const list = (ast: AST.TupleType, rewrite: (ast: AST.AST) => AST.AST): AST.AST =>
  new AST.TupleType(
    ast.elements.map(
      ({ annotations, isOptional, type }) => new AST.OptionalType(rewrite(type), isOptional, annotations)
    ),
    ast.rest.map(({ annotations, type }) => new AST.Type(rewrite(type), annotations)),
    ast.isReadonly,
    ast.annotations
  )
