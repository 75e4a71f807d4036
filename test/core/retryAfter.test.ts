import { assert, describe, it } from "@effect/vitest"
import * as RetryAfter from "@effect-gr4vy/core/unstable/RetryAfter"
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

  it.prop("as an HTTP-date is as long as it takes until then", { seconds: FastCheck.integer() }, ({ seconds }) => {
    const wait = seconds > 0 ? seconds * 1000 : undefined
    assert.strictEqual(parse(new Date(now + seconds * 1000).toUTCString()), wait)
  })

  it.prop("is never a wait that no clock can hold, whatever it says", { value: FastCheck.string() }, ({ value }) => {
    const wait = parse(value) ?? 1
    assert(Number.isSafeInteger(wait) && wait > 0)
  })

  for (const value of [
    undefined,
    "",
    "0",
    "-5",
    "1.5",
    "1e3",
    "1e309",
    "Infinity",
    "NaN",
    "soon",
    "2026-01-02",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "0, soon",
    // `Date.parse` alone would read these.
    "soonFri, 02 Jan 2026 00:00:00 GMT",
    "Fri, 02 Jan 2026 00:00:00 GMT+0100",
    "Fri, 99 Jan 2026 00:00:00 GMT"
  ]) {
    it(`${value} is as if absent`, () => assert.isUndefined(parse(value)))
  }

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
    assert.strictEqual(Option.getOrUndefined(RetryAfter.parseHttpDate(date)), Date.UTC(2026, 0, 2))
    for (const other of [`soon${date}`, ` ${date}`, `${date}+0100`]) {
      assert.isTrue(Option.isNone(RetryAfter.parseHttpDate(other)), other)
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
