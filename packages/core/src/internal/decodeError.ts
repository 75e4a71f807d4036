/**
 * Converts a response outside an endpoint's success to the error that the endpoint declares: by status first, by body
 * second.
 */
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type * as Endpoint from "../Endpoint.js"
import { ErrorDetail, Generic, NotFound, Unauthorized } from "../Errors.js"
import { kindOf, parseJson } from "./body.js"
import { scrub } from "./scrub.js"
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
    const error = toError(response)
    const candidates = declared.filter(({ status }) => status === response.status)
    if (candidates.length > 0) {
      const body = Either.getOrElse(parseJson(response.text), () => undefined)
      // A server of the platform's sends the tag of the class.
      const sent = Predicate.hasProperty(body, "_tag") ? body._tag : undefined
      const named = candidates.filter(({ tag }) => sent !== undefined && tag._tag === sent)
      for (const { decode } of [...named, ...candidates]) {
        const own = decode(error, body, response.secrets)
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
  const decode = Schema.decodeUnknownEither(schema)
  const tag = tagOf(schema)
  return (error: ReturnType<typeof toError>, body: unknown, secrets: ReadonlyArray<string>) => {
    const decoded = Either.try(() =>
      decode({
        ...error,
        // A spread omits an error's message, which a body may not have.
        message: error.message,
        ...(Predicate.isRecord(body) ? scrubbed(body, new Scrubber(secrets), 0) : {}),
        status: error.status,
        ...tag
      })
    )
    // A body that is too large, or a schema that throws: then it is not the user's own error.
    return Either.flatMap(decoded, (own) => own)
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

class Scrubber {
  private values = 0

  constructor(private readonly secrets: ReadonlyArray<string>) {}

  text(text: string): string {
    if (++this.values > maxValues) throw new RangeError("too many values")
    return scrub(text, this.secrets)
  }
}

const scrubbed = (
  record: Readonly<Record<string, unknown>>,
  scrubber: Scrubber,
  depth: number
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(record).map(([key, value]) => [scrubber.text(key), scrubValue(value, scrubber, depth + 1)])
  )

const scrubValue = (value: unknown, scrubber: Scrubber, depth: number): unknown => {
  if (depth > maxDepth) throw new RangeError("too deep")
  if (Array.isArray(value)) return value.map((item) => scrubValue(item, scrubber, depth + 1))
  if (Predicate.isRecord(value)) return scrubbed(value, scrubber, depth)
  if (Predicate.isString(value)) return scrubber.text(value)
  if (!Predicate.isNumber(value)) return value
  // A card number may come back as a number: then it is no longer one.
  const text = scrubber.text(String(value))
  return text === String(value) ? value : text
}

/** The longest message, so that a response cannot flood a log. */
const maxMessageLength = 2000

/** The most details, more than any form has fields. */
const maxDetails = 100

interface ErrorBody {
  readonly code?: string
  readonly message?: string
  readonly details: ReadonlyArray<ErrorDetail>
}

/** The error of a status by itself, with the text of the body. */
const toError = (response: ErrorResponse): Unauthorized | NotFound | Generic => {
  const body = Option.flatMap(Either.getRight(parseJson(response.text)), readErrorBody(response.secrets))
  const code = Option.flatMapNullable(body, (_) => _.code)
  const fields = {
    ...(Option.isSome(code) ? { code: code.value } : {}),
    message: body.pipe(
      Option.flatMapNullable((_) => _.message),
      Option.getOrElse(() => describe(response.status, Option.isSome(body) ? "no message" : kindOf(response.text)))
    ),
    details: Option.match(body, { onNone: () => [], onSome: (_) => _.details }),
    attempts: response.attempts,
    ...(response.requestId === undefined ? {} : { requestId: response.requestId })
  }
  switch (response.status) {
    case 401:
      return new Unauthorized({ ...fields, message: advised(401, fields.message) })
    case 404:
      return new NotFound(fields)
    default:
      return new Generic({
        status: response.status,
        ...fields,
        message: response.status === 403 ? advised(403, fields.message) : fields.message,
        ...(Option.isSome(response.retryAfter) ? { retryAfter: response.retryAfter.value } : {})
      })
  }
}

const describe = (status: number, came: string): string =>
  `The API responded with status ${status} and ${came}${came === "no message" ? "" : " instead of its own error"}. ${advice(status)}`

/** The API's own messages about a 401 and a 403 do not say what to do. */
const advised = (status: 401 | 403, message: string): string => {
  const longer = `${message.replace(/([^.!?])$/, "$1.")} ${advice(status)}`
  return message.includes(advice(status)) || longer.length > maxMessageLength ? message : longer
}

const advice = (status: number): string => {
  if (status === 401)
    return "Check the token, or the private key that signs it: it must be valid, not expired, and belong to this instance (id) and environment (sandbox or production)."
  if (status === 403) return "Check that the token has the scopes this call needs."
  if (status === 404) return "The session is unknown, deleted or expired: create a new one, or check the base URL."
  if (status === 429) return "Too many requests: wait before the next call."
  if (status >= 500) return "The service or a gateway in front of it has a problem: retry later."
  if (status >= 300 && status < 400) return "Redirects are never followed: check the base URL."
  return "Check the request and the base URL."
}

const readErrorBody =
  (secrets: ReadonlyArray<string>) =>
  (body: unknown): Option.Option<ErrorBody> => {
    if (!Predicate.isRecord(body)) return Option.none()
    const clean = (value: unknown): string | undefined => {
      if (!Predicate.isString(value) || value === "") return undefined
      return cut(scrub(value, secrets))
    }
    const code = clean(body["code"])
    const message = clean(body["message"])
    if (code !== undefined || message !== undefined || body["type"] === "error") {
      const details = Array.isArray(body["details"]) ? body["details"] : []
      return Option.some({
        ...(code === undefined ? {} : { code }),
        ...(message === undefined ? {} : { message }),
        details: details
          .slice(0, maxDetails)
          .filter(Predicate.isRecord)
          .map((detail) =>
            errorDetail(
              clean(detail["location"]),
              clean(detail["type"]),
              clean(detail["pointer"]),
              clean(detail["message"])
            )
          )
      })
    }
    if (Array.isArray(body["detail"])) {
      return Option.some({
        message: "Request failed validation",
        details: body["detail"]
          .slice(0, maxDetails)
          .filter(Predicate.isRecord)
          .map((detail) => {
            const parts = (Array.isArray(detail["loc"]) ? detail["loc"].slice(0, maxDetails) : []).map((part) =>
              Predicate.isString(part) || Predicate.isNumber(part) ? String(part) : ""
            )
            const [first, ...rest] = parts
            // Only a word can be a location: a number spread over the parts must be scrubbed as one.
            const isPlace = first !== undefined && /^[a-z]+$/i.test(first)
            const pointer =
              first === "body" ? rest.map((part) => `/${part}`).join("") : (isPlace ? rest : parts).join(".")
            return errorDetail(
              isPlace ? clean(first) : undefined,
              clean(detail["type"]),
              cut(scrub(pointer, secrets)),
              clean(detail["msg"])
            )
          })
      })
    }
    return Option.none()
  }

const cut = (text: string): string => (text.length > maxMessageLength ? `${text.slice(0, maxMessageLength)}…` : text)

const errorDetail = (
  location: string | undefined,
  type: string | undefined,
  pointer: string | undefined,
  message: string | undefined
): ErrorDetail =>
  new ErrorDetail({
    ...(location === undefined ? {} : { location }),
    ...(type === undefined ? {} : { type }),
    ...(pointer === undefined ? {} : { pointer }),
    ...(message === undefined ? {} : { message })
  })
