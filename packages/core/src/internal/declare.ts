/**
 * What an endpoint must be when it is declared. TypeScript refuses most of it, plain JavaScript does not.
 */
import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { unknownName } from "../spi/Names.js"
import type { Any } from "./endpoint.js"
import { nameProblem } from "./headers.js"
import { statusOf } from "./status.js"

// --- by TypeScript ---------------------------------------------------------------------------------------------------

/** The type of an argument that does not compile. The compiler shows the sentence. */
export interface Refused<Sentence extends string> {
  readonly [refused]: Sentence
}

declare const refused: unique symbol

/** A path that is known to the compiler must be one that the client can fill. */
export type Checked<Path extends string> = string extends Path
  ? unknown
  : Path extends `/${string}`
    ? Path extends `${string}/:${string}`
      ? Refused<"Write a parameter in braces: /transactions/{transaction_id}, not /transactions/:transaction_id">
      : Path extends `${string}${"?" | "#" | " "}${string}`
        ? Refused<"A path has no blank, ? or #: declare a query with the option query">
        : Path extends `${string}//${string}`
          ? Refused<"A path has no empty segment">
          : Braces<Path>
    : Refused<"A path begins with a slash: /transactions">

type Braces<Path extends string> = Path extends `${infer Before}{${infer After}`
  ? Before extends `${string}}${string}`
    ? Unbalanced
    : After extends `${infer Name}}${infer Rest}`
      ? Name extends "" | `${string}{${string}`
        ? Unbalanced
        : Braces<Rest>
      : Unbalanced
  : Path extends `${string}}${string}`
    ? Unbalanced
    : unknown

type Unbalanced = Refused<"A parameter is a name in braces that are both there: /transactions/{transaction_id}">

// --- when the program runs -------------------------------------------------------------------------------------------

const optionNames = {
  params: true,
  query: true,
  headers: true,
  payload: true,
  success: true,
  errors: true,
  scope: true,
  status: true,
  belongs: true,
  attemptTimeout: true,
  docs: true,
  resend: true
}

const idempotent: ReadonlyArray<unknown> = ["idempotent", "once"]
const resends: ReadonlyArray<unknown> = ["idempotent", "keyed", "create", "once"]

/** Throws for options that a constructor does not have, and for a `resend` that is missing or none. */
export const checkOptions = (
  constructor: string,
  name: string,
  options: object & { readonly resend?: unknown }
): void => {
  const unknown = unknownName(options, optionNames)
  if (unknown !== undefined) throw illegal(constructor, name, unknown.message)
  const { resend } = options
  if (constructor === "post" || constructor === "patch") {
    if (resends.includes(resend)) return
    throw illegal(
      constructor,
      name,
      'resend must say whether it may be sent a second time: "idempotent", "keyed", "create" or "once"'
    )
  }
  if (resend !== undefined && !idempotent.includes(resend)) {
    throw illegal(constructor, name, 'resend must be "idempotent" or "once"')
  }
}

/** Throws for an endpoint that cannot be called. */
export const checkFacts = (constructor: string, endpoint: Any): void => {
  const problem = problemOf(endpoint)
  if (problem !== undefined) throw illegal(constructor, endpoint.name, problem)
}

const illegal = (constructor: string, name: unknown, problem: string): Cause.IllegalArgumentException =>
  new Cause.IllegalArgumentException(
    `Endpoint.${constructor}: ${Predicate.isString(name) ? name : "(no name)"}: ${problem}`
  )

const problemOf = ({ errors, headers, method, name, params, path, payload, query, status, success }: Any) => {
  if (!Predicate.isString(name) || name === "") return "the name must be a string, e.g. Transactions.create"
  const ofPath = pathProblem(path, params)
  if (ofPath !== undefined) return ofPath
  if (!Number.isInteger(status) || status < 200 || status > 299) return "status must be a status of success, 200 to 299"
  if (method === "GET" && payload !== undefined) return "a GET has no payload: give a query"
  for (const [place, schema] of Object.entries({ query, headers, payload, success, ...params })) {
    if (schema !== undefined && !Schema.isSchema(schema)) return `${place} must be a schema, e.g. Schema.Struct({ … })`
  }
  return headers === undefined ? errorProblem(errors) : (headersProblem(headers) ?? errorProblem(errors))
}

const pathProblem = (path: string, params: object): string | undefined => {
  if (!Predicate.isString(path) || !path.startsWith("/")) return "the path must begin with a slash, e.g. /transactions"
  if (path.includes("/:")) return "a parameter of the path is a name in braces: {transaction_id}, not :transaction_id"
  const texts = path.replace(/\{[^{}]+\}/g, "x")
  if (/[{}]/.test(texts))
    return "a parameter of the path is a name in braces that are both there, e.g. {transaction_id}"
  if (/[?#\s]|\/\//.test(texts)) return "the path must have no blank, ?, # or empty segment: declare a query with query"
  const names = Array.from(path.matchAll(/\{([^{}]+)\}/g), ([, name]) => name)
  const twice = new Set(names).size < names.length
  return twice || [...names].sort().join() !== Object.keys(params).sort().join()
    ? `params must have a schema for each name in the path, and no other: ${path}`
    : undefined
}

const headersProblem = ({ ast }: Schema.Schema.AnyNoContext): string | undefined => {
  for (const { name } of AST.getPropertySignatures(AST.encodedAST(ast))) {
    const problem = nameProblem(String(name))
    if (problem !== undefined) return problem
  }
  return undefined
}

/** An error without a status would never be recognized. */
const errorProblem = (errors: ReadonlyArray<Schema.Schema.AnyNoContext>): string | undefined => {
  const without = errors.find((error) => statusOf(error) === undefined)
  if (without === undefined) return undefined
  const name = Option.getOrElse(AST.getIdentifierAnnotation(AST.typeAST(without.ast)), () => "an error")
  return `errors has ${name} without a status: give the class Endpoint.status(409) as its annotations`
}
