/**
 * The walk over a syntax tree that the three combinators share.
 */
import * as Option from "effect/Option"
import * as AST from "effect/SchemaAST"

/** A function over syntax trees that answers a tree with the same result each time, and its own result with itself. */
export const rewriting = (rewrite: (ast: AST.AST) => AST.AST): ((ast: AST.AST) => AST.AST) => {
  const results = new WeakMap<AST.AST, AST.AST>()
  const rewritten = (ast: AST.AST): AST.AST => {
    const known = results.get(ast)
    if (known !== undefined) return known
    // A suspended tree is rewritten when it is first used.
    const result = AST.isSuspend(ast) ? new AST.Suspend(() => rewritten(ast.f()), ast.annotations) : rewrite(ast)
    results.set(ast, result)
    results.set(result, result)
    return result
  }
  return rewritten
}

/** Applies a rewrite to the parts of a list, a union, a refinement or a declared type. Other trees have none of their own. */
export const mapInside = (ast: AST.AST, rewrite: (ast: AST.AST) => AST.AST): AST.AST => {
  switch (ast._tag) {
    case "TupleType":
      return new AST.TupleType(
        ast.elements.map(
          ({ annotations, isOptional, type }) => new AST.OptionalType(rewrite(type), isOptional, annotations)
        ),
        ast.rest.map(({ annotations, type }) => new AST.Type(rewrite(type), annotations)),
        ast.isReadonly,
        ast.annotations
      )
    case "Union":
      return AST.Union.make(ast.types.map(rewrite), ast.annotations)
    case "Refinement":
      return new AST.Refinement(rewrite(ast.from), ast.filter, ast.annotations)
    case "Declaration":
      return ast.typeParameters.length === 0
        ? ast
        : new AST.Declaration(ast.typeParameters.map(rewrite), ast.decodeUnknown, ast.encodeUnknown, ast.annotations)
    default:
      return ast
  }
}

/** The members of a union with `null`; any other tree is one member. */
export const membersOf = (ast: AST.AST): ReadonlyArray<AST.AST> =>
  AST.isUnion(ast) && ast.types.some(isNull) ? ast.types : [ast]

export const isNull = (ast: AST.AST): boolean => AST.isLiteral(ast) && ast.literal === null

/** A type or `null`. A scalar that describes itself in JSON Schema stays one line of it. */
export const orNull = (ast: AST.AST): AST.AST => {
  const json: object = Option.getOrElse(AST.getJSONSchemaAnnotation(ast), () => ({}))
  const description = AST.getDescriptionAnnotation(ast)
  return AST.Union.make([ast, AST.null], {
    ...("type" in json ? { [AST.JSONSchemaAnnotationId]: nullable(json) } : {}),
    ...(Option.isSome(description) ? { [AST.DescriptionAnnotationId]: description.value } : {})
  })
}

const nullable = (json: { readonly type: unknown; readonly enum?: unknown }): object => ({
  ...json,
  type: [json.type, "null"],
  ...(Array.isArray(json.enum) ? { enum: [...json.enum, null] } : {})
})
