/**
 * Converts a response outside an endpoint's success to the error that the endpoint declares: by status first, by body
 * second.
 */
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { ErrorDetail, Generic, NotFound, Unauthorized } from "../Errors.js"
import { kindOf, parseJson } from "./body.js"
import { decoder } from "./codec/codec.js"
import type * as Endpoint from "./endpoint.js"
import { Scrubber } from "./scrub/scrub.js"
import { statusOf } from "./status.js"

export interface ErrorResponse {
  readonly status: number
  readonly text: string
  readonly attempts: number
  readonly requestId: string | undefined
  readonly retryAfter: Option.Option<Duration.Duration>
  readonly secrets: ReadonlyArray<string>
}

export const decodeError = (endpoint: Endpoint.Any): ((response: ErrorResponse) => unknown) => {
  const declared = endpoint.errors.flatMap((schema) => {
    const status = statusOf(schema)
    return status === undefined || schema === NotFound ? [] : [{ status, tag: tagOf(schema), decode: ownError(schema) }]
  })
  const knowsNotFound = endpoint.errors.some((schema) => schema === NotFound)

  return (response) => {
    const scrubber = new Scrubber(response.secrets)
    const error = toError(response, scrubber, endpoint)
    const candidates = declared.filter(({ status }) => status === response.status)
    if (candidates.length > 0) {
      const body = Either.getOrElse(parseJson(response.text), () => undefined)
      // A server of the platform's sends the tag of the class.
      const sent = Predicate.hasProperty(body, "_tag") ? body._tag : undefined
      const named = candidates.filter(({ tag }) => sent !== undefined && tag._tag === sent)
      for (const { decode } of [...named, ...candidates]) {
        const own = decode(error, body, scrubber)
        if (Either.isRight(own)) return own.right
      }
    }
    if (!(error instanceof NotFound) || knowsNotFound) return error
    // An endpoint without a declared 404 has no resource that could be missing.
    return new Generic(fieldsOf(error))
  }
}

/**
 * An error class of a user's own gets the scrubbed body, and beside it what every error of ours has, for the fields it
 * wants to have.
 */
const ownError = (schema: Schema.Schema.AnyNoContext) => {
  const decode = decoder(schema)
  const tag = tagOf(schema)
  return (error: ReturnType<typeof toError>, body: unknown, scrubber: Scrubber) => {
    const scrubbed = Predicate.isRecord(body) ? scrubbedBody(body, scrubber) : {}
    // A body that is too large is not the user's own error.
    if (scrubbed === undefined) return Either.left(undefined)
    // How often a request was sent, and its id, are known here: a server's word on it does not count.
    const { attempts: _attempts, requestId: _requestId, ...said } = scrubbed
    return decode({ ...fieldsOf(error), ...said, attempts: error.attempts, status: error.status, ...tag })
  }
}

/** The tag of the class, which only a server of the platform's sends. */
const tagOf = ({ ast }: Schema.Schema.AnyNoContext): { readonly _tag?: AST.LiteralValue } => {
  const encoded = AST.encodedAST(ast)
  const tag = AST.isTypeLiteral(encoded) ? encoded.propertySignatures.find(({ name }) => name === "_tag") : undefined
  return tag !== undefined && AST.isLiteral(tag.type) ? { _tag: tag.type.literal } : {}
}

/** By name, because a spread omits an error's message. */
const fieldsOf = ({ attempts, code, details, message, requestId, status }: ReturnType<typeof toError>) => ({
  status,
  message,
  details,
  attempts,
  ...(code === undefined ? {} : { code }),
  ...(requestId === undefined ? {} : { requestId })
})

/** More values, or deeper ones, than an error has: to scrub them would keep the process busy for seconds. */
const maxValues = 2_000
const maxDepth = 64

/** The body with every string, number and key scrubbed; `undefined` if it is too large. */
const scrubbedBody = (
  body: Readonly<Record<string, unknown>>,
  scrubber: Scrubber
): Readonly<Record<string, unknown>> | undefined => {
  // Keys follow, because a number may be spread over the values alone.
  const texts: Array<string> = []
  const keys: Array<string> = []
  const collect = (value: unknown, depth: number): void => {
    if (depth > maxDepth || texts.length + keys.length > maxValues) return
    if (Predicate.isString(value)) texts.push(clipped(value))
    // A card number may come back as a number: then it is no longer one.
    else if (Predicate.isNumber(value)) texts.push(String(value))
    else if (Array.isArray(value)) for (const item of value) collect(item, depth + 1)
    else if (Predicate.isRecord(value)) {
      for (const [key, part] of Object.entries(value)) {
        keys.push(clipped(key))
        collect(part, depth + 1)
      }
    }
  }
  collect(body, 0)
  const isLarge = isTooLarge([...texts, ...keys])
  const clean = scrubber.texts(isLarge ? [] : [...texts, ...keys], maxMessageLength)
  const values = clean.slice(0, texts.length).values()
  const names = clean.slice(texts.length).values()
  const next = (): string => values.next().value ?? ""
  const rebuild = (value: unknown): unknown => {
    if (Predicate.isString(value)) return next()
    if (Predicate.isNumber(value)) {
      const text = next()
      return text === String(value) ? value : text
    }
    if (Array.isArray(value)) return value.map(rebuild)
    return Predicate.isRecord(value) ? rebuildRecord(value) : value
  }
  const rebuildRecord = (record: Readonly<Record<string, unknown>>): Record<string, unknown> =>
    Object.fromEntries(Object.entries(record).map(([key, part]) => [rebuildKey(key), rebuild(part)]))
  const rebuildKey = (_: string): string => names.next().value ?? ""
  return isLarge || depthOf(body) > maxDepth ? undefined : rebuildRecord(body)
}

const isTooLarge = (texts: ReadonlyArray<string>): boolean =>
  texts.length > maxValues || texts.reduce((total, text) => total + text.length, 0) > maxTotalLength

/** The depth of a value, up to one more than is looked at. */
const depthOf = (value: unknown, depth = 0): number =>
  depth > maxDepth || !Predicate.isObject(value)
    ? depth
    : Object.values(value).reduce<number>((deepest, part) => Math.max(deepest, depthOf(part, depth + 1)), depth)

/** The longest message, so that a response cannot flood a log. */
const maxMessageLength = 2000

/** The longest text that is looked at, long enough for the longest token that the API takes. */
const maxTextLength = 20_000

/** How much text of one response is searched, so that its cost is bounded. Details beyond it are left out. */
const maxTotalLength = 50_000

/** The most details, more than any form has fields. */
const maxDetails = 100

interface ErrorBody {
  readonly code: string | undefined
  readonly message: string | undefined
  readonly resourceId: string | undefined
  readonly details: ReadonlyArray<Detail>
}

type Detail = Readonly<Record<"location" | "type" | "pointer" | "message", string | undefined>>

/** The error of a status by itself, with the text of the body. */
const toError = (
  response: ErrorResponse,
  scrubber: Scrubber,
  endpoint: Endpoint.Any
): Unauthorized | NotFound | Generic => {
  const { retryAfter, status } = response
  const body = Option.map(Option.flatMap(Either.getRight(parseJson(response.text)), readErrorBody), (raw) =>
    scrubbedError(raw, scrubber)
  )
  const code = Option.flatMapNullable(body, (_) => _.code)
  const resourceId = Option.flatMapNullable(body, (_) => _.resourceId)
  const fields = {
    ...(Option.isSome(code) ? { code: code.value } : {}),
    message: body.pipe(
      Option.flatMapNullable((_) => _.message),
      Option.getOrElse(() => describe(status, Option.isSome(body) ? "no message" : kindOf(response.text), endpoint))
    ),
    details: Option.match(body, { onNone: () => [], onSome: (_) => _.details.map(errorDetail) }),
    attempts: response.attempts,
    ...(response.requestId === undefined ? {} : { requestId: response.requestId })
  }
  switch (status) {
    case 401:
      return new Unauthorized({ ...fields, message: advised(fields.message, advice(401, endpoint)) })
    case 404:
      return new NotFound(fields)
    default:
      return new Generic({
        status,
        ...fields,
        message: status === 403 ? advised(fields.message, advice(403, endpoint)) : fields.message,
        ...(Option.isSome(retryAfter) ? { retryAfter: retryAfter.value } : {}),
        ...(Option.isSome(resourceId) ? { resourceId: resourceId.value } : {})
      })
  }
}

const describe = (status: number, came: string, endpoint: Endpoint.Any): string =>
  `The API responded with status ${status} and ${came}${came === "no message" ? "" : " instead of its own error"}. ${advice(status, endpoint)}`

/** The API's own messages about a 401 and a 403 do not say what to do. */
const advised = (message: string, what: string): string => {
  const longer = `${message.replace(/([^.!?])$/, "$1.")} ${what}`
  return message.includes(what) || longer.length > maxMessageLength ? message : longer
}

const advice = (status: number, { method, path, scope }: Endpoint.Any): string => {
  if (status === 401)
    return "Check the token, or the private key that signs it: it must be valid, not expired, and belong to this instance (id) and environment (sandbox or production)."
  if (status === 403)
    return scope === undefined
      ? "Check that the token has the scopes this call needs."
      : `Check that the token has the scope ${scope}, which this call needs.`
  if (status === 404)
    return `${method} ${path} found nothing: the resource is unknown, deleted or expired. Check its id, and the base URL.`
  if (status === 429) return "Too many requests: wait before the next call."
  if (status >= 500) return "The service or a gateway in front of it has a problem: retry later."
  if (status >= 300 && status < 400) return "Redirects are never followed: check the base URL."
  return "Check the request and the base URL."
}

const readErrorBody = (body: unknown): Option.Option<ErrorBody> => {
  if (!Predicate.isRecord(body)) return Option.none()
  const code = textOf(body["code"])
  const message = textOf(body["message"])
  const resourceId = textOf(body["resource_id"])
  if (code !== undefined || message !== undefined || body["type"] === "error") {
    const details = listOf(body["details"]).map(({ location, message, pointer, type }) => ({
      location: textOf(location),
      type: textOf(type),
      pointer: textOf(pointer),
      message: textOf(message)
    }))
    return Option.some({ code, message, resourceId, details: bounded(details) })
  }
  return Array.isArray(body["detail"])
    ? Option.some({
        code,
        message: "Request failed validation",
        resourceId,
        details: bounded(
          listOf(body["detail"]).map(({ loc, msg, type }) => ({
            ...placeOf(loc),
            type: textOf(type),
            message: textOf(msg)
          }))
        )
      })
    : Option.none()
}

/** FastAPI's place of a problem, e.g. `["body", "amount"]`. */
const placeOf = (loc: unknown): Pick<Detail, "location" | "pointer"> => {
  const parts = (Array.isArray(loc) ? loc.slice(0, maxDetails) : []).map((part) =>
    Predicate.isString(part) || Predicate.isNumber(part) ? String(part) : ""
  )
  const [first, ...rest] = parts
  // Only a word can be a location: a number spread over the parts must be scrubbed as one.
  const isPlace = first !== undefined && /^[a-z]+$/i.test(first)
  return {
    location: isPlace ? first : undefined,
    pointer: clipped(first === "body" ? rest.map((part) => `/${part}`).join("") : (isPlace ? rest : parts).join("."))
  }
}

const bounded = (details: ReadonlyArray<Detail>): ReadonlyArray<Detail> => {
  let total = 0
  return details.filter((detail) => {
    for (const text of Object.values(detail)) total += text?.length ?? 0
    return total <= maxTotalLength
  })
}

const listOf = (value: unknown): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  (Array.isArray(value) ? value.slice(0, maxDetails) : []).filter(Predicate.isRecord)

const textOf = (value: unknown): string | undefined =>
  Predicate.isString(value) && value !== "" ? clipped(value) : undefined

/** The error's texts without secrets, which may be spread over several of them. */
const scrubbedError = ({ code, details, message, resourceId }: ErrorBody, scrubber: Scrubber): ErrorBody => {
  // Places follow, because a number may be spread over the messages alone.
  const texts = [
    code,
    message,
    resourceId,
    ...details.map((each) => each.message),
    ...details.flatMap((each) => [each.location, each.type, each.pointer])
  ]
  const clean = scrubber.texts(
    texts.map((text) => text ?? ""),
    maxMessageLength
  )
  const at = (index: number) => (texts[index] === undefined ? undefined : clean[index])
  const places = 3 + details.length
  return {
    code: at(0),
    message: at(1),
    resourceId: at(2),
    details: details.map((_, index) => ({
      location: at(places + 3 * index),
      type: at(places + 3 * index + 1),
      pointer: at(places + 3 * index + 2),
      message: at(3 + index)
    }))
  }
}

const clipped = (text: string): string => (text.length > maxTextLength ? text.slice(0, maxTextLength) : text)

const errorDetail = ({ location, message, pointer, type }: Detail): ErrorDetail =>
  new ErrorDetail({
    ...(location === undefined ? {} : { location }),
    ...(type === undefined ? {} : { type }),
    ...(pointer === undefined ? {} : { pointer }),
    ...(message === undefined ? {} : { message })
  })
