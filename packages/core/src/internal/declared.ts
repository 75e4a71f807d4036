/**
 * The errors that an endpoint declares, each class by itself: the members of a union, and our own classes in any of their
 * forms.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { Generic, NotFound, Unauthorized } from "../Errors.js"
import { StatusAnnotation, statusOf } from "./status.js"

/** A member without a status of its own has the union's. */
export const declaredErrors = (schema: Schema.Schema.All): ReadonlyArray<Schema.Schema.AnyNoContext> =>
  AST.isUnion(schema.ast)
    ? schema.ast.types.flatMap((type) => declaredErrors(withStatus(Schema.make(type), statusOf(schema))))
    : ownForm(schema)

/** The schema with a status, where it has none. */
export const withStatus = (
  schema: Schema.Schema.AnyNoContext,
  status: number | undefined
): Schema.Schema.AnyNoContext =>
  status === undefined || statusOf(schema) !== undefined
    ? schema
    : // An annotated class has no name left in a description.
      schema.annotations({
        [StatusAnnotation]: status,
        ...Option.match(AST.getIdentifierAnnotation(schema.ast), {
          onNone: () => ({}),
          onSome: (identifier) => ({ identifier })
        })
      })

const ownForm = (schema: Schema.Schema.All): ReadonlyArray<Schema.Schema.AnyNoContext> => {
  if (AST.isNeverKeyword(schema.ast)) return []
  if (isOf(NotFound, schema)) return [NotFound]
  // Every call can fail with these, and builds them itself.
  if (isOf(Unauthorized, schema) || isOf(Generic, schema)) return []
  // An endpoint's schemas need no context: its constructors ask for that.
  return [schema as Schema.Schema.AnyNoContext]
}

/** A class stands for the same values when it is annotated, or has another form on the wire. */
const isOf = (known: Schema.Schema.All, { ast }: Schema.Schema.All): boolean =>
  AST.typeAST(ast) === AST.typeAST(known.ast)
