/**
 * Takes secrets out of text that a server wrote, before a person sees it: an API may echo what it got.
 */
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"

const redacted = "<redacted>"

// Anything that may be a card number: 13 to 19 digits, alone or grouped by blanks or dashes.
const cardNumber = /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g
// From the beginning of a word only: text of a server must not be able to make the search slow.
const jsonWebToken = /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g
const bearer = /\b(bearer)\s+[A-Za-z0-9._~+/=-]+/gi

/** Replaces the given secrets, and everything that looks like a card number or a bearer token. */
export const scrub = (text: string, secrets: ReadonlyArray<string>): string => {
  let clean = text
  for (const secret of secrets) {
    if (secret.length > 0) clean = clean.replaceAll(secret, redacted)
  }
  return clean.replace(jsonWebToken, redacted).replace(bearer, `$1 ${redacted}`).replace(cardNumber, redacted)
}

/** The strings inside the `Redacted` values of what a caller gave. */
export const secretsIn = (value: unknown): ReadonlyArray<string> => {
  if (Redacted.isRedacted(value)) return [String(Redacted.value(value))]
  return Predicate.isObject(value) ? Object.values(value).flatMap(secretsIn) : []
}
