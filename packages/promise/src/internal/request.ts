/**
 * Any other endpoint, as a value made of what the caller says.
 */
import * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { type Generic, NotFound, type RequestFailed, type Unauthorized } from "@effect-gr4vy/core/Errors"
import type { Gr4vyHttpClient } from "@effect-gr4vy/core/Gr4vyHttpClient"
import { copyJson } from "@effect-gr4vy/core/spi/Json"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { RequestOptions } from "../models.js"
import { type EndpointOptions, refuse } from "./input.js"

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

type Method = (typeof methods)[number]

const isMethod = (method: unknown): method is Method => methods.some((known) => known === method)

/** The request and its whole response: a JSON value, or `undefined` for an empty body. */
export const request = (
  http: Gr4vyHttpClient["Type"],
  method: unknown,
  path: unknown,
  {
    body,
    headers,
    idempotencyKey,
    query: given,
    ...options
  }: EndpointOptions & Pick<RequestOptions, "body" | "query" | "idempotencyKey">
): Effect.Effect<unknown, Unauthorized | NotFound | Generic | RequestFailed> => {
  if (!isMethod(method)) throw refuse(`method must be one of ${methods.join(", ")}`)
  if (!Predicate.isString(path) || !path.startsWith("/") || path.includes("#")) {
    throw refuse('path must be a string that begins with "/", without "#"')
  }
  const payload = body === undefined ? undefined : asJson(body)
  const [, before = "", written] = /^([^?]*)(?:\?(.*))?$/s.exec(path) ?? []
  if (written !== undefined && given !== undefined) {
    throw refuse("the query must be in path or in options.query, not in both")
  }
  const query = given === undefined || given === null ? readQuery(written) : queryOf(Object.entries(given))
  const { names, resources, template, values } = templateOf(before)
  if (idempotencyKey !== undefined && !(method === "POST" && keyed.has(template))) {
    throw refuse(
      `Gr4vy honours no idempotency key on ${method} ${template}, so a second copy could act twice. ` +
        "Leave options.idempotencyKey out"
    )
  }
  const endpoint: Endpoint.Any = {
    name: "Gr4vy.request",
    method,
    path: template,
    // Without a key that the API honours, a second copy of a POST or PATCH may do harm.
    resend: idempotencyKey !== undefined ? "keyed" : method === "POST" || method === "PATCH" ? "once" : "idempotent",
    params: Object.fromEntries(names.map((name) => [name, Schema.String])),
    query: query === undefined ? undefined : Query,
    headers: undefined,
    payload: payload === undefined ? undefined : Schema.Unknown,
    payloadOptional: false,
    success: Schema.Unknown,
    successOptional: false,
    errors: [NotFound],
    status: 200,
    scope: undefined,
    attemptTimeout: undefined,
    // No POST of the API names what it creates in its path.
    belongs: (answer: unknown) => mayBelong(answer, resources, method !== "POST"),
    docs: {}
  }
  const args = [
    ...(names.length === 0
      ? []
      : names.length === 1
        ? values
        : [Object.fromEntries(names.map((n, i) => [n, values[i]]))]),
    ...(payload === undefined ? [] : [payload]),
    ...(query === undefined ? [] : [query]),
    // Whatever is `Redacted` in the arguments is scrubbed from what the server says.
    {
      ...options,
      ...(headers === undefined || headers === null ? {} : { headers }),
      idempotencyKey,
      secrets: [...secretsIn(payload)].map((secret) => Redacted.make(secret))
    }
  ]
  // The arguments of an endpoint that is not known to the compiler.
  const call = Endpoint.clientOf({ call: endpoint }, http).call as unknown as (
    ...args: ReadonlyArray<unknown>
  ) => ReturnType<typeof request>
  return call(...args)
}

/** The operations that honour `Idempotency-Key`; for the last three, only the API's description says so. */
const keyed: ReadonlySet<string> = new Set([
  "/transactions",
  "/transactions/{id}/capture",
  "/transactions/{id}/void",
  "/transactions/{id}/refunds",
  "/transactions/{id}/refunds/all",
  "/transactions/{id}/authorization/increment",
  "/gift-cards/activations",
  "/gift-cards/issuances"
])

/** A copy of the body as the API gets it. An amount that JSON loses would refund everything. */
const asJson = (body: unknown): unknown => {
  // `JSON.stringify` of a caller, as for `fetch`, would be encoded a second time.
  if (Predicate.isString(body))
    throw refuse("body must be the value itself, not a string: the client converts it to JSON")
  return Either.getOrThrowWith(copyJson(body, "body"), refuse)
}

const Query = Schema.Record({ key: Schema.String, value: Schema.Array(Schema.String) })

const readQuery = (query: string | undefined): QueryLists | undefined => {
  if (query === undefined) return undefined
  const params = new URLSearchParams(query)
  return queryOf([...new Set(params.keys())].map((key) => [key, params.getAll(key)]))
}

type QueryLists = Record<string, ReadonlyArray<string>>

const queryOf = (entries: ReadonlyArray<readonly [name: string, value: unknown]>): QueryLists =>
  Object.fromEntries(
    entries.flatMap(([name, value]) => {
      // The encoder builds an object, on which this name is no property.
      if (name === "__proto__") throw refuse("the query must not have a parameter named __proto__")
      if (value === undefined || value === null) return []
      const values = Array.isArray(value) ? value : [value]
      if (!values.every(isQueryValue)) {
        throw refuse("options.query must have strings, finite numbers, true, false and lists of these")
      }
      return [[name, values.map(String)]]
    })
  )

const isQueryValue = (value: unknown): boolean =>
  Predicate.isString(value) || Predicate.isBoolean(value) || Number.isFinite(value)

/** A collection in a path, and the id after it: `transactions` and the id of one. */
interface Resource {
  readonly collection: string
  readonly id: string
  /** Whether the path ends with the id. */
  readonly isLast: boolean
}

/** A path as its template: spans and metrics must not have a name for each id. Every segment that is no word is one. */
const templateOf = (path: string) => {
  const names: Array<string> = []
  const values: Array<string> = []
  const resources: Array<Resource> = []
  const segments = path.split("/")
  const template = segments.map((segment, index) => {
    if (index === 0 || words.has(segment)) return segment
    const name = names.length === 0 ? "id" : `id_${names.length + 1}`
    const id = decoded(segment)
    names.push(name)
    values.push(id)
    const collection = segments[index - 1] ?? ""
    if (words.has(collection)) resources.push({ collection, id, isLast: index === segments.length - 1 })
    return `{${name}}`
  })
  return { names, resources, values, template: template.join("/") }
}

/** The words of the API's paths. A fixed list bounds the names of spans and metrics. */
const words: ReadonlySet<string> = new Set(
  (
    "account-updater actions activations all api-key-pairs apple audit-logs authorization balances buyers cancel capture " +
    "captures card-scheme-definitions checkout click-to-pay complete create cryptogram digital-wallets domains events " +
    "executions expire fields gift-cards google increment issuances jobs merchant-accounts network-tokens payment-links " +
    "payment-methods payment-options payment-service-definitions payment-service-tokens payment-services payouts paze " +
    "refund-settlements refunds report-executions reports resume review roles rotate-secret session sessions settlements " +
    "shipping-details suspend sync three-ds-configurations three-ds-scenarios transactions url verify void " +
    "webhook-subscriptions"
  ).split(" ")
)

/**
 * Returns whether a response may be the one to this path. A gateway that responds twice would shift all later responses. The
 * path's last id is the response's `id`; an id before it may be its `transaction_id`, or its `id` if its `type` says so.
 */
const mayBelong = (answer: unknown, resources: ReadonlyArray<Resource>, lastIsIt: boolean): boolean =>
  !Predicate.isRecord(answer) ||
  resources.every(({ collection, id, isLast }) => {
    const name = collection.replaceAll("-", "_").replace(/s$/, "")
    const isIt = (isLast && lastIsIt) || answer["type"] === collection.replace(/s$/, "")
    // A capture may authorize anew: its transaction then names the one of the path.
    const owns = isIt ? [answer["id"], answer[`reauthorized_from_${name}_id`]] : [answer[`${name}_id`]]
    const known = owns.filter(Predicate.isString)
    return known.length === 0 || known.some((each) => each.toLowerCase() === id.toLowerCase())
  })

const decoded = (segment: string): string => {
  const text = decodedText(segment)
  // A value that was no string when the path was put together.
  if (/^\[object .*\]$|^(?:undefined|null|NaN)$/.test(text)) {
    throw refuse("path has a segment that was put together from a Promise, an object, undefined, null or NaN")
  }
  if (changesPath.test(text)) {
    throw refuse(
      'path must not have an empty segment, "." or ".." alone, or an encoded slash, "?", "#" or control character'
    )
  }
  return text
}

// Core refuses the same, in the name of a parameter that the caller did not write.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const changesPath = /[/\\?#\x00-\x1f\x7f]|^\.{1,2}$|^$|%2f|%5c|^(?:\.|%2e){1,2}$/i

const decodedText = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw refuse('path has a "%" that begins no percent-encoded character')
  }
}

/** Names of secrets, and of every kind of token, password and key: `session_token`, `client_secret`. */
const secretName =
  /^(?:number|security_code|pin|cryptogram)$|(?:^|_)(?:token|password|secret|secret_key|private_key|decryption_key)$/

/** Every text and number under the name of a secret, wherever the body has it. */
const secretsIn = (body: unknown): ReadonlySet<string> => {
  const found = new Set<string>()
  const visit = (part: unknown, isSecret: boolean): void => {
    if (Predicate.isObject(part)) {
      for (const [key, value] of Object.entries(part)) visit(value, isSecret || secretName.test(key))
    } else if (isSecret && (Predicate.isString(part) || Predicate.isNumber(part))) {
      found.add(String(part))
    }
  }
  visit(body, false)
  return found
}
