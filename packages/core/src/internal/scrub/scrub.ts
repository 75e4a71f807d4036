/**
 * Removes secrets from a server's messages, because an API may echo its input.
 *
 * - A secret number is removed with any separators between its digits, and so is any run of 9 of its digits.
 * - A secret number of up to 4 digits (a security code) is removed only as a whole group of digits. Inside a longer group it
 *   stays: it reveals nothing there, and removing it would split the group.
 * - Any other secret is removed as it is, as URLs, forms, JSON and HTML escape it, and in base64; a secret of up to 3
 *   characters only as a whole word.
 * - Tokens and possible card numbers are removed even if they are not among the secrets. A possible card number has 13 to 19
 *   digits: in one piece, grouped by single blanks or dashes, or grouped in another way with a valid check digit (Luhn).
 *   UUIDs, timestamps and milliseconds stay readable.
 *
 * All secrets are searched in the original text, in linear time, and removed together. So removing one cannot hide another.
 */
import { base64Ranges } from "./base64.js"
import { boundary, maxNumber, Numbers, numberRanges, type Range } from "./digits.js"
import { Literals } from "./literals.js"
import { original, unescaped, type View, withBlanks } from "./spellings.js"

const redacted = "<redacted>"

/** How often escapes are resolved: a server may put JSON into a form into HTML. */
const maxEscapes = 3

/** Knows secrets, and removes them from any number of texts. */
export class Scrubber {
  private readonly numbers: Numbers
  private readonly literals: Literals
  private readonly hasBlank: boolean
  /** The length of the longest secret. */
  readonly longest: number

  constructor(secrets: ReadonlyArray<string>) {
    // Blanks and dashes group the digits of a number; a date has other signs.
    this.numbers = new Numbers(
      secrets.flatMap((secret) =>
        secret.length <= maxNumber && /^[\d\s-]+$/.test(secret) ? [secret.replace(/\D/g, "")] : []
      )
    )
    this.longest = secrets.reduce((longest, { length }) => Math.max(longest, length), 0)
    this.literals = new Literals(secrets)
    this.hasBlank = secrets.some((secret) => secret.includes(" "))
  }

  /** Removes them from one text. */
  text(text: string): string {
    return replaced(text, this.rangesIn(text))
  }

  /**
   * Removes them from the strings of one response, over which a number may be spread. Of each, at most `most` characters are
   * returned: a secret that goes on beyond them is found as a whole.
   */
  texts(all: ReadonlyArray<string>, most: number): ReadonlyArray<string> {
    const texts = all.map((text) => text.slice(0, most + this.longest))
    const ranges = [...this.rangesIn(texts.join(boundary))].sort(byStart)
    let offset = 0
    let next = 0
    return texts.map((text, index) => {
      const end = offset + text.length
      while (next < ranges.length && (ranges[next]?.[1] ?? 0) <= offset) next++
      const own: Array<Range> = []
      for (let i = next; i < ranges.length; i++) {
        const [from, to] = ranges[i] ?? [end, end]
        if (from >= end) break
        if (to > offset) own.push([Math.max(from, offset) - offset, Math.min(to, end) - offset])
      }
      offset = end + boundary.length
      const isCut = (all[index]?.length ?? 0) > most
      return isCut ? `${replaced(text, own, most)}…` : replaced(text, own)
    })
  }

  private rangesIn(text: string): ReadonlyArray<Range> {
    const ranges: Array<Range> = []
    let view: View | undefined = original(text)
    for (let depth = 0; view !== undefined && depth <= maxEscapes; depth++) {
      ranges.push(...this.rangesOf(view))
      if (this.hasBlank && view.text.includes("+")) ranges.push(...this.rangesOf(withBlanks(view)))
      view = unescaped(view)
    }
    return ranges
  }

  private rangesOf({ end, start, text }: View): ReadonlyArray<Range> {
    const ranges = [
      ...tokens(text),
      ...this.literals.rangesIn(text),
      ...numberRanges(text, this.numbers),
      ...base64Ranges(text, this.literals, this.numbers)
    ]
    return ranges.map(([from, to]) => [start(from), end(to - 1)])
  }
}

/** Replaces the given secrets, and every possible card number or bearer token. */
export const scrub = (text: string, secrets: ReadonlyArray<string>): string => new Scrubber(secrets).text(text)

const byStart = ([one]: Range, [other]: Range): number => one - other

/** The text up to `most`, with the ranges replaced. */
const replaced = (text: string, ranges: ReadonlyArray<Range>, most = text.length): string => {
  let clean = ""
  let end = 0
  for (const [from, to] of [...ranges].sort(byStart)) {
    if (from >= most) break
    // Overlapping and adjacent ranges are replaced once.
    if (from > end || end === 0) clean += text.slice(end, from) + redacted
    end = Math.max(end, to)
  }
  return clean + text.slice(end, Math.max(end, most))
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
