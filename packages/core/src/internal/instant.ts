/**
 * Dates and times as the API writes them (RFC 3339).
 */
import type { LazyArbitrary } from "effect/Arbitrary"

// Section 5.6: without an offset the instant would depend on the machine's time zone.
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i

/** The milliseconds since 1970 of a date and time with an offset, `NaN` for anything else. */
export const parseInstant = (value: string): number => (rfc3339.test(value) ? Date.parse(value) : Number.NaN)

/** Checks that the day exists: `Date.parse` turns 30 February into March. */
export const isDay = (value: string): boolean => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const millis = Date.parse(value)
  return !Number.isNaN(millis) && new Date(millis).toISOString().startsWith(value)
}

/** Times with four-digit years. */
export const anyTime: LazyArbitrary<string> = (fc) =>
  fc
    .date({ min: new Date("1970-01-01T00:00:00Z"), max: new Date("9999-12-31T00:00:00Z"), noInvalidDate: true })
    .map((date) => date.toISOString())
