/**
 * What the platform's own annotations say of a schema. Their symbols are named here because importing
 * `HttpApiSchema` would load a good part of the platform's server.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
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

const elsewhere = ["AnnotationEncoding", "AnnotationMultipart", "AnnotationMultipartStream"].map((name) =>
  Symbol.for(`@effect/platform/HttpApiSchema/${name}`)
)

/** Whether a body of this schema is JSON: it is, where no annotation says anything else. */
export const isJson = ({ ast }: Schema.Schema.All): boolean =>
  (AST.isUnion(ast) ? ast.types : [ast]).every((each) =>
    (AST.isTransformation(each) ? [each, each.to] : [each]).every((side) =>
      elsewhere.every((annotation) =>
        Option.match(AST.getAnnotation<unknown>(annotation)(side), {
          onNone: () => true,
          onSome: (encoding) => Predicate.hasProperty(encoding, "kind") && encoding.kind === "Json"
        })
      )
    )
  )
