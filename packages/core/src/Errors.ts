/**
 * Everything that can go wrong, as values: `Unauthorized`, `NotFound` and `Generic` are answers of the API,
 * `RequestFailed` is the lack of a usable one. All four survive encode → JSON → decode, and none ever holds a card
 * number, a security code or a token.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { StatusAnnotation } from "./internal/status.js"

/** An optional text: open to what the API may add, and described as the API describes it today. */
const described = (jsonSchema: object) =>
  Schema.optionalWith(Schema.String.annotations({ jsonSchema: { type: "string", ...jsonSchema } }), { exact: true })

/**
 * One reason why the API refused a request. Every field is optional, as on the wire.
 *
 * @since 0.1.0
 * @category models
 */
export class ErrorDetail extends Schema.Class<ErrorDetail>("ErrorDetail")({
  /** Where the problem is: `query`, `body`, `path` or `header` today. */
  location: described({
    enum: ["query", "body", "path", "header"],
    description: "The part of the request that has the problem."
  }),
  /** A code for the problem. */
  type: described({ description: "A code for the problem." }),
  /** A JSON pointer (RFC 6901) for bodies, e.g. `/payment_method/number`; the parameter's name elsewhere. */
  pointer: described({
    description: "A JSON pointer to the problem in the body; the parameter's name elsewhere.",
    examples: ["/payment_method/number"]
  }),
  message: described({ description: "What is wrong, for people." })
}) {}

const answer = {
  /** The API's machine-readable code, e.g. `not_found`: an open set. Absent when the API itself did not answer. */
  code: Schema.optionalWith(Schema.String, { exact: true }),
  /** A sentence for people; the API's own where it sent one. Never decide by it. */
  message: Schema.String,
  details: Schema.Array(ErrorDetail).pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => [])
  ),
  /** How many requests the call sent, this one included. */
  attempts: Schema.Int.pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => 1)
  ),
  /** The id the server gave the request, for its support desk. Absent when the response has none. */
  requestId: Schema.optionalWith(Schema.String, { exact: true })
}

/**
 * The API answered 401: the token is missing, wrong or expired.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unauthorized extends Schema.TaggedError<Unauthorized>("@effect-gr4vy/core/Unauthorized")("Unauthorized", {
  status: Schema.Literal(401).pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => 401 as const)
  ),
  ...answer
}) {}

/**
 * The API answered 404: the session is unknown, deleted or expired; the API does not tell which.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotFound extends Schema.TaggedError<NotFound>("@effect-gr4vy/core/NotFound")(
  "NotFound",
  {
    status: Schema.Literal(404).pipe(
      Schema.propertySignature,
      Schema.withConstructorDefault(() => 404 as const)
    ),
    ...answer
  },
  { [StatusAnnotation]: 404 }
) {}

/**
 * The API gave any other answer outside its contract's success: 3xx, other 4xx, 5xx.
 *
 * @since 0.1.0
 * @category errors
 */
export class Generic extends Schema.TaggedError<Generic>("@effect-gr4vy/core/Generic")("Generic", {
  /** The HTTP status, 100–599. */
  status: Schema.Int,
  ...answer,
  /** How long the API asks to wait before the next try (`Retry-After`). */
  retryAfter: Schema.optionalWith(Schema.Duration, { exact: true })
}) {}

/**
 * Why there is no usable answer.
 *
 * - `InvalidRequest`: the request would break the contract; nothing was sent
 * - `Credentials`: there was no token to send
 * - `Connect`: never connected (refused, DNS, TLS)
 * - `Timeout`: the attempt's limit or the call's deadline passed
 * - `Disconnected`: the connection dropped before a whole answer
 * - `InvalidResponse`: a 2xx that is not what the contract says, or an answer that breaks HTTP itself
 * - `ResponseTooLarge`: the answer went over the cap
 *
 * @since 0.1.0
 * @category errors
 */
export const RequestFailedReason = Schema.Literal(
  "InvalidRequest",
  "Credentials",
  "Connect",
  "Timeout",
  "Disconnected",
  "InvalidResponse",
  "ResponseTooLarge"
)

/**
 * @since 0.1.0
 * @category errors
 */
export type RequestFailedReason = typeof RequestFailedReason.Type

/**
 * Whether the server can have acted on the request: `"no"` (it cannot), `"unknown"` (it may have), `"yes"` (it
 * answered).
 *
 * @since 0.1.0
 * @category errors
 */
export const Delivered = Schema.Literal("no", "unknown", "yes")

/**
 * @since 0.1.0
 * @category errors
 */
export type Delivered = typeof Delivered.Type

/**
 * There is no usable answer: the request did not go out, the answer did not arrive, or it was not one.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestFailed extends Schema.TaggedError<RequestFailed>("@effect-gr4vy/core/RequestFailed")(
  "RequestFailed",
  {
    reason: RequestFailedReason,
    delivered: Delivered,
    message: Schema.String,
    /** How many requests were started for this call: 0 when nothing was sent. */
    attempts: Schema.Int,
    /** The id the server gave the request, for its support desk. Absent when no response arrived, or it has none. */
    requestId: Schema.optionalWith(Schema.String, { exact: true })
  }
) {}

/**
 * Everything that an operation on Checkout Sessions can fail with: a schema to send errors over a wire of your own, or to
 * store them.
 *
 * @since 0.1.0
 * @category errors
 */
export const CheckoutSessionsError = Schema.Union(Unauthorized, NotFound, Generic, RequestFailed)

/**
 * @since 0.1.0
 * @category errors
 */
export type CheckoutSessionsError = typeof CheckoutSessionsError.Type
