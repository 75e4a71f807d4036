/**
 * Reports what became of a call besides its spans: each retry, each retry that was abandoned, a new token, and the ends
 * that somebody on call must know of. As an event on the call's span, a count, and a log line.
 */
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { isEndpointRequest } from "@effect-gr4vy/core/spi/EndpointRequest"
import type { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as LogLevel from "effect/LogLevel"
import { monotonicMillis } from "../pending.js"
import { ignoreThrow } from "./context.js"
import { count, type Sink } from "./metric.js"
import { isUnusable, type Observed, type Router } from "./observation.js"

/** A request that failed in a way that a retry might change. */
export interface Failed {
  /** Its `error.type`. */
  readonly reason: string
  /** The code of the error below it, e.g. `ECONNREFUSED`. */
  readonly code?: string | undefined
  readonly requestId: string | undefined
}

/** The reason why a retry was abandoned. */
export type Abandoned = "unsafe" | "attempts" | "budget" | "deadline" | "retry-after"

export interface Decisions {
  /** The request is retried after a delay. */
  readonly retrying: (call: Observed, failed: Failed, millis: number) => Effect.Effect<void>
  /** The request is not retried. `millis` is the delay that was not granted. */
  readonly abandoned: (call: Observed, failed: Failed, why: Abandoned, millis?: number) => Effect.Effect<void>
  /** A 401 got a new token. `clockOffMillis` is the server's clock less this machine's, where the server told its own. */
  readonly renewed: (call: Observed, failed: Failed, clockOffMillis: number | undefined) => Effect.Effect<void>
  /** The call ends with this response, which no retry can change. Absent after a success. `note` adds to the log line. */
  readonly responded: (call: Observed, response: BufferedResponse, note?: string) => Effect.Effect<void> | undefined
  /** The call ends with this failure, which no retry can change. */
  readonly failed: (call: Observed, failure: TransportFailure | RequestFailed) => Effect.Effect<void>
}

export const make = (routeOf: Router, metrics: Sink): Decisions => {
  /** Adds an event to the call's span. */
  const show = ({ clock, fiber: { currentSpan } }: Observed, event: string, attributes: Attributes) => {
    if (currentSpan?._tag === "Span")
      ignoreThrow(() => currentSpan.event(event, clock.unsafeCurrentTimeNanos(), attributes))
  }

  const log = (
    call: Observed,
    level: LogLevel.LogLevel,
    message: string,
    { code, requestId }: Omit<Failed, "reason">,
    attributes: Attributes
  ): Effect.Effect<void> =>
    Effect.annotateLogs(Effect.logWithLevel(level, message), {
      ...attributes,
      "gr4vy.attempts": call.attempts,
      ...(code === undefined ? {} : { "gr4vy.error.code": code }),
      ...(requestId === undefined ? {} : { "gr4vy.request_id": requestId })
    })

  /** When the next Warning of a kind is due, and the number of those since the last one, which were left out. */
  const kinds = new Map<string, { nextAt: number; leftOut: number }>()

  /** During an outage every call says the same: one line of a kind in ten seconds, the others at Debug. */
  const warn = (
    call: Observed,
    kind: string,
    message: string,
    failed: Omit<Failed, "reason">,
    attributes: Attributes
  ): Effect.Effect<void> => {
    const now = monotonicMillis(call.clock)
    const known = kinds.get(`${routeOf(call).name} ${kind}`)
    if (known !== undefined && now < known.nextAt) {
      known.leftOut++
      return log(call, LogLevel.Debug, message, failed, attributes)
    }
    if (kinds.size >= maxKinds) kinds.clear()
    kinds.set(`${routeOf(call).name} ${kind}`, { nextAt: now + warningInterval, leftOut: 0 })
    const others = known === undefined || known.leftOut === 0 ? "" : ` (${known.leftOut} more since the last such line)`
    return log(call, LogLevel.Warning, message + others, failed, attributes)
  }

  return {
    retrying: (call, failed, millis) =>
      Effect.suspend(() => {
        const { reason } = failed
        const attributes = { "error.type": reason }
        const timed = { ...attributes, "gr4vy.retry.delay_ms": Math.round(millis) }
        count(metrics, routeOf(call).retries.of(attributes))
        show(call, "gr4vy.retry", timed)
        const message = `${routeOf(call).name} is retried in ${Math.round(millis)} ms after ${withCode(failed)}`
        return log(call, LogLevel.Debug, message, failed, timed)
      }),

    abandoned: (call, failed, why, millis) =>
      Effect.suspend(() => {
        const attributes = { "error.type": failed.reason, "gr4vy.retry.abandoned": why }
        const timed = millis === undefined ? attributes : { ...attributes, "gr4vy.retry.delay_ms": Math.round(millis) }
        count(metrics, routeOf(call).retries.of(attributes))
        show(call, "gr4vy.retry.abandoned", timed)
        const message = `${routeOf(call).name} is not retried after ${withCode(failed)}: ${because(call, why, Math.round(millis ?? 0))}`
        return warn(call, `${why} ${failed.reason}`, message, failed, timed)
      }),

    renewed: (call, failed, clockOffMillis) =>
      Effect.suspend(() => {
        const seconds = clockOffMillis === undefined ? 0 : Math.round(clockOffMillis / 1000)
        const attributes = clockOffMillis === undefined ? {} : { "gr4vy.clock_offset_s": seconds }
        show(call, "gr4vy.token.renewed", attributes)
        const message = `${routeOf(call).name} is sent again with a new token after 401`
        if (Math.abs(seconds) < clockToleranceSeconds) return log(call, LogLevel.Debug, message, failed, attributes)
        const clock = `this machine's clock is ${Math.abs(seconds)} s ${seconds > 0 ? "behind" : "ahead of"} the API's`
        return warn(call, "clock", `${message}: ${clock}`, failed, attributes)
      }),

    responded: (call, response, note) => {
      const { status } = response
      const unusable = isUnusable(call, response)
      if (status < 300 && !unusable) return undefined
      return Effect.suspend(() => {
        const reason = unusable ? "InvalidResponse" : String(status)
        const message = `${routeOf(call).name} failed with ${unusable ? unusableOf(call, response) : status}${note === undefined ? adviceOn(status, call) : `; ${note}`}`
        const attributes = { "error.type": reason }
        return status >= 400 && status < 500 && status !== 401 && status !== 403
          ? // It is about this request, not about the API.
            log(call, LogLevel.Debug, message, response, attributes)
          : warn(call, reason, message, response, attributes)
      })
    },

    failed: (call, failure) =>
      Effect.suspend(() => {
        const { message, reason, requestId } = failure
        const code = failure instanceof TransportFailure ? failure.code : undefined
        const line = `${routeOf(call).name} failed with ${withCode({ reason, code })}: ${message}`
        const attributes = { "error.type": reason }
        return reason === "InvalidRequest"
          ? log(call, LogLevel.Debug, line, { code, requestId }, attributes)
          : warn(call, reason, line, { code, requestId }, attributes)
      })
  }
}

/** The shortest time in milliseconds between two Warnings of one kind. */
const warningInterval = 10_000

/** The most kinds that are remembered: a server may send any number as a status. */
const maxKinds = 1000

/** The difference of two clocks that delays and rounding explain. */
const clockToleranceSeconds = 5

type Attributes = Readonly<Record<string, string | number>>

const withCode = ({ code, reason }: Omit<Failed, "requestId">): string =>
  code === undefined ? reason : `${reason} (${code})`

const unusableOf = ({ request }: Observed, response: BufferedResponse): string => {
  const decoded = isEndpointRequest(request) ? response.decodedBy(request) : undefined
  return decoded !== undefined && Either.isLeft(decoded)
    ? `status ${response.status} and ${decoded.left.found}`
    : String(response.status)
}

const adviceOn = (status: number, { merchantAccountId }: Observed): string => {
  if (status === 401) return ": check the token, or the private key that signs it"
  if (status === 403) {
    const account =
      merchantAccountId === undefined
        ? ""
        : `, and that the merchant account ${merchantAccountId} is one of this instance`
    return `: check that the token has the scopes this call needs${account}`
  }
  return status >= 300 && status < 400 ? ": redirects are never followed, so check the base URL and any proxy" : ""
}

const because = ({ attempts }: Observed, why: Abandoned, millis: number): string => {
  switch (why) {
    case "unsafe":
      return "the request may have reached the API, and a second one could do its work twice"
    case "attempts":
      return attempts === 1
        ? "the policy allows one request"
        : `${attempts} requests have failed, and the policy allows no more`
    case "budget":
      return "the retry budget is empty, because too many requests fail"
    case "deadline":
      return `a wait of ${millis} ms would end after the call's deadline`
    case "retry-after":
      return `the API asks for a wait of ${millis} ms, longer than the policy grants`
  }
}
