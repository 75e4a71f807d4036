/**
 * Events on the span of a call.
 */

import type { Call } from "../pipeline/call.js"
import { ignoreThrow } from "./context.js"

/** A request will be sent again after a wait. */
export const retryScheduled = ({ clock, fiber }: Call, reason: string, millis: number): void => {
  const span = fiber.currentSpan
  if (span?._tag !== "Span") return
  ignoreThrow(() =>
    span.event("retry", clock.unsafeCurrentTimeNanos(), {
      "error.type": reason,
      "retry.delay_ms": Math.round(millis)
    })
  )
}
