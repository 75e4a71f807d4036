/**
 * Endpoints served: how a request becomes the arguments of an endpoint's function, and what comes of it a response in
 * the API's own form.
 *
 * @since 0.1.0
 */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import type * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpServerError from "@effect/platform/HttpServerError"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Endpoint from "../Endpoint.js"
import { ErrorDetail, Generic, NotFound, RequestFailed, Unauthorized } from "../Errors.js"
import { parseJson } from "../internal/answer.js"
import { splitTemplate } from "../internal/encodeRequest.js"
import { ErrorBody } from "../internal/errorBody.js"
import { problems } from "../internal/explain.js"
import { statusOf } from "../internal/status.js"

export { httpApiGroup } from "../internal/httpApi.js"

/**
 * Carries out a group of an `HttpApi` by a function for each of its endpoints.
 *
 * @since 0.1.0
 * @category layers
 */
export const group = <Id extends string, Name extends string, Es extends Endpoint.Endpoints, E, R>(
  api: { readonly identifier: Id },
  name: Name,
  endpoints: Es,
  client: Effect.Effect<Endpoint.Client<Es>, E, R>
): Layer.Layer<HttpApiGroup.ApiGroup<Id, Name>, E, R> =>
  // The types of `group` and `handleRaw` follow each endpoint by its name; a loop over a record cannot.
  HttpApiBuilder.group(
    api as never,
    name as never,
    ((handlers: Handlers) =>
      Effect.map(client, (functions) =>
        Object.entries(endpoints).reduce(
          (all, [name, endpoint]) => all.handleRaw(name, serve(endpoint, functions[name] as Function_)),
          handlers
        )
      )) as never
  ) as unknown as Layer.Layer<HttpApiGroup.ApiGroup<Id, Name>, E, R>

interface Handlers {
  handleRaw(
    name: string,
    handler: (request: Received) => Effect.Effect<HttpServerResponse.HttpServerResponse, unknown>
  ): Handlers
}

type Function_ = (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>

/** What `HttpApiBuilder` has decoded of a request. */
interface Received {
  readonly request: HttpServerRequest.HttpServerRequest
  readonly path?: Readonly<Record<string, unknown>>
  readonly urlParams?: unknown
}

const serve = (endpoint: Endpoint.Any, run: Function_) => {
  const { errors, payload, payloadOptional, query, resend, status, success } = endpoint
  const { names } = splitTemplate(endpoint.path)
  const decodePayload = payload && Schema.decodeUnknown(payload, { errors: "all" })
  const encodeSuccess = success && Schema.encodeUnknown(success)

  return ({ path = {}, request, urlParams }: Received) =>
    Effect.gen(function* () {
      const args: Array<unknown> = []
      const [name] = names
      if (name !== undefined) args.push(names.length === 1 ? path[name] : path)
      if (query !== undefined) args.push(urlParams)
      if (decodePayload !== undefined) args.push(yield* readPayload(request, decodePayload, payloadOptional))
      if (resend === "keyed") {
        // A request without a key is one of its own.
        args.push({ idempotencyKey: request.headers["idempotency-key"] ?? globalThis.crypto.randomUUID() })
      }
      const value = yield* run(...args)
      if (encodeSuccess === undefined) return HttpServerResponse.empty({ status })
      return HttpServerResponse.unsafeJson(yield* Effect.orDie(encodeSuccess(value)), { status })
    }).pipe(Effect.catchAll((error) => respondToError(error, errors)))
}

/** The body of a request: read here rather than by `HttpApi`, whose own errors have another form. */
const readPayload = (
  request: HttpServerRequest.HttpServerRequest,
  decode: (value: unknown) => Effect.Effect<unknown, Parameters<typeof problems>[0]>,
  optional: boolean
) =>
  Effect.flatMap(Effect.orDie(request.text), (text) => {
    if (text === "" && optional) return Effect.succeed(undefined)
    const json = parseJson(text)
    if (Either.isLeft(json)) {
      return Effect.fail(
        new Generic({ status: 400, code: "incorrect_json", message: "The request body was not valid JSON." })
      )
    }
    return Effect.mapError(
      decode(json.right),
      (error) =>
        new Generic({
          status: 400,
          code: "bad_request",
          message: "Request failed validation",
          details: problems(error).map(
            ({ message, path }) =>
              new ErrorDetail({
                location: "body",
                type: "value_error",
                pointer: path.map((key) => `/${key}`).join(""),
                message
              })
          )
        })
    )
  })

/**
 * The response to a failure, of an endpoint's function or of the way there: in the API's own form and status, or in the
 * form of an error class that the endpoint declares.
 *
 * @since 0.1.0
 * @category responses
 */
export const respondToError = (
  error: unknown,
  declared: ReadonlyArray<Schema.Schema.AnyNoContext> = []
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  for (const schema of declared) {
    const status = statusOf(schema)
    if (schema !== NotFound && status !== undefined && Schema.is(schema)(error)) {
      return Effect.map(Effect.orDie(Schema.encodeUnknown(schema)(error)), (body) =>
        HttpServerResponse.unsafeJson(withoutTag(body), { status })
      )
    }
  }
  return respond(ofApi(error))
}

/** `_tag` is how a program tells our classes apart, and no property of the API's. */
const withoutTag = (body: unknown): unknown => {
  if (!Predicate.isRecord(body)) return body
  const { _tag: _, ...fields } = body
  return { type: "error", ...fields }
}

const ofApi = (error: unknown): Unauthorized | NotFound | Generic => {
  if (error instanceof Unauthorized || error instanceof NotFound) return error
  if (error instanceof Generic) {
    // A redirect, or a status nobody knows: no error of the API, and not one to hand on.
    return error.status < 400 || error.status > 599
      ? new Generic({ status: 502, code: "bad_gateway", message: error.message })
      : error
  }
  // What lies behind this server may itself lack a response: a gateway says so in the API's words.
  if (error instanceof RequestFailed) return gatewayError(error)
  // Only the path is decoded by `HttpApi`: an id that cannot be one names nothing.
  if (error instanceof HttpApiDecodeError || error instanceof HttpServerError.RouteNotFound) {
    return new NotFound({ code: "not_found", message: "The resource could not be found" })
  }
  return new Generic({ status: 500, code: "server_error", message: "Something went wrong on the server." })
}

const gatewayError = ({ message, reason }: RequestFailed): Generic => {
  switch (reason) {
    case "InvalidRequest":
      return new Generic({ status: 400, code: "bad_request", message })
    case "Timeout":
      return new Generic({ status: 504, code: "gateway_timeout", message })
    default:
      return new Generic({ status: 502, code: "bad_gateway", message })
  }
}

/**
 * An error of the API as its response, with `Retry-After` where it has one.
 *
 * @since 0.1.0
 * @category responses
 */
export const respond = (
  error: Unauthorized | NotFound | Generic,
  headers: Readonly<Record<string, string>> = {}
): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.map(Effect.orDie(encodeError(error)), (body) =>
    HttpServerResponse.unsafeJson(body, {
      status: error.status,
      headers:
        error instanceof Generic && error.retryAfter !== undefined
          ? { ...headers, "retry-after": String(Math.ceil(Duration.toSeconds(error.retryAfter))) }
          : headers
    })
  )

const encodeError = Schema.encode(Schema.Union(ErrorBody.Unauthorized, ErrorBody.NotFound, ErrorBody.Generic))

/**
 * Where a path leads.
 *
 * @since 0.1.0
 * @category routes
 */
export interface Route {
  /** The template of the path. */
  readonly route: string
  /** The methods allowed there, `HEAD` beside `GET`. */
  readonly methods: ReadonlyArray<string>
  readonly endpoints: ReadonlyArray<Endpoint.Any>
}

/**
 * Finds the route of a path among endpoints; `undefined` where there is none.
 *
 * @since 0.1.0
 * @category routes
 */
export const router = (endpoints: ReadonlyArray<Endpoint.Any>): ((path: string) => Route | undefined) => {
  const routes = [...new Set(endpoints.map(({ path }) => path))].map((route) => {
    const here = endpoints.filter(({ path }) => path === route)
    const methods = here.map(({ method }): string => method)
    return {
      pattern: new RegExp(`^${splitTemplate(route).texts.map(escape).join("[^/]+")}/?$`),
      route,
      methods: methods.includes("GET") ? [...methods, "HEAD"] : methods,
      endpoints: here
    }
  })
  return (path) => routes.find(({ pattern }) => pattern.test(path))
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
