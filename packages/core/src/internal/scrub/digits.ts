/**
 * Finds secret numbers among the digits of a text, whatever separates them, and every number that may be a card's.
 */

/** A range of a text: start, and end (exclusive). */
export type Range = readonly [start: number, end: number]

/** Separates the strings of one response, over which a number may be spread. */
export const boundary = "\u0000"

/** The longest secret that is looked for among the digits: a longer one is a document, found as it is. */
export const maxNumber = 64

/** Secret numbers, by what is looked for: the parts of long ones, and short ones as a whole. */
export class Numbers {
  /** Parts by their length. */
  readonly parts = new Map<number, Set<string>>()
  readonly codes = new Set<string>()

  constructor(numbers: Iterable<string>) {
    for (const number of numbers) {
      if (number.length <= maxCode) {
        if (number !== "") this.codes.add(number)
        continue
      }
      const size = Math.min(number.length, maxShown)
      const some = this.parts.get(size) ?? new Set()
      this.parts.set(size, some)
      for (let i = 0; i + size <= number.length; i++) some.add(number.slice(i, i + size))
    }
  }

  /** Whether one of them is in a text, as it is. */
  areIn(text: string): boolean {
    for (const [digits] of text.matchAll(/[0-9]{3,}/g)) {
      if (this.codes.has(digits)) return true
      for (const [size, some] of this.parts) {
        for (let i = 0; i + size <= digits.length; i++) if (some.has(digits.slice(i, i + size))) return true
      }
    }
    return false
  }
}

/** The ranges of secret numbers and of possible card numbers. */
export const numberRanges = (text: string, numbers: Numbers): ReadonlyArray<Range> => {
  const digits = digitsIn(text)
  if (digits.at.length === 0) return []
  markNumbers(digits, numbers)
  markCodes(digits, numbers.codes)
  markCards(digits, text)
  return markedRanges(digits)
}

/** The kind of separator before a digit, from none to one that no number contains. */
const Gap = { none: 0, narrow: 1, wide: 2, far: 3, letters: 4 } as const

/** The digits of a text, in order. */
interface Digits {
  readonly all: string
  /** The position of each digit in the text. */
  readonly at: ReadonlyArray<number>
  /** The separator before each digit. */
  readonly gap: ReadonlyArray<number>
  /** The digits that begin another string of the response. */
  readonly joins: ReadonlySet<number>
  /** 1 if the digit must be removed. */
  readonly mark: Uint8Array
}

const digitsIn = (text: string): Digits => {
  let all = ""
  const at: Array<number> = []
  const gap: Array<number> = []
  const joins = new Set<number>()
  let before: number = Gap.letters
  let isOther = false
  // Counts separators, not characters: `%20` is one separator.
  let separators = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 48 && code <= 57) {
      at.push(i)
      all += text.charAt(i)
      if (isOther) joins.add(gap.length)
      gap.push(before)
      before = Gap.none
      isOther = false
      separators = 0
    } else if (code === 0) {
      // A number may go on in the next string, whatever words are there; nothing but a known one does.
      before = Gap.letters
      isOther = true
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
  return { all, at, gap, joins, mark: new Uint8Array(at.length) }
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

const markNumbers = ({ all, gap, joins, mark }: Digits, { parts }: Numbers): void => {
  for (const [size, some] of parts) {
    let start = 0
    for (let end = 1; end <= all.length; end++) {
      // Anything may separate the digits of a long number, words too; those of a short one would be found anywhere.
      if (size < maxShown && gap[end - 1] === Gap.letters && !joins.has(end - 1)) start = end - 1
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
