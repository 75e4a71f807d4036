/**
 * Where a call begins: its requests get their address, the call its policy and its deadline.
 */

import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { notAPath } from "@effect-gr4vy/core/Gr4vyHttpClient"
import type { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import * as Effect from "effect/Effect"
import { override, type RetryPolicy } from "../../RetryPolicy.js"
import { Call } from "../transport/transport.js"

/** Time limits in milliseconds. */
export interface Limits {
  /** Of one request: connecting, sending, headers and the whole body. */
  readonly attempt: number
  /** Of the whole call: every attempt, every wait. */
  readonly deadline: number
}

export const open =
  (options: { readonly baseUrl: string; readonly limits: Limits; readonly retry: RetryPolicy }) =>
  (
    next: (request: HttpClientRequest.HttpClientRequest, call: Call) => Effect.Effect<BufferedResponse, RequestFailed>
  ) =>
  (request: HttpClientRequest.HttpClientRequest): Effect.Effect<BufferedResponse, RequestFailed> =>
    Effect.withFiberRuntime((fiber) => {
      // The token goes to one origin only: requests say where to go by their path.
      if (!request.url.startsWith("/")) return Effect.fail(notAPath)
      const query = request.urlParams.length === 0 ? "" : `?${UrlParams.toString(request.urlParams)}`
      const policy = fiber.getFiberRef(override) ?? options.retry
      return next(request, new Call(fiber, policy, options.baseUrl + request.url + query, options.limits.deadline))
    })
