/**
 * One request of a call, from the wait for its connection to its end: everything that happens to it is in this file.
 */
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { isEndpointRequest } from "@effect-gr4vy/core/unstable/EndpointRequest"
import * as MerchantAccount from "@effect-gr4vy/core/unstable/MerchantAccount"
import type { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import type { TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Tracer from "effect/Tracer"
import type { Metrics } from "../../Telemetry.js"
import { Observation, type Router } from "../otel/observation.js"
import { traceHeaders } from "../otel/propagation.js"
import { settle } from "../pending.js"
import { timeoutWithin } from "../timeoutWithin.js"
import { type Lease, type Transport, timedOut, WireRequest } from "../transport/transport.js"
import type { Call } from "./call.js"

export interface Options {
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>
  /** The time limit of one request in milliseconds. */
  readonly limits: { readonly attempt: number }
  readonly propagateTrace: boolean
  readonly metrics: Metrics
  readonly routeOf: Router
}

type Sent = Effect.Effect<BufferedResponse, TransportFailure | RequestFailed>

export const attempt = (options: Options, transport: Transport): ((call: Call, authorization: string) => Sent) => {
  return (call, authorization) =>
    // Whatever is underway when the call is interrupted is given up by the code below, in its own order.
    Effect.uninterruptibleMask((restore) => {
      const send = (lease: Lease): Sent => {
        const millis = Math.min(Math.max(options.limits.attempt, call.endpoint?.attemptTimeout ?? 0), call.timeLeft)
        // No timer is shorter.
        if (millis < 1) {
          lease.release(true)
          return Effect.fail(timedOut("The call's deadline has passed.", false))
        }
        const observation = new Observation(call, options.routeOf(call), options.metrics)
        call.attempts++
        const request = wireRequest(options, call, authorization, observation.span)
        const exchange = lease.send(request, call.clock, millis)
        return Effect.matchCauseEffect(restore(exchange.outcome), {
          onFailure: (cause) => {
            exchange.cancel()
            lease.release(true)
            const exit = Exit.failCause(cause)
            observation.end(exit, exchange.received)
            return exit
          },
          onSuccess: (response) => {
            lease.release(!isMisdirected(call, response))
            const exit = Exit.succeed(response)
            observation.end(exit, exchange.received)
            return exit
          }
        })
      }

      const prepare = (lease: Lease): Sent => {
        if (!isEndpointRequest(call.request) || call.request.beforeSend === undefined) return send(lease)
        const { beforeSend } = call.request
        const prepared = Effect.suspend(() => beforeSend(call.attempts + 1))
        const inTime = timeoutWithin(prepared, call.timeLeft, () =>
          timedOut("beforeSend did not end before the call's deadline.", false)
        )
        return Effect.matchCauseEffect(restore(inTime), {
          onFailure: (cause) => {
            lease.release(true)
            return Effect.failCause(cause)
          },
          onSuccess: () => send(lease)
        })
      }

      const lease = transport.acquire()
      return lease === undefined
        ? Effect.flatMap(settle(transport.wait(call.clock, call.timeLeft), restore), prepare)
        : prepare(lease)
    })
}

/** The request as it goes on the wire, with every header. */
const wireRequest = (
  { headers, propagateTrace }: Options,
  call: Call,
  authorization: string,
  span: Tracer.Span | undefined
): WireRequest => {
  const { body, headers: own, method } = call.request
  // V8 merges objects by `assign` ten times faster than by spreads: 3 µs of a call.
  const all: Record<string, string> = Object.assign({}, own, headers)
  all["authorization"] = authorization
  if (call.merchantAccountId !== undefined) all[MerchantAccount.header] = call.merchantAccountId
  if (propagateTrace) Object.assign(all, traceHeaders(call, span))
  return new WireRequest(method, call.url, all, body._tag === "Uint8Array" ? body.body : undefined)
}

/** Whether a response belongs to another request: whatever comes next on its connection would as well. */
const isMisdirected = (call: Call, response: BufferedResponse): boolean => {
  if (response.status < 200 || response.status >= 300 || !isEndpointRequest(call.request)) return false
  const success = response.decodedBy(call.request)
  return Either.isLeft(success) && success.left.misdirected
}
