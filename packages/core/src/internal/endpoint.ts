/**
 * What every part of core needs to know of an endpoint. `Endpoint` exports it.
 */
import type { HttpMethod } from "@effect/platform/HttpMethod"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { RequestFailed } from "../Errors.js"

/**
 * Whether a request to an endpoint may be sent a second time.
 *
 * - `"idempotent"`: a second copy changes nothing. Retried after every temporary failure.
 * - `"keyed"`: the server recognizes a second copy by its `Idempotency-Key`. Retried with the same key; not after a 500,
 *   because the API stores its first response for the key.
 * - `"create"`: a second copy creates a second, harmless resource. Retried after a lost request only under a
 *   policy with `creates: "at-least-once"`.
 * - `"once"`: a second copy may do harm. Never retried once it may have arrived, with any policy.
 *
 * A request that had no effect for certain (never sent, 429, 503 with `Retry-After`) is retried in every class.
 *
 * @since 0.1.0
 * @category models
 */
export type Resend = "idempotent" | "keyed" | "create" | "once"

/**
 * The documentation of an endpoint in the API's description. Every field is optional.
 *
 * @since 0.1.0
 * @category models
 */
export interface Docs {
  /** The id of the operation in `openapi.json`. */
  readonly identifier?: string
  readonly summary?: string
  readonly description?: string
  /** The content of a success response, as a sentence. */
  readonly success?: string
  /** An example payload, as JSON on the wire. A docs page offers it to try. */
  readonly example?: unknown
  /** The name of the payload in messages about it, e.g. `session`; `payload` by default. */
  readonly payload?: string
}

/**
 * The properties of any endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface Any {
  /** The name of the call's span, e.g. `Transactions.get`. */
  readonly name: string
  readonly method: HttpMethod
  /** The template of the path, e.g. `/transactions/{transaction_id}`; `url.template` in traces. */
  readonly path: string
  readonly resend: Resend
  /** The scope that a token needs to call it. */
  readonly scope: string | undefined
  /** The time limit that one attempt asks for, in milliseconds; a longer limit of the client applies instead. */
  readonly attemptTimeout: number | undefined
  /** The status of a success when the endpoint is served: 200, 201 or 204. A client accepts every 2xx. */
  readonly status: number
  readonly params: Readonly<Record<string, Schema.Schema.AnyNoContext>>
  readonly query: Schema.Schema.AnyNoContext | undefined
  /** A struct whose encoded keys are the names of the headers. */
  readonly headers: Schema.Schema.AnyNoContext | undefined
  readonly payload: Schema.Schema.AnyNoContext | undefined
  /** Whether the payload is optional. */
  readonly payloadOptional: boolean
  readonly success: Schema.Schema.AnyNoContext | undefined
  /** Whether a success may have no body, e.g. 201 with one or 204. */
  readonly successOptional: boolean
  readonly errors: ReadonlyArray<Schema.Schema.AnyNoContext>
  /** Checks that a decoded success belongs to the request with these parameters. */
  readonly belongs: ((success: never, params: never) => boolean) | undefined
  readonly docs: Docs
}

/**
 * Headers that an endpoint does not declare.
 *
 * @since 0.1.0
 * @category models
 */
export type FreeHeaders = Readonly<Record<string, string | undefined>>

/**
 * Options of one call. `Headers` are those that the endpoint declares.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions<Headers = FreeHeaders> {
  /**
   * Runs before each request of the call, before a connection is taken; `attempt` is 1 for the first. If it fails, the
   * request is not sent and the call fails with that error. Use it to record in a database that a request may have been
   * sent. It may call the same client. An interruption of the call waits for its finalizers.
   */
  readonly beforeSend?: ((attempt: number) => Effect.Effect<void, RequestFailed>) | undefined
  /**
   * Headers of the call's requests: those that the endpoint declares, and any others by name. A value has visible ASCII
   * characters, spaces and tabs. The client's own headers (`authorization`, `content-type`, `idempotency-key`, …) and those
   * of the connection (`host`, `te`, …) are refused. `undefined` is absent.
   */
  readonly headers?: Headers | undefined
  /** The merchant account of this call; overrides `withMerchantAccount` and the client's own. */
  readonly merchantAccountId?: string | undefined
  /**
   * The time limit of one attempt of this call, at least 1 millisecond; a number is milliseconds. It replaces the limits of
   * the client and of the endpoint. The deadline of the whole call still applies.
   */
  readonly attemptTimeout?: Duration.DurationInput | undefined
  /**
   * `"send"` sends properties of the payload and the query that this version does not know, under the names they have, as
   * JSON. What they contain is removed from the server's messages.
   *
   * @default "refuse"
   */
  readonly unknownProperties?: "refuse" | "send" | undefined
}

/**
 * Options of one call to a `"keyed"` endpoint.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyedCallOptions<Headers = FreeHeaders> extends CallOptions<Headers> {
  /**
   * Sent as `Idempotency-Key`: 1 to 255 visible ASCII characters. Choose it before the call and keep it, e.g. the id of the
   * order and the number of the buyer's try. Repeat a call with an unknown outcome with the same key; a new try of the buyer
   * needs a new key.
   */
  readonly idempotencyKey: string
}
