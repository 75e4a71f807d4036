/**
 * Reports each retry, and each retry that was abandoned: an event on the call's span, a count, and a log line.
 */
import * as Effect from "effect/Effect"
import type { Metrics } from "../../Telemetry.js"
import { monotonicMillis } from "../pending.js"
import type { Call } from "../pipeline/call.js"
import { ignoreThrow } from "./context.js"
import { countRetry } from "./metric.js"
import type { Router } from "./observation.js"

/** A request that failed in a way that a retry might change. */
export interface Failed {
  /** Its `error.type`. */
  readonly reason: string
  readonly requestId: string | undefined
}

/** The reason why a retry was abandoned. */
export type Abandoned = "unsafe" | "attempts" | "budget" | "deadline" | "retry-after"

export interface Decisions {
  /** The request is retried after a delay. */
  readonly retrying: (call: Call, failed: Failed, millis: number) => Effect.Effect<void>
  /** The request is not retried. `millis` is the delay that was not granted. */
  readonly abandoned: (call: Call, failed: Failed, why: Abandoned, millis?: number) => Effect.Effect<void>
}

export const make = (routeOf: Router, metrics: Metrics): Decisions => {
  /** Adds the event and the count. */
  const show = (call: Call, event: string, attributes: Attributes) => {
    const { "retry.delay_ms": _, ...counted } = attributes
    countRetry(metrics, routeOf(call).retries.of(counted))
    const span = call.fiber.currentSpan
    if (span?._tag !== "Span") return
    ignoreThrow(() => span.event(event, call.clock.unsafeCurrentTimeNanos(), attributes))
  }

  /** When the next Warning about the empty budget is due, and the calls since the last one, which had none. */
  let nextWarning = Number.NEGATIVE_INFINITY
  let unreported = 0

  return {
    retrying: (call, { reason, requestId }, millis) =>
      Effect.suspend(() => {
        const attributes = { "error.type": reason, "retry.delay_ms": Math.round(millis) }
        show(call, "retry", attributes)
        const message = `${routeOf(call).name} is retried in ${Math.round(millis)} ms after ${reason}`
        return annotated(Effect.logDebug(message), call, attributes, requestId)
      }),

    abandoned: (call, { reason, requestId }, why, millis) =>
      Effect.suspend(() => {
        const attributes = {
          "error.type": reason,
          "retry.abandoned": why,
          ...(millis === undefined ? {} : { "retry.delay_ms": Math.round(millis) })
        }
        show(call, "retry.abandoned", attributes)
        // A policy that allows one request has abandoned nothing.
        if (why === "attempts" && call.policy.maxAttempts === 1) return Effect.void
        const message = `${routeOf(call).name} is not retried after ${reason}: ${because(call, why, Math.round(millis ?? 0))}`
        if (why !== "budget") return annotated(Effect.logWarning(message), call, attributes, requestId)
        // During an outage it is empty for every call: a line for each would flood the log.
        const now = monotonicMillis(call.clock)
        if (now < nextWarning) {
          unreported++
          return annotated(Effect.logDebug(message), call, attributes, requestId)
        }
        const others = unreported === 0 ? "" : ` (${unreported} more calls since the last such line)`
        nextWarning = now + warningInterval
        unreported = 0
        return annotated(Effect.logWarning(message + others), call, attributes, requestId)
      })
  }
}

/** The shortest time in milliseconds between two Warnings about the empty budget. */
const warningInterval = 10_000

type Attributes = Readonly<Record<string, string | number>>

const because = ({ attempts }: Call, why: Abandoned, millis: number): string => {
  switch (why) {
    case "unsafe":
      return "the request may have reached the API, and a second one could do its work twice"
    case "attempts":
      return `${attempts} requests have failed, and the policy allows no more`
    case "budget":
      return "the retry budget is empty, because too many requests fail"
    case "deadline":
      return `a wait of ${millis} ms would end after the call's deadline`
    case "retry-after":
      return `the API asks for a wait of ${millis} ms, longer than the policy grants`
  }
}

/** Writes a log line with the fields that a person on call and the API's support desk need first. */
export const annotated = (
  line: Effect.Effect<void>,
  { attempts }: Call,
  attributes: Attributes,
  requestId: string | undefined
): Effect.Effect<void> =>
  Effect.annotateLogs(line, {
    ...attributes,
    "gr4vy.attempts": attempts,
    ...(requestId === undefined ? {} : { "gr4vy.request_id": requestId })
  })
