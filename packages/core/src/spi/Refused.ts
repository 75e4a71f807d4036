/**
 * Lets a client count the calls that are refused before they have a request: a payload that does not fit its schema.
 */
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { RequestFailed } from "../Errors.js"
import type * as Endpoint from "../internal/endpoint.js"

/** The property of a client that wants to know of such calls. */
export const onRefused = Symbol.for("@effect-gr4vy/core/onRefused")

/** Is told of a call that was refused. */
export type OnRefused = (endpoint: Endpoint.Any, failure: RequestFailed) => Effect.Effect<void>

/** Returns what a client does about such calls; absent if it does nothing. */
export const onRefusedOf = (client: object): OnRefused | undefined => {
  const own: unknown = Predicate.hasProperty(client, onRefused) ? client[onRefused] : undefined
  // The key is ours, so its value is what `OnRefused` says.
  return Predicate.isFunction(own) ? (own as OnRefused) : undefined
}
