/**
 * The `Retry-After` header (RFC 9110, section 10.2.3): how long the server asks us to wait.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

// IMF-fixdate, the only form RFC 9110 lets a sender generate. `Date.parse` alone would also take "-5" for a year.
const imfFixdate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * Reads an HTTP-date (IMF-fixdate) as milliseconds since the epoch.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parseHttpDate = (value: string | undefined): Option.Option<number> => {
  if (value === undefined || !imfFixdate.test(value)) return Option.none()
  const millis = Date.parse(value)
  return Number.isFinite(millis) ? Option.some(millis) : Option.none()
}

/**
 * Reads a `Retry-After` value: whole seconds or an HTTP-date, which is taken relative to `nowMillis`. `None` for
 * everything that asks for no wait: absent, `0`, negative, a date in the past, junk, and numbers no clock can hold.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parse = (value: string | undefined, nowMillis: number): Option.Option<Duration.Duration> => {
  if (value === undefined) return Option.none()
  const trimmed = value.trim()
  const millis = /^\d+$/.test(trimmed)
    ? Number(trimmed) * 1000
    : Option.match(parseHttpDate(trimmed), { onNone: () => 0, onSome: (date) => date - nowMillis })
  return millis > 0 && millis <= Number.MAX_SAFE_INTEGER ? Option.some(Duration.millis(millis)) : Option.none()
}

/**
 * Reads what a response's headers ask for.
 *
 * @since 0.1.0
 * @category parsing
 */
export const fromHeaders = (
  headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
  nowMillis: number
): Option.Option<Duration.Duration> => parse([headers["retry-after"]].flat()[0], nowMillis)
