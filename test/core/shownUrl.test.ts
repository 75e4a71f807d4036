/**
 * A URL that a trace shows has no card number in it.
 */
import { assert, describe, it } from "@effect/vitest"
import { hideCards } from "@effect-gr4vy/core/spi/Cards"
import { FastCheck as fc } from "effect"

const rows: ReadonlyArray<readonly [url: string, shown: string]> = [
  ["/cards/4111111111111111", "/cards/{card}"],
  ["/cards/4111-1111-1111-1111/x", "/cards/{card}/x"],
  ["/?q=4111%201111%201111%201111&a=1", "/?q={card}&a=1"],
  ["/?q=4111+1111+1111+1111", "/?q={card}"],
  ["/?q=2026-4111-1111-1111-1111-123", "/?q=2026-{card}-123"],
  ["/?q=378282246310005,6011111111111117", "/?q={card},{card}"],
  ["/x4111111111111111y", "/x{card}y"],
  ["/4111111111111112", "/4111111111111112"],
  ["/?since=1767225600000", "/?since=1767225600000"],
  ["/8724fd24-5489-4a5d-90fd-0604df7d3b83", "/8724fd24-5489-4a5d-90fd-0604df7d3b83"],
  ["http://127.0.0.1:41111/transactions", "http://127.0.0.1:41111/transactions"]
]

/** A number of this length whose last digit is Luhn's. */
const withCheckDigit = (digits: ReadonlyArray<number>): string => {
  const sum = [...digits].reverse().reduce((sum, digit, index) => {
    const weighed = digit * (index % 2 === 0 ? 2 : 1)
    return sum + (weighed > 9 ? weighed - 9 : weighed)
  }, 0)
  return [...digits, (10 - (sum % 10)) % 10].join("")
}

const cards = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 13, maxLength: 18 })
  .map(withCheckDigit)
  .filter((card) => !/^1\d{12}$/.test(card))

describe("a URL in a trace", () => {
  for (const [url, shown] of rows) {
    it(`shows ${url} as ${shown}`, () => assert.strictEqual(hideCards(url), shown))
  }

  it.prop(
    "shows no card, in whatever groups",
    [cards, fc.constantFrom("", "-", "%20", "+"), fc.integer({ min: 1, max: 6 })],
    ([card, separator, size]) => {
      const groups = card.match(new RegExp(`\\d{1,${size}}`, "g")) ?? []
      assert.strictEqual(hideCards(`/a/${groups.join(separator)}?b`), "/a/{card}?b")
    }
  )
})
