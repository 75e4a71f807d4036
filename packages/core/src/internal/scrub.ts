/**
 * Removes secrets from a server's messages, because an API may echo its input.
 *
 * - A secret number is removed with any separators between its digits, and so is any run of 9 of its digits.
 * - A secret number of up to 4 digits (a security code) is removed only as a whole group of digits. Inside a longer group it
 *   stays: it reveals nothing there, and removing it would split the group.
 * - Any other secret is removed as it is, and as URLs and JSON encode it; a secret of up to 3 characters only as a whole word.
 * - Tokens and possible card numbers are removed even if they are not among the secrets. A possible card number has 13 to 19
 *   digits: in one piece, grouped by single blanks or dashes, or grouped in another way with a valid check digit (Luhn).
 *   UUIDs, timestamps and milliseconds stay readable.
 *
 * All secrets are searched in the original text, in linear time, and removed together. So removing one cannot hide another.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"

const redacted = "<redacted>"

/** Replaces the given secrets, and every possible card number or bearer token. */
export const scrub = (text: string, secrets: ReadonlyArray<string>): string => {
  const numbers = secrets.flatMap((secret) => (/\p{L}/u.test(secret) ? [] : [secret.replace(/\D/g, "")]))
  const digits = digitsIn(text)
  markNumbers(digits, new Set(numbers.filter((number) => number.length > maxCode)))
  markCodes(digits, new Set(numbers.filter((number) => number !== "" && number.length <= maxCode)))
  markCards(digits, text)
  return replaced(text, [
    ...tokens(text),
    ...new Set(secrets.filter((secret) => /\D/.test(secret)).flatMap((secret) => literally(text, secret))),
    ...markedRanges(digits)
  ])
}

/** A range of the text: start, and end (exclusive). */
type Range = readonly [start: number, end: number]

const replaced = (text: string, ranges: ReadonlyArray<Range>): string => {
  let clean = ""
  let end = 0
  for (const [from, to] of [...ranges].sort(([one], [other]) => one - other)) {
    // Overlapping and adjacent ranges are replaced once.
    if (from > end || end === 0) clean += text.slice(end, from) + redacted
    end = Math.max(end, to)
  }
  return clean + text.slice(end)
}

// Matches start at a word boundary only, so that a server's text cannot slow the search.
const jsonWebToken = /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g
const bearer = /\b(bearer\s+)[A-Za-z0-9._~+/=-]+/gi

const tokens = (text: string): ReadonlyArray<Range> =>
  [jsonWebToken, bearer].flatMap((pattern) =>
    Array.from(text.matchAll(pattern), (match): Range => {
      const start = match.index + (match[1] ?? "").length
      return [start, match.index + match[0].length]
    })
  )

const literally = (text: string, secret: string): ReadonlyArray<Range> => {
  const found: Array<Range> = []
  const inUrl = Either.getOrElse(Encoding.encodeUriComponent(secret), () => secret)
  for (const form of new Set([secret, inUrl, JSON.stringify(secret).slice(1, -1)])) {
    for (let start = text.indexOf(form); start >= 0; start = text.indexOf(form, start + form.length)) {
      const end = start + form.length
      const isInside = wordCharacter.test(text.charAt(start - 1)) || wordCharacter.test(text.charAt(end))
      if (form.length > 3 || !isInside) found.push([start, end])
    }
  }
  return found
}

const wordCharacter = /[\p{L}\p{N}]/u

/** The kind of separator before a digit, from none to one that no number contains. */
const Gap = { none: 0, narrow: 1, wide: 2, far: 3, letters: 4 } as const

/** The digits of a text, in order. */
interface Digits {
  readonly all: string
  /** The position of each digit in the text. */
  readonly at: ReadonlyArray<number>
  /** The separator before each digit. */
  readonly gap: ReadonlyArray<number>
  /** 1 if the digit must be removed. */
  readonly mark: Uint8Array
}

const digitsIn = (text: string): Digits => {
  let all = ""
  const at: Array<number> = []
  const gap: Array<number> = []
  let before: number = Gap.letters
  // Counts separators, not characters: `%20` is one separator.
  let separators = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 48 && code <= 57) {
      at.push(i)
      all += text.charAt(i)
      gap.push(before)
      before = Gap.none
      separators = 0
    } else if (isLetter(code, text, i)) {
      before = Gap.letters
    } else {
      const length = escapeAt(text, i, code)
      separators++
      const narrow = separators === 1 && (code === 32 || code === 45)
      before = Math.max(before, narrow ? Gap.narrow : separators > 3 ? Gap.far : Gap.wide)
      i += length - 1
    }
  }
  return { all, at, gap, mark: new Uint8Array(at.length) }
}

const isLetter = (code: number, text: string, at: number): boolean =>
  code < 128 ? (code >= 65 && code <= 90) || (code >= 97 && code <= 122) : /\p{L}/u.test(text.charAt(at))

const escape = /%[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[a-z]|&#?[a-z0-9]{1,8};/iy

/** The length of a separator that URLs, JSON or HTML encode as several characters. */
const escapeAt = (text: string, at: number, code: number): number => {
  if (code !== 37 && code !== 92 && code !== 38) return 1
  escape.lastIndex = at
  return escape.exec(text)?.[0].length ?? 1
}

/** The longest number that is removed only as a whole group. */
const maxCode = 4

/** The number of digits that must not be visible. Cards may show 8 digits (BIN) or the last 4. */
const maxShown = 9

const markNumbers = ({ all, gap, mark }: Digits, numbers: ReadonlySet<string>): void => {
  const parts = new Map<number, Set<string>>()
  for (const number of numbers) {
    const size = Math.min(number.length, maxShown)
    const some = parts.get(size) ?? new Set()
    parts.set(size, some)
    for (let i = 0; i + size <= number.length; i++) some.add(number.slice(i, i + size))
  }
  for (const [size, some] of parts) {
    let start = 0
    for (let end = 1; end <= all.length; end++) {
      if (gap[end - 1] === Gap.letters) start = end - 1
      if (end - start >= size && some.has(all.slice(end - size, end))) mark.fill(1, end - size, end)
    }
  }
}

const markCodes = ({ all, gap, mark }: Digits, codes: ReadonlySet<string>): void => {
  if (codes.size === 0) return
  // A known number ends a group: a security code may follow it directly.
  const known = mark.slice()
  const isBoundary = (i: number) => i === all.length || gap[i] !== Gap.none || known[i] !== known[i - 1]
  for (let i = 0; i < all.length; i++) {
    if (!isBoundary(i)) continue
    for (let end = i + 1; end <= i + maxCode && end <= all.length; end++) {
      if (isBoundary(end) && codes.has(all.slice(i, end))) mark.fill(1, i, end)
      if (gap[end] === Gap.letters) break
    }
  }
}

const uuid = /(?<![0-9a-z-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z-])/gi
const time = /(?<!\d)\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?(?!\d)/gi

const markCards = ({ all, at, gap, mark }: Digits, text: string): void => {
  const readable = [uuid, time].flatMap((pattern) =>
    Array.from(text.matchAll(pattern), (match): Range => [match.index, match.index + match[0].length])
  )
  const isReadable = new Uint8Array(all.length)
  for (const [from, to] of readable) isReadable.fill(1, indexOf(at, from), indexOf(at, to))
  for (let start = 0; start < all.length; start++) {
    if (gap[start] === Gap.none || isReadable[start] === 1) continue
    let widest: number = Gap.none
    let card = 0
    for (let end = start + 1; end <= start + 19 && end <= all.length && isReadable[end - 1] === 0; end++) {
      const next = end === all.length ? Gap.letters : (gap[end] ?? Gap.letters)
      if (next !== Gap.none && end - start >= 13 && mayBeCard(all.slice(start, end), widest)) card = end
      if (next >= Gap.far) break
      widest = Math.max(widest, next)
    }
    mark.fill(1, start, Math.max(start, card))
  }
}

const mayBeCard = (digits: string, widest: number): boolean =>
  widest === Gap.wide
    ? hasCheckDigit(digits)
    : // The milliseconds since 1970, until 2033: no card of 13 digits begins with 1.
      !(widest === Gap.none && digits.length === 13 && digits.startsWith("1"))

/** Luhn's check of a card number. */
const hasCheckDigit = (digits: string): boolean => {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits.charAt(digits.length - 1 - i)) * (1 + (i % 2))
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}

/** The index of the first of ascending numbers that is not below the bound. */
const indexOf = (ascending: ReadonlyArray<number>, bound: number): number => {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ascending[middle] ?? bound) < bound) low = middle + 1
    else high = middle
  }
  return low
}

const markedRanges = ({ at, gap, mark }: Digits): ReadonlyArray<Range> => {
  const ranges: Array<Range> = []
  let start = -1
  for (let i = 0; i <= mark.length; i++) {
    const isInside = mark[i] === 1
    if (start >= 0 && (!isInside || (gap[i] ?? Gap.letters) >= Gap.far)) {
      ranges.push([at[start] ?? 0, (at[i - 1] ?? 0) + 1])
      start = -1
    }
    if (isInside && start < 0) start = i
  }
  return ranges
}

/** The maximum depth of the walk; payloads are not nested that deep. */
const maxDepth = 32

/** Collects every `Redacted` string in a value, to remove it from a server's messages. */
export const secretsIn = (value: unknown): ReadonlyArray<string> => {
  const secrets = new Set<string>()
  eachIn(value, (part, isSecret) => {
    const isText = typeof part !== "object" && typeof part !== "function" && part !== undefined
    if (isSecret && isText) secrets.add(String(part))
  })
  secrets.delete("")
  return [...secrets]
}

/** Returns whether a value contains anything `Redacted`. */
export const holdsSecret = (value: unknown): boolean => {
  if (typeof value !== "object") return false
  let holds = false
  eachIn(value, (part) => {
    holds ||= Redacted.isRedacted(part)
  })
  return holds
}

/** Visits a value and everything inside it, `Redacted` values included. */
const eachIn = (value: unknown, f: (part: unknown, isSecret: boolean) => void): void => {
  const seen = new Set<object>()
  const walk = (part: unknown, isSecret: boolean, depth: number): void => {
    f(part, isSecret)
    if (typeof part !== "object" || part === null || depth > maxDepth || seen.has(part)) return
    seen.add(part)
    if (Redacted.isRedacted(part)) {
      // A wiped `Redacted` has no value.
      const inside = Either.try(() => Redacted.value(part))
      if (Either.isRight(inside)) walk(inside.right, true, depth + 1)
      return
    }
    if (part instanceof Map || part instanceof Set) {
      for (const each of part) walk(each, isSecret, depth + 1)
    }
    for (const { enumerable, value } of Object.values(Object.getOwnPropertyDescriptors(part))) {
      if (enumerable === true) walk(value, isSecret, depth + 1)
    }
  }
  walk(value, false, 0)
}
