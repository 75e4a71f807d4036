import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Redacted } from "effect"
import { holdsSecret, scrub, secretsIn } from "../../packages/core/dist/internal/scrub.js"

const number = "4000123456789010"

const separators = [
  "",
  " ",
  "-",
  ".",
  "\u00a0",
  "\t",
  "/",
  "_",
  "+",
  "%20",
  "%2D",
  ", ",
  "\u2013",
  "\u2014",
  "  ",
  "\u200b",
  "\u2060",
  "\u00ad",
  "\ufeff",
  "\n",
  "\\n",
  "\\u00a0",
  "&nbsp;",
  "&#160;",
  '","',
  " | ",
  "·",
  "*",
  " - "
] // prettier-ignore

const digitsOf = (text: string) => text.replace(/%[0-9a-f]{2}|\\u[0-9a-f]{4}|&#?\w+;/gi, " ").replace(/\D/g, "")

const numbers = FastCheck.stringMatching(/^[0-9]{13,19}$/)
const codes = FastCheck.stringMatching(/^[0-9]{3,4}$/)
const words = FastCheck.constantFrom("card ", "declined: ", "<", "(", "", "number=", "\n", "é ", "Nr. ")

/** A number in groups, with the same or changing separators. */
const grouped = FastCheck.record({
  number: numbers,
  sizes: FastCheck.array(FastCheck.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 19 }),
  separators: FastCheck.array(FastCheck.constantFrom(...separators), { minLength: 1, maxLength: 4 })
}).map(({ number, separators, sizes }) => {
  let text = ""
  let at = 0
  for (let i = 0; at < number.length; i++) {
    const size = sizes[i % sizes.length] ?? 4
    text += (at === 0 ? "" : (separators[i % separators.length] ?? "")) + number.slice(at, at + size)
    at += size
  }
  return { number, text }
})

describe("a card number that a server echoes", () => {
  it("is not found across a letter", () => {
    for (const text of ["40001z2345", "4000z12345", "z4000z12345z"]) assert.strictEqual(scrub(text, [number]), text)
  })

  it("is not cut apart by a security code inside it", () => {
    for (const secrets of [
      ["123", number],
      [number, "123"]
    ]) {
      assert.strictEqual(scrub("card 4000 1234 5678 9010 declined", secrets), "card <redacted> declined")
      assert.strictEqual(scrub(`card ${number} declined`, secrets), "card <redacted> declined")
    }
  })

  for (const separator of separators) {
    it(`is found with ${JSON.stringify(separator)} between its groups`, () => {
      const echo = ["4000", "1234", "5678", "9010"].join(separator)
      assert.strictEqual(scrub(`card ${echo} declined`, ["123", number]), "card <redacted> declined")
    })
  }

  it("is found as the parts of a pointer", () => {
    assert.strictEqual(scrub("/4000/1234/5678/9010", ["123", number]), "/<redacted>")
  })

  it.prop(
    "shows no more than its last four digits, and never the code, in any form",
    { before: words, card: grouped, after: words, code: codes, codeFirst: FastCheck.boolean() },
    ({ after, before, card, code, codeFirst }) => {
      const codeText = `code ${code}`
      const text = codeFirst
        ? `${codeText} ${before}${card.text}${after}`
        : `${before}${card.text}${after} ${codeText}.`
      for (const secrets of [
        [card.number, code],
        [code, card.number]
      ]) {
        const clean = scrub(text, secrets)
        assert.isAtMost(digitsOf(clean).length, 4, clean)
        assert.notInclude(clean.match(/\d+/g) ?? [], code, clean)
      }
    },
    { fastCheck: { numRuns: 1000 } }
  )

  it.prop(
    "is found where code and number follow each other at once",
    { number: numbers, code: codes, date: FastCheck.stringMatching(/^[0-9]{2}\/[0-9]{2}$/) },
    ({ code, date, number }) => {
      for (const text of [`${number}${code}`, `${number} ${code} ${date}`, `${number}|${date}|${code}`]) {
        const clean = scrub(text, [number, code])
        assert.notInclude(clean, number.slice(0, 9))
        assert.notInclude((clean.match(/\d+/g) ?? []).join(" "), code.length === 4 ? code : `${code} `, clean)
      }
    }
  )

  it("is found in part", () => {
    assert.strictEqual(scrub("number 4000123456… refused", [number]), "number <redacted>… refused")
    assert.strictEqual(scrub("number …3456789010 refused", [number]), "number …<redacted> refused")
    assert.strictEqual(scrub("a card 400012******9010", [number]), "a card 400012******9010")
    assert.strictEqual(scrub("400012345x6", [number]), "<redacted>x6")
  })

  for (const text of [
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111.1111.1111.1111",
    "4111.1111.1111.1129",
    // Only 13 digits in one piece may be milliseconds.
    "1640 995 200 000",
    "1234567890123456",
    // 13 digits, and 19.
    "8282246310005",
    "4000000000000000003",
    // Another grouping has to have a check digit.
    "890123456789\u20130",
    "4.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1",
    "4-210987654321",
    // What a date leaves over.
    "22010100000.00"
  ]) {
    it(`is found where nobody gave it: ${text}`, () =>
      assert.strictEqual(scrub(`card ${text}.`, []), "card <redacted>."))
  }

  for (const [text, clean] of [
    // Letters end a number; the characters beside them in ASCII do not.
    ["0Z4111111111111111z0", "0Z<redacted>z0"],
    ["0A4111111111111111a0", "0A<redacted>a0"],
    ["41111111@11111111", "<redacted>"],
    ["41111111[11111111", "<redacted>"],
    ["41111111`11111111", "<redacted>"],
    ["41111111{11111111", "<redacted>"],
    ["4111.1111.1111.1111 of 1", "<redacted> of 1"],
    ["8724fd24-5489-4a5d-90fd-0604df7d3b83 4111111111111111", "8724fd24-5489-4a5d-90fd-0604df7d3b83 <redacted>"],
    ["4111111111111111a4111111111111111", "<redacted>a<redacted>"],
    // The widest number that is one.
    ["4111 1111 1111 1111 000", "<redacted>"],
    ["4111 1111 1111 1111 0000", "<redacted>"],
    ["1T000000000000073", "1T<redacted>"],
    // A separator of four characters is not part of what is taken out.
    ["4000%20%20%20%201234", "<redacted>%20%20%20%20<redacted>"]
  ] as const) {
    it(`is taken out alone: ${text}`, () => assert.strictEqual(scrub(text, ["40001234"]), clean))
  }
})

describe("a security code", () => {
  for (const [text, clean] of [
    ["cvv 737", "cvv <redacted>"],
    ["cvv:737, 7-3-7 or 7 3 7", "cvv:<redacted> or <redacted>"],
    ["cvv737x", "cvv<redacted>x"],
    ["order 17370 of 7374", "order 17370 of 7374"],
    ["order 9737", "order 9737"],
    ["737", "<redacted>"],
    ["7b37 and 73", "7b37 and 73"],
    ["5%7-37", "5%<redacted>"]
  ] as const) {
    it(`is taken out of "${text}" as itself alone`, () => {
      assert.strictEqual(scrub(text, ["737"]), clean)
    })
  }
})

it("a security code of four digits is not found inside a number", () => {
  assert.strictEqual(scrub("order 912345 of 1234", ["1234"]), "order 912345 of <redacted>")
})

describe("text that is not a secret", () => {
  for (const text of [
    "session 8724fd24-5489-4a5d-90fd-0604df7d3b83 expired",
    "session 12345678-1234-4234-8234-210987654321 expired",
    "expired at 2022-01-01T00:00:00.000+00:00 after 2022-01-01 00:00:00",
    "timestamp 1640995200000",
    "amount 1299, tax 1200, limit 99999999",
    "127.0.0.1:8080",
    // Too short or too long for a card, not a card by its check digit, apart by a letter or by four separators.
    "411111111111",
    "10005378282246310005",
    "4111.1111.1111.1112",
    "4111111111  112",
    "4111111111z111111",
    "4111\u00e91111\u00e91111\u00e91111",
    "020205678%20%20%20%209010",
    "020205678    9010",
    // Numbers beside the parts of a time or of a UUID, which would make a card together.
    "2022-01-01 10:20:36",
    "2022-01-01T10:20:30.999999992",
    "111 2022-01-01 00:00",
    "2022-01-01 00:00:00 22222222222",
    "2022-01-01 00:00:00.999999999 9999",
    "2022-01-01 00:00:00,5 222222222222",
    "2022-01-01 00:00:00Z 222222222222",
    "2022-01-01 00:00:00+0100 999999996",
    "2022-01-01 00:00:00-05:30 999999994",
    "5555 5555 5555 8a24fd24-5489-4a5d-90fd-0604df7d3b83",
    "order 2024/07/31-000123"
  ]) {
    it(`stays: ${text}`, () => {
      assert.strictEqual(scrub(text, [number, "737", "a-long-token-of-somebody"]), text)
    })
  }
})

describe("any other secret", () => {
  it.prop(
    "is taken out, as it is, as URLs and as JSON write it",
    { secret: FastCheck.fullUnicodeString({ minLength: 4, maxLength: 40 }).filter((_) => /\p{L}/u.test(_)) },
    ({ secret }) => {
      for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
        assert.strictEqual(scrub(`<<${form}>>`, [secret]), "<<<redacted>>>")
      }
    }
  )

  it("is taken out as a word where it is short", () => {
    assert.strictEqual(scrub("a bad banana", ["a"]), "<redacted> bad banana")
  })

  it("is taken out once with one that follows at once", () => {
    assert.strictEqual(scrub("<alphabeta>", ["alpha", "beta"]), "<<redacted>>")
  })

  it("does not hide another that begins inside it", () => {
    assert.strictEqual(scrub("<alphabeta>", ["alphabe", "habeta"]), "<<redacted>>")
    assert.strictEqual(scrub("<alphabeta>", ["alpha", "alphabeta"]), "<<redacted>>")
  })

  it("is not taken for undefined where URLs cannot write it", () => {
    assert.strictEqual(scrub("undefined a\ud800bc", ["a\ud800bc"]), "undefined <redacted>")
  })

  for (const [text, secret] of [
    ["a b2", "a b"],
    ["2a b", "a b"],
    ["\u00e9a b", "a b"],
    ["0c12345678", "c12"]
  ] as const) {
    it(`is not taken out of "${text}": up to 3 characters are a word`, () => {
      assert.strictEqual(scrub(text, [secret]), text)
    })
  }

  it("changes nothing where it is empty", () => {
    assert.strictEqual(scrub("nothing to see", [""]), "nothing to see")
  })
})

describe("a token that nobody gave", () => {
  for (const [text, clean] of [
    ["eyJhbGciOiJFUzUxMiJ9.e30.c2ln!", "<redacted>!"],
    ["eyJ_-9.e_-0.s_-g.", "<redacted>."],
    ["(eyJa.b)", "(<redacted>)"],
    ["eyJa.b..", "<redacted>."],
    ["Authorization: Bearer aB9._~+/=-!", "Authorization: Bearer <redacted>!"],
    ["BEARER\t  x", "BEARER\t  <redacted>"],
    ["bearer /=", "bearer <redacted>"]
  ] as const) {
    it(`is taken out of ${JSON.stringify(text)}`, () => assert.strictEqual(scrub(text, []), clean))
  }

  for (const text of ["5eyJ9.0", "_eyJ9.0", "-eyJ9.0", "eyJ.a.b", "eyJa", "forbearer abc", "bearer", "bearer !"]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.strictEqual(scrub(text, []), text))
  }
})

describe("a megabyte of hostile text", () => {
  const size = 1_000_000
  for (const [what, unit] of [
    ["digits", "4"],
    ["digits and blanks", "4 "],
    ["digits and dots", "1."],
    ["groups of four", "4111 "],
    ["pieces of the number", "40001234 "],
    ["escapes", "%"],
    ["entities", "&#1"],
    ["backslashes", "\\u00"],
    ["beginnings of tokens", "eyJ"],
    ["bearers", "bearer "],
    ["dashes", "1234-"],
    ["UUIDs", "12345678-1234-4234-8234-123456789012-"],
    ["times", "2022-01-01 00:00:"]
  ] as const) {
    it(`of ${what} is scrubbed in linear time`, () => {
      const started = performance.now()
      scrub(unit.repeat(size / unit.length), [number, "737", "12345", "eyJhbGciOiJFUzUxMiJ9.e30.signature"])
      assert.isBelow(performance.now() - started, 5000)
    })
  }
})

describe("the secrets of a value", () => {
  it("are those inside Redacted, wherever they are", () => {
    class Payload {
      constructor(
        readonly token: Redacted.Redacted<string>,
        readonly plain: string
      ) {}
    }
    const cyclic: Record<string, unknown> = { secret: Redacted.make("in a cycle") }
    cyclic["self"] = cyclic
    assert.sameMembers(
      [
        ...secretsIn({
          card: { number: Redacted.make(number), code: Redacted.make("737"), expires: "11/29" },
          list: [Redacted.make("in a list"), "plain"],
          instance: new Payload(Redacted.make("in an instance"), "plain"),
          map: new Map([["a", Redacted.make("in a map")]]),
          count: Redacted.make(4711),
          object: Redacted.make({ user: "ada", password: ["secret"] }),
          none: [Redacted.make(undefined), Redacted.make(null), Redacted.make(""), Redacted.make(() => 1)],
          cyclic
        })
      ],
      [number, "737", "in a list", "in an instance", "in a map", "in a cycle", "4711", "ada", "secret"]
    )
  })

  it("are empty without a value, or with a wiped one", () => {
    const wiped = Redacted.make("gone")
    Redacted.unsafeWipe(wiped)
    for (const value of [undefined, null, 1, "text", () => 1, { wiped }, [], Object.create(null)]) {
      assert.deepStrictEqual(secretsIn(value), [])
    }
  })

  for (const [name, wrap] of [
    ["objects", (deep: unknown) => ({ deep })],
    ["lists", (deep: unknown) => [deep]],
    ["maps", (deep: unknown) => new Map([["deep", deep]])],
    ["sets", (deep: unknown) => new Set([deep])],
    ["Redacted", (deep: unknown) => Redacted.make(deep)]
  ] as const) {
    it(`end at a depth that no payload has: ${name}`, () => {
      const within = (depth: number) => {
        let deep: unknown = Redacted.make("deep")
        // A map's entries are lists.
        for (let i = 0; i < (name === "maps" ? depth / 2 : depth); i++) deep = wrap(deep)
        return deep
      }
      assert.deepStrictEqual([secretsIn(within(32)), secretsIn(within(33))], [["deep"], []])
      assert.deepStrictEqual(secretsIn(within(10_000)), [])
    })
  }

  it("make a value one that holds a secret", () => {
    const wiped = Redacted.make("gone")
    Redacted.unsafeWipe(wiped)
    for (const secret of [wiped, [Redacted.make(1)], new Map([["a", Redacted.make("")]])]) {
      assert.isTrue(holdsSecret(secret))
      assert.isTrue(holdsSecret([secret, "plain"]))
    }
    for (const plain of [undefined, null, "text", { a: ["b"] }]) assert.isFalse(holdsSecret(plain))
  })
})
