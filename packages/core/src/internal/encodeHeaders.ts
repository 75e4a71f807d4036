/**
 * The headers of a request: those that every request has, the key, those that the endpoint declares, and the caller's own.
 */
import * as Headers from "@effect/platform/Headers"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as AST from "effect/SchemaAST"
import type { Options } from "./callOptions.js"
import type * as Endpoint from "./endpoint.js"
import { nameProblem, valueProblem } from "./headers.js"
import { placed } from "./placed.js"

const acceptJson = Headers.fromInput({ accept: "application/json" })
const jsonHeaders = Headers.set(acceptJson, "content-type", "application/json")

/**
 * Builds the headers of an endpoint's requests, or says what is wrong with those that were given. The secrets among them are
 * added to `secrets`.
 */
export const encodeHeaders = (
  endpoint: Endpoint.Any
): ((options: Options, hasBody: boolean, secrets: Set<string>) => Headers.Headers | string) => {
  const declared = endpoint.headers && declaredHeaders(endpoint.headers)
  return ({ headers, idempotencyKey }, hasBody, secrets) => {
    const always = hasBody ? jsonHeaders : acceptJson
    if (headers === undefined && declared === undefined) {
      return idempotencyKey === undefined ? always : Headers.set(always, "idempotency-key", idempotencyKey)
    }
    const all: Record<string, string> = { ...always }
    if (idempotencyKey !== undefined) all["idempotency-key"] = idempotencyKey
    const problem =
      declared?.add(all, headers ?? {}, secrets) ?? addFree(all, headers ?? {}, declared?.names ?? noNames)
    return problem ?? Headers.unsafeFromRecord(all)
  }
}

const noNames: ReadonlySet<string> = new Set()

type Given = Readonly<Record<string, unknown>>

const declaredHeaders = (schema: NonNullable<Endpoint.Any["headers"]>) => {
  const encode = placed(schema, "headers")
  const names = new Set(AST.getPropertySignatures(AST.typeAST(schema.ast)).map(({ name }) => String(name)))
  return {
    names,
    add: (all: Record<string, string>, given: Given, secrets: Set<string>): string | undefined => {
      const own = Object.fromEntries([...names].filter((name) => name in given).map((name) => [name, given[name]]))
      const encoded = encode(own, false)
      if (Either.isLeft(encoded)) return encoded.left
      for (const secret of encoded.right.secrets) secrets.add(secret)
      if (!Predicate.isRecord(encoded.right.value)) return "headers must be an object"
      for (const [name, value] of Object.entries(encoded.right.value)) {
        const problem = value === undefined ? undefined : addTo(all, name, value)
        if (problem !== undefined) return problem
      }
      return undefined
    }
  }
}

const addFree = (all: Record<string, string>, given: Given, declared: ReadonlySet<string>): string | undefined => {
  for (const [name, value] of Object.entries(given)) {
    if (declared.has(name) || value === undefined) continue
    const problem = nameProblem(name) ?? addTo(all, name, value)
    if (problem !== undefined) return problem
  }
  return undefined
}

const addTo = (all: Record<string, string>, name: string, value: unknown): string | undefined => {
  const lower = name.toLowerCase()
  const problem = valueProblem(name, value)
  if (problem !== undefined) return problem
  if (Object.hasOwn(all, lower)) return `headers has ${lower} twice`
  all[lower] = String(value)
  return undefined
}
