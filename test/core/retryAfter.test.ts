import { assert, describe, it } from "@effect/vitest"
import * as RetryAfter from "@effect-gr4vy/core/spi/RetryAfter"
import { Duration, FastCheck, Option } from "effect"

const now = Date.UTC(2026, 0, 1)

// Not compared as an `Option`: chai takes a `None` and a `Some` for equal.
const millisOf = (delay: Option.Option<Duration.Duration>) =>
  Option.getOrUndefined(Option.map(delay, Duration.toMillis))
const parse = (value: string | undefined) => millisOf(RetryAfter.parse(value, now))
const fromHeaders = (headers: Readonly<Record<string, string | ReadonlyArray<string>>>, here = now) =>
  millisOf(RetryAfter.fromHeaders(headers, here))

describe("Retry-After", () => {
  it.prop("in whole seconds is that long", { seconds: FastCheck.integer({ min: 1 }) }, ({ seconds }) => {
    assert.strictEqual(parse(` ${seconds} `), seconds * 1000)
  })

  it.prop(
    "as an HTTP-date is as long as it takes until then",
    { seconds: FastCheck.integer({ min: -(2 ** 30), max: 2 ** 31 }) },
    ({ seconds }) => {
      assert.strictEqual(parse(new Date(now + seconds * 1000).toUTCString()), Math.max(0, seconds * 1000))
    }
  )

  it.prop("is never a wait that no clock can hold, whatever it says", { value: FastCheck.string() }, ({ value }) => {
    const wait = parse(value) ?? 1
    assert(Number.isSafeInteger(wait) && wait >= 0)
  })

  for (const value of [
    undefined,
    "",
    "-5",
    "1.5",
    "1e3",
    "1e309",
    "Infinity",
    "NaN",
    "soon",
    "2026-01-02",
    // `Date.parse` alone would read these.
    "soonFri, 02 Jan 2026 00:00:00 GMT",
    "Fri, 02 Jan 2026 00:00:00 GMT+0100",
    "Fri, 99 Jan 2026 00:00:00 GMT",
    "Sat, 31 Feb 2026 00:00:00 GMT",
    "Fri, 02 Jan 2026 24:00:00 GMT",
    "Fri, 02 Jan 2026 00:60:00 GMT",
    "Fri, 02 Jan 2026 00:00:61 GMT",
    "Fri, 02 Foo 2026 00:00:00 GMT",
    "Friday, 02 Jan 2026 00:00:00 GMT",
    "Fri, 02-Jan-26 00:00:00 GMT",
    "Fri Jan 02 00:00:00 2026 GMT",
    "Fri Jan 2 00:00:00 2026"
  ]) {
    it(`${value} is as if absent`, () => assert.isUndefined(parse(value)))
  }

  for (const value of [
    "0",
    "00",
    "0, soon",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Thu Jan  1 00:00:00 1970",
    new Date(now).toUTCString()
  ]) {
    it(`${value} is there and means no wait`, () => assert.strictEqual(parse(value), 0))
  }

  const dateForms = {
    "IMF-fixdate": "Fri, 02 Jan 2026 00:00:00 GMT",
    "RFC 850": "Friday, 02-Jan-26 00:00:00 GMT",
    asctime: "Fri Jan  2 00:00:00 2026"
  }
  for (const [form, date] of Object.entries(dateForms)) {
    it(`is read as a date of RFC 9110: ${form}`, () => assert.strictEqual(parse(date), 86_400_000))
    it(`twice the same is one: ${form}`, () => {
      assert.strictEqual(parse(`${date}, ${date}`), 86_400_000)
      assert.strictEqual(fromHeaders({ "retry-after": [date, date] }), 86_400_000)
    })
    it(`is read against the response's own Date: ${form}`, () =>
      assert.strictEqual(fromHeaders({ date, "retry-after": "Fri, 02 Jan 2026 00:00:07 GMT" }), 7000))
  }

  it("is read in a leap second, as the second after", () => {
    for (const date of [
      "Thu, 31 Dec 2026 23:59:60 GMT",
      "Thursday, 31-Dec-26 23:59:60 GMT",
      "Thu Dec 31 23:59:60 2026"
    ]) {
      assert.strictEqual(parse(date), Date.UTC(2027, 0, 1) - now, date)
    }
  })

  it("with a year of two digits is at most 50 years ahead, else the latest such year that has passed", () => {
    for (const [year, full] of [
      ["26", 2026],
      ["75", 2075],
      ["77", 1977],
      ["99", 1999],
      ["00", 2000]
    ] as const) {
      const read = RetryAfter.parseHttpDate(`Friday, 02-Jan-${year} 00:00:00 GMT`, now)
      assert.strictEqual(Option.getOrUndefined(read), Date.UTC(full, 0, 2), year)
    }
  })

  it("that exceeds a clock's range is the longest duration", () => {
    assert.strictEqual(parse("9".repeat(400)), Number.MAX_SAFE_INTEGER)
  })

  const in5 = new Date(now + 5000).toUTCString()
  for (const [value, millis] of [
    ["7, 7", 7000],
    ["1, 2", 2000],
    [`${in5}, ${in5}`, 5000],
    [`3, ${in5}`, 5000],
    ["soon, 4", 4000]
  ] as const) {
    it(`of several values is the longest: ${value}`, () => assert.strictEqual(parse(value), millis))
  }

  it("is an HTTP-date from its first to its last character", () => {
    const date = "Fri, 02 Jan 2026 00:00:00 GMT"
    assert.strictEqual(Option.getOrUndefined(RetryAfter.parseHttpDate(date, now)), Date.UTC(2026, 0, 2))
    for (const other of [`soon${date}`, ` ${date}`, `${date}+0100`]) {
      assert.isTrue(Option.isNone(RetryAfter.parseHttpDate(other, now)), other)
    }
  })

  it("in two headers is read from both", () => assert.strictEqual(fromHeaders({ "retry-after": ["7", "9"] }), 9000))

  it("is absent from a response without the header", () => assert.isUndefined(fromHeaders({ date: in5 })))

  it("as a date is read against the response's own Date, whatever the clock here says", () => {
    for (const here of [now - 3_600_000, now, now + 3_600_000]) {
      assert.strictEqual(fromHeaders({ date: new Date(now).toUTCString(), "retry-after": in5 }, here), 5000)
    }
  })

  for (const date of ["yesterday", []]) {
    it(`as a date is read against the clock here if the response's Date is ${JSON.stringify(date)}`, () => {
      assert.strictEqual(fromHeaders({ date, "retry-after": in5 }), 5000)
    })
  }
})
