/**
 * The contract served over any `CheckoutSessions`: over the in-memory service it is the sandbox, over the real client a
 * gateway.
 *
 * @since 0.1.0
 */

import type * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerError from "@effect/platform/HttpServerError"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { CheckoutSessions } from "./CheckoutSessions.js"
import { type BearerAuth, CheckoutSessionsApi, ErrorBody } from "./CheckoutSessionsApi.js"
import * as Endpoints from "./Endpoints.js"
import { ErrorDetail, Generic, NotFound, RequestFailed, Unauthorized } from "./Errors.js"
import { parseJson } from "./internal/answer.js"
import { problems } from "./internal/explain.js"
import { CheckoutSessionSecureFieldsUpdate } from "./SecureFields.js"

/**
 * The `HttpApi` of the contract with its operations carried out by `CheckoutSessions`. Give it a `BearerAuth` that
 * decides who may call, and serve it with `HttpApiBuilder.serve()` or `HttpApiBuilder.toWebHandler`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<HttpApi.Api, never, CheckoutSessions | BearerAuth> = Layer.suspend(() =>
  HttpApiBuilder.api(CheckoutSessionsApi).pipe(Layer.provide(operations))
)

/**
 * Answers every error in the API's own form and status: of the operations, of a request that does not decode, of a path
 * or method that is not there. For `HttpApiBuilder.serve` and `HttpApiBuilder.toWebHandler`.
 *
 * @since 0.1.0
 * @category middleware
 */
export const errors: Layer.Layer<never> = Layer.suspend(() =>
  HttpApiBuilder.middleware((app: HttpApp.Default<unknown>) =>
    Effect.catchAllCause(app, (cause) =>
      Cause.isInterruptedOnly(cause) ? Effect.interrupt : respondTo(Cause.squash(cause))
    )
  )
)

/**
 * The template of a path of the contract, and the methods that are allowed there; `undefined` where there is none.
 *
 * @since 0.1.0
 * @category routes
 */
export const routeAt = (
  path: string
): { readonly route: string; readonly methods: ReadonlyArray<string> } | undefined =>
  routes.find(({ pattern }) => pattern.test(path))

const routes = [...new Set(Object.values(Endpoints).map(({ path }) => path))].map((path) => {
  const methods = Object.values(Endpoints).flatMap(
    (endpoint): ReadonlyArray<string> => (endpoint.path === path ? [endpoint.method] : [])
  )
  return {
    pattern: new RegExp(`^${path.replace(/:\w+/g, "[^/]+")}/?$`),
    route: path.replace(/:(\w+)/g, "{$1}"),
    // Whoever may GET may ask for the head alone.
    methods: methods.includes("GET") ? [...methods, "HEAD"] : methods
  }
})

const operations = HttpApiBuilder.group(CheckoutSessionsApi, "checkoutSessions", (handlers) =>
  Effect.map(CheckoutSessions, (sessions) =>
    handlers
      .handle("add", () => answered(sessions.add()))
      .handle("get", ({ path }) => answered(sessions.get(path.checkout_session_id)))
      .handleRaw("updateFields", ({ path, request }) =>
        readUpdate(request).pipe(
          Effect.flatMap((update) => answered(sessions.updateFields(path.checkout_session_id, update))),
          Effect.as(HttpServerResponse.empty({ status: 204 }))
        )
      )
      .handle("delete", ({ path }) => answered(sessions.delete(path.checkout_session_id)))
  )
)

/** What lies behind this server may itself lack an answer: a gateway says so in the API's words. */
const answered = <A, E>(effect: Effect.Effect<A, E | RequestFailed>): Effect.Effect<A, E | Generic> =>
  Effect.mapError(effect, (error) => {
    if (error instanceof RequestFailed) return gatewayError(error)
    // A redirect, or a status nobody knows: no error of the API, and not one to hand on.
    return error instanceof Generic && (error.status < 400 || error.status > 599)
      ? new Generic({ status: 502, code: "bad_gateway", message: error.message })
      : error
  })

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

/** The optional body of an update: read here rather than by `HttpApi`, whose own errors have another form. */
const readUpdate = (request: HttpServerRequest.HttpServerRequest) =>
  Effect.flatMap(Effect.orDie(request.text), (text) => {
    if (text === "") return Effect.succeed(undefined)
    const json = parseJson(text)
    if (Either.isLeft(json)) {
      return Effect.fail(
        new Generic({ status: 400, code: "incorrect_json", message: "The request body was not valid JSON." })
      )
    }
    return Effect.mapError(
      decodeUpdate(json.right),
      (error) =>
        new Generic({
          status: 400,
          code: "bad_request",
          message: "Request failed validation",
          details: problems(error, CheckoutSessionSecureFieldsUpdate.ast).map(
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

const decodeUpdate = Schema.decodeUnknown(CheckoutSessionSecureFieldsUpdate, { errors: "all" })

const answerTo = (error: unknown): Unauthorized | NotFound | Generic => {
  if (error instanceof Unauthorized || error instanceof NotFound || error instanceof Generic) return error
  // Only the path is decoded by `HttpApi`: an id that cannot be one names nothing.
  if (error instanceof HttpApiDecodeError || error instanceof HttpServerError.RouteNotFound) {
    return new NotFound({ code: "not_found", message: "The resource could not be found" })
  }
  return new Generic({ status: 500, code: "server_error", message: "Something went wrong on the server." })
}

const respondTo = (error: unknown): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  if (!(error instanceof HttpServerError.RouteNotFound)) return respond(answerTo(error))
  const { method, url } = error.request
  const at = routeAt(url.split("?", 1).join())
  // A path may have the form of a route and still not be one: `%` alone does not decode.
  if (at === undefined || at.methods.includes(method)) return respond(answerTo(error))
  const allow = { allow: at.methods.join(", ") }
  return method === "OPTIONS"
    ? Effect.succeed(HttpServerResponse.empty({ status: 204, headers: allow }))
    : respond(new Generic({ status: 405, code: "method_not_allowed", message: "Method not allowed" }), allow)
}

const respond = (
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
