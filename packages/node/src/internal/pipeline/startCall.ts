/**
 * Starts a call: sets the address of its requests, its policy and its deadline. A request that cannot be sent is refused
 * here.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import { RequestFailed } from "@effect-gr4vy/core/Errors"
import { notAPath } from "@effect-gr4vy/core/Gr4vyHttpClient"
import * as MerchantAccount from "@effect-gr4vy/core/unstable/MerchantAccount"
import type { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import * as Effect from "effect/Effect"
import { override, type RetryPolicy } from "../../RetryPolicy.js"
import { Call } from "./call.js"

export const startCall =
  (options: {
    readonly baseUrl: string
    readonly merchantAccountId: string | undefined
    readonly limits: { readonly deadline: number }
    readonly retry: RetryPolicy
  }) =>
  (next: (call: Call) => Effect.Effect<BufferedResponse, RequestFailed>) =>
  (request: HttpClientRequest.HttpClientRequest): Effect.Effect<BufferedResponse, RequestFailed> =>
    Effect.withFiberRuntime((fiber) => {
      // The token goes to one origin only: requests say where to go by their path.
      if (!request.url.startsWith("/")) return Effect.fail(notAPath)
      if (request.body._tag !== "Empty" && request.body._tag !== "Uint8Array") return Effect.fail(unsupportedBody)
      const ownAccount = fiber.getFiberRef(MerchantAccount.override)
      const problem = ownAccount === undefined ? undefined : MerchantAccount.problemOf(ownAccount)
      if (problem !== undefined) return Effect.fail(MerchantAccount.invalid(problem))
      const query = request.urlParams.length === 0 ? "" : `?${UrlParams.toString(request.urlParams)}`
      return next(
        new Call(
          request,
          options.baseUrl + request.url + query,
          ownAccount ?? options.merchantAccountId,
          fiber.getFiberRef(override) ?? options.retry,
          fiber,
          options.limits.deadline
        )
      )
    })

// A body that can be read only once cannot be retried.
const unsupportedBody = new RequestFailed({
  reason: "InvalidRequest",
  delivered: "no",
  attempts: 0,
  message:
    "Nothing was sent: the body must be a string, JSON, URL parameters or bytes. Streams, form data and raw bodies are not supported."
})
