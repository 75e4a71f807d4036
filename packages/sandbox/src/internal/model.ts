/**
 * What a sandbox is told and what it tells. `Sandbox` exports it.
 */
import type { CheckoutSessions } from "@effect-gr4vy/core/CheckoutSessions"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import type { NotFound } from "@effect-gr4vy/core/Errors"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"

/**
 * A fault for one request. Parts combine: a status can be delayed or truncated. A part that cannot be used is refused when
 * the fault is set.
 *
 * @since 0.1.0
 * @category models
 */
export interface Fault {
  /** Responds with this status (a whole number, 200 to 599) and the API's own error, without carrying out the request. */
  readonly status?: number
  /** The error's code; `sandbox_fault` by default. It needs a `status`. */
  readonly code?: string
  /** The error's message; one that says that it was asked for by default. It needs a `status`. */
  readonly message?: string
  /** Adds `Retry-After` to the response of `status`, in whole seconds, 0 or more. */
  readonly retryAfterSeconds?: number
  /** Closes the connection without a response, `"before"` or `"after"` (also `true`) the request is carried out. Not
   * together with `status` or `truncate`. */
  readonly reset?: boolean | "before" | "after"
  /** Closes the connection in the middle of the response's body; a response without a body is not sent at all. */
  readonly truncate?: boolean
  /** Waits this long, in milliseconds of real time (0 to 604,800,000: 7 days), before anything else. */
  readonly delayMillis?: number
}

/**
 * One request that the sandbox received, without body and token.
 *
 * @since 0.1.0
 * @category models
 */
export interface Seen {
  readonly method: string
  /** The endpoint's path template, `/checkout/sessions/{checkout_session_id}`; absent for any other path. */
  readonly route: string | undefined
  readonly path: string
  /** Header names in lower case; `authorization`, `proxy-authorization` and `cookie` are left out. */
  readonly headers: Readonly<Record<string, string>>
  /** The status of the response; absent if the connection was closed by a fault. */
  readonly status?: number
  /** The duration in milliseconds of real time. */
  readonly millis: number
}

/** The service of a running sandbox. */
export interface Running {
  /** `http://127.0.0.1:{port}` */
  readonly baseUrl: string
  /** The requests so far, oldest first; at most the latest 10,000. */
  readonly seen: Effect.Effect<ReadonlyArray<Seen>>
  /**
   * Sets faults for the next requests, one each, in order; `undefined` is a request that succeeds. Dies with an
   * `IllegalArgumentException` if a fault has an unknown property, or a value that cannot be used.
   */
  readonly failNext: (...faults: ReadonlyArray<Fault | undefined>) => Effect.Effect<void>
  /** The bank behind the transactions. */
  readonly bank: Bank
  /** The tries to deliver webhooks, oldest first; at most the latest 1,000. */
  readonly deliveries: Effect.Effect<ReadonlyArray<Delivery>>
}

/**
 * The bank behind the transactions: what it did, and what a test has it do.
 *
 * @since 0.1.0
 * @category models
 */
export interface Bank {
  /** The transactions as the API sends them, newest first; at most the latest 10,000. */
  readonly transactions: Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>>
  /** The money that it reserved, took, released and gave back, oldest first. */
  readonly booked: Effect.Effect<ReadonlyArray<Booking>>
  /**
   * Changes a transaction as a bank does it later, with names of the wire, e.g. `{ status: "capture_succeeded" }`, and
   * tells the webhooks.
   */
  readonly change: (id: string, changes: Readonly<Record<string, unknown>>) => Effect.Effect<unknown, NotFound>
  /** The bank waits for this effect before it executes a request. */
  readonly wait: (until: Effect.Effect<void>) => Effect.Effect<void>
}

/**
 * An entry of the bank's book.
 *
 * @since 0.1.0
 * @category models
 */
export interface Booking {
  readonly kind: "authorization" | "capture" | "refund" | "void"
  /** The ID of the transaction. */
  readonly transaction: string
  /** In the smallest unit of the currency. */
  readonly amount: number
}

/**
 * One try to deliver an event to a webhook's URL.
 *
 * @since 0.1.0
 * @category models
 */
export interface Delivery {
  /** The ID of the event. */
  readonly event: string
  /** The name of the event, e.g. `"transaction.captured"`. */
  readonly name: string
  readonly url: string
  /** Counts the tries of the event at this URL, from 1. */
  readonly attempt: number
  /** The status of the response; absent if there was none. */
  readonly status?: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** 0 to 65535; 0, the default, is a free port. */
  readonly port?: number
  /** `127.0.0.1` by default. */
  readonly host?: string
  /** The lifetime of a new session, at most 36,500 days; 1 hour by default. */
  readonly sessionLifetime?: Duration.DurationInput
  /**
   * Your own endpoints, served next to the API's, from `Endpoint.implement`. Give an effect if the implementation has
   * state or uses the sandbox's own `CheckoutSessions`. Faults, latency, `seen` and token checks apply to them too. One
   * with the method and path of the API's replaces it; two of them, or one of Checkout Sessions, are a `ServeError`.
   */
  readonly endpoints?: ReadonlyArray<
    Endpoint.Implementation | Effect.Effect<Endpoint.Implementation, never, CheckoutSessions>
  >
  /**
   * URLs that are told what happens, by events signed with `secret`. An event is sent again until a 2xx accepts it, up to
   * 7 times within a minute. More URLs subscribe by `POST /webhook-subscriptions`.
   */
  readonly webhooks?: ReadonlyArray<{ readonly url: string; readonly secret: string }>
  /** Whether the sandbox makes server spans, with the tracer of the program that builds the layer; `false` by default. */
  readonly tracing?: boolean
  /**
   * Checks tokens with this P-521 public key (PEM or JWK): signature, expiry, and the scope of the endpoint. Without it
   * any bearer token is accepted. An invalid key is a `ServeError`.
   */
  readonly publicKey?: string
  /** Faults for the first requests, one each, in order; `undefined` is a request that succeeds. */
  readonly faults?: ReadonlyArray<Fault | undefined>
  /**
   * Random faults, for requests without a scripted one. `rate` is from 0 to 1; the first that applies is used. They use
   * Effect's `Random` of the program that builds the layer, so a seed makes them repeatable.
   */
  readonly faultRates?: ReadonlyArray<{ readonly rate: number; readonly fault: Fault }>
  /** The minimum duration of every response, in real time, at most 7 days; none by default. */
  readonly latency?: Duration.DurationInput
  /** Runs for each request once its response is decided, e.g. to log it. */
  readonly onRequest?: (seen: Seen) => Effect.Effect<void>
}
