/**
 * Decodes a 2xx of an endpoint, or describes what came instead.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type * as Endpoint from "../Endpoint.js"
import type { Unusable } from "../unstable/EndpointRequest.js"
import { kindOf, parseJson } from "./answer.js"
import { FastDecode } from "./fastDecode.js"

type Decode = (value: unknown) => Either.Either<unknown, ParseResult.ParseError>

/** `params` are the call's: one as its value, several as a record. */
export const decodeSuccess = (
  endpoint: Endpoint.Any
): ((status: number, text: string, params: unknown) => Either.Either<unknown, Unusable>) => {
  const { belongs, params, success } = endpoint
  if (success === undefined) {
    return (status, text) =>
      status === 204 || (status === endpoint.status && text === "")
        ? Either.void
        : unusable(`${kindOf(text)} instead of ${endpoint.status} without a body`)
  }
  const decode: Decode = Option.getOrElse(AST.getAnnotation<Decode>(FastDecode)(success.ast), () =>
    Schema.decodeUnknownEither(success)
  )
  const [name, ...others] = Object.keys(params)
  const expected = Option.getOrElse(AST.getIdentifierAnnotation(success.ast), () => "body")
  return (_, text, values) => {
    // An empty body is a success if the schema accepts `undefined`.
    const result = Either.flatMap(
      text === "" ? Either.right(undefined) : Either.mapLeft(parseJson(text), () => undefined),
      (json) =>
        Either.flatMap(
          guarded(() => decode(json)),
          (decoded) => Either.mapLeft(decoded, () => undefined)
        )
    )
    if (Either.isLeft(result)) return unusable(`${kindOf(text)} instead of the expected ${expected}`)
    if (belongs === undefined || name === undefined) return Either.right(result.right)
    // The record's types are the endpoint's own, which its constructor has checked.
    const belongsTo = belongs as (success: unknown, params: unknown) => boolean
    const isOurs = guarded(() => belongsTo(result.right, others.length === 0 ? { [name]: values } : values))
    return Either.getOrElse(isOurs, () => false)
      ? Either.right(result.right)
      : Either.left({ found: `the ${expected} of another request`, misdirected: true })
  }
}

/** A user's own schema may throw, and so does one that is nested when a server nests deeper than the stack. */
const guarded = <A>(f: () => A): Either.Either<A, undefined> => Either.try({ try: f, catch: () => undefined })

const unusable = (found: string): Either.Either<never, Unusable> => Either.left({ found, misdirected: false })
