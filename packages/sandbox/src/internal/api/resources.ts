/**
 * The resources of the whole API by their names.
 */
import * as Api from "@effect-gr4vy/api"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import * as Predicate from "effect/Predicate"

interface Resource {
  readonly endpoints: Endpoint.Endpoints
}

const isResource = (value: unknown): value is Resource =>
  Predicate.isFunction(value) && Predicate.hasProperty(value, "endpoints")

/** All but Checkout Sessions, which have a contract and a service of their own. */
export const resources: ReadonlyArray<readonly [name: string, resource: Resource]> = Object.entries(Api).flatMap(
  ([name, value]) => (name !== "CheckoutSessions" && isResource(value) ? [[name, value] as const] : [])
)
