/**
 * One call, with the state that the stages of the pipeline share.
 */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { isEndpointRequest } from "@effect-gr4vy/core/unstable/EndpointRequest"
import type { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import type { TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import type * as Otel from "@opentelemetry/api"
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { RetryPolicy } from "../../RetryPolicy.js"
import { activeContext } from "../otel/context.js"
import { clockOf, monotonicMillis } from "../pending.js"

/** A stage of the pipeline below the retry loop. */
export type Send = (call: Call) => Effect.Effect<BufferedResponse, TransportFailure | RequestFailed>

// A class instead of a literal, like every object that lives as long as a request: V8 moves such literals, with everything
// they refer to, into its old space.
export class Call {
  readonly clock: Clock.Clock
  /** The OpenTelemetry context that was active where the call began. */
  readonly context: Otel.Context = activeContext()
  /** The deadline, by the monotonic clock. */
  private readonly deadline: number
  /** The number of requests started so far. */
  attempts = 0
  /** The trace that the call's requests start if there is no span. */
  traceId: string | undefined = undefined
  /** Whether a 401 has already got a new token. */
  renewed = false

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
