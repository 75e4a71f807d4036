/**
 * TypeScript names ↔ wire names: the encoded side of a struct gets its names in snake_case, at every depth. The keys of a
 * record are the user's and pass unchanged.
 */
import { identity } from "effect/Function"
import * as Predicate from "effect/Predicate"
import * as AST from "effect/SchemaAST"
import { undefinedIsAbsent } from "../codec/struct.js"
import { mapInside, membersOf, rewriting } from "./rewrite.js"

/** The rule: `unitAmount` is `unit_amount`. */
export const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The annotation of a property whose wire name does not follow the rule. */
export const WireNameId: unique symbol = Symbol.for("@effect-gr4vy/core/WireName")

/** The annotation of an optional property that may not be given as `undefined`: a value that got lost is no absence. */
export const GivenId: unique symbol = Symbol.for("@effect-gr4vy/core/Given")

const mayBeUndefined = ({ annotations, isOptional }: AST.PropertySignature): boolean =>
  isOptional && annotations[GivenId] !== true

/** The syntax tree with the same decoded side, and snake_case names on its encoded side. */
export const wireNames: (ast: AST.AST) => AST.AST = rewriting((ast) => {
  if (AST.isTypeLiteral(ast)) return renamed(ast, ast, [])
  if (!AST.isTransformation(ast)) return mapInside(ast, wireNames)
  const { from, to, transformation } = ast
  return AST.isTypeLiteralTransformation(transformation) && AST.isTypeLiteral(from) && AST.isTypeLiteral(to)
    ? renamed(from, ast, transformation.propertySignatureTransformations)
    : // The decoded side of `from` stays as it is, so that any transformation still fits.
      new AST.Transformation(wireNames(from), to, transformation, ast.annotations)
})

/** `transforms` are those that the struct has already; one that gives another name wins over the rule. */
const renamed = (
  { indexSignatures, propertySignatures }: AST.TypeLiteral,
  struct: AST.TypeLiteral | AST.Transformation,
  transforms: ReadonlyArray<AST.PropertySignatureTransformation>
): AST.AST => {
  const from: Array<AST.PropertySignature> = []
  const renames: Array<AST.PropertySignatureTransformation> = []
  for (const property of propertySignatures) {
    const { annotations, isOptional, isReadonly, name, type } = property
    const given = transforms.find((each) => each.from === name)
    const own = annotations[WireNameId]
    const follows = Predicate.isString(name) && (given === undefined || given.to === name)
    const wire = follows ? (Predicate.isString(own) ? own : snake(name)) : name
    from.push(new AST.PropertySignature(wire, wireNames(type), isOptional, isReadonly, annotations))
    if (given !== undefined || isOptional || wire !== name) {
      const change = mayBeUndefined(property) ? undefinedIsAbsent : identity
      renames.push(
        new AST.PropertySignatureTransformation(
          wire,
          given?.to ?? name,
          given?.decode ?? change,
          given?.encode ?? change
        )
      )
    }
  }
  const records = indexSignatures.map((each) => new AST.IndexSignature(each.parameter, wireNames(each.type), true))
  if (renames.length === 0) {
    return AST.isTypeLiteral(struct)
      ? new AST.TypeLiteral(from, records, struct.annotations)
      : new AST.Transformation(
          new AST.TypeLiteral(from, records, struct.from.annotations),
          struct.to,
          struct.transformation,
          struct.annotations
        )
  }
  return new AST.Transformation(
    new AST.TypeLiteral(from, records),
    decoded(AST.typeAST(struct)),
    new AST.TypeLiteralTransformation(renames),
    struct.annotations
  )
}

/** The decoded side of a struct, in which an optional property may also be given as `undefined`. */
const decoded: (ast: AST.AST) => AST.AST = rewriting((ast) =>
  AST.isTypeLiteral(ast)
    ? new AST.TypeLiteral(
        ast.propertySignatures.map((property) => {
          const { annotations, isOptional, isReadonly, name, type } = property
          const given = mayBeUndefined(property)
            ? AST.Union.make([...membersOf(decoded(type)), AST.undefinedKeyword])
            : decoded(type)
          return new AST.PropertySignature(name, given, isOptional, isReadonly, annotations)
        }),
        ast.indexSignatures.map((each) => new AST.IndexSignature(each.parameter, decoded(each.type), each.isReadonly)),
        ast.annotations
      )
    : mapInside(ast, decoded)
)
