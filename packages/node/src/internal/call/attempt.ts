/**
 * One request of a call, from the wait for its connection to its end: everything that happens to it is in this file.
 */
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { isEndpointRequest } from "@effect-gr4vy/core/spi/EndpointRequest"
import * as MerchantAccount from "@effect-gr4vy/core/spi/MerchantAccount"
import { type BufferedResponse, requestIdIn } from "@effect-gr4vy/core/spi/Response"
import type { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Redacted from "effect/Redacted"
import type * as Tracer from "effect/Tracer"
import type { Sink } from "../otel/metric.js"
import { type InFlight, isMisdirected, Observation, type Router } from "../otel/observation.js"
import { type Propagated, traceHeaders } from "../otel/propagation.js"
import { type Pending, settle, timeoutWithin } from "../pending.js"
import {
  type Exchange,
  type Lease,
  type Received,
  type Transport,
  timedOut,
  WireRequest
} from "../transport/transport.js"
import type { Call } from "./call.js"

export interface Options {
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>
  /** The time limit of one request in milliseconds. */
  readonly limits: { readonly attempt: number }
  readonly propagated: Propagated
  readonly metrics: Sink
  readonly inFlight: InFlight
  readonly routeOf: Router
  /** The names of headers that may contain a request's id; the first match wins. */
  readonly requestIdNames: ReadonlyArray<string>
}

type Failure = TransportFailure | RequestFailed
type Outcome = Exit.Exit<BufferedResponse, Failure>

export const attempt =
  (options: Options, transport: Transport) =>
  (call: Call, authorization: string): Effect.Effect<BufferedResponse, Failure> => {
    const attempt = new Attempt(options, transport, call, authorization)
    const sent = settle<BufferedResponse, Failure>(
      (resume) => attempt.begin(resume),
      call.restore,
      (exit) => attempt.end(exit)
    )
    const beforeSend = isEndpointRequest(call.request) ? call.request.beforeSend : undefined
    if (beforeSend === undefined) return sent
    // Without a connection, because it may make a call of the same client.
    const prepared = Effect.suspend(() =>
      call.restore(
        timeoutWithin<void, RequestFailed, Failure>(beforeSend(call.attempts + 1), call.timeLeft, () =>
          timedOut("beforeSend did not end before the call's deadline.", false)
        )
      )
    )
    return Effect.zipRight(prepared, sent)
  }

/**
 * Two steps: the wait for a connection, and the exchange. The request is sent by the callback that delivers the
 * connection, without a turn of the call's fiber between.
 */
class Attempt {
  private step: Pending<unknown, unknown> | undefined = undefined
  private lease: Lease | undefined = undefined
  private exchange: Exchange | undefined = undefined
  private observation: Observation | undefined = undefined
  private resume: (exit: Outcome) => void = constVoid

  constructor(
    private readonly options: Options,
    private readonly transport: Transport,
    private readonly call: Call,
    private readonly authorization: string
  ) {}

  /** Sends the request on the next free connection. */
  begin(resume: (exit: Outcome) => void): void {
    this.resume = resume
    const lease = this.transport.acquire()
    if (lease === undefined) this.wait()
    else this.send(lease)
  }

  private send(lease: Lease): void {
    this.lease = lease
    const { authorization, call, options } = this
    const ofCall = isEndpointRequest(call.request) ? call.request.attemptTimeout : undefined
    const limit = ofCall ?? Math.max(options.limits.attempt, call.endpoint?.attemptTimeout ?? 0)
    const millis = Math.min(limit, call.timeLeft)
    // No timer is shorter.
    if (millis < 1) {
      this.resume(Exit.fail(timedOut("The call's deadline has passed.", false)))
      return
    }
    this.observation = new Observation(call, options.routeOf(call), options)
    call.attempts++
    this.exchange = lease.send(wireRequest(options, call, authorization, this.observation.span), call, millis)
    this.step = this.exchange
    const { exchange, observation } = this
    this.exchange.begin((exit) => {
      observation.stop()
      this.resume(Exit.isSuccess(exit) ? exit : withRequestId(exit, exchange.received, call, options.requestIdNames))
    })
  }

  /** Waits for a connection, and sends the request on it: once, and not after the attempt's end. */
  private wait(): void {
    const step = this.transport.wait(this.call.clock, this.call.timeLeft)
    this.step = step
    step.begin((exit) => {
      if (this.step !== step) return
      this.step = undefined
      if (Exit.isFailure(exit)) {
        this.resume(Exit.failCause(exit.cause))
        return
      }
      try {
        this.send(exit.value)
      } catch (defect) {
        this.resume(Exit.die(defect))
      }
    })
  }

  end(exit: Outcome): void {
    const { call, exchange, lease, observation, step } = this
    // It may live on in V8's old space, and would retain its response until a full collection.
    this.step = undefined
    this.lease = undefined
    this.exchange = undefined
    this.observation = undefined
    this.resume = constVoid
    if (Exit.isFailure(exit)) step?.cancel()
    lease?.release(Exit.isFailure(exit) || !isMisdirected(call, exit.value))
    observation?.end(exit, exchange?.received)
  }
}

/** A failure after the head of a response has arrived has that head's request id. */
const withRequestId = (
  exit: Exit.Failure<BufferedResponse, TransportFailure>,
  received: Received | undefined,
  call: Call,
  names: ReadonlyArray<string>
): Outcome => {
  if (received?.headers === undefined) return exit
  const secrets = () => [
    ...(isEndpointRequest(call.request) ? call.request.secrets() : []),
    ...(call.token === undefined ? [] : [Redacted.value(call.token)])
  ]
  const requestId = requestIdIn(received.headers, names, secrets)
  return requestId === undefined ? exit : Exit.mapError(exit, (failure) => failure.withRequestId(requestId))
}

/** The request as it goes on the wire, with every header. */
const wireRequest = (
  { headers, propagated }: Options,
  call: Call,
  authorization: string,
  span: Tracer.Span | undefined
): WireRequest => {
  const { body, headers: own, method } = call.request
  const all: Record<string, string> = Object.assign({}, own, headers)
  all["authorization"] = authorization
  if (call.merchantAccountId !== undefined) all[MerchantAccount.header] = call.merchantAccountId
  if (propagated.trace || propagated.baggage) Object.assign(all, traceHeaders(call, span, propagated, all))
  return new WireRequest(
    method,
    call.url,
    all,
    body._tag === "Uint8Array" ? body.body : undefined,
    isEndpointRequest(call.request) ? call.request.secrets : undefined,
    // A request that is lost is sent again.
    call.resend === "idempotent" && call.policy.maxAttempts > 1
  )
}
