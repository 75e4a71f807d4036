/**
 * Decodes a 2xx of an endpoint, or describes what came instead.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type * as Endpoint from "../Endpoint.js"
import type { Unusable } from "../unstable/EndpointRequest.js"
import { kindOf } from "./body.js"

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
  const decode = Schema.decodeUnknownEither(success)
  const [name, ...others] = Object.keys(params)
  const expected = Option.getOrElse(AST.getIdentifierAnnotation(success.ast), () => "body")
  // An empty body is a success if the schema accepts `undefined`.
  const read = (text: string) => guarded(() => decode(text === "" ? undefined : JSON.parse(text)))
  return (_, text, values) => {
    const decoded = read(text)
    if (decoded === undefined || Either.isLeft(decoded)) {
      return unusable(`${kindOf(text)} instead of the expected ${expected}`)
    }
    if (belongs === undefined || name === undefined) return Either.right(decoded.right)
    // The record's types are the endpoint's own, which its constructor has checked.
    const belongsTo = belongs as (success: unknown, params: unknown) => boolean
    const isOurs = guarded(() => belongsTo(decoded.right, others.length === 0 ? { [name]: values } : values))
    return isOurs
      ? Either.right(decoded.right)
      : Either.left({ found: `the ${expected} of another request`, misdirected: true })
  }
}

/**
 * `undefined` if `f` throws: a body that is not JSON, a user's own schema that throws, or a body that is nested deeper
 * than the stack.
 */
const guarded = <A>(f: () => A): A | undefined => {
  try {
    return f()
  } catch {
    return undefined
  }
}

const unusable = (found: string): Either.Either<never, Unusable> => Either.left({ found, misdirected: false })
