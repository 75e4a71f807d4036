/**
 * Serves the contract over any `CheckoutSessions`. Over the in-memory service it is the sandbox, over the real client a
 * gateway.
 *
 * @since 0.1.0
 */
import type * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { CheckoutSessions } from "@effect-gr4vy/core/CheckoutSessions"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { checkoutSessions } from "@effect-gr4vy/core/Endpoints"
import { Generic } from "@effect-gr4vy/core/Errors"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type BearerAuth, CheckoutSessionsApi } from "./CheckoutSessionsApi.js"
import { accepted } from "./internal/accepted.js"
import { group, respond, respondToError, router } from "./internal/serve.js"

/**
 * The `HttpApi` of the contract, implemented by `CheckoutSessions`. Provide a `BearerAuth` that checks the caller, and
 * serve it with `HttpApiBuilder.serve()` or `HttpApiBuilder.toWebHandler`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<HttpApi.Api, never, CheckoutSessions | BearerAuth> = Layer.suspend(() =>
  HttpApiBuilder.api(CheckoutSessionsApi).pipe(
    Layer.provide(group(CheckoutSessionsApi, "checkoutSessions", checkoutSessions, CheckoutSessions, accepted))
  )
)

/**
 * Responds to every error with the API's own body and status: errors of the operations, requests that do not decode,
 * unknown paths and methods. For `HttpApiBuilder.serve` and `HttpApiBuilder.toWebHandler`.
 *
 * @since 0.1.0
 * @category middleware
 */
export const errors: Layer.Layer<never> = Layer.suspend(() => errorsOf(Object.values(checkoutSessions)))

/**
 * {@link errors} for a server of other endpoints.
 *
 * @since 0.1.0
 * @category middleware
 */
export const errorsOf = (endpoints: ReadonlyArray<Endpoint.Any>): Layer.Layer<never> => {
  const routeAt = router(endpoints)
  const respondTo = (error: unknown): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
    if (!(error instanceof HttpServerError.RouteNotFound)) return respondToError(error)
    const { method, url } = error.request
    const at = routeAt(method, url.split("?", 1).join())
    // A path can look like a route and still not be one: `%` alone does not decode.
    if (at === undefined || at.methods.includes(method)) return respondToError(error)
    const allow = { allow: at.methods.join(", ") }
    return method === "OPTIONS"
      ? Effect.succeed(HttpServerResponse.empty({ status: 204, headers: allow }))
      : respond(new Generic({ status: 405, code: "method_not_allowed", message: "Method not allowed" }), allow)
  }
  return HttpApiBuilder.middleware((app: HttpApp.Default<unknown>) =>
    Effect.catchAllCause(app, (cause) =>
      Cause.isInterruptedOnly(cause) ? Effect.interrupt : respondTo(Cause.squash(cause))
    )
  )
}
