/**
 * What the pipeline asks of whatever carries its requests, and what travels through the pipeline.
 */
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpMethod } from "@effect/platform/HttpMethod"
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import type { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import { TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import type * as Otel from "@opentelemetry/api"
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { RetryPolicy } from "../../RetryPolicy.js"
import { activeContext } from "../otel/context.js"
import { clockOf } from "../timer.js"

/**
 * Sends one request, and yields a response only when its whole body has arrived, within the size cap. Ends with its time
 * limit, whatever the server does; nothing is left of a request that was interrupted.
 */
export type Transport = (begin: () => Begun) => Effect.Effect<BufferedResponse, TransportFailure>

/** A request that has begun, which it does when the transport takes it, and not if the call was interrupted before. */
export interface Begun {
  readonly request: WireRequest
  /** The time limit. */
  readonly millis: number
  readonly clock: Clock.Clock
  /** Hears of the end exactly once, with `undefined` when it was interrupted, and of what had arrived by then. */
  onEnd(outcome: Outcome | undefined, received: Received | undefined): void
}

/** A request as it goes on the wire: what the caller asked for, at its address, with every header. */
export class WireRequest {
  constructor(
    readonly asked: HttpClientRequest.HttpClientRequest,
    /** Scheme, host, path and query. */
    readonly url: string,
    readonly headers: Readonly<Record<string, string>>
  ) {}

  get method(): HttpMethod {
    return this.asked.method
  }

  /** The same in the platform's terms, for whoever asks: most never do. */
  get whole(): HttpClientRequest.HttpClientRequest {
    return HttpClientRequest.setHeaders(HttpClientRequest.setUrl(this.asked, this.url), this.headers)
  }
}

/** The beginning of an answer, also of one that never came to its end. */
export interface Received {
  readonly status: number
  /** `1.1`; absent where the carrier does not tell. */
  readonly protocolVersion?: string
}

export type Outcome = Exit.Exit<BufferedResponse, TransportFailure>

/**
 * One call of the user, as it passes through the stages of the pipeline.
 *
 * A class rather than a literal, like everything here that lives as long as a request: V8 moves the literals that it finds
 * to live that long into its old space for good, and all that they refer to with them.
 */
export class Call {
  readonly clock: Clock.Clock
  /** What was active in OpenTelemetry where the call began. */
  readonly context: Otel.Context = activeContext()
  /** When the call has to be over, in the clock's milliseconds. */
  readonly deadline: number
  /** The headers of every request besides its own: the same for all calls, and the token's. */
  headers: Readonly<Record<string, string>> | undefined = undefined
  /** How many requests were started so far. */
  attempts = 0
  /** The trace that the call's requests begin where there is no span. */
  traceId: string | undefined = undefined
  /** Whether a token was renewed already because of a 401. */
  renewed = false

  constructor(
    /** The fiber the call runs in: asked once, because asking is an operation of its own. */
    readonly fiber: Fiber.RuntimeFiber<unknown, unknown>,
    readonly policy: RetryPolicy,
    /** Where its requests go: scheme, host, path and query. */
    readonly url: string,
    /** How long the call may take, in milliseconds. */
    millis: number
  ) {
    this.clock = clockOf(fiber)
    this.deadline = this.clock.unsafeCurrentTimeMillis() + millis
  }

  /** What is left of the call's time in milliseconds: 0 or less once it is over. */
  get timeLeft(): number {
    return this.deadline - this.clock.unsafeCurrentTimeMillis()
  }
}

/** A stage of the pipeline: what it hands a request to. */
export type Send = (
  request: HttpClientRequest.HttpClientRequest,
  call: Call
) => Effect.Effect<BufferedResponse, TransportFailure | RequestFailed>

export const timedOut = (message: string, sent: boolean): TransportFailure =>
  new TransportFailure({
    reason: "Timeout",
    delivered: sent ? "unknown" : "no",
    resend: sent ? "idempotent" : "safe",
    message: sent
      ? `${message} Whether the API acted on the request is unknown.`
      : `${message} The request was not sent.`
  })

export const tooLarge = (maxBytes: number): TransportFailure =>
  new TransportFailure({
    reason: "ResponseTooLarge",
    delivered: "yes",
    resend: "never",
    message: `The answer is larger than ${maxBytes} bytes, and was not read to its end. Check the base URL, or raise maxResponseBytes.`
  })

export const encoded = (encoding: string): TransportFailure =>
  new TransportFailure({
    reason: "InvalidResponse",
    delivered: "yes",
    resend: "never",
    message: `The answer came with ${/^[\w, -]{1,40}$/.test(encoding) ? `Content-Encoding "${encoding}"` : "a Content-Encoding"}, though only "identity" was asked for. Check what stands between you and the API.`
  })
