/**
 * Endpoints in a record that may be nested to any depth.
 */
import * as Predicate from "effect/Predicate"
import type { Any } from "./endpoint.js"

/** See `Endpoints` of `Endpoint`. */
interface Nested {
  readonly [name: string]: Any | Nested
}

/** One endpoint, and the names that lead to it: `["refunds", "list"]`. */
export interface Named {
  readonly path: ReadonlyArray<string>
  readonly endpoint: Any
}

/** An endpoint's path is a string; what is nested under that name is an object. */
export const isEndpoint = (value: Any | Nested): value is Any => Predicate.isString(value["path"])

/** Every endpoint of a record, in its order. */
export const listOf = (endpoints: Nested, within: ReadonlyArray<string> = []): ReadonlyArray<Named> =>
  Object.entries(endpoints).flatMap(([name, value]) => {
    const path = [...within, name]
    return isEndpoint(value) ? [{ path, endpoint: value }] : listOf(value, path)
  })

type Function_ = (...args: ReadonlyArray<unknown>) => unknown

/** A function for each endpoint, nested as the endpoints are. */
export const functionsOf = (
  endpoints: Nested,
  make: (endpoint: Any, path: ReadonlyArray<string>) => Function_,
  within: ReadonlyArray<string> = []
): object =>
  Object.fromEntries(
    Object.entries(endpoints).map(([name, value]) => {
      const path = [...within, name]
      return [name, isEndpoint(value) ? make(value, path) : functionsOf(value, make, path)]
    })
  )
