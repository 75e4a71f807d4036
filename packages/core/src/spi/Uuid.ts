/**
 * New ids.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/**
 * A UUID version 4 (RFC 9562, section 5.4) from Effect's `Random`, so that a seed makes tests repeatable.
 *
 * @since 0.1.0
 * @category constructors
 */
export const newUuid: Effect.Effect<string> = Effect.map(
  Effect.replicateEffect(Random.nextIntBetween(0, 2 ** 32), 4),
  (words) => {
    const hex = words.map((word) => word.toString(16).padStart(8, "0")).join("")
    const variant = "89ab".charAt(Number.parseInt(hex.charAt(16), 16) % 4)
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      variant + hex.slice(17, 20),
      hex.slice(20)
    ].join("-")
  }
)
