/**
 * The errors of every call, as values. `Unauthorized`, `NotFound` and `Generic` are responses of the API;
 * `RequestFailed` means that there is no usable response. All four survive encode → JSON → decode. None contains a card
 * number, a security code or a token.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * One problem that the API found in a request. Every field is optional, as on the wire.
 *
 * @since 0.1.0
 * @category models
 */
export class ErrorDetail extends Schema.Class<ErrorDetail>("ErrorDetail")({
  /** The part of the request: `query`, `body`, `path` or `header` today. */
  location: Schema.optionalKey(Schema.String),
  /** A code for the problem. */
  type: Schema.optionalKey(Schema.String),
  /** A JSON pointer (RFC 6901) for bodies, e.g. `/payment_method/number`; the parameter's name elsewhere. */
  pointer: Schema.optionalKey(Schema.String),
  /** A description of the problem, for people. */
  message: Schema.optionalKey(Schema.String)
}) {}

const answer = {
  /** The API's machine-readable code, e.g. `not_found`: an open set. Absent if something in front of the API responded. */
  code: Schema.optionalKey(Schema.String),
  /** A sentence for people, from the API if it sent one. Do not branch on it. */
  message: Schema.String,
  /** The problems that the API found; empty if it does not say. */
  details: Schema.Array(ErrorDetail).pipe(Schema.withConstructorDefault(Effect.succeed([]))),
  /** The number of requests that the call sent, this one included. */
  attempts: Schema.Int.pipe(Schema.withConstructorDefault(Effect.succeed(1))),
  /** The id the server gave the request, for its support desk. Absent when the response has none. */
  requestId: Schema.optionalKey(Schema.String)
}

/**
 * The API responded with 401: the token is missing, wrong or expired.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()(
  "Unauthorized",
  { status: Schema.Literal(401).pipe(Schema.withConstructorDefault(Effect.succeed(401 as const))), ...answer },
  { httpApiStatus: 401 }
) {}

/**
 * The API responded with 404: the resource is unknown, deleted or expired. The API does not say which.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotFound extends Schema.TaggedError<NotFound>()(
  "NotFound",
  { status: Schema.Literal(404).pipe(Schema.withConstructorDefault(Effect.succeed(404 as const))), ...answer },
  { httpApiStatus: 404 }
) {}

/**
 * The API responded with any other status that is not a success: 3xx, other 4xx, 5xx.
 *
 * @since 0.1.0
 * @category errors
 */
export class Generic extends Schema.TaggedError<Generic>()("Generic", {
  /** The HTTP status. */
  status: Schema.Int,
  ...answer,
  /** The delay before the next request that the API asks for (`Retry-After`). */
  retryAfter: Schema.optionalKey(Schema.DurationFromMillis),
  /** The id of the existing resource, where a 409 `duplicate_record` names it. */
  resourceId: Schema.optionalKey(Schema.String)
}) {}

/**
 * The reason why there is no usable response.
 *
 * - `InvalidRequest`: the request would break the contract; nothing was sent
 * - `Credentials`: there was no token to send
 * - `Connect`: never connected (refused, DNS, TLS)
 * - `Timeout`: the attempt's limit or the call's deadline passed
 * - `Disconnected`: the connection was lost before the response was complete
 * - `InvalidResponse`: a 2xx that breaks the contract, or a response that violates HTTP
 * - `ResponseTooLarge`: the response is larger than `maxResponseBytes`
 *
 * @since 0.1.0
 * @category errors
 */
export const RequestFailedReason = Schema.Literals([
  "InvalidRequest",
  "Credentials",
  "Connect",
  "Timeout",
  "Disconnected",
  "InvalidResponse",
  "ResponseTooLarge"
])

/**
 * @since 0.1.0
 * @category errors
 */
export type RequestFailedReason = typeof RequestFailedReason.Type

/**
 * Whether the server may have acted on the request: `"no"` (it cannot have), `"unknown"` (it may have), `"yes"` (it
 * responded).
 *
 * @since 0.1.0
 * @category errors
 */
export const Delivered = Schema.Literals(["no", "unknown", "yes"])

/**
 * @since 0.1.0
 * @category errors
 */
export type Delivered = typeof Delivered.Type

/**
 * There is no usable response: the request was not sent, the response did not arrive, or it is invalid.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestFailed extends Schema.TaggedError<RequestFailed>()("RequestFailed", {
  reason: RequestFailedReason,
  delivered: Delivered,
  message: Schema.String,
  /** The number of requests that the call started: 0 if nothing was sent. */
  attempts: Schema.Int,
  /** The id the server gave the request, for its support desk. Absent if no response arrived or it has none. */
  requestId: Schema.optionalKey(Schema.String)
}) {}

/**
 * The union of all errors of Checkout Sessions, as a schema: use it to send errors over your own protocol or to store
 * them.
 *
 * @since 0.1.0
 * @category errors
 */
export const CheckoutSessionsError = Schema.Union([Unauthorized, NotFound, Generic, RequestFailed])

/**
 * @since 0.1.0
 * @category errors
 */
export type CheckoutSessionsError = typeof CheckoutSessionsError.Type
