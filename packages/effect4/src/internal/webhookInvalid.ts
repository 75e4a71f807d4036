import * as Schema from "effect/Schema"

/**
 * A webhook that failed verification. `check` says which check failed:
 *
 * - `MissingHeader`: a header of the signature is missing
 * - `Timestamp`: the timestamp is not a number of seconds
 * - `Tolerance`: the timestamp is too old or too far in the future
 * - `Signature`: no signature matches this payload and your secret, or the secret cannot be one (`message` says why)
 * - `Payload`: the payload is not the raw body, or it is signed and not an event
 *
 * It contains neither a secret nor the payload.
 *
 * @since 0.1.0
 * @category errors
 */
export class WebhookInvalid extends Schema.TaggedError<WebhookInvalid>()("WebhookInvalid", {
  check: Schema.Literals(["MissingHeader", "Timestamp", "Tolerance", "Signature", "Payload"]),
  message: Schema.String
}) {}
