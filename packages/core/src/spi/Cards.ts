/**
 * Card numbers in text that a trace shows, found by their shape.
 *
 * @since 0.1.0
 */

/** Digits that may be one number: groups with one separator between them, which a URL may encode. */
const digits = /\d+(?:(?:[ +_-]|%20|%2b|%2d)\d+)*/gi

/**
 * Writes `{card}` for every number of 13 to 19 digits with a valid check digit (Luhn), in one piece or in groups. A number
 * of 13 digits that begins with 1 stays: it is the milliseconds since 1970, and no card. Takes linear time.
 *
 * @since 0.1.0
 * @category conversions
 */
export const hideCards = (url: string): string => url.replace(digits, hideIn)

const hideIn = (run: string): string => {
  const groups = Array.from(run.matchAll(/(%20|%2b|%2d|[ +_-])?(\d+)/gi), ([all, separator = "", group = ""]) => ({
    all,
    separator,
    group
  }))
  let shown = ""
  for (let start = 0; start < groups.length; ) {
    const end = endOfCard(groups, start)
    const first = groups[start]
    shown += end === start ? (first?.all ?? "") : `${first?.separator ?? ""}{card}`
    start = Math.max(end, start + 1)
  }
  return shown
}

/** The group after the longest card that begins with this group, or this group. */
const endOfCard = (groups: ReadonlyArray<{ readonly group: string }>, start: number): number => {
  let number = ""
  let found = start
  for (let end = start; end < groups.length; end++) {
    number += groups[end]?.group ?? ""
    if (number.length > 19) break
    if (number.length >= 13 && !/^1\d{12}$/.test(number) && hasCheckDigit(number)) found = end + 1
  }
  return found
}

/** Luhn's check of a card number. */
const hasCheckDigit = (number: string): boolean => {
  let sum = 0
  for (let i = 0; i < number.length; i++) {
    const digit = Number(number.charAt(number.length - 1 - i)) * (1 + (i % 2))
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}
