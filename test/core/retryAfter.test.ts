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
    "9".repeat(400),
    "Infinity",
    "NaN",
    "soon",
    "2026-01-02",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "1, 2"
  ]) {
    it(`${value?.slice(0, 30)} is as if absent`, () => assert(Option.isNone(parse(value))))
  }
})
