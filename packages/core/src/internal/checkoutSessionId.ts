/**
 * The id of a session by itself: a program that needs no more of a session loads no more.
 */
import * as Schema from "effect/Schema"
import { PlaceId, says } from "./explain.js"

const pattern = /^[A-Za-z0-9_-]{1,64}$/

/**
 * The id of a Checkout Session: 1–64 of `A–Z a–z 0–9 _ -`, so always exactly one safe path segment. Today's ids are
 * UUIDs.
 *
 * `CheckoutSessionId.make` throws a `ParseError` on any other string; `Schema.decodeUnknown(CheckoutSessionId)` returns
 * it as a typed failure.
 *
 * @example
 * ```ts
 * import { CheckoutSessionId } from "@effect-gr4vy/core"
 *
 * const id = CheckoutSessionId.make("8724fd24-5489-4a5d-90fd-0604df7d3b83")
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const CheckoutSessionId = Schema.String.annotations(says("1 to 64 letters, digits, '_' or '-'")).pipe(
  Schema.pattern(pattern),
  Schema.brand("@effect-gr4vy/core/CheckoutSessionId"),
  Schema.annotations({
    description: "The ID of the Checkout Session: 1 to 64 letters, digits, '_' or '-'.",
    ...says("1 to 64 letters, digits, '_' or '-'"),
    [PlaceId]: "checkoutSessionId",
    jsonSchema: {
      type: "string",
      format: "uuid",
      description: "The ID of the Checkout Session.",
      examples: ["8d3fe99b-1422-42e6-bbb3-932d95ae5f79"]
    }
  })
)

/**
 * @since 0.1.0
 * @category models
 */
export type CheckoutSessionId = typeof CheckoutSessionId.Type
