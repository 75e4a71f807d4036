/**
 * The order of the pipeline's stages, top to bottom, and nothing else.
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type { CredentialsService } from "@effect-gr4vy/core/Credentials"
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { fromExecute } from "@effect-gr4vy/core/Gr4vyHttpClient"
import { onRefused } from "@effect-gr4vy/core/spi/Refused"
import type { RetryPolicy } from "../../RetryPolicy.js"
import * as Decisions from "../otel/decisions.js"
import type { Sink } from "../otel/metric.js"
import { countRefused, type InFlight, observeCall, observeToken, router, serverOf } from "../otel/observation.js"
import type { Propagated } from "../otel/propagation.js"
import type { Transport } from "../transport/transport.js"
import { attempt } from "./attempt.js"
import { authorize } from "./authorize.js"
import { startCall } from "./call.js"
import { retry } from "./retry.js"
import type { RetryBudget } from "./retryBudget.js"

export interface Options {
  /** Without a slash at its end. */
  readonly baseUrl: string
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>
  readonly merchantAccountId: string | undefined
  /** Time limits in milliseconds. */
  readonly limits: {
    /** Of one request: connecting, sending, headers and the whole body. */
    readonly attempt: number
    /** Of the whole call: every attempt, every wait. */
    readonly deadline: number
  }
  readonly retry: RetryPolicy
  readonly budget: RetryBudget
  readonly credentials: CredentialsService
  readonly propagated: Propagated
  readonly metrics: Sink
  readonly inFlight: InFlight
  /** The names of headers that may contain a request's id; the first match wins. */
  readonly requestIdNames: ReadonlyArray<string>
}

/** The full client over a transport. */
export const make = (options: Options, transport: Transport): HttpClient.HttpClient.With<RequestFailed> => {
  const routeOf = router(options.baseUrl)
  const client = fromExecute(
    // the call begins: address, policy, deadline
    startCall({ ...options, observe: observeCall(routeOf, options.metrics) })(
      // the only place that sends again: after a wait, or with a new token after a 401
      retry(
        options.budget,
        Decisions.make(routeOf, options.metrics)
      )(
        // bearer token
        authorize(
          options.credentials,
          observeToken(serverOf(options.baseUrl), options.metrics)
        )(
          // a connection; span, metric and headers of one request; its whole response
          attempt({ ...options, routeOf }, transport)
        )
      )
    )
  )
  return Object.assign(client, { [onRefused]: countRefused(routeOf, options.metrics) })
}
