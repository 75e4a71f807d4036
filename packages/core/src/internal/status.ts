/**
 * The HTTP status of an error class, under the platform's own annotation. Its symbol is named here because importing
 * `HttpApiSchema` would load a good part of the platform's server.
 */
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

export const StatusAnnotation: unique symbol = Symbol.for("@effect/platform/HttpApiSchema/AnnotationStatus")

/** The status an error schema is annotated with; a class keeps the annotation on either side of its transformation. */
export const statusOf = ({ ast }: Schema.Schema.All): number | undefined =>
  Option.getOrUndefined(
    Option.orElse(AST.getAnnotation<number>(StatusAnnotation)(ast), () =>
      AST.isTransformation(ast) ? AST.getAnnotation<number>(StatusAnnotation)(ast.to) : Option.none()
    )
  )
