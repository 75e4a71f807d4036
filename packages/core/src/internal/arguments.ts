/**
 * The arguments of an endpoint's function, as one record. Positions are counted here and nowhere else: parameters, payload,
 * query, options.
 */
import type * as Endpoint from "./endpoint.js"

/** The arguments of a call by their place in the request. */
export interface Arguments {
  /** One parameter as its value, several as a record. */
  readonly params: unknown
  readonly payload: unknown
  readonly query: unknown
  readonly options: unknown
}

/** Makes the record of an endpoint's arguments. */
export const recordOf = (endpoint: Endpoint.Any): ((args: ReadonlyArray<unknown>) => Arguments) => {
  const { options, params, payload, query } = positionsOf(endpoint)
  return (args) => ({
    params: params === undefined ? undefined : args[params],
    payload: payload === undefined ? undefined : args[payload],
    query: query === undefined ? undefined : args[query],
    options: args[options]
  })
}

/** Makes the arguments of an endpoint's function of their record. */
export const argumentsOf = (endpoint: Endpoint.Any): ((given: Arguments) => ReadonlyArray<unknown>) => {
  const { params, payload, query } = positionsOf(endpoint)
  return (given) => [
    ...(params === undefined ? [] : [given.params]),
    ...(payload === undefined ? [] : [given.payload]),
    ...(query === undefined ? [] : [given.query]),
    ...(given.options === undefined ? [] : [given.options])
  ]
}

const positionsOf = ({ params, payload, query }: Endpoint.Any) => {
  let position = 0
  const next = (isThere: boolean): number | undefined => (isThere ? position++ : undefined)
  return {
    params: next(Object.keys(params).length > 0),
    payload: next(payload !== undefined),
    query: next(query !== undefined),
    options: position
  }
}
