/**
 * Whether what one schema has accepted fits another, so that it need not be checked a second time.
 *
 * A struct with renamed keys is a transformation between two structs. Effect checks a nested value once for each level
 * around it; here the inner schema's own check is enough where the outer type is that schema's type side.
 */
import * as AST from "effect/SchemaAST"

/** The most nodes to compare. A larger or an endless type counts as another one, which is only slower. */
const maxNodes = 10_000

/**
 * Whether every value of the type side of `schema` is a value of `type`. `nullish` leaves `null` and `undefined` out of
 * account.
 */
export const fits = (schema: AST.AST, type: AST.AST, nullish: "counts" | "aside"): boolean => {
  const comparison = new Comparison()
  const wanted = membersOf(type)
  const isWanted = (member: AST.AST): boolean =>
    wanted.some((candidate) => comparison.isSame(member, candidate)) ||
    // What keeps a rule is still what it was without the rule.
    (AST.isRefinement(member) && isWanted(member.from))
  return membersOf(AST.typeAST(schema)).every(
    (member) => (nullish === "aside" && isNullish(member)) || isWanted(member)
  )
}

/** Whether a type has a member for `undefined`. */
export const takesUndefined = (type: AST.AST): boolean =>
  membersOf(type).some(
    (member) => AST.isUndefinedKeyword(member) || AST.isAnyKeyword(member) || AST.isUnknownKeyword(member)
  )

const isNullish = (ast: AST.AST): boolean => AST.isUndefinedKeyword(ast) || (AST.isLiteral(ast) && ast.literal === null)

const membersOf = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  const inner = AST.isSuspend(ast) ? ast.f() : ast
  return AST.isUnion(inner) ? inner.types.flatMap(membersOf) : [inner]
}

class Comparison {
  private nodes = 0

  isSame(one: AST.AST, other: AST.AST): boolean {
    if (one === other) return true
    if (++this.nodes > maxNodes) return false
    if (AST.isSuspend(one)) return this.isSame(one.f(), other)
    if (AST.isSuspend(other)) return this.isSame(one, other.f())
    switch (one._tag) {
      case "Literal":
        return AST.isLiteral(other) && one.literal === other.literal
      case "UniqueSymbol":
        return AST.isUniqueSymbol(other) && one.symbol === other.symbol
      case "Enums":
        return AST.isEnums(other) && one.enums === other.enums
      case "Refinement":
        return AST.isRefinement(other) && one.filter === other.filter && this.isSame(one.from, other.from)
      case "Declaration":
        return (
          AST.isDeclaration(other) &&
          one.decodeUnknown === other.decodeUnknown &&
          one.encodeUnknown === other.encodeUnknown &&
          this.areSame(one.typeParameters, other.typeParameters)
        )
      case "TypeLiteral":
        return AST.isTypeLiteral(other) && this.isSameStruct(one, other)
      case "TupleType":
        return (
          AST.isTupleType(other) &&
          this.areSame(typesOf(one.elements), typesOf(other.elements)) &&
          one.elements.every(({ isOptional }, index) => isOptional === other.elements[index]?.isOptional) &&
          this.areSame(typesOf(one.rest), typesOf(other.rest))
        )
      case "Union":
        return AST.isUnion(other) && this.areSame(one.types, other.types)
      case "TemplateLiteral":
      case "Transformation":
        return false
      default:
        return one._tag === other._tag
    }
  }

  private areSame(ones: ReadonlyArray<AST.AST>, others: ReadonlyArray<AST.AST>): boolean {
    return (
      ones.length === others.length &&
      ones.every((one, index) => {
        const other = others[index]
        return other !== undefined && this.isSame(one, other)
      })
    )
  }

  private isSameStruct(one: AST.TypeLiteral, other: AST.TypeLiteral): boolean {
    return (
      one.propertySignatures.length === other.propertySignatures.length &&
      one.propertySignatures.every((property, index) => {
        const twin = other.propertySignatures[index]
        return (
          twin !== undefined &&
          property.name === twin.name &&
          property.isOptional === twin.isOptional &&
          this.isSame(property.type, twin.type)
        )
      }) &&
      this.areSame(typesOf(one.indexSignatures), typesOf(other.indexSignatures)) &&
      this.areSame(
        one.indexSignatures.map(({ parameter }) => parameter),
        other.indexSignatures.map(({ parameter }) => parameter)
      )
    )
  }
}

const typesOf = (all: ReadonlyArray<{ readonly type: AST.AST }>): ReadonlyArray<AST.AST> => all.map(({ type }) => type)
