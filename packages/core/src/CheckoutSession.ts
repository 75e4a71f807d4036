/**
 * A Checkout Session: the short-lived place at Gr4vy that holds a buyer's card until a transaction uses it.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/**
 * The id of a Checkout Session: 1–64 of `A–Z a–z 0–9 _ -`, so always exactly one safe path segment. Today's ids are
 * UUIDs.
 *
 * `CheckoutSessionId.make(text)` throws a `ParseError` on anything else; `Schema.decodeUnknown(CheckoutSessionId)`
 * gives it as a value.
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
export const CheckoutSessionId = Schema.String.pipe(
  Schema.pattern(/^[A-Za-z0-9_-]{1,64}$/),
  Schema.brand("@effect-gr4vy/core/CheckoutSessionId"),
  Schema.annotations({
    description: "The ID of the Checkout Session: 1 to 64 letters, digits, '_' or '-'.",
    message: () => "must be 1 to 64 letters, digits, '_' or '-'",
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

// RFC 3339, section 5.6: without an offset the instant would depend on the machine's time zone.
const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i

const Instant = Schema.transformOrFail(
  Schema.String.annotations({
    jsonSchema: {
      type: "string",
      format: "date-time",
      description:
        "The date and time when the Checkout Session will expire: 1 hour after its creation, or 5 minutes after its secure fields were received.",
      examples: ["2022-01-01T00:00:00+00:00"]
    }
  }),
  Schema.DateTimeUtcFromSelf,
  {
    strict: true,
    decode: (text, _, ast) => {
      const millis = rfc3339.test(text) ? Date.parse(text) : Number.NaN
      return Number.isNaN(millis)
        ? ParseResult.fail(new ParseResult.Type(ast, text, "must be a date and time with an offset (RFC 3339)"))
        : ParseResult.succeed(DateTime.unsafeMake(millis))
    },
    encode: (instant) => ParseResult.succeed(DateTime.formatIso(instant))
  }
)

/** What each property is on the wire. */
const Wire = Schema.Struct({
  type: Schema.optional(Schema.Literal("checkout-session").annotations({ description: "Always `checkout-session`." })),
  id: CheckoutSessionId,
  expires_at: Instant
})

/**
 * A Checkout Session as the API describes it. It lives for 1 hour from its creation, and for 5 minutes from the moment
 * its secure fields were received.
 *
 * @see https://docs.gr4vy.com/reference/checkout-sessions
 * @since 0.1.0
 * @category models
 */
export class CheckoutSession extends Schema.Class<CheckoutSession>("CheckoutSession")(
  {
    /** Always `"checkout-session"`. */
    type: Schema.optionalWith(Wire.fields.type.from, { default: () => "checkout-session" }),
    id: Wire.fields.id,
    /** When the session expires (`expires_at` on the wire). */
    expiresAt: Schema.propertySignature(Wire.fields.expires_at).pipe(Schema.fromKey("expires_at"))
  },
  [
    { description: "A short-lived session that holds a buyer's card data." },
    { identifier: "CheckoutSession", description: "A short-lived session that holds a buyer's card data." }
  ]
) {
  /**
   * Whether the session has expired by Effect's `Clock`: from the moment of `expiresAt` on. The server's clock decides in the end: an expired session
   * answers `NotFound`.
   *
   * @since 0.1.0
   */
  get isExpired(): Effect.Effect<boolean> {
    return Effect.map(DateTime.now, DateTime.greaterThanOrEqualTo(this.expiresAt))
  }

  /**
   * How long the session still lives by Effect's `Clock`: zero once it has expired, never negative.
   *
   * @since 0.1.0
   */
  get timeLeft(): Effect.Effect<Duration.Duration> {
    return Effect.map(DateTime.now, (now) => Duration.millis(Math.max(0, DateTime.distance(now, this.expiresAt))))
  }
}

const decodeWire = Schema.decodeUnknownEither(Wire)

/**
 * What `Schema.decodeUnknownEither(CheckoutSession)` does, for half as much: the class's own way renames a property in a
 * pass of its own, and looks at everything a second time afterwards.
 *
 * @since 0.1.0
 * @category decoding
 */
export const fromWire = (value: unknown): Either.Either<CheckoutSession, ParseResult.ParseError> =>
  Either.map(
    decodeWire(value),
    ({ expires_at, id }) =>
      new CheckoutSession({ type: "checkout-session", id, expiresAt: expires_at }, { disableValidation: true })
  )
