/**
 * Converts the arguments of an endpoint's function to a request. Invalid input is refused here, before anything is sent.
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Endpoint from "../Endpoint.js"
import { RequestFailed } from "../Errors.js"
import { EndpointRequest } from "../unstable/EndpointRequest.js"
import { decodeSuccess } from "./decodeSuccess.js"
import { explain } from "./explain.js"
import { holdsSecret, secretsIn } from "./scrub.js"

/** Builds the requests of an endpoint. Its schemas are compiled once. */
export const encodeRequest = (
  endpoint: Endpoint.Any
): ((args: ReadonlyArray<unknown>) => Either.Either<EndpointRequest, RequestFailed>) => {
  const template = splitTemplate(endpoint.path)
  const params = template.names.map((name) => ({ name, encode: encoder(endpoint.params[name] ?? Schema.String) }))
  const query = endpoint.query && encoder(endpoint.query)
  const payload = endpoint.payload && encoder(endpoint.payload)
  const decode = decodeSuccess(endpoint)

  const encode = (args: ReadonlyArray<unknown>): Either.Either<EndpointRequest, RequestFailed> => {
    let position = 0
    const values = params.length === 0 ? undefined : args[position++]
    const valueOf = (name: string) =>
      params.length === 1 ? values : Predicate.hasProperty(values, name) ? values[name] : undefined
    const segments: Array<string> = []
    for (const { encode, name } of params) {
      const encoded = encode(valueOf(name), name)
      const segment = Either.isLeft(encoded) ? encoded : encodeSegment(name, encoded.right)
      if (Either.isLeft(segment)) return invalidRequest(segment.left)
      segments.push(segment.right)
    }
    const path = fill(template.texts, segments)

    let urlParams = UrlParams.empty
    let shownParams = urlParams
    if (query !== undefined) {
      const given = args[position++] ?? {}
      const encoded = query(given, "query")
      if (Either.isLeft(encoded)) return invalidRequest(encoded.left)
      // What a query schema encodes to is what `fromInput` takes, which a schema of any shape cannot tell.
      urlParams = UrlParams.fromInput(encoded.right as UrlParams.Input)
      // What has another name on the wire may be any of the secrets.
      const isSecret = holdsSecret(given)
        ? (key: string) => !Predicate.hasProperty(given, key) || holdsSecret(given[key])
        : () => false
      shownParams = urlParams.map(([key, value]) => (isSecret(key) ? [key, `{${key}}`] : [key, value]))
    }

    let body: HttpBody.HttpBody = HttpBody.empty
    if (payload !== undefined) {
      const given = args[position++]
      if (given !== undefined || !endpoint.payloadOptional) {
        const json = Either.flatMap(payload(given, "payload"), toJson)
        if (Either.isLeft(json)) return invalidRequest(json.left)
        body = HttpBody.text(json.right, "application/json")
      }
    }

    const options = args[position]
    const key = Predicate.hasProperty(options, "idempotencyKey") ? options.idempotencyKey : undefined
    if (endpoint.resend === "keyed" && !isKey(key)) {
      return invalidRequest("idempotencyKey must be 1 to 255 visible ASCII characters, e.g. the id of the order")
    }
    const headers = body._tag === "Empty" ? acceptJson : jsonHeaders
    const shownPath = template.names.some((name) => holdsSecret(valueOf(name)))
      ? fill(
          template.texts,
          segments.map((segment, index) => {
            const name = template.names[index] ?? ""
            return holdsSecret(valueOf(name)) ? `{${name}}` : segment
          })
        )
      : path
    return Either.right(
      new EndpointRequest(
        endpoint,
        path,
        urlParams,
        endpoint.resend === "keyed" ? Headers.set(headers, "idempotency-key", String(key)) : headers,
        body,
        shownParams.length === 0 ? shownPath : `${shownPath}?${UrlParams.toString(shownParams)}`,
        beforeSendOf(options),
        () => secretsIn(args),
        (status, text) => decode(status, text, values)
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

// An unknown property would be dropped silently, so it is an error.
const strictly = { errors: "all", onExcessProperty: "error" } as const

/** Encodes a value, or says what is wrong with it, named by its place in the request. */
const encoder = (
  schema: Schema.Schema.AnyNoContext
): ((value: unknown, place: string) => Either.Either<unknown, string>) => {
  const encode = Schema.encodeUnknownEither(schema, strictly)
  return (value, place) => {
    try {
      const encoded = encode(value)
      return Either.isRight(encoded)
        ? Either.right(encoded.right)
        : Either.left(explain(encoded.left, schema.ast, place))
    } catch {
      // A user's own schema or a getter throws; its message may quote the value.
      return Either.left(`${place} cannot be checked: its schema, or a property of it, throws`)
    }
  }
}

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
