/**
 * Removes secrets from messages of a server, because an API may echo its input.
 *
 * - A number among the secrets is found however its digits are separated, and so is any 9 digits of it in a row.
 * - A number of up to 4 digits (a security code) is found as itself: where it begins and ends with a group of digits. Inside
 *   a longer group it stays: it tells nothing there, and would cut the group apart.
 * - Any other secret is found as it is, and as URLs and JSON write it; one of up to 3 characters as a word of its own.
 * - Nobody has to give tokens, nor 13 to 19 digits that may be a card: in one piece or grouped by single blanks and dashes,
 *   or grouped in another way and with a card's check digit (Luhn). UUIDs, dates with a time and milliseconds stay readable.
 *
 * Everything is looked for in the text as it came, in time that grows with its length alone, and taken out at once: what
 * is taken out for one secret cannot hide another.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"

const redacted = "<redacted>"

/** Replaces the given secrets, and everything that looks like a card number or a bearer token. */
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

/** From where, and up to where. */
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

// Matches start at a word boundary only, so that a server's text cannot slow the search down.
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

/** What stands before a digit, from nothing to what no number has inside. */
const Gap = { none: 0, narrow: 1, wide: 2, far: 3, letters: 4 } as const

/** The digits of a text, one after the other. */
interface Digits {
  readonly all: string
  /** Where each stands in the text. */
  readonly at: ReadonlyArray<number>
  /** What stands before each. */
  readonly gap: ReadonlyArray<number>
  /** 1 where a digit must not be seen. */
  readonly mark: Uint8Array
}

const digitsIn = (text: string): Digits => {
  let all = ""
  const at: Array<number> = []
  const gap: Array<number> = []
  let before: number = Gap.letters
  // Separators count, not characters: `%20` is one.
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

/** How long a separator is that URLs, JSON or HTML write as several characters. */
const escapeAt = (text: string, at: number, code: number): number => {
  if (code !== 37 && code !== 92 && code !== 38) return 1
  escape.lastIndex = at
  return escape.exec(text)?.[0].length ?? 1
}

/** The longest number that is found as itself alone. */
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
  // A number that is known ends a group: the code may follow it at once.
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

/** The first of ascending numbers that is not below the bound. */
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

/** Deeper than a payload is nested. */
const maxDepth = 32

/** Collects every `Redacted` string in a value: a server's message must not repeat it. */
export const secretsIn = (value: unknown): ReadonlyArray<string> => {
  const secrets = new Set<string>()
  eachIn(value, (part, isSecret) => {
    const isText = typeof part !== "object" && typeof part !== "function" && part !== undefined
    if (isSecret && isText) secrets.add(String(part))
  })
  secrets.delete("")
  return [...secrets]
}

/** Whether anything in a value is `Redacted`. */
export const holdsSecret = (value: unknown): boolean => {
  let holds = false
  eachIn(value, (part) => {
    holds ||= Redacted.isRedacted(part)
  })
  return holds
}

/** Walks through a value and all that is in it, also in what is `Redacted`. */
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
