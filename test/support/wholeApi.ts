/** Every endpoint of the whole API, with arguments that its schemas accept. */
import * as Resources from "@effect-gr4vy/api"
import { Endpoint } from "@effect-gr4vy/core"
import { Arbitrary, FastCheck, Predicate } from "effect"

export interface Operation {
  /** The id of the operation in the description. */
  readonly id: string
  readonly endpoint: Endpoint.Any
}

const isEndpoint = (value: unknown): value is Endpoint.Any => Predicate.hasProperty(value, Endpoint.TypeId)

const endpointsIn = (value: unknown): ReadonlyArray<Endpoint.Any> =>
  isEndpoint(value) ? [value] : Predicate.isRecord(value) ? Object.values(value).flatMap(endpointsIn) : []

/** The endpoints of all resources that the package generates. */
export const operations: ReadonlyArray<Operation> = Object.entries(Resources)
  .filter(([name]) => name !== "CheckoutSessions")
  .flatMap(([, resource]) => (Predicate.hasProperty(resource, "endpoints") ? endpointsIn(resource.endpoints) : []))
  .map((endpoint) => ({ id: endpoint.docs.identifier ?? endpoint.name, endpoint }))

const someUuid = "8724fd24-5489-4a5d-90fd-0604df7d3b83"

/** The arguments of an endpoint's function. `last` is its last parameter. */
export const argumentsOf = (endpoint: Endpoint.Any, seed: number, last: string = someUuid): ReadonlyArray<unknown> => {
  const sample = (schema: NonNullable<Endpoint.Any["payload"]>): unknown =>
    FastCheck.sample(Arbitrary.make(schema), { numRuns: 1, seed })[0]
  const names = Object.keys(endpoint.params)
  const params = Object.fromEntries(names.map((name, index) => [name, index === names.length - 1 ? last : someUuid]))
  return [
    ...(names.length === 0 ? [] : names.length === 1 ? [last] : [params]),
    ...(endpoint.payload === undefined ? [] : [sample(endpoint.payload)]),
    ...(endpoint.query === undefined ? [] : [sample(endpoint.query)]),
    {
      ...(endpoint.resend === "keyed" ? { idempotencyKey: "order-1/1" } : {}),
      ...(endpoint.headers === undefined ? {} : { headers: sample(endpoint.headers) })
    }
  ]
}
