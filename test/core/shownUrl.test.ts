/**
 * A URL that a trace shows has no card number in it.
 */
import { assert, describe, it } from "@effect/vitest"
import { hideCards } from "@effect-gr4vy/core/spi/Cards"
import { shownUrl } from "@effect-gr4vy/core/spi/ShownUrl"
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
  ["http://127.0.0.1:41111/transactions", "http://127.0.0.1:41111/transactions"],
  ["http://41.111.111.111:11111/1?q=2", "http://41.111.111.111:11111/1?q=2"],
  ["/s?q=card%204111111111111111", "/s?q=card%20{card}"],
  ["/s?q=%4111%204111111111111111", "/s?q=%4111%20{card}"],
  ["/search?filter=%7B%22number%22%3A%224111111111111111%22%7D", "/search?filter=%7B%22number%22%3A%22{card}%22%7D"],
  ["/?filter=%257B%2522number%2522%253A4111111111111111%257D", "/?filter=%257B%2522number%2522%253A{card}%257D"],
  ["/c/%34111111111111111", "/c/{card}"],
  ["/c/%34%31%31%31111111111111", "/c/{card}"],
  ["/c/%2534111111111111111", "/c/{card}"],
  ["/c/%25%33%34111111111111111", "/c/{card}"],
  ["/c/4111111111111111%31", "/c/{card}%31"],
  ["/c/%254111111111111111", "/c/%25{card}"],
  ["/c/4111++1111++1111++1111", "/c/{card}"],
  ["/c/4111----1111----1111----1111", "/c/4111----1111----1111----1111"],
  ["/c/4111a1111a1111a1111", "/c/4111a1111a1111a1111"],
  ["/c?ids=%7B41111111-1111-1111-8000-000000000000%7D", "/c?ids=%7B41111111-1111-1111-8000-000000000000%7D"],
  ["/?at=2026-12-01T14%3A45%3A04.123455%2B02%3A00", "/?at=2026-12-01T14%3A45%3A04.123455%2B02%3A00"],
  ["/?at=2026-12-01+14:45:06&n=2026-12-01%2014:45:07", "/?at=2026-12-01+14:45:06&n=2026-12-01%2014:45:07"],
  ["/?between=2026-12-01,2026-12-33&n=4111.1111.1111.1112", "/?between=2026-12-01,2026-12-33&n=4111.1111.1111.1112"]
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

const separators = [
  ...["", "-", "%20", "+", ".", "/", "%2F", "%2f", ",", ":", "~", "_", ";", "|", "%09", "%0A", "%C2%A0", "%E2%80%AF"],
  ...["++", "+-+", " / ", "%20-%20", "%2520", "%252520", "%3A%3A", "%22,%22", "&#160;"]
]

describe("a URL in a trace", () => {
  for (const [url, shown] of rows) {
    it(`shows ${url} as ${shown}`, () => assert.strictEqual(hideCards(url), shown))
  }

  it.prop(
    "shows no card, in whatever groups",
    [cards, fc.constantFrom(...separators), fc.integer({ min: 1, max: 6 })],
    ([card, separator, size]) => {
      const groups = card.match(new RegExp(`\\d{1,${size}}`, "g")) ?? []
      assert.strictEqual(hideCards(`/a/${groups.join(separator)}?b`), "/a/{card}?b")
    }
  )

  it.prop(
    "shows no card whose digits are percent-encoded, each up to twice",
    [
      cards,
      fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 19, maxLength: 19 }),
      fc.constantFrom("", "%20", ".")
    ],
    ([card, levels, separator]) => {
      const spelt = Array.from(card, (digit, i) => [digit, `%3${digit}`, `%253${digit}`][levels[i] ?? 0])
      assert.strictEqual(hideCards(`/a/${spelt.join(separator)}?b`), "/a/{card}?b")
    }
  )

  it.prop(
    "hides a number only if its check digit is right",
    [cards, fc.constantFrom("", ".", "/", "%2F", "++", "%C2%A0")],
    ([card, separator]) => {
      const last = (Number(card.at(-1)) + 1) % 10
      const url = `/a/${card.slice(0, 7)}${separator}${card.slice(7, -1)}${last}?b`
      assert.strictEqual(hideCards(url), url)
    }
  )

  it("is read in linear time: a megabyte of digits, of escapes, of groups", () => {
    for (const part of ["4", "%34", "%25", "4.", "%2520", "2026-12-01 "]) {
      const url = part.repeat(Math.ceil(1_000_000 / part.length))
      assert.isAtMost(hideCards(url).length, url.length)
    }
  })
})

describe("a query parameter in a trace", () => {
  const names = [
    "client_secret",
    "token",
    "session_token",
    "X-Goog-Signature",
    "sig",
    "apiKey",
    "AWSAccessKeyId",
    "pin"
  ]
  for (const name of [...names, "data%5Btoken%5D", "security-code", "client%5Fsecret", "PASSWORD"]) {
    it(`is shown as its name where it is named ${name}`, () => {
      assert.strictEqual(shownUrl(`/x?limit=5&${name}=abc%3Dd=e&q=1#f`), `/x?limit=5&${name}={${name}}&q=1#f`)
    })
  }

  it("is shown where it names no secret", () => {
    const url = "https://api.example.com/x?limit=5&cursor=abc&external_identifier=o-1&currency_number=2&%=1&tokens"
    assert.strictEqual(shownUrl(url), url)
  })
})
