/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Inputs and results as plain values: strings, numbers, `Date`s and objects of these.
 */

import type { Resources } from "./api/index.js"
import type {
  CartItem,
  CheckoutSession,
  CheckoutSessionCreate,
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessionUpdate
} from "./sessions.js"
import type { Dispatcher, Duration, HeadersInput, Query } from "./values.js"

/** One of these, never both. */
type Address =
  | {
      /** The subdomain of your Gr4vy instance, e.g. `plantly`. `GR4VY_ID` by default. */
      readonly id?: string | undefined
      /** `GR4VY_ENVIRONMENT` by default, else `"sandbox"`. */
      readonly environment?: "sandbox" | "production" | undefined
      readonly baseUrl?: never
    }
  | {
      /**
       * A complete URL instead: `https:`, or `http:` on a loopback host; without credentials; a path in it becomes a
       * prefix. `GR4VY_BASE_URL` by default.
       */
      readonly baseUrl?: string | URL | undefined
      readonly id?: never
      readonly environment?: never
    }

/** One of these, never two. */
type Authentication =
  | {
      /** A bearer token that is valid for the lifetime of the client. `GR4VY_TOKEN` by default. */
      readonly token?: string | undefined
      readonly privateKey?: never
      readonly getToken?: never
    }
  | {
      /**
       * The private key of your Gr4vy instance: PEM (PKCS#8), P-521. Tokens are signed, cached and renewed.
       * `GR4VY_PRIVATE_KEY`, or the file that `GR4VY_PRIVATE_KEY_FILE` names, by default.
       */
      readonly privateKey?: string | undefined
      readonly token?: never
      readonly getToken?: never
    }
  | {
      /**
       * Gets a token from your own source, e.g. a secret manager. Called when the first request needs a token,
       * again when 20 % of a token's lifetime is left, and once after a 401; one call serves all requests that wait.
       */
      readonly getToken?: (() => Promise<ExpiringToken>) | undefined
      readonly token?: never
      readonly privateKey?: never
    }

/**
 * A token and its expiry.
 *
 * @since 0.1.0
 * @category models
 */
export interface ExpiringToken {
  readonly token: string
  readonly expiresAt: Date
}

/**
 * The retry policy. A missing value is the client's; the client's own missing values are the defaults.
 *
 * @since 0.1.0
 * @category models
 */
export interface RetryOptions {
  /** How many requests one call may send, the first included: 3 by default, 100 at most. */
  readonly maxAttempts?: number | undefined
  /** The wait before the n-th retry is `random × min(maxDelay, baseDelay × 2^(n-1))`. 250 ms by default. */
  readonly baseDelay?: Duration | undefined
  /** 8 seconds by default. */
  readonly maxDelay?: Duration | undefined
  /** The longest `Retry-After` to honor. 30 seconds by default. */
  readonly maxRetryAfter?: Duration | undefined
  /**
   * `"at-most-once"` (default): an `add` that may have reached the API is not retried, because it could create a
   * second session. `"at-least-once"`: it is retried like a `get`; a stray session costs nothing and expires.
   */
  readonly creates?: "at-most-once" | "at-least-once" | undefined
  /** Whether a 401 gets one new token and one more request. `true` by default. */
  readonly renewToken?: boolean | undefined
}

/**
 * A logger of yours: `console`, pino, Fastify's `app.log`, or an object of your own. Every method gets the attributes, then
 * the message. No line contains a card, a security code, a token, a key or a body. A logger that throws fails no call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Logger {
  /** Each retry with its delay; failures that are about one request alone; repeated warnings. */
  readonly debug: (attributes: LogAttributes, message: string) => void
  readonly info: (attributes: LogAttributes, message: string) => void
  /**
   * Each failure that keeps the API from being used, and each retry that is abandoned. At most one line of a kind in 10
   * seconds; the next one has the number of those left out, which are at `debug`.
   */
  readonly warn: (attributes: LogAttributes, message: string) => void
  readonly error: (attributes: LogAttributes, message: string) => void
}

/**
 * The attributes of a log line, e.g. `error.type`, `gr4vy.attempts`, `gr4vy.request_id`.
 *
 * @since 0.1.0
 * @category models
 */
export type LogAttributes = Readonly<Record<string, string | number | boolean>>

/** The options that have nothing to do with address or authentication. */
interface ClientOptions {
  /** The scopes of signed tokens: `checkout-sessions.read` and `checkout-sessions.write` by default. */
  readonly scopes?: ReadonlyArray<string> | undefined
  /** The lifetime of signed tokens: 5 minutes by default, 30 seconds to 24 hours. */
  readonly tokenLifetime?: Duration | undefined
  /** Sent as `x-gr4vy-merchant-account-id`. `GR4VY_MERCHANT_ACCOUNT_ID` by default. */
  readonly merchantAccountId?: string | undefined
  /** When requests are retried; `"none"` for exactly one request per call. */
  readonly retry?: RetryOptions | "none" | undefined
  /** The time limit of one request: connecting, sending, headers and the whole body. 10 seconds by default. */
  readonly attemptTimeout?: Duration | undefined
  /** The limit of a call: every attempt, every wait. 30 seconds by default. */
  readonly deadline?: Duration | undefined
  /** The largest response body in bytes. 1 MiB by default. */
  readonly maxResponseBytes?: number | undefined
  /** How many connections there may be at a time; further requests wait for one. 64 by default. */
  readonly connections?: number | undefined
  /**
   * How long a connection is used for new requests; then the host's name is resolved again. 5 minutes by default; more
   * than 0 and at most 24 days.
   */
  readonly maxConnectionAge?: Duration | undefined
  /**
   * Carries the requests in place of the client's own connections: a proxy, a private certificate authority, a client
   * certificate, a mock. `"environment"` takes the proxy from `HTTPS_PROXY`, except for the hosts in `NO_PROXY`. Its sockets
   * are its own: `maxConnectionAge` is not used, `connections` limits the requests at a time. The program closes a
   * dispatcher that it gives, after the client. A dispatcher must not retry, follow redirects or cache.
   */
  readonly dispatcher?: Dispatcher | "environment" | undefined
  /**
   * Accepts an `http:` base URL of any host, e.g. `http://sandbox:4010` in a compose file. Everyone on the network path can
   * read the token and the payloads, so the host must have a private address (RFC 1918, RFC 4193 or link-local). `false` by
   * default: `http:` is for loopback hosts.
   */
  readonly exposeTokenOverHttp?: boolean | undefined
  /** Whether requests carry the trace's context. `true` by default. */
  readonly propagateTrace?: boolean | undefined
  /** Whether requests carry OpenTelemetry's baggage. As `propagateTrace` by default. */
  readonly propagateBaggage?: boolean | undefined
  /** Gets the client's log lines. Nothing is logged by default. */
  readonly logger?: Logger | undefined
}

/**
 * The options of `create`. The `GR4VY_…` variables replace a missing address or authentication.
 *
 * @since 0.1.0
 * @category models
 */
export type Options = Address & Authentication & ClientOptions

/**
 * @since 0.1.0
 * @category models
 */
export interface CallOptions<Headers = FreeHeaders> {
  /**
   * Ends the call, its socket and its retries at once; the promise then rejects with the signal's `reason`, like
   * `fetch`.
   */
  readonly signal?: AbortSignal | null | undefined
  /** The retry policy of this call; a missing value is the client's. `"none"` for exactly one request. */
  readonly retry?: RetryOptions | "none" | null | undefined
  /** The merchant account of this call; overrides the client's own. */
  readonly merchantAccountId?: string | null | undefined
  /**
   * The time limit of one request of this call, at least 1 millisecond; overrides the client's own. The client's `deadline`
   * still applies.
   */
  readonly attemptTimeout?: Duration | null | undefined
  /**
   * Headers of the call's requests. A value has visible ASCII characters, spaces and tabs. The client's own headers
   * (`authorization`, `content-type`, `idempotency-key`, …) and those of the connection (`host`, `expect`, …) are refused.
   */
  readonly headers?: (Headers & FreeHeaders) | null | undefined
  /**
   * `"send"` sends properties of the body and the query that this version does not know, under the names they have.
   * `"refuse"` by default: the message suggests the nearest name.
   */
  readonly unknownProperties?: "refuse" | "send" | null | undefined
}

/**
 * Headers by their names.
 *
 * @since 0.1.0
 * @category models
 */
export type FreeHeaders = Readonly<Record<string, string | undefined>>

/**
 * The options of an operation that honours `Idempotency-Key`.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyedCallOptions<Headers = FreeHeaders> extends CallOptions<Headers> {
  /**
   * Sent as `Idempotency-Key`: 1 to 255 visible ASCII characters, e.g. the id of the order and the number of the buyer's try.
   * Choose it before the call and keep it: a call whose outcome is unknown is repeated with the same key, a new try of the
   * buyer has a new one.
   */
  readonly idempotencyKey: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface RequestOptions extends Omit<CallOptions, "unknownProperties"> {
  /**
   * Sent as JSON. A value that JSON would change in silence is refused before anything is sent: `NaN`, `undefined`, a
   * Promise, a Map, a class with getters. So is a body that is there and `undefined` or `null`, but for GET and DELETE: a
   * refund without a body refunds everything.
   */
  readonly body?: unknown
  /** Added to the path, encoded. Refused if the path has a query already. */
  readonly query?: Query | null | undefined
  /**
   * Sent as `Idempotency-Key`: 1 to 255 visible ASCII characters, e.g. the id of the order and the number of the buyer's try.
   * Choose it before the call and keep it: a call whose outcome is unknown is repeated with the same key, a new try of the
   * buyer has a new one. Only for the operations that honour it: `POST /transactions`, a transaction's `capture`, `void`,
   * `refunds`, `refunds/all`; by the API's description alone also `authorization/increment`, `/gift-cards/activations` and
   * `/gift-cards/issuances`. On any other it is refused.
   */
  readonly idempotencyKey?: string | null | undefined
}

/**
 * A client of one Gr4vy instance. Its calls reject with `Unauthorized`, `NotFound`, `Generic` or `RequestFailed`, or
 * with the reason of their signal.
 *
 * @since 0.1.0
 * @category models
 */
export interface Client extends Resources, AsyncDisposable {
  /**
   * Creates a Checkout Session, which lives for 1 hour unless `session.expiresIn` says otherwise. Sent at most once unless
   * `creates` says otherwise: a second request could create a second session.
   */
  readonly add: (session?: CheckoutSessionCreate | null, options?: CallOptions | null) => Promise<CheckoutSession>
  /** Reads a Checkout Session. */
  readonly get: (id: string, options?: CallOptions | null) => Promise<CheckoutSession>
  /**
   * Changes a Checkout Session and returns it: a property that is absent stays as it is, `null` clears it. `expiresIn`
   * counts from now on; without it the expiry stays as it is.
   */
  readonly update: (
    id: string,
    session: CheckoutSessionUpdate,
    options?: CallOptions | null
  ) => Promise<CheckoutSession>
  /**
   * Stores secure fields on a Checkout Session, which then lives for 5 minutes more. Card data on a server is for
   * merchants who are certified for it (PCI DSS): elsewhere the browser stores it.
   */
  readonly updateFields: (
    id: string,
    update?: CheckoutSessionSecureFieldsUpdate | null,
    options?: CallOptions | null
  ) => Promise<void>
  /** Deletes a Checkout Session. */
  readonly delete: (id: string, options?: CallOptions | null) => Promise<void>
  /**
   * Any other endpoint, with the same token, retries, limits, spans and errors. Resolves to the JSON of the response as it
   * is on the wire, or to `undefined` for an empty body. A GET, PUT or DELETE is retried as `get` is; a POST with an
   * `idempotencyKey` is retried with that key, and a POST or PATCH without one is never retried once it may have arrived.
   * Rejects with `RequestFailed`, reason `InvalidResponse`, if the response has another id than the path. Signed tokens need
   * the scopes of what you call: see `scopes`.
   *
   * @example
   * ```ts
   * import { create } from "@effect-gr4vy/promise"
   *
   * const gr4vy = await create({ scopes: ["transactions.write"] })
   * const transaction = await gr4vy.request("POST", "/transactions", {
   *   body: { amount: 1299, currency: "USD", payment_method: { method: "checkout-session", id: "8724fd24-..." } },
   *   idempotencyKey: "order-1001/1"
   * })
   * ```
   */
  readonly request: (
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    options?: RequestOptions | null
  ) => Promise<unknown>
  /** Takes no more calls, lets those underway finish, and resolves once every socket is closed. Never rejects. */
  readonly close: () => Promise<void>
}

/**
 * The purpose of a payment form, fixed by your server: the page cannot change it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Embed {
  /** In the smallest unit of the currency, a whole number from 0 to 99,999,999, e.g. 1299 for USD 12.99. */
  readonly amount: number
  /** ISO 4217, e.g. `USD`. */
  readonly currency: string
  readonly buyerId?: string
  readonly buyerExternalIdentifier?: string
  readonly merchantAccountId?: string
  /** The lines of the cart, with the limits of those of a Checkout Session. */
  readonly cartItems?: ReadonlyArray<CartItem>
  /** Its keys are yours, and pass through unchanged. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Its keys are those of the API, and pass through unchanged. */
  readonly connectionOptions?: Readonly<Record<string, unknown>>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface EmbedOptions {
  /** The private key of your Gr4vy instance: PEM (PKCS#8), P-521. */
  readonly privateKey: string
  /** Pins the token to one Checkout Session. Leave it out if there is none: `undefined` is refused. */
  readonly checkoutSessionId?: string
  /** The purpose of the form. Leave it out if there is none: `undefined` is refused. */
  readonly embed?: Embed
  /** The lifetime of the token: 1 hour by default, 30 seconds to 24 hours. */
  readonly lifetime?: Duration | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface WebhookOptions {
  /** The raw body, string or bytes: after parsing and serializing, the signature no longer matches. */
  readonly payload: string | Uint8Array | ArrayBuffer
  /** The headers as they arrived. */
  readonly headers: HeadersInput
  /** The secret of the subscription, used as it is; several while you change it. */
  readonly secret: string | ReadonlyArray<string>
  /** How far the timestamp may be from now, in the past and in the future: 5 minutes by default. */
  readonly tolerance?: Duration | null | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface SigningOptions {
  /** The body, a string or bytes. */
  readonly payload: string | Uint8Array | ArrayBuffer
  /** The secret of the subscription; several give one signature each. */
  readonly secret: string | ReadonlyArray<string>
  /** The time of the delivery in whole seconds since 1970; now by default. */
  readonly timestamp?: number | null | undefined
  /** The id of the delivery, which is not signed; a random UUID by default. */
  readonly id?: string | null | undefined
}
