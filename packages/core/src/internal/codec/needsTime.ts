/**
 * Whether a schema reads by asynchronous work. Such a response could only be called unusable after the payment was made,
 * so that its endpoint is refused before anything is sent.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import type * as Schema from "effect/Schema"
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

/** Texts of the usual kinds: one of them gets through most rules. */
const texts = [
  "text",
  "1",
  "2030-01-01T00:00:00.000Z",
  "8724fd24-5489-4a5d-90fd-0604df7d3b83",
  "https://example.com",
  "[]",
  ""
]

/** A few values of a type, which may break its rules: no generator of values is loaded for it. */
const samplesOf = (ast: AST.AST, depth = 0): ReadonlyArray<unknown> => {
  if (depth > maxDepth) return []
  switch (ast._tag) {
    case "NumberKeyword":
      return [1, 0]
    case "BooleanKeyword":
      return [true]
    case "BigIntKeyword":
      return [1n]
    case "Literal":
      return [ast.literal]
    case "Enums":
      return ast.enums.slice(0, 1).map(([, value]) => value)
    case "Refinement":
      return samplesOf(ast.from, depth + 1)
    case "Suspend":
      return samplesOf(ast.f(), depth + 1)
    case "Union":
      return ast.types.flatMap((type) => samplesOf(type, depth + 1).slice(0, 2)).slice(0, maxSamples)
    case "Transformation":
      return samplesOf(ast.to, depth + 1)
    case "TupleType": {
      const items = [...ast.elements, ...ast.rest].map(({ type }) => samplesOf(type, depth + 1)[0])
      return [items]
    }
    case "TypeLiteral":
      return texts.map((_, index) =>
        Object.fromEntries(
          ast.propertySignatures.map(({ name, type }) => {
            const samples = samplesOf(type, depth + 1)
            return [name, samples[index] ?? samples[0]]
          })
        )
      )
    case "Declaration":
      return [new Date(0), ...texts]
    default:
      return texts
  }
}

const maxDepth = 4
const maxSamples = 8
