/**
 * Reads a value as a response is read.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { decoder } from "../internal/codec/codec.js"
import { explain } from "../internal/explain.js"

/**
 * Converts a value from the wire, or says which property does not fit, never what it is. `place` is the value's own name.
 *
 * @since 0.1.0
 * @category responses
 */
export const reader = <A>(
  schema: Schema.Schema<A, unknown>,
  place: string
): ((value: unknown) => Either.Either<A, string>) => {
  const decode = decoder(schema)
  return (value) =>
    Either.mapBoth(decode(value), {
      // The codec returns what its schema decodes to.
      onRight: (decoded) => decoded as A,
      onLeft: (refusal) =>
        refusal._tag === "Invalid" ? explain(refusal.issue, schema.ast, place, "read") : `${place} cannot be read`
    })
}
