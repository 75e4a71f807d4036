/**
 * The rejections of this package: real `Error`s, distinguished by `instanceof` or by `name`.
 */

/**
 * One problem that the API found in a request. Every field is optional, as on the wire.
 *
 * @since 0.1.0
 * @category errors
 */
export interface ErrorDetail {
  /** The part of the request that has the problem: `query`, `body`, `path` or `header` today. */
  readonly location?: string
  /** A code for the problem. */
  readonly type?: string
  /** A JSON pointer (RFC 6901) for bodies, e.g. `/payment_method/number`; the name of the parameter elsewhere. */
  readonly pointer?: string
  /** A description of the problem, for people. */
  readonly message?: string
}

const brand = Symbol.for("@effect-gr4vy/promise/errors")

/**
 * The name of an error class is on its prototype, so that a log shows it once. `instanceof` goes by it, so that it also finds
 * an error of another copy of this package or of another realm, e.g. of a test runner.
 */
const setName = (errorClass: { readonly prototype: Error }, name: string): void => {
  const value = { value: name, writable: true, configurable: true }
  Object.defineProperties(errorClass.prototype, { name: value, _tag: value, [brand]: { value: name } })
  Object.defineProperty(errorClass, Symbol.hasInstance, {
    value(this: { readonly prototype?: object }, error: unknown): boolean {
      // A class that a program derives is told by its prototype.
      const isOwn = this.prototype !== undefined && Object.hasOwn(this.prototype, brand)
      return isOwn
        ? typeof error === "object" && error !== null && Reflect.get(error, brand) === name
        : Function.prototype[Symbol.hasInstance].call(this, error)
    }
  })
}

/** The fields of every error. `message` and `name` are not enumerable, so that `JSON.stringify` alone would drop them. */
abstract class Gr4vyError extends Error {
  /** The number of requests that were started for this call: 0 when nothing was sent. */
  readonly attempts: number
  /** The id the server gave the request, if its response has one. Support asks for it first. */
  declare readonly requestId?: string

  constructor(message: string, attempts: number, requestId: string | undefined) {
    super(message)
    this.attempts = attempts
    if (requestId !== undefined) this.requestId = requestId
  }

  /** The error as a log takes it: name, message and fields, without the stack. */
  toJSON(): Record<string, unknown> {
    return Object.fromEntries([["name", this.name], ["message", this.message], ...Object.entries(this)])
  }
}

/** The fields of errors from API responses. */
interface AnswerFields {
  readonly message: string
  readonly attempts?: number | undefined
  readonly code?: string | undefined
  readonly details?: ReadonlyArray<ErrorDetail> | undefined
  readonly requestId?: string | undefined
}

abstract class AnswerError<Status extends number> extends Gr4vyError {
  /** The HTTP status of the response. */
  readonly status: Status
  /** The API's machine-readable code, e.g. `not_found`: an open set. Absent if something in front of the API responded. */
  declare readonly code?: string
  /** The problems that the API found; empty if it does not say. */
  readonly details: ReadonlyArray<ErrorDetail>

  constructor(status: Status, fields: AnswerFields) {
    super(fields.message, fields.attempts ?? 1, fields.requestId)
    this.status = status
    this.details = fields.details ?? []
    if (fields.code !== undefined) this.code = fields.code
  }
}

/**
 * The API responded with 401: the token is missing, wrong or expired.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unauthorized extends AnswerError<401> {
  declare readonly name: "Unauthorized"
  /** The same as `name`. */
  declare readonly _tag: "Unauthorized"
  static {
    setName(this, "Unauthorized")
  }

  constructor(fields: AnswerFields) {
    super(401, fields)
  }
}

/**
 * The API responded with 404: the resource is unknown, deleted or expired. The API does not say which.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotFound extends AnswerError<404> {
  declare readonly name: "NotFound"
  /** The same as `name`. */
  declare readonly _tag: "NotFound"
  static {
    setName(this, "NotFound")
  }

  constructor(fields: AnswerFields) {
    super(404, fields)
  }
}

/**
 * The API responded with any other status that is not a success: 3xx, other 4xx, 5xx.
 *
 * @since 0.1.0
 * @category errors
 */
export class Generic extends AnswerError<number> {
  declare readonly name: "Generic"
  /** The same as `name`. */
  declare readonly _tag: "Generic"
  static {
    setName(this, "Generic")
  }

  /** How long the API asks to wait before the next try (`Retry-After`), in milliseconds. */
  declare readonly retryAfter?: number
  /** The id of the existing resource, where a 409 `duplicate_record` names it. */
  declare readonly resourceId?: string

  constructor(
    fields: AnswerFields & {
      readonly status: number
      readonly retryAfter?: number | undefined
      readonly resourceId?: string | undefined
    }
  ) {
    super(fields.status, fields)
    if (fields.retryAfter !== undefined) this.retryAfter = fields.retryAfter
    if (fields.resourceId !== undefined) this.resourceId = fields.resourceId
  }
}

/**
 * The reason why there is no usable response.
 *
 * - `InvalidRequest`: an argument or an option cannot be used; nothing was sent
 * - `Credentials`: there was no token to send
 * - `Connect`: never connected (refused, DNS, TLS)
 * - `Timeout`: the limit of an attempt or the deadline of the call passed
 * - `Disconnected`: the connection was lost before the response was complete
 * - `InvalidResponse`: a 2xx that breaks the contract, or a response that violates HTTP
 * - `ResponseTooLarge`: the response is larger than the limit
 *
 * @since 0.1.0
 * @category errors
 */
export type RequestFailedReason =
  | "InvalidRequest"
  | "Credentials"
  | "Connect"
  | "Timeout"
  | "Disconnected"
  | "InvalidResponse"
  | "ResponseTooLarge"

/**
 * Whether the server may have acted on the request: `"no"` (it cannot have), `"unknown"` (it may have), `"yes"` (it
 * responded).
 *
 * @since 0.1.0
 * @category errors
 */
export type Delivered = "no" | "unknown" | "yes"

/**
 * There is no usable response: the request was not sent, the response did not arrive, or it is invalid.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestFailed extends Gr4vyError {
  declare readonly name: "RequestFailed"
  /** The same as `name`. */
  declare readonly _tag: "RequestFailed"
  static {
    setName(this, "RequestFailed")
  }

  readonly reason: RequestFailedReason
  readonly delivered: Delivered

  constructor(fields: {
    readonly message: string
    readonly reason: RequestFailedReason
    readonly delivered: Delivered
    readonly attempts: number
    readonly requestId?: string | undefined
  }) {
    super(fields.message, fields.attempts, fields.requestId)
    this.reason = fields.reason
    this.delivered = fields.delivered
  }
}

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
export class WebhookInvalid extends Error {
  declare readonly name: "WebhookInvalid"
  /** The same as `name`. */
  declare readonly _tag: "WebhookInvalid"
  static {
    setName(this, "WebhookInvalid")
  }

  readonly check: "MissingHeader" | "Timestamp" | "Tolerance" | "Signature" | "Payload"

  constructor(fields: { readonly message: string; readonly check: WebhookInvalid["check"] }) {
    super(fields.message)
    this.check = fields.check
  }
}
