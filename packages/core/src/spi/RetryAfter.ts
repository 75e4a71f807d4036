/**
 * The `Retry-After` header (RFC 9110, section 10.2.3): the delay that the server asks for.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

type HeaderValues = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

// The three forms of RFC 9110, section 5.6.7. `Date.parse` alone would also take "-5" for a year.
const imfFixdate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?<day>\d\d) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d\d:\d\d:\d\d) GMT$/
const rfc850 =
  /^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (?<day>\d\d)-(?<month>[A-Z][a-z]{2})-(?<year>\d\d) (?<time>\d\d:\d\d:\d\d) GMT$/
const asctime =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d\d:\d\d:\d\d) (?<year>\d{4})$/

/**
 * Reads an HTTP-date in any of its three forms as milliseconds since the epoch. A leap second is the second after it. The
 * two digits of a year in the form of RFC 850 mean at most 50 years after `nowMillis`.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parseHttpDate = (value: string | undefined, nowMillis: number): Option.Option<number> => {
  if (value === undefined) return Option.none()
  const { day, month, time, year } = (imfFixdate.exec(value) ?? rfc850.exec(value) ?? asctime.exec(value))?.groups ?? {}
  if (day === undefined || month === undefined || time === undefined || year === undefined) return Option.none()
  const dayNumber = Number(day)
  const monthNumber = months.indexOf(month)
  const [hours = 0, minutes = 0, seconds = 0] = time.split(":").map(Number)
  if (hours > 23 || minutes > 59 || seconds > 60) return Option.none()
  const date = new Date(0)
  date.setUTCFullYear(year.length === 2 ? fullYear(Number(year), nowMillis) : Number(year), monthNumber, dayNumber)
  // An impossible day or month becomes another date.
  if (date.getUTCMonth() !== monthNumber || date.getUTCDate() !== dayNumber) return Option.none()
  return Option.some(date.setUTCHours(hours, minutes, seconds))
}

const fullYear = (twoDigits: number, nowMillis: number): number => {
  const thisYear = new Date(nowMillis).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + twoDigits
  return year > thisYear + 50 ? year - 100 : year
}

// Clients join headers of the same name by commas, and a date may have a comma of its own.
const items = /\s*(?:(?:Mon|Tue|Tues|Wed|Wednes|Thu|Thurs|Fri|Sat|Satur|Sun)(?:day)?, )?[^,]+/g

const itemsOf = (value: string | undefined): ReadonlyArray<string> =>
  (value?.match(items) ?? []).map((item) => item.trim())

/**
 * Reads a `Retry-After` value: whole seconds or an HTTP-date, which is taken relative to `nowMillis`. Of several values
 * the longest counts. `0` and a date in the past are a delay of zero. `None` if the value is absent, negative or invalid.
 * A number that is too large for a clock becomes the longest duration.
 *
 * @since 0.1.0
 * @category parsing
 */
export const parse = (value: string | undefined, nowMillis: number): Option.Option<Duration.Duration> => {
  const delays = itemsOf(value).flatMap((item) => Option.toArray(millisOf(item, nowMillis)))
  return delays.length === 0
    ? Option.none()
    : Option.some(Duration.millis(Math.min(Math.max(0, ...delays), Number.MAX_SAFE_INTEGER)))
}

const millisOf = (item: string, nowMillis: number): Option.Option<number> =>
  /^\d+$/.test(item)
    ? Option.some(Number(item) * 1000)
    : Option.map(parseHttpDate(item, nowMillis), (date) => date - nowMillis)

/**
 * Reads the time at which a response was made by its server's clock: its `Date`.
 *
 * @since 0.1.0
 * @category parsing
 */
export const dateOf = (headers: HeaderValues, nowMillis: number): Option.Option<number> =>
  parseHttpDate(itemsOf(joined(headers["date"]))[0], nowMillis)

/**
 * Reads the delay from a response's headers. A date is compared with the response's own `Date`, because the two clocks
 * may differ.
 *
 * @since 0.1.0
 * @category parsing
 */
export const fromHeaders = (headers: HeaderValues, nowMillis: number): Option.Option<Duration.Duration> =>
  parse(
    joined(headers["retry-after"]),
    Option.getOrElse(dateOf(headers, nowMillis), () => nowMillis)
  )

const joined = (value: string | ReadonlyArray<string> | undefined): string => [value ?? []].flat().join(", ")
