/**
 * Converts the arguments of an endpoint's function to a request. Invalid input is refused here, before anything is sent.
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { RequestFailed } from "../Errors.js"
import { EndpointRequest } from "../spi/EndpointRequest.js"
import { recordOf } from "./arguments.js"
import { readOptions } from "./callOptions.js"
import { readsAsynchronously } from "./codec/needsTime.js"
import { decodeSuccess } from "./decodeSuccess.js"
import { encodeHeaders } from "./encodeHeaders.js"
import type * as Endpoint from "./endpoint.js"
import { PlaceId } from "./explain.js"
import { invalidRequest } from "./invalidRequest.js"
import { placed, shownKey } from "./placed.js"

/** Builds the requests of an endpoint. Its schemas are compiled once. */
export const encodeRequest = (
  endpoint: Endpoint.Any
): ((args: ReadonlyArray<unknown>) => Either.Either<EndpointRequest, RequestFailed>) => {
  const template = splitTemplate(endpoint.path)
  const params = template.names.map((name) => {
    const schema = endpoint.params[name] ?? Schema.String
    const shownName = Option.getOrElse(AST.getAnnotation<string>(PlaceId)(schema.ast), () => name)
    return { name, shownName, encode: placed(schema, shownName) }
  })
  const query = endpoint.query && placed(endpoint.query, "query")
  const payloadName = endpoint.docs.payload ?? "payload"
  const payload = endpoint.payload && placed(endpoint.payload, payloadName)
  const toRecord = recordOf(endpoint)
  const toOptions = readOptions(endpoint)
  const toHeaders = encodeHeaders(endpoint)
  const decode = decodeSuccess(endpoint)
  let needsTime: boolean | undefined

  const encode = (args: ReadonlyArray<unknown>): Either.Either<EndpointRequest, RequestFailed> => {
    needsTime ??= endpoint.success !== undefined && readsAsynchronously(endpoint.success)
    if (needsTime)
      return refused(`the success schema of ${endpoint.name} does asynchronous work, which no response can wait for`)
    const given = toRecord(args)
    const options = toOptions(given.options)
    if (options instanceof RequestFailed) return Either.left(options)
    const secrets = new Set<string>(options.secrets)

    const segments: Array<string> = []
    const shownSegments: Array<string> = []
    for (const { encode, name, shownName } of params) {
      const param = encode(params.length === 1 ? given.params : propertyOf(given.params, name), false)
      if (Either.isLeft(param)) return refused(param.left)
      const segment = encodeSegment(shownName, param.right.value)
      if (Either.isLeft(segment)) return refused(segment.left)
      for (const secret of param.right.secrets) secrets.add(secret)
      segments.push(segment.right)
      shownSegments.push(param.right.secrets.size === 0 ? segment.right : `{${name}}`)
    }

    let urlParams = UrlParams.empty
    let shownParams = urlParams
    if (query !== undefined) {
      const encoded = query(given.query ?? {}, options.sendsUnknown)
      if (Either.isLeft(encoded)) return refused(encoded.left)
      const hidden = encoded.right.secrets
      for (const secret of hidden) secrets.add(secret)
      const problem = queryProblem(encoded.right.value)
      if (problem !== undefined) return refused(problem)
      // As just checked.
      urlParams = UrlParams.fromInput(encoded.right.value as UrlParams.Input)
      const isSecret = (value: string) => Array.from(hidden).some((secret) => value.includes(secret))
      shownParams =
        hidden.size === 0 ? urlParams : urlParams.map(([key, value]) => [key, isSecret(value) ? `{${key}}` : value])
    }

    let body: HttpBody.HttpBody = HttpBody.empty
    if (payload !== undefined && (given.payload !== undefined || !endpoint.payloadOptional)) {
      const encoded = payload(given.payload, options.sendsUnknown)
      if (Either.isLeft(encoded)) return refused(encoded.left)
      for (const secret of encoded.right.secrets) secrets.add(secret)
      const json = toJson(encoded.right.value, payloadName)
      if (Either.isLeft(json)) return refused(json.left)
      body = HttpBody.text(json.right, "application/json")
    }

    const headers = toHeaders(options, body._tag !== "Empty", secrets)
    if (Predicate.isString(headers)) return refused(headers)
    const path = fill(template.texts, segments)
    const shownPath = fill(template.texts, shownSegments)
    return Either.right(
      new EndpointRequest(
        endpoint,
        path,
        urlParams,
        headers,
        body,
        shownParams.length === 0 ? shownPath : `${shownPath}?${UrlParams.toString(shownParams)}`,
        options,
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
      return refused("the arguments cannot be read")
    }
  }
}

const propertyOf = (value: unknown, name: string): unknown =>
  Predicate.hasProperty(value, name) ? value[name] : undefined

const noSecrets = (): ReadonlyArray<string> => []

const refused = (problem: string): Either.Either<never, RequestFailed> => Either.left(invalidRequest(problem))

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

const toJson = (encoded: unknown, place: string): Either.Either<string, string> => {
  const problem = () => `${place} must be what JSON can hold`
  return Either.flatMap(
    // `undefined` for a function, a symbol, and `undefined` itself, which the type leaves out.
    Either.try({ try: (): string | undefined => JSON.stringify(encoded), catch: problem }),
    Either.fromNullable(problem)
  )
}
