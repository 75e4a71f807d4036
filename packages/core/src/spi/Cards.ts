/**
 * Card numbers in text that a trace shows, found by their shape.
 *
 * @since 0.1.0
 */
import { original, unescaped, type View } from "../internal/scrub/spellings.js"

/** How often a URL may be percent-encoded. Its text is read as it is, and with every level resolved. */
const maxLevels = 2

/** The most separators between two digits of a number. */
const maxSeparators = 3

/**
 * Writes `{card}` for every number of 13 to 19 digits with a valid check digit (Luhn), in one piece or in groups. Digits may
 * be percent-encoded, up to twice; any characters but letters may separate groups, up to 3. UUIDs, times and the URL's
 * authority stay. A number of 13 digits that begins with 1 stays, too: it is the milliseconds since 1970, and no card. Takes
 * linear time.
 *
 * @since 0.1.0
 * @category conversions
 */
export const hideCards = (url: string): string => {
  const path = authority.exec(url)?.[0].length ?? 0
  if (!mayHoldCard(url, path)) return url
  const views = viewsOf(url.slice(path))
  const readable = readableIn(views, url.length - path)
  // 1 inside a card, 2 where one begins.
  const mark = new Uint8Array(url.length - path)
  for (const view of views) markCards(view, readable, mark)
  let shown = url.slice(0, path)
  for (let i = 0; i < mark.length; i++) {
    if (mark[i] === 0) shown += url.charAt(path + i)
    else if (mark[i] === 2 && mark[i - 1] !== 1) shown += "{card}"
  }
  return shown
}

/** The address of the server, whose digits are no one's card. */
const authority = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

/** Whether 13 digits follow one another without a letter between them, or a digit may be written as an escape. */
const mayHoldCard = (text: string, from: number): boolean => {
  let count = 0
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (isEscape(code)) return true
    if (isDigit(code)) count++
    else if (isAsciiLetter(code)) count = 0
    if (count === 13) return true
  }
  return false
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57

const viewsOf = (text: string): ReadonlyArray<View> => {
  const views: Array<View> = []
  for (let view: View | undefined = original(text); view !== undefined && views.length <= maxLevels; ) {
    views.push(view)
    view = unescaped(view)
  }
  return views
}

const uuid = /(?<![0-9a-z-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z-])/gi
// No card begins with 19 or 20.
const time =
  /(?<!\d)(?:19|20)\d{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T +]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[ +-]\d{2}:?\d{2})?)?(?!\d)/gi

/** 1 for every character of a UUID or a time, in whatever spelling. */
const readableIn = (views: ReadonlyArray<View>, length: number): Uint8Array => {
  const readable = new Uint8Array(length)
  for (const { end, start, text } of views) {
    for (const pattern of [uuid, time]) {
      for (const { 0: found, index } of text.matchAll(pattern)) {
        readable.fill(1, start(index), end(index + found.length - 1))
      }
    }
  }
  return readable
}

/** The digits of a text in order, each with its position. */
interface Digits {
  readonly all: string
  readonly at: ReadonlyArray<number>
  /** Whether a group begins with this digit, and whether a number cannot go on over what is before it. */
  readonly begins: ReadonlyArray<boolean>
  readonly isCut: ReadonlyArray<boolean>
}

const digitsIn = ({ start, text }: View, readable: Uint8Array): Digits => {
  let all = ""
  const at: Array<number> = []
  const begins: Array<boolean> = []
  const isCut: Array<boolean> = []
  let separators = 0
  let isOver = true
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (readable[start(i)] === 1) {
      isOver = true
    } else if (isDigit(code)) {
      all += text.charAt(i)
      at.push(i)
      begins.push(isOver || separators > 0)
      isCut.push(isOver || separators > maxSeparators)
      separators = 0
      isOver = false
    } else if (isLetter(code, text, i)) {
      isOver = true
    } else {
      separators++
      i += escapeAt(text, i, code) - 1
    }
  }
  return { all, at, begins, isCut }
}

const isAsciiLetter = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122)

const isLetter = (code: number, text: string, at: number): boolean =>
  code < 128 ? isAsciiLetter(code) : /\p{L}/u.test(text.charAt(at))

/** Whether a character begins an escape: `%`, a backslash or `&`. */
const isEscape = (code: number): boolean => code === 37 || code === 92 || code === 38

const escape = /%[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[a-z]|&#x?[0-9a-f]{1,7};|&[a-z]{2,8};/iy

/** The length of a separator that is written as an escape, which counts as one. */
const escapeAt = (text: string, at: number, code: number): number => {
  if (!isEscape(code)) return 1
  escape.lastIndex = at
  return escape.exec(text)?.[0].length ?? 1
}

/** Marks the longest card that begins with each group. A card may begin with any group, so that none hides another. */
const markCards = (view: View, readable: Uint8Array, mark: Uint8Array): void => {
  const { all, at, begins, isCut } = digitsIn(view, readable)
  for (let start = 0; start < all.length; start++) {
    if (!begins[start]) continue
    let card = 0
    for (let end = start + 1; end <= start + 19 && end <= all.length; end++) {
      const isEnd = end === all.length || begins[end] === true
      if (isEnd && end - start >= 13 && isCard(all.slice(start, end))) card = end
      if (isCut[end] === true) break
    }
    if (card === 0) continue
    const from = view.start(at[start] ?? 0)
    mark.fill(1, from + 1, view.end(at[card - 1] ?? 0))
    if (mark[from] === 0) mark[from] = 2
  }
}

const isCard = (number: string): boolean => !/^1\d{12}$/.test(number) && hasCheckDigit(number)

/** Luhn's check of a card number. */
const hasCheckDigit = (number: string): boolean => {
  let sum = 0
  for (let i = 0; i < number.length; i++) {
    const digit = Number(number.charAt(number.length - 1 - i)) * (1 + (i % 2))
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}
