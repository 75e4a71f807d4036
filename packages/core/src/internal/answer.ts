/**
 * Converts a response outside the contract's success to a typed error: by status first, by body second.
 */
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { ErrorDetail, Generic, NotFound, Unauthorized } from "../Errors.js"
import { scrub } from "./scrub.js"

/** The longest message, so that a response cannot flood a log. */
const maxMessageLength = 2000

/** The most details, more than any form has fields. */
const maxDetails = 100

interface ErrorBody {
  readonly code?: string
  readonly message?: string
  readonly details: ReadonlyArray<ErrorDetail>
}

export const toError = (answer: {
  readonly status: number
  readonly text: string
  readonly attempts: number
  readonly requestId: string | undefined
  readonly retryAfter: Option.Option<Duration.Duration>
  readonly secrets: ReadonlyArray<string>
}): Unauthorized | NotFound | Generic => {
  const body = Option.flatMap(Either.getRight(parseJson(answer.text)), readErrorBody(answer.secrets))
  const code = Option.flatMapNullable(body, (_) => _.code)
  const fields = {
    ...(Option.isSome(code) ? { code: code.value } : {}),
    message: body.pipe(
      Option.flatMapNullable((_) => _.message),
      Option.getOrElse(() => describe(answer.status, Option.isSome(body) ? "no message" : kindOf(answer.text)))
    ),
    details: Option.match(body, { onNone: () => [], onSome: (_) => _.details }),
    attempts: answer.attempts,
    ...(answer.requestId === undefined ? {} : { requestId: answer.requestId })
  }
  switch (answer.status) {
    case 401:
      return new Unauthorized({ ...fields, message: advised(401, fields.message) })
    case 404:
      return new NotFound(fields)
    default:
      return new Generic({
        status: answer.status,
        ...fields,
        message: answer.status === 403 ? advised(403, fields.message) : fields.message,
        ...(Option.isSome(answer.retryAfter) ? { retryAfter: answer.retryAfter.value } : {})
      })
  }
}

/** `JSON.parse`, with the failure as a value. */
export const parseJson = (text: string): Either.Either<unknown, void> =>
  Either.try({ try: (): unknown => JSON.parse(text), catch: () => undefined })

/** Describes a body in two or three words, without quoting it. */
export const kindOf = (text: string): string => {
  const start = text.trimStart().slice(0, 64).toLowerCase()
  if (start === "") return "an empty body"
  if (start.startsWith("<!doctype html") || start.startsWith("<html")) return "an HTML page"
  if (Either.isRight(parseJson(text))) return "JSON of an unexpected shape"
  return start.startsWith("{") || start.startsWith("[") ? "broken JSON" : "plain text"
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
