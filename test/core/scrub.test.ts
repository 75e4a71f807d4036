import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { Scrubber, scrub } from "../../packages/core/dist/internal/scrub/scrub.js"

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
  it("is found with anything between its digits, words too", () => {
    for (const text of [
      "4000x1234x5678x9010",
      "4000 then 1234, then 5678 and 9010",
      "<b>4000</b><b>1234</b><b>5678</b><b>9010</b>",
      "starts with 40001234 and ends with 56789010"
    ]) {
      assert.notMatch(scrub(text, [number]), /\d/)
    }
  })

  it("is not found where fewer than nine of its digits are there", () => {
    for (const text of ["4000z1234", "40001234 of 9010"]) assert.strictEqual(scrub(text, [number]), text)
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
    assert.strictEqual(scrub("400012345x6", [number]), "<redacted>x<redacted>")
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

describe("a secret in another spelling", () => {
  const secret = "pä ss/w&rd"
  const basic = btoa("merchant:hunter2-secret")
  for (const [what, text] of [
    ["percent-encoding", encodeURIComponent(secret)],
    ["percent-encoding in lower case", encodeURIComponent(secret).replace(/%../g, (hex) => hex.toLowerCase())],
    ["a form", new URLSearchParams([["", secret]]).toString().slice(1)],
    ["JSON in ASCII", "p\\u00e4 ss\\/w\\u0026rd"],
    ["HTML", "p&auml; ss/w&amp;rd"],
    ["HTML with every sign escaped", "p&auml;&#32;ss&sol;w&amp;rd"],
    ["HTML in hexadecimal", "p&#xE4; ss&#x2f;w&amp;rd"],
    ["JSON in a form", encodeURIComponent("p\\u00e4 ss\\/w\\u0026rd")],
    [
      "HTML of percent-encoding of JSON",
      encodeURIComponent(JSON.stringify(secret)).replace(/%22/g, "").replaceAll("%", "&#37;")
    ]
  ] as const) {
    it(`is found in ${what}`, () => assert.strictEqual(scrub(`<<${text}>>`, [secret]), "<<<redacted>>>"))
  }

  for (const before of ["", "a", "ab", "abc"]) {
    it(`is found in base64 after ${before.length} characters`, () => {
      assert.strictEqual(scrub(`Basic ${btoa(`${before}hunter2-secret:x`)}.`, ["hunter2-secret"]), "Basic <redacted>.")
    })
  }
  it("is found in the Basic scheme", () => {
    assert.strictEqual(scrub(`Basic ${basic} refused`, ["hunter2-secret"]), "Basic <redacted> refused")
  })
  it("is found in base64 where it is a card number", () => {
    assert.strictEqual(scrub(`body ${btoa(JSON.stringify({ number }))}`, [number]), "body <redacted>")
  })
  it("is found in base64 by itself, however short", () => {
    assert.strictEqual(scrub(`code ${btoa("737")}, ${btoa("8341")}.`, ["737", "8341"]), "code <redacted>, <redacted>.")
  })
  it("is found in base64 that is escaped, and of a grouped card", () => {
    const base64 = btoa(`{"number":"${number.replace(/..../g, "$& ").trim()}"}?>`)
    assert.strictEqual(scrub(`body ${encodeURIComponent(base64)}.`, [number]), "body <redacted>.")
  })
  it("is found without the line break of its file", () => {
    assert.strictEqual(scrub("token hunter2-secret refused", ["hunter2-secret\n"]), "token <redacted> refused")
  })
  it("that is a date is no number", () => {
    assert.strictEqual(scrub("1239 of 12/39", ["12/39"]), "1239 of <redacted>")
  })
  it("is found where its digits are escaped", () => {
    const escaped = Array.from(number, (digit) => `&#${digit.charCodeAt(0)};`).join("")
    assert.strictEqual(scrub(`card ${escaped}.`, [number]), "card <redacted>.")
    const percent = Array.from(number, (digit) => `%${digit.charCodeAt(0).toString(16)}`).join("")
    assert.strictEqual(scrub(`card ${percent}.`, [number]), "card <redacted>.")
  })
  it.prop(
    "is found in any mixture of escapes, and nothing beside it is lost",
    {
      secret: FastCheck.fullUnicodeString({ minLength: 8, maxLength: 30 }).filter((_) => /\p{L}/u.test(_)),
      escape: FastCheck.constantFrom(
        (text: string) => encodeURIComponent(text),
        (text: string) => encodeURIComponent(text).toLowerCase(),
        (text: string) => JSON.stringify(text).slice(1, -1),
        (text: string) =>
          Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join(
            ""
          )
      )
    },
    ({ escape, secret }) => {
      // Lower case changes letters that are not escaped.
      if (escape(secret) === encodeURIComponent(secret).toLowerCase() && /[A-Z]/.test(secret)) return
      assert.strictEqual(scrub(`[${escape(secret)}]`, [secret]), "[<redacted>]")
    }
  )
})

describe("a secret that is cut", () => {
  it("stays hidden as a whole if it is longer than the longest message", () => {
    const secret = Array.from({ length: 900 }, (_, i) => `part${i}`).join(".")
    const [clean = ""] = new Scrubber([secret]).texts([`You sent ${secret} to us`], 2_000)
    assert.strictEqual(clean, "You sent <redacted>…")
  })
  it("stays hidden at the end of a text that other secrets have shortened", () => {
    const secret = "a-long-secret-".repeat(60)
    const [clean = ""] = new Scrubber([secret]).texts([`${secret} `.repeat(20)], 2_000)
    assert.notInclude(clean, "long")
  })
})

describe("many secrets that begin alike", () => {
  it("cost no more than one", () => {
    const token = "eyJhbGciOiJFUzUxMiIsInR5cCI6IkpXVCIsImtpZCI6ImFiY2RlZmdoaWprbG1ub3AifQ."
    const secrets = Array.from({ length: 3_000 }, (_, i) => `${token}${String(i).padStart(6, "x")}`)
    const text = secrets.slice(0, 300).join(" ")
    let looked = 0
    const { has } = Set.prototype
    Set.prototype.has = function (this: Set<unknown>, value) {
      looked++
      return has.call(this, value)
    }
    try {
      new Scrubber(secrets).text(text)
    } finally {
      Set.prototype.has = has
    }
    assert.isBelow(looked, 2 * text.length)
  })
})

describe("a card number that is spread over the strings of one response", () => {
  const scrubber = new Scrubber([number])
  for (const [texts, clean] of [
    [
      ["40001234", "56789010"],
      ["<redacted>", "<redacted>"]
    ],
    [
      ["code_4000 1234", "then 5678 9010."],
      ["code_<redacted>", "then <redacted>."]
    ],
    [Array.from(number), Array.from(number, () => "<redacted>")],
    [
      ["4000", "no digits", "1234", "5678 and", "9010"],
      ["<redacted>", "no digits", "<redacted>", "<redacted> and", "<redacted>"]
    ],
    [
      ["404", "12"],
      ["404", "12"]
    ]
  ] as const) {
    it(`is found in ${JSON.stringify(texts)}`, () => assert.deepStrictEqual(scrubber.texts(texts, 2_000), clean))
  }
  it("is not made up of the numbers of several strings", () => {
    const texts = ["4111", "1111", "1111", "1111"]
    assert.deepStrictEqual(scrubber.texts(texts, 2_000), texts)
  })
})
