/**
 * One call: the state that the stages share, and its beginning. A request that cannot be sent is refused here.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { RequestFailed } from "@effect-gr4vy/core/Errors"
import { notAPath } from "@effect-gr4vy/core/Gr4vyHttpClient"
import { isEndpointRequest } from "@effect-gr4vy/core/spi/EndpointRequest"
import * as MerchantAccount from "@effect-gr4vy/core/spi/MerchantAccount"
import type { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import type * as Otel from "@opentelemetry/api"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import type * as Redacted from "effect/Redacted"
import { override, type RetryPolicy } from "../../RetryPolicy.js"
import { activeContext } from "../otel/context.js"
import type { Observed } from "../otel/observation.js"
import { clockOf, monotonicMillis } from "../pending.js"

// A class instead of a literal, like every object that lives as long as a request: V8 moves such literals, with everything
// they refer to, into its old space.
export class Call implements Observed {
  readonly clock: Clock.Clock
  /**
   * Lets an interruption end a wait of the call: for a connection, a response, a token, a retry. Everything between two
   * waits is uninterruptible, so that each end is seen.
   */
  restore: <A, E>(wait: Effect.Effect<A, E>) => Effect.Effect<A, E> = identity
  /** The OpenTelemetry context that was active where the call began. */
  readonly context: Otel.Context = activeContext()
  /** The deadline, by the monotonic clock. */
  private readonly deadline: number
  /** The number of requests started so far. */
  attempts = 0
  /** The trace that the call's requests start if there is no span. */
  traceId: string | undefined = undefined
  /** The token of the latest request. */
  token: Redacted.Redacted | undefined = undefined

  constructor(
    readonly request: HttpClientRequest.HttpClientRequest,
    /** The URL of its requests: scheme, host, path and query. */
    readonly url: string,
    readonly merchantAccountId: string | undefined,
    readonly policy: RetryPolicy,
    /** The fiber of the call, looked up once because each look-up is an operation. */
    readonly fiber: Fiber.RuntimeFiber<unknown, unknown>,
    /** The time limit of the call, in milliseconds. */
    millis: number
  ) {
    this.clock = clockOf(fiber)
    this.deadline = monotonicMillis(this.clock) + millis
  }

  /** The endpoint that the request was made for; a plain request has none. */
  get endpoint(): Endpoint.Any | undefined {
    return isEndpointRequest(this.request) ? this.request.endpoint : undefined
  }

  /** The resend class of the request. A plain request has one by its method. */
  get resend(): Endpoint.Resend {
    const { method } = this.request
    return this.endpoint?.resend ?? (method === "POST" || method === "PATCH" ? "once" : "idempotent")
  }

  /** The remaining time of the call in milliseconds: 0 or less after the deadline. */
  get timeLeft(): number {
    return this.deadline - monotonicMillis(this.clock)
  }
}

/** Starts calls: each gets the address of its requests, its policy and its deadline. */
export const startCall =
  (options: {
    readonly baseUrl: string
    readonly merchantAccountId: string | undefined
    readonly limits: { readonly deadline: number }
    readonly retry: RetryPolicy
    /** Runs each call, uninterruptible but for its waits. */
    readonly observe: (
      call: Call,
      outcome: Effect.Effect<BufferedResponse, RequestFailed>
    ) => Effect.Effect<BufferedResponse, RequestFailed>
  }) =>
  (next: (call: Call) => Effect.Effect<BufferedResponse, RequestFailed>) =>
  (request: HttpClientRequest.HttpClientRequest): Effect.Effect<BufferedResponse, RequestFailed> =>
    Effect.withFiberRuntime((fiber) => {
      const ownAccount =
        (isEndpointRequest(request) ? request.merchantAccountId : undefined) ??
        fiber.getFiberRef(MerchantAccount.override)
      const query = request.urlParams.length === 0 ? "" : `?${UrlParams.toString(request.urlParams)}`
      const problem = problemOf(request, ownAccount)
      const call = new Call(
        request,
        options.baseUrl + request.url + query,
        problem === undefined ? (ownAccount ?? options.merchantAccountId) : undefined,
        fiber.getFiberRef(override) ?? options.retry,
        fiber,
        options.limits.deadline
      )
      return Effect.uninterruptibleMask((restore) => {
        call.restore = restore
        return options.observe(call, problem === undefined ? next(call) : Effect.fail(problem))
      })
    })

const problemOf = (
  { body, url }: HttpClientRequest.HttpClientRequest,
  ownAccount: string | undefined
): RequestFailed | undefined => {
  // The token goes to one origin only: requests say where to go by their path.
  if (!url.startsWith("/")) return notAPath
  if (body._tag !== "Empty" && body._tag !== "Uint8Array") return unsupportedBody
  const problem = ownAccount === undefined ? undefined : MerchantAccount.problemOf(ownAccount)
  return problem === undefined ? undefined : MerchantAccount.invalid(problem)
}

// A body that can be read only once cannot be retried.
const unsupportedBody = new RequestFailed({
  reason: "InvalidRequest",
  delivered: "no",
  attempts: 0,
  message:
    "Nothing was sent: the body must be a string, JSON, URL parameters or bytes. Streams, form data and raw bodies are not supported."
})
