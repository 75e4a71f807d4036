/**
 * JSON of what a caller gives, for values that no schema describes.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { jsonValue } from "../internal/codec/json.js"
import { failed, Walk } from "../internal/codec/step.js"

/** A longer key, or one with other characters, may be a secret in the wrong place: it is not shown. */
const isShown = (key: string): boolean => /^(?:[A-Za-z]{1,24}(?:[_-][A-Za-z]{1,24}){0,3}|\d{1,5})$/.test(key)

/**
 * Copies a value as JSON has it, or says what JSON would change in silence: `body.amount must be a finite number`. `place`
 * names the value. The message never contains a value. A property that is `undefined` is refused, because it would be
 * missing. Every property is read once, so that the copy is what was checked.
 *
 * @since 0.1.0
 * @category conversions
 */
export const copyJson = (value: unknown, place: string): Either.Either<unknown, string> => {
  const walk = new Walk()
  try {
    const copied = jsonValue(value, walk)
    if (copied !== failed) return Either.right(copied)
  } catch {
    // A getter or a proxy throws, or the value is deeper than the stack; the error's message may quote a value.
    return Either.left(`${place} must be what JSON can hold: it cannot be read`)
  }
  const { expected, path } = walk.lossy ?? { expected: "what JSON can hold", path: [] }
  const at = path.map(String).map((key) => `.${isShown(key) ? key : "…"}`)
  return Either.left(`${place}${at.join("")} must be ${expected}`)
}
