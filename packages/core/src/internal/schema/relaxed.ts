/**
 * Limits off, for responses: types only, a set of strings is open, `null` is an absent property. A response outside a limit
 * is still the response.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as AST from "effect/SchemaAST"
import { nullIsAbsent, undefinedIsAbsent } from "../codec/struct.js"
import { isNull, mapInside, membersOf, orNull, rewriting } from "./rewrite.js"

/** The annotation by which a part says what it is in a response. */
export const ReadId: unique symbol = Symbol.for("@effect-gr4vy/core/Read")

/** The syntax tree without its limits. A brand and a guard of `unknown` stay: they are types. */
export const relaxed: (ast: AST.AST) => AST.AST = rewriting((ast) => {
  const read = ast.annotations[ReadId]
  // What a part says of itself is an `AST` by the type of `readAs`.
  if (Predicate.isFunction(read)) return read() as AST.AST
  switch (ast._tag) {
    case "StringKeyword":
      return typeOf(AST.stringKeyword, ast, AST.ArbitraryAnnotationId)
    case "NumberKeyword":
      return typeOf(AST.numberKeyword, ast, AST.ArbitraryAnnotationId)
    case "Literal":
      return Predicate.isString(ast.literal) ? typeOf(AST.stringKeyword, ast) : ast
    case "Union":
      return ast.types.every((type) => AST.isLiteral(type) && Predicate.isString(type.literal))
        ? typeOf(AST.stringKeyword, ast)
        : mapInside(ast, relaxed)
    case "Refinement":
      return isType(ast) ? ast : typeOf(relaxed(ast.from), ast)
    case "TypeLiteral":
      return struct(ast, AST.typeAST(ast), ast, [])
    case "Transformation": {
      const { from, to, transformation } = ast
      return AST.isTypeLiteralTransformation(transformation) && AST.isTypeLiteral(from)
        ? struct(from, to, ast, transformation.propertySignatureTransformations)
        : new AST.Transformation(relaxed(from), relaxed(to), transformation, ast.annotations)
    }
    default:
      return mapInside(ast, relaxed)
  }
})

const isType = (ast: AST.Refinement): boolean =>
  Option.isSome(AST.getBrandAnnotation(ast)) || AST.isUnknownKeyword(ast.from)

/** The type of a limit, with the limit's description: the API documents its responses by their limits. */
const typeOf = (type: AST.AST, { annotations }: AST.Annotated, ...others: ReadonlyArray<symbol>): AST.AST => {
  const kept = [AST.DescriptionAnnotationId, AST.JSONSchemaAnnotationId, AST.IdentifierAnnotationId, ...others]
  return AST.annotations(
    type,
    Object.fromEntries(kept.flatMap((id) => (id in annotations ? [[id, annotations[id]]] : [])))
  )
}

/** `transforms` are those that the struct has already: a default, another name. They stay. */
const struct = (
  { indexSignatures, propertySignatures }: AST.TypeLiteral,
  type: AST.AST,
  { annotations }: AST.Annotated,
  transforms: ReadonlyArray<AST.PropertySignatureTransformation>
): AST.AST => {
  const from: Array<AST.PropertySignature> = []
  const to: Array<AST.PropertySignature> = []
  const changes: Array<AST.PropertySignatureTransformation> = []
  for (const property of propertySignatures) {
    const { isReadonly, name } = property
    const given = transforms.find((each) => each.from === name)
    const members = membersOf(property.type).filter((member) => !isNull(member))
    const [only, ...others] = members
    const read = relaxed(only === undefined || others.length > 0 ? AST.Union.make(members) : only)
    const isOptional = property.isOptional || members.length < membersOf(property.type).length
    if (given !== undefined || !isOptional) {
      from.push(new AST.PropertySignature(name, read, isOptional, isReadonly, property.annotations))
    } else {
      from.push(new AST.PropertySignature(name, orNull(read), true, isReadonly, property.annotations))
      changes.push(new AST.PropertySignatureTransformation(name, name, nullIsAbsent, undefinedIsAbsent))
    }
    if (given === undefined) {
      to.push(new AST.PropertySignature(name, AST.typeAST(read), isOptional, isReadonly, property.annotations))
    } else {
      changes.push(given)
      to.push(...signaturesOf(type).filter((signature) => signature.name === given.to))
    }
  }
  const records = indexSignatures.map((each) => new AST.IndexSignature(each.parameter, relaxed(each.type), true))
  const types = records.map((each) => new AST.IndexSignature(each.parameter, AST.typeAST(each.type), true))
  return changes.length === 0
    ? new AST.TypeLiteral(from, records, annotations)
    : new AST.Transformation(
        new AST.TypeLiteral(from, records),
        new AST.TypeLiteral(to, types),
        new AST.TypeLiteralTransformation(changes),
        annotations
      )
}

const signaturesOf = (type: AST.AST): ReadonlyArray<AST.PropertySignature> =>
  AST.isTypeLiteral(type) ? type.propertySignatures : []
