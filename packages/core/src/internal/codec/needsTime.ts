/**
 * Whether a schema reads by asynchronous work. Such a response could only be called unusable after the payment was made,
 * so that its endpoint is refused before anything is sent.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { ExpectedId } from "../explain.js"

const known = new WeakMap<AST.AST, boolean>()

/** Tries each function of the schema with a few values. Nothing else tells, because a function's type does not. */
export const readsAsynchronously = ({ ast }: Schema.Schema.AnyNoContext): boolean => {
  const before = known.get(ast)
  if (before !== undefined) return before
  const seen = new Set<AST.AST>()
  const visit = (node: AST.AST): boolean => {
    if (seen.has(node)) return false
    seen.add(node)
    return needsTime(node) || inside(node).some(visit)
  }
  const result = visit(ast)
  known.set(ast, result)
  return result
}

const inside = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  switch (ast._tag) {
    case "Declaration":
      return ast.typeParameters
    case "TypeLiteral":
      return [...ast.propertySignatures, ...ast.indexSignatures].map(({ type }) => type)
    case "TupleType":
      return [...ast.elements, ...ast.rest].map(({ type }) => type)
    case "Union":
      return ast.types
    case "Suspend":
      return [ast.f()]
    case "Refinement":
      return [ast.from]
    case "Transformation":
      return [ast.from, ast.to]
    default:
      return []
  }
}

const needsTime = (ast: AST.AST): boolean => {
  if (!AST.isTransformation(ast) || ast.transformation._tag !== "FinalTransformation") return false
  // Our own schemas never do.
  if (ExpectedId in ast.annotations || ExpectedId in ast.to.annotations) return false
  const { decode } = ast.transformation
  return samplesOf(ast.from).some((sample) => {
    try {
      // A syntax tree does not tell that the schemas here need no services, as their types do.
      const result = decode(sample, {}, ast, sample) as Effect.Effect<unknown, unknown>
      if (Either.isEither(result)) return false
      const exit = Effect.runSyncExit(result)
      return Exit.isFailure(exit) && exit.cause._tag === "Die" && Runtime.isAsyncFiberException(exit.cause.defect)
    } catch {
      return false
    }
  })
}

const samplesOf = (ast: AST.AST): ReadonlyArray<unknown> => {
  try {
    const schema = Schema.make<unknown, unknown>(AST.typeAST(ast))
    return FastCheck.sample(Arbitrary.make(schema), { numRuns: 3, seed: 1 })
  } catch {
    // A type without examples.
    return [""]
  }
}
