/**
 * Messages without values: whatever is wrong with a value, the message names the path and the expectation. The value may be
 * a card.
 */
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as AST from "effect/SchemaAST"
import { ExpectedId, says } from "../explain.js"
import { mapInside, rewriting } from "./rewrite.js"

/** The syntax tree with a message of its own for every node. A schema says with `says` what it expects. */
export const silent: (ast: AST.AST) => AST.AST = rewriting((ast) => {
  if (AST.isUndefinedKeyword(ast)) return annotated(ast, "absent")
  const expected = expectation(ast)
  switch (ast._tag) {
    case "TypeLiteral":
      return annotated(
        new AST.TypeLiteral(
          ast.propertySignatures.map(
            ({ annotations, isOptional, isReadonly, name, type }) =>
              new AST.PropertySignature(name, silent(type), isOptional, isReadonly, annotations)
          ),
          ast.indexSignatures.map((each) => new AST.IndexSignature(each.parameter, silent(each.type), each.isReadonly)),
          ast.annotations
        ),
        expected,
        // The keys of a record are the user's, and stand in the path.
        () => ast.indexSignatures.length > 0
      )
    case "Transformation":
      return annotated(
        new AST.Transformation(silent(ast.from), silent(ast.to), ast.transformation, ast.annotations),
        expected
      )
    case "Declaration":
      return annotated(mapInside(ast, silent), expected, () => true)
    case "Union":
      return annotated(mapInside(ast, silent), expected, ast.types.some(hasInside) ? isAboutTag : () => true)
    default:
      return annotated(mapInside(ast, silent), expected)
  }
})

/** Effect shows the messages from inside a value, unless the value's own message overrides them. */
const annotated = (
  ast: AST.AST,
  expected: string,
  overrides: (issue: ParseResult.ParseIssue) => boolean = () => false
): AST.AST => {
  const identifier = AST.getIdentifierAnnotation(ast)
  const { message, ...annotations } = says(expected)
  return AST.annotations(ast, {
    ...annotations,
    ...(Option.isSome(identifier) ? { [AST.IdentifierAnnotationId]: identifier.value } : {}),
    [AST.ParseIssueTitleAnnotationId]: () => undefined,
    [AST.MessageAnnotationId]: (issue: ParseResult.ParseIssue) => ({ message: message(), override: overrides(issue) })
  })
}

/** Effect reports an unknown tag at a struct that it makes up, whose message would quote the tag. */
const isAboutTag = (issue: ParseResult.ParseIssue): boolean =>
  issue._tag === "Composite" &&
  [issue.issues].flat().some((member) => member._tag === "Composite" && !(ExpectedId in member.ast.annotations))

const hasInside = (ast: AST.AST): boolean => {
  switch (ast._tag) {
    case "TypeLiteral":
    case "TupleType":
    case "Suspend":
      return true
    case "Refinement":
    case "Transformation":
      return hasInside(ast.from)
    case "Union":
      return ast.types.some(hasInside)
    default:
      return false
  }
}

const expectation = (ast: AST.AST): string => {
  const ours = ast.annotations[ExpectedId]
  if (Predicate.isString(ours)) return ours
  switch (ast._tag) {
    case "StringKeyword":
      return "a string"
    case "NumberKeyword":
      return "a number"
    case "BooleanKeyword":
      return "true or false"
    case "Literal":
      return Predicate.isString(ast.literal) ? JSON.stringify(ast.literal) : String(ast.literal)
    case "TypeLiteral":
      return "an object"
    case "TupleType":
      return "a list"
    case "Union":
      return unionOf(ast.types.filter((type) => !AST.isUndefinedKeyword(type)))
    case "Transformation":
      return expectation(ast.from)
    case "Refinement":
      return Option.getOrElse(AST.getDescriptionAnnotation(ast), () => expectation(ast.from))
    default:
      return Option.getOrElse(
        Option.orElse(AST.getIdentifierAnnotation(ast), () => AST.getTitleAnnotation(ast)),
        () => "valid"
      )
  }
}

/** The most values in one message. */
const maxValues = 12

const unionOf = (types: ReadonlyArray<AST.AST>): string =>
  types.length > maxValues ? "one of the kinds the API knows" : [...new Set(types.map(expectation))].join(" or ")
