/**
 * Any other endpoint, as a value made of what the caller says.
 */
import * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { type Generic, NotFound, type RequestFailed, type Unauthorized } from "@effect-gr4vy/core/Errors"
import type { Gr4vyHttpClient } from "@effect-gr4vy/core/Gr4vyHttpClient"
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { refuse } from "./input.js"

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

type Method = (typeof methods)[number]

const isMethod = (method: unknown): method is Method => methods.some((known) => known === method)

/** The request and its whole response: a JSON value, or `undefined` for an empty body. */
export const request = (
  http: Gr4vyHttpClient["Type"],
  method: unknown,
  path: unknown,
  body: unknown,
  idempotencyKey: string | undefined
): Effect.Effect<unknown, Unauthorized | NotFound | Generic | RequestFailed> => {
  if (!isMethod(method)) throw refuse(`method must be one of ${methods.join(", ")}`)
  if (!Predicate.isString(path) || !path.startsWith("/") || path.includes("#")) {
    throw refuse('path must be a string that begins with "/", without "#"')
  }
  const payload = body === undefined || body === null ? undefined : asJson(body)
  const [, before = "", query] = /^([^?]*)(?:\?(.*))?$/s.exec(path) ?? []
  const { names, template, values } = templateOf(before)
  const endpoint: Endpoint.Any = {
    name: "Gr4vy.request",
    method,
    path: template,
    // Without a key, a second copy of a POST or PATCH may do harm.
    resend: idempotencyKey !== undefined ? "keyed" : method === "POST" || method === "PATCH" ? "once" : "idempotent",
    params: Object.fromEntries(names.map((name) => [name, Schema.String])),
    query: query === undefined ? undefined : Query,
    payload: payload === undefined ? undefined : Schema.Unknown,
    payloadOptional: false,
    success: Schema.Unknown,
    errors: [NotFound],
    status: 200,
    scope: undefined,
    attemptTimeout: undefined,
    belongs: undefined,
    docs: {}
  }
  const args = [
    ...(names.length === 0
      ? []
      : names.length === 1
        ? values
        : [Object.fromEntries(names.map((n, i) => [n, values[i]]))]),
    ...(endpoint.query === undefined ? [] : [queryOf(query ?? "")]),
    ...(payload === undefined ? [] : [payload]),
    // Whatever is `Redacted` in the arguments is scrubbed from what the server says.
    { idempotencyKey, secrets: secretsIn(payload).map((secret) => Redacted.make(secret)) }
  ]
  // The arguments of an endpoint that is not known to the compiler.
  const call = Endpoint.clientOf({ call: endpoint }, http).call as unknown as (
    ...args: ReadonlyArray<unknown>
  ) => ReturnType<typeof request>
  return call(...args)
}

/** A copy of the body as the API gets it, so that it is no cycle and stays what it is. */
const asJson = (body: unknown): unknown => {
  // `JSON.stringify` of a caller, as for `fetch`, would be encoded a second time.
  if (Predicate.isString(body))
    throw refuse("body must be the value itself, not a string: the client converts it to JSON")
  try {
    return JSON.parse(JSON.stringify(body))
  } catch {
    throw refuse("body must be what JSON can hold")
  }
}

const Query = Schema.Record({ key: Schema.String, value: Schema.Array(Schema.String) })

const queryOf = (query: string): Record<string, ReadonlyArray<string>> => {
  const params = new URLSearchParams(query)
  // The encoder builds an object, on which this name is no property.
  if (params.has("__proto__")) throw refuse("path must not have a query parameter named __proto__")
  return Object.fromEntries([...params.keys()].map((key) => [key, params.getAll(key)]))
}

/** A path as its template: spans and metrics must not have a name for each id. */
const templateOf = (path: string) => {
  const names: Array<string> = []
  const values: Array<string> = []
  const template = path.split("/").map((segment, index) => {
    // The API's own words are lower-case letters and dashes; everything else is an id.
    if (index === 0 || /^[a-z]+(-[a-z]+)*$/.test(segment)) return segment
    const name = names.length === 0 ? "id" : `id_${names.length + 1}`
    names.push(name)
    values.push(decoded(segment))
    return `{${name}}`
  })
  return { names, values, template: template.join("/") }
}

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw refuse('path has a "%" that begins no percent-encoded character')
  }
}

const secretNames: ReadonlyArray<string> = ["number", "security_code"]

/** Card number and security code, wherever the body has them. */
const secretsIn = (body: unknown): ReadonlyArray<string> =>
  Predicate.isObject(body)
    ? Object.entries(body).flatMap(([key, value]) =>
        secretNames.includes(key) && (Predicate.isString(value) || Predicate.isNumber(value))
          ? [String(value)]
          : secretsIn(value)
      )
    : []
