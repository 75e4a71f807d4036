import { assert, describe, it } from "@effect/vitest"
import * as RetryAfter from "@effect-gr4vy/core/unstable/RetryAfter"
import { Duration, FastCheck, Option } from "effect"

const now = Date.UTC(2026, 0, 1)
const parse = (value: string | undefined) => Option.map(RetryAfter.parse(value, now), Duration.toMillis)

describe("Retry-After", () => {
  it.prop("in whole seconds is that long", { seconds: FastCheck.integer({ min: 1 }) }, ({ seconds }) => {
    assert.deepStrictEqual(parse(` ${seconds} `), Option.some(seconds * 1000))
  })

  it.prop("as an HTTP-date is as long as it takes until then", { seconds: FastCheck.integer() }, ({ seconds }) => {
    const wait = seconds > 0 ? Option.some(seconds * 1000) : Option.none()
    assert.deepStrictEqual(parse(new Date(now + seconds * 1000).toUTCString()), wait)
  })

  it.prop("is never a wait that no clock can hold, whatever it says", { value: FastCheck.string() }, ({ value }) => {
    const wait = Option.getOrElse(parse(value), () => 1)
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
    "0, soon"
  ]) {
    it(`${value?.slice(0, 30)} is as if absent`, () => assert(Option.isNone(parse(value))))
  }

  it("that exceeds a clock's range is the longest duration", () => {
    assert.deepStrictEqual(parse("9".repeat(400)), Option.some(Number.MAX_SAFE_INTEGER))
  })

  const in5 = new Date(now + 5000).toUTCString()
  for (const [value, millis] of [
    ["7, 7", 7000],
    ["1, 2", 2000],
    [`${in5}, ${in5}`, 5000],
    [`3, ${in5}`, 5000],
    ["soon, 4", 4000]
  ] as const) {
    it(`of several values is the longest: ${value}`, () => assert.deepStrictEqual(parse(value), Option.some(millis)))
  }

  it("in two headers is read from both", () => {
    const wait = RetryAfter.fromHeaders({ "retry-after": ["7", "7"] }, now)
    assert.deepStrictEqual(Option.map(wait, Duration.toMillis), Option.some(7000))
  })

  it("as a date is read against the response's own Date, whatever the clock here says", () => {
    for (const here of [now - 3_600_000, now, now + 3_600_000]) {
      const headers = { date: new Date(now).toUTCString(), "retry-after": in5 }
      const wait = RetryAfter.fromHeaders(headers, here)
      assert.deepStrictEqual(Option.map(wait, Duration.toMillis), Option.some(5000))
    }
    const wait = RetryAfter.fromHeaders({ date: "yesterday", "retry-after": in5 }, now)
    assert.deepStrictEqual(Option.map(wait, Duration.toMillis), Option.some(5000))
  })
})
