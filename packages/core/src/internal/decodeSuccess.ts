/**
 * Decodes a 2xx of an endpoint, or describes what came instead.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as AST from "effect/SchemaAST"
import type { Unusable } from "../spi/EndpointRequest.js"
import { kindOf, parseJson } from "./body.js"
import { decoder, type Refusal } from "./codec/codec.js"
import type * as Endpoint from "./endpoint.js"
import { explain } from "./explain.js"

/** `params` are the call's: one as its value, several as a record. */
export const decodeSuccess = (
  endpoint: Endpoint.Any
): ((status: number, text: string, params: unknown) => Either.Either<unknown, Unusable>) => {
  const { belongs, params, success, successOptional } = endpoint
  if (success === undefined) {
    return (status, text) =>
      status === 204 || (status === endpoint.status && text === "")
        ? Either.void
        : unusable(`${kindOf(text)} instead of ${endpoint.status} without a body`)
  }
  const decode = decoder(success)
  const [name, ...others] = Object.keys(params)
  const expected = Option.getOrElse(AST.getIdentifierAnnotation(success.ast), () => "body")
  const ours = (decoded: unknown, values: unknown): Either.Either<unknown, Unusable> => {
    if (belongs === undefined || name === undefined) return Either.right(decoded)
    // The record's types are the endpoint's own, which its constructor has checked.
    const belongsTo = belongs as (success: unknown, params: unknown) => boolean
    return isTrue(() => belongsTo(decoded, others.length === 0 ? { [name]: values } : values))
      ? Either.right(decoded)
      : Either.left({ found: `the ${expected} of another request`, misdirected: true })
  }
  // An answer to a payment is read all the same, although such a schema is refused before anything is sent where it is
  // found out in time.
  const later = (body: unknown, values: unknown): Effect.Effect<unknown, Unusable> =>
    Effect.suspend(() => ParseResult.decodeUnknown(success, { errors: "all" })(body)).pipe(
      Effect.sandbox,
      Effect.mapError((cause) =>
        misfit(cause._tag === "Fail" ? explain(cause.error, success.ast, "body", "read") : "its schema throws")
      ),
      Effect.flatMap((decoded) => ours(decoded, values))
    )
  const misfit = (problem: string): Unusable => ({
    found: `JSON of an unexpected shape instead of the expected ${expected}`,
    misdirected: false,
    problem
  })
  return (_, text, values) => {
    if (successOptional && text === "") return Either.void
    // An empty body is a success if the schema accepts `undefined`.
    const body = text === "" ? Either.right(undefined) : parseJson(text)
    if (Either.isLeft(body)) return unusable(`${kindOf(text)} instead of the expected ${expected}`)
    const decoded = decode(body.right)
    if (Either.isLeft(decoded) && decoded.left._tag === "Undecided") {
      return Either.left({
        found: `JSON that ${endpoint.name} cannot read yet`,
        misdirected: false,
        later: later(body.right, values)
      })
    }
    if (Either.isLeft(decoded)) {
      return text === ""
        ? unusable(`an empty body instead of the expected ${expected}`)
        : Either.left(misfit(problem(decoded.left, success.ast)))
    }
    return ours(decoded.right, values)
  }
}

/** The property that does not fit, by its path on the wire and what is expected there. */
const problem = (refusal: Refusal, ast: AST.AST): string =>
  refusal._tag === "Invalid" ? explain(refusal.issue, ast, "body", "read") : "its schema throws"

/** `belongs` is a user's own function. */
const isTrue = (f: () => boolean): boolean => {
  try {
    return f()
  } catch {
    return false
  }
}

const unusable = (found: string): Either.Either<never, Unusable> => Either.left({ found, misdirected: false })
