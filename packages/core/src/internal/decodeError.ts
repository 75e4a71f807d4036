/**
 * Converts a response outside an endpoint's success to the error that the endpoint declares: by status first, by body
 * second.
 */
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type * as Endpoint from "../Endpoint.js"
import { Generic, NotFound } from "../Errors.js"
import { parseJson, toError } from "./answer.js"
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
    return status === undefined || schema === NotFound ? [] : [{ status, decode: ownError(schema) }]
  })
  const knowsNotFound = endpoint.errors.some((schema) => schema === NotFound)

  return (response) => {
    const error = toError(response)
    for (const { decode, status } of declared) {
      if (status !== response.status) continue
      const own = decode(error, response)
      if (Either.isRight(own)) return own.right
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
  return (error: ReturnType<typeof toError>, { secrets, text }: ErrorResponse) => {
    const body = Either.getOrElse(parseJson(text), () => undefined)
    return decode({
      ...error,
      ...(Predicate.isRecord(body) ? scrubbed(body, secrets) : {}),
      status: error.status,
      ...tag
    })
  }
}

/** The tag of the class, which no server sends. */
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

const scrubbed = (record: Readonly<Record<string, unknown>>, secrets: ReadonlyArray<string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [scrub(key, secrets), scrubValue(value, secrets)]))

const scrubValue = (value: unknown, secrets: ReadonlyArray<string>): unknown => {
  if (Array.isArray(value)) return value.map((item) => scrubValue(item, secrets))
  if (Predicate.isRecord(value)) return scrubbed(value, secrets)
  if (Predicate.isString(value)) return scrub(value, secrets)
  // A card number may come back as a JSON number: it is scrubbed to a string.
  return Predicate.isNumber(value) && scrub(String(value), secrets) !== String(value)
    ? scrub(String(value), secrets)
    : value
}
