/**
 * One call of the user, as it passes through the stages of the pipeline.
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
import { clockOf, monotonicMillis } from "../timer.js"

/** A stage of the pipeline below the retry loop. */
export type Send = (call: Call) => Effect.Effect<BufferedResponse, TransportFailure | RequestFailed>

// A class rather than a literal, like everything that lives as long as a request: V8 moves literals that live that long
// into its old space for good, and all that they refer to with them.
export class Call {
  readonly clock: Clock.Clock
  /** The OpenTelemetry context that was active where the call began. */
  readonly context: Otel.Context = activeContext()
  /** When the call has to be over, by the monotonic clock. */
  private readonly deadline: number
  /** How many requests were started so far. */
  attempts = 0
  /** The trace that the call's requests begin where there is no span. */
  traceId: string | undefined = undefined
  /** Whether a 401 has already got a new token. */
  renewed = false

  constructor(
    readonly request: HttpClientRequest.HttpClientRequest,
    /** Where its requests go: scheme, host, path and query. */
    readonly url: string,
    readonly merchantAccountId: string | undefined,
    readonly policy: RetryPolicy,
    /** The fiber the call runs in: asked once, because asking is an operation of its own. */
    readonly fiber: Fiber.RuntimeFiber<unknown, unknown>,
    /** How long the call may take, in milliseconds. */
    millis: number
  ) {
    this.clock = clockOf(fiber)
    this.deadline = monotonicMillis(this.clock) + millis
  }

  /** The endpoint that the request was made for; a plain request has none. */
  get endpoint(): Endpoint.Any | undefined {
    return isEndpointRequest(this.request) ? this.request.endpoint : undefined
  }

  /** Whether the request may be sent a second time. A plain request tells by its method alone. */
  get resend(): Endpoint.Resend {
    const { method } = this.request
    return this.endpoint?.resend ?? (method === "POST" || method === "PATCH" ? "once" : "idempotent")
  }

  /** What is left of the call's time in milliseconds: 0 or less once it is over. */
  get timeLeft(): number {
    return this.deadline - monotonicMillis(this.clock)
  }
}
