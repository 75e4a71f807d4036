/**
 * The `Retry-After` header (RFC 9110, section 10.2.3): the delay that the server asks for.
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

// Clients join headers of the same name by commas, and a date has a comma of its own.
const items = /\s*(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?[^,]+/g

/**
 * Reads a `Retry-After` value: whole seconds or an HTTP-date, which is taken relative to `nowMillis`. Of several values
 * the longest counts. `None` if it asks for no delay: absent, `0`, negative, a date in the past, invalid. A number that is
 * too large for a clock becomes the longest duration.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parse = (value: string | undefined, nowMillis: number): Option.Option<Duration.Duration> => {
  const millis = Math.max(0, ...(value?.match(items) ?? []).map((item) => millisOf(item.trim(), nowMillis)))
  return millis > 0 ? Option.some(Duration.millis(Math.min(millis, Number.MAX_SAFE_INTEGER))) : Option.none()
}

const millisOf = (item: string, nowMillis: number): number =>
  /^\d+$/.test(item)
    ? Number(item) * 1000
    : Option.match(parseHttpDate(item), { onNone: () => 0, onSome: (date) => date - nowMillis })

/**
 * Reads the delay from a response's headers. A date is compared with the response's own `Date`, because the two clocks
 * may differ.
 *
 * @since 0.1.0
 * @category parsing
 */
export const fromHeaders = (
  headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
  nowMillis: number
): Option.Option<Duration.Duration> =>
  parse(
    [headers["retry-after"] ?? []].flat().join(", "),
    Option.getOrElse(parseHttpDate([headers["date"]].flat()[0]), () => nowMillis)
  )
