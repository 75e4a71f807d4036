/**
 * Converts the arguments of an endpoint's function to a request. Invalid input is refused here, before anything is sent.
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { RequestFailed } from "../Errors.js"
import { EndpointRequest } from "../spi/EndpointRequest.js"
import { type Encoded, encoder, type Refusal } from "./codec/codec.js"
import { readsAsynchronously } from "./codec/needsTime.js"
import { decodeSuccess } from "./decodeSuccess.js"
import type * as Endpoint from "./endpoint.js"
import { explain, PlaceId } from "./explain.js"

/** Builds the requests of an endpoint. Its schemas are compiled once. */
export const encodeRequest = (
  endpoint: Endpoint.Any
): ((args: ReadonlyArray<unknown>) => Either.Either<EndpointRequest, RequestFailed>) => {
  const template = splitTemplate(endpoint.path)
  const params = template.names.map((name) => {
    const schema = endpoint.params[name] ?? Schema.String
    const shownName = Option.getOrElse(AST.getAnnotation<string>(PlaceId)(schema.ast), () => name)
    return { name, shownName, encode: encoded(schema, shownName) }
  })
  const query = endpoint.query && encoded(endpoint.query, "query")
  const payload = endpoint.payload && encoded(endpoint.payload, "payload")
  const decode = decodeSuccess(endpoint)
  let needsTime: boolean | undefined

  const encode = (args: ReadonlyArray<unknown>): Either.Either<EndpointRequest, RequestFailed> => {
    needsTime ??= endpoint.success !== undefined && readsAsynchronously(endpoint.success)
    if (needsTime)
      return invalidRequest(
        `the success schema of ${endpoint.name} does asynchronous work, which no response can wait for`
      )
    const given = argumentsOf(endpoint, args)
    const secrets = new Set<string>()

    const segments: Array<string> = []
    const shownSegments: Array<string> = []
    for (const { encode, name, shownName } of params) {
      const param = encode(params.length === 1 ? given.params : propertyOf(given.params, name))
      if (Either.isLeft(param)) return invalidRequest(param.left)
      const segment = encodeSegment(shownName, param.right.value)
      if (Either.isLeft(segment)) return invalidRequest(segment.left)
      for (const secret of param.right.secrets) secrets.add(secret)
      segments.push(segment.right)
      shownSegments.push(param.right.secrets.size === 0 ? segment.right : `{${name}}`)
    }

    let urlParams = UrlParams.empty
    let shownParams = urlParams
    if (query !== undefined) {
      const encoded = query(given.query)
      if (Either.isLeft(encoded)) return invalidRequest(encoded.left)
      const hidden = encoded.right.secrets
      for (const secret of hidden) secrets.add(secret)
      const problem = queryProblem(encoded.right.value)
      if (problem !== undefined) return invalidRequest(problem)
      // As just checked.
      urlParams = UrlParams.fromInput(encoded.right.value as UrlParams.Input)
      const isSecret = (value: string) => Array.from(hidden).some((secret) => value.includes(secret))
      shownParams =
        hidden.size === 0 ? urlParams : urlParams.map(([key, value]) => [key, isSecret(value) ? `{${key}}` : value])
    }

    let body: HttpBody.HttpBody = HttpBody.empty
    if (payload !== undefined && (given.payload !== undefined || !endpoint.payloadOptional)) {
      const encoded = payload(given.payload)
      if (Either.isLeft(encoded)) return invalidRequest(encoded.left)
      for (const secret of encoded.right.secrets) secrets.add(secret)
      const json = toJson(encoded.right.value)
      if (Either.isLeft(json)) return invalidRequest(json.left)
      body = HttpBody.text(json.right, "application/json")
    }

    const { options } = given
    const key = propertyOf(options, "idempotencyKey")
    if (endpoint.resend === "keyed" && !isKey(key)) {
      return invalidRequest(
        "idempotencyKey must be 1 to 255 visible ASCII characters, e.g. order-1001/1: the order and the buyer's try"
      )
    }
    for (const secret of secretsOf(options)) secrets.add(secret)
    const headers = body._tag === "Empty" ? acceptJson : jsonHeaders
    const path = fill(template.texts, segments)
    const shownPath = fill(template.texts, shownSegments)
    return Either.right(
      new EndpointRequest(
        endpoint,
        path,
        urlParams,
        endpoint.resend === "keyed" ? Headers.set(headers, "idempotency-key", String(key)) : headers,
        body,
        shownParams.length === 0 ? shownPath : `${shownPath}?${UrlParams.toString(shownParams)}`,
        beforeSendOf(options),
        secrets.size === 0 ? noSecrets : () => [...secrets],
        (status, text) => decode(status, text, given.params)
      )
    )
  }

  return (args) => {
    try {
      return encode(args)
    } catch {
      // A getter or a proxy throws; its message may quote a value.
      return invalidRequest("the arguments cannot be read")
    }
  }
}

/** The arguments of a call by their place in the request. */
interface Arguments {
  /** One parameter as its value, several as a record. */
  readonly params: unknown
  readonly query: unknown
  readonly payload: unknown
  readonly options: unknown
}

/** The one place that counts positions. */
const argumentsOf = (endpoint: Endpoint.Any, args: ReadonlyArray<unknown>): Arguments => {
  let position = 0
  return {
    params: Object.keys(endpoint.params).length === 0 ? undefined : args[position++],
    query: endpoint.query === undefined ? undefined : (args[position++] ?? {}),
    payload: endpoint.payload === undefined ? undefined : args[position++],
    options: args[position]
  }
}

const propertyOf = (value: unknown, name: string): unknown =>
  Predicate.hasProperty(value, name) ? value[name] : undefined

const noSecrets = (): ReadonlyArray<string> => []

/** What else no server may say back, as the promise package knows it. */
const secretsOf = (options: unknown): ReadonlyArray<string> => {
  const secrets = propertyOf(options, "secrets")
  return Array.isArray(secrets)
    ? secrets.flatMap((secret) => (Redacted.isRedacted(secret) ? [String(Redacted.value(secret))] : []))
    : []
}

/** Encodes a value, or says what is wrong with it, named by its place in the request. */
const encoded = (
  schema: Schema.Schema.AnyNoContext,
  place: string
): ((value: unknown) => Either.Either<Encoded, string>) => {
  const encode = encoder(schema)
  return (value) => Either.mapLeft(encode(value), (refusal) => problem(refusal, schema, place))
}

const problem = (refusal: Refusal, { ast }: Schema.Schema.AnyNoContext, place: string): string => {
  switch (refusal._tag) {
    case "Invalid":
      return explain(refusal.issue, ast, place, "sent")
    case "Lossy":
      return `${[place, ...refusal.lossy.path.map(shownKey)].join(".")} must be ${refusal.lossy.expected}`
    case "Undecided":
      return `${place} cannot be checked: its schema, or a property of it, throws or does asynchronous work`
  }
}

/** A query has texts, numbers, booleans and lists of them. */
const queryProblem = (query: unknown): string | undefined => {
  const isText = (value: unknown) =>
    Predicate.isString(value) || Predicate.isNumber(value) || Predicate.isBoolean(value) || value === undefined
  if (!Predicate.isRecord(query)) return "query must be an object"
  for (const [key, value] of Object.entries(query)) {
    if (isText(value) || (Array.isArray(value) && value.every(isText))) continue
    return `query.${shownKey(key)} must be a string, a number, true or false, or a list of these`
  }
  return undefined
}

/** A key may come from the data. */
const shownKey = (key: PropertyKey): string =>
  Predicate.isNumber(key) || (Predicate.isString(key) && /^[A-Za-z]{1,24}(?:[_-][A-Za-z]{1,24}){0,3}$/.test(key))
    ? String(key)
    : "*"

const acceptJson = Headers.fromInput({ accept: "application/json" })
const jsonHeaders = Headers.set(acceptJson, "content-type", "application/json")

const invalidRequest = (problem: string): Either.Either<never, RequestFailed> =>
  Either.left(
    new RequestFailed({
      reason: "InvalidRequest",
      delivered: "no",
      attempts: 0,
      message: `Nothing was sent: ${problem}.`
    })
  )

/** `/x/{a}/y` is the texts `/x/` and `/y` around the name `a`. */
export const splitTemplate = (
  path: string
): { readonly texts: ReadonlyArray<string>; readonly names: ReadonlyArray<string> } => {
  const parts = path.split(/\{([^{}]+)\}/)
  return { texts: parts.filter((_, index) => index % 2 === 0), names: parts.filter((_, index) => index % 2 === 1) }
}

const fill = (texts: ReadonlyArray<string>, segments: ReadonlyArray<string>): string => {
  let path = texts[0] ?? ""
  for (let i = 0; i < segments.length; i++) path += (segments[i] ?? "") + (texts[i + 1] ?? "")
  return path
}

// Servers and proxies decode a path before routing, some of them twice. A segment that could become another path is refused.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const changesPath = /[/\\?#\x00-\x1f\x7f]|^\.{1,2}$|^$|%2f|%5c|^(?:\.|%2e){1,2}$/i

const encodeSegment = (name: string, value: unknown): Either.Either<string, string> => {
  const text = Predicate.isString(value) ? value : Predicate.isNumber(value) ? String(value) : ""
  const problem = `${name} must be one segment of a path: not empty, no "." or ".." alone, no slash, "?", "#" or control character`
  if (changesPath.test(text)) return Either.left(problem)
  try {
    return Either.right(encodeURIComponent(text))
  } catch {
    // A lone surrogate has no UTF-8.
    return Either.left(problem)
  }
}

const toJson = (encoded: unknown): Either.Either<string, string> => {
  const problem = () => "payload must be what JSON can hold"
  return Either.flatMap(
    // `undefined` for a function, a symbol, and `undefined` itself, which the type leaves out.
    Either.try({ try: (): string | undefined => JSON.stringify(encoded), catch: problem }),
    Either.fromNullable(problem)
  )
}

/** Whether a value can be sent as `Idempotency-Key`. */
export const isKey = (key: unknown): key is string =>
  Predicate.isString(key) && /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key)

const beforeSendOf = (options: unknown): Endpoint.CallOptions["beforeSend"] =>
  Predicate.hasProperty(options, "beforeSend") && Predicate.isFunction(options.beforeSend)
    ? // What the type of the options says; a function tells no more of itself.
      (options.beforeSend as Endpoint.CallOptions["beforeSend"])
    : undefined
