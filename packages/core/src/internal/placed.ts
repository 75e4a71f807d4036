/**
 * Encodes the parts of a request. What is wrong with one is named by its place in the request.
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import { type Encoded, encoder, type Refusal } from "./codec/codec.js"
import { explain } from "./explain.js"

/** Encodes a value, or says what is wrong with it. `sendsUnknown` keeps properties that the schema does not have. */
export const placed = (
  schema: Schema.Schema.AnyNoContext,
  place: string
): ((value: unknown, sendsUnknown: boolean) => Either.Either<Encoded, string>) => {
  const encode = encoder(schema)
  return (value, sendsUnknown) =>
    Either.mapLeft(encode(value, sendsUnknown), (refusal) => problem(refusal, schema, place))
}

const problem = (refusal: Refusal, { ast }: Schema.Schema.AnyNoContext, place: string): string => {
  switch (refusal._tag) {
    case "Invalid":
      return explain(refusal.issue, ast, place, "sent")
    case "Lossy":
      return `${[place, ...refusal.lossy.path.map(shownKey)].join(".")} must be ${refusal.lossy.expected}`
    case "Undecided":
      return `${place} cannot be checked: its schema, or a property of it, throws or does asynchronous work`
  }
}

/** A key may come from the data. */
export const shownKey = (key: PropertyKey): string =>
  Predicate.isNumber(key) || (Predicate.isString(key) && /^[A-Za-z]{1,24}(?:[_-][A-Za-z]{1,24}){0,3}$/.test(key))
    ? String(key)
    : "*"
