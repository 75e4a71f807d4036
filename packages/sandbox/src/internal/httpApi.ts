/**
 * Endpoints as values of `@effect/platform`, for `HttpApiBuilder`, `HttpApiClient` and `OpenApi`.
 */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import type { HttpMethod } from "@effect/platform/HttpMethod"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { type Generic, NotFound, type Unauthorized } from "@effect-gr4vy/core/Errors"
import { listOf } from "@effect-gr4vy/core/spi/Serving"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { ErrorBody } from "./errorBody.js"
import { describeOperation } from "./openApi.js"

/** An endpoint as the platform's type, under the name of its function. */
type HttpApiEndpointOf<Name extends string, E> =
  E extends Endpoint.Endpoint<infer _, infer A, infer Error, infer Wire>
    ? HttpApiEndpoint.HttpApiEndpoint<
        Name,
        HttpMethod,
        Wire["path"],
        Wire["urlParams"],
        Wire["payload"],
        Wire["headers"],
        A,
        Error | Unauthorized | Generic
      >
    : never

/** Every endpoint under its name; `refunds.list` for one that is nested. */
type EndpointsOf<Es extends Endpoint.Endpoints, Within extends string = ""> = {
  readonly [Name in keyof Es & string]: Es[Name] extends Endpoint.Any
    ? HttpApiEndpointOf<`${Within}${Name}`, Es[Name]>
    : Es[Name] extends Endpoint.Endpoints
      ? EndpointsOf<Es[Name], `${Within}${Name}.`>
      : never
}[keyof Es & string]

/** A group of the platform's with all of these endpoints. */
export const httpApiGroup = <const Name extends string, Es extends Endpoint.Endpoints>(
  name: Name,
  endpoints: Es
): HttpApiGroup.HttpApiGroup<Name, EndpointsOf<Es>> =>
  // The group's type grows with each `add`, which a loop cannot follow.
  listOf(endpoints).reduce<HttpApiGroup.HttpApiGroup.Any>(
    (group, { endpoint, path }) =>
      (group as HttpApiGroup.HttpApiGroup<string>).add(httpApiEndpoint(path.join("."), endpoint)),
    HttpApiGroup.make(name)
  ) as HttpApiGroup.HttpApiGroup<Name, EndpointsOf<Es>>

const httpApiEndpoint = (name: string, endpoint: Endpoint.Any): HttpApiEndpoint.HttpApiEndpoint.Any => {
  const { docs, errors, headers, method, params, path, payload, payloadOptional, query, status, success } = endpoint
  // Each `set` changes the type; what is left out leaves the endpoint as it was.
  let api = HttpApiEndpoint.make(method)(name, toColons(path)) as Any
  if (Object.keys(params).length > 0) api = api.setPath(Schema.Struct(params))
  if (query !== undefined) api = api.setUrlParams(query)
  if (headers !== undefined) api = api.setHeaders(headers)
  if (payload !== undefined) api = api.setPayload(payload)
  api = api.addSuccess(success === undefined ? HttpApiSchema.NoContent : withStatus(success, status))
  if (endpoint.successOptional) api = api.addSuccess(HttpApiSchema.NoContent)
  api = api.addError(ErrorBody.Unauthorized)
  for (const error of errors) api = api.addError(error === NotFound ? ErrorBody.NotFound : error)
  return api.addError(ErrorBody.Generic).annotateContext(describeOperation(docs, { optional: payloadOptional }))
}

// The parts of the platform's endpoint that are used here, without the types they would accumulate.
interface Any extends HttpApiEndpoint.HttpApiEndpoint.Any {
  setPath(schema: Schema.Schema.AnyNoContext): Any
  setUrlParams(schema: Schema.Schema.AnyNoContext): Any
  setHeaders(schema: Schema.Schema.AnyNoContext): Any
  setPayload(schema: Schema.Schema.AnyNoContext): Any
  addSuccess(schema: Schema.Schema.AnyNoContext): Any
  addError(schema: Schema.Schema.AnyNoContext): Any
  annotateContext(context: ReturnType<typeof describeOperation>): Any
}

// An annotated schema loses the name it has in a description.
const withStatus = (schema: Schema.Schema.AnyNoContext, status: number): Schema.Schema.AnyNoContext => {
  const identifier = AST.getIdentifierAnnotation(schema.ast)
  return status === 200
    ? schema
    : schema.annotations({
        ...HttpApiSchema.annotations({ status }),
        ...(Option.isSome(identifier) ? { identifier: identifier.value } : {})
      })
}

/** `/x/{a}` as the platform writes it: `/x/:a`. */
export const toColons = (path: string): `/${string}` => {
  const [, rest = ""] = /^\/(.*)$/.exec(path.replace(/\{([^{}]+)\}/g, ":$1")) ?? []
  return `/${rest}`
}
