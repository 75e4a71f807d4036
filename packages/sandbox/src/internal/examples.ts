/**
 * Functions that answer with an example, for operations that the sandbox keeps no state of.
 */
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { listOf } from "@effect-gr4vy/core/spi/Serving"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { exampleOf } from "./example.js"

/** A success that nothing was done for. The response says so in the header `x-sandbox-example`. */
export class Example {
  constructor(readonly value: unknown) {}
}

/** The functions of endpoints, nested as they are. An example is made when it is first asked for. */
export const exampleFunctions = (endpoints: Endpoint.Endpoints): object => {
  const functions = {}
  for (const { endpoint, path } of listOf(endpoints)) {
    const name = path.at(-1) ?? ""
    let at: object = functions
    for (const part of path.slice(0, -1)) {
      const inner: object = Reflect.get(at, part) ?? {}
      Reflect.set(at, part, inner)
      at = inner
    }
    Reflect.set(at, name, exampleFunction(endpoint))
  }
  return functions
}

const exampleFunction = (endpoint: Endpoint.Any) => {
  const { belongs, params, success } = endpoint
  const names = Object.keys(params)
  let wire: unknown
  return (first: unknown) =>
    Effect.sync(() => {
      if (success === undefined) return new Example(undefined)
      wire ??= exampleOf(success)
      const decode = Schema.decodeUnknownSync(success)
      const value = decode(wire)
      if (belongs === undefined || !Predicate.isRecord(wire)) return new Example(value)
      const values = names.length === 1 ? { [names[0] ?? ""]: first } : first
      // Its constructor has checked the types of `belongs`.
      const isOf = belongs as (success: unknown, params: unknown) => boolean
      if (isOf(value, values) || !Predicate.isRecord(values)) return new Example(value)
      // The resource that was asked for, and those around it.
      const id = values[names.at(-1) ?? ""]
      const own = Object.fromEntries(names.filter((name) => name in Object(wire)).map((name) => [name, values[name]]))
      return new Example(decode({ ...wire, ...own, ...("id" in wire ? { id } : {}) }))
    })
}
