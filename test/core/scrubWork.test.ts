/**
 * The work of the scrubber, counted in steps. In a file of its own, because `npm run mutate` would take hours with it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Scrubber } from "../../packages/core/dist/internal/scrub/scrub.js"

describe("the work of scrubbing", () => {
  /** Counts the pieces of text that are looked up, the work that grows. */
  const steps = (f: () => void): number => {
    let count = 0
    const { has: hasPart } = Set.prototype
    const { get: getForm } = Map.prototype
    Set.prototype.has = function (this: Set<unknown>, value) {
      count++
      return hasPart.call(this, value)
    }
    Map.prototype.get = function (this: Map<unknown, unknown>, key) {
      count++
      return getForm.call(this, key)
    }
    try {
      f()
    } finally {
      Set.prototype.has = hasPart
      Map.prototype.get = getForm
    }
    return count
  }
  const cards = Array.from({ length: 3_000 }, (_, i) => String(4_000_000_000_000_000 + 7_919 * i))
  const tokens = Array.from({ length: 3_000 }, (_, i) => `token_live_${i}_${"x".repeat(i % 20)}`)
  for (const [what, unit] of [
    ["digits", "4"],
    ["digits and blanks", "4 "],
    ["digits and dots", "1."],
    ["groups of four", "4111 "],
    ["pieces of the number", "40001234 "],
    ["escapes", "%"],
    ["escaped escapes", "%2525"],
    ["entities", "&#1"],
    ["backslashes", "\\u00"],
    ["beginnings of tokens", "eyJ"],
    ["bearers", "bearer "],
    ["dashes", "1234-"],
    ["UUIDs", "12345678-1234-4234-8234-123456789012-"],
    ["times", "2022-01-01 00:00:"],
    ["beginnings of secrets", "token_live_"],
    ["echoes", '{"number":"4000000000000000","token":"token_live_7_xxxxxxx"}']
  ] as const) {
    it(`grows with the text and not with its square: ${what}`, () => {
      const scrubber = new Scrubber([...cards, ...tokens, "737", "12345"])
      const work = (size: number) => steps(() => void scrubber.text(unit.repeat(size / unit.length)))
      const once = work(20_000)
      assert.isAtMost(work(40_000), 2.5 * once + 1_000)
    })
    it(`does not grow with the number of secrets: ${what}`, () => {
      const text = unit.repeat(20_000 / unit.length)
      const few = new Scrubber([...cards.slice(0, 3), ...tokens.slice(0, 3)])
      const many = new Scrubber([...cards, ...tokens])
      assert.isAtMost(
        steps(() => void many.text(text)),
        8 * steps(() => void few.text(text)) + 200_000
      )
    })
  }
})
