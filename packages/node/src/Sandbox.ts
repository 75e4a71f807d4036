/**
 * A local Gr4vy Checkout Sessions API: the contract served on loopback over the in-memory service, with faults on
 * request. It keeps no card number and no security code anywhere.
 *
 * @since 0.1.0
 */

import type * as HttpServerError from "@effect/platform/HttpServerError"
import type { CheckoutSessions } from "@effect-gr4vy/core/CheckoutSessions"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * What goes wrong with one request. Parts combine: a status can come late, or be cut in half.
 *
 * @since 0.1.0
 * @category models
 */
export interface Fault {
  /** Answers with this status (200 to 599) and the API's own error, without carrying out the request. */
  readonly status?: number
  /** The error's code; `sandbox_fault` by default. */
  readonly code?: string
  /** The error's message. */
  readonly message?: string
  /** Adds `Retry-After` to the answer of `status`, in seconds. */
  readonly retryAfterSeconds?: number
  /** Cuts the connection instead of an answer: `"before"` or `"after"` (also `true`) the request is carried out. */
  readonly reset?: boolean | "before" | "after"
  /** Cuts the connection in the middle of the answer's body; an answer without a body is not sent at all. */
  readonly truncate?: boolean
  /** Waits this long, in milliseconds of real time, before anything else. */
  readonly delayMillis?: number
}

/**
 * One request as the sandbox saw it: never its body, never a token.
 *
 * @since 0.1.0
 * @category models
 */
export interface Seen {
  readonly method: string
  /** The endpoint's template of the path, `/checkout/sessions/{checkout_session_id}`; absent for any other path. */
  readonly route: string | undefined
  readonly path: string
  /** Header names in lower case; `authorization`, `proxy-authorization` and `cookie` are left out. */
  readonly headers: Readonly<Record<string, string>>
  /** The status of the answer; absent when the connection was cut. */
  readonly status?: number
  /** How long it took, in milliseconds of real time. */
  readonly millis: number
}

/**
 * A running sandbox.
 *
 * @since 0.1.0
 * @category services
 */
export class Sandbox extends Context.Tag("@effect-gr4vy/node/Sandbox")<
  Sandbox,
  {
    /** `http://127.0.0.1:{port}` */
    readonly baseUrl: string
    /** What it has seen so far, oldest first; the latest 10,000 requests. */
    readonly seen: Effect.Effect<ReadonlyArray<Seen>>
    /** Lets the next requests go wrong, one fault each, in order; `undefined` is a request that goes well. */
    readonly failNext: (...faults: ReadonlyArray<Fault | undefined>) => Effect.Effect<void>
  }
>() {}

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** A free port by default. */
  readonly port?: number
  /** `127.0.0.1` by default. */
  readonly host?: string
  /** How long a new session lives; 1 hour by default. */
  readonly sessionLifetime?: Duration.DurationInput
  /**
   * Endpoints of your own that it serves beside Checkout Sessions, as `Endpoint.implement` gives them. Give an effect
   * where the implementation keeps state, or looks at the sandbox's own `CheckoutSessions`. Faults, latency, `seen` and
   * the check of tokens apply to them as well. Two endpoints with the same method and path are a `ServeError`.
   */
  readonly endpoints?: ReadonlyArray<
    Endpoint.Implementation | Effect.Effect<Endpoint.Implementation, never, CheckoutSessions>
  >
  /** Whether it makes server spans, by the tracer of whoever builds the layer; `false` by default. */
  readonly tracing?: boolean
  /**
   * Checks tokens with this P-521 public key (PEM or JWK): signature, life, and the scope of the
   * endpoint. Without it any bearer will do. A
   * key that is not one is a `ServeError`.
   */
  readonly publicKey?: string
  /** Faults for the first requests, one each, in order; `undefined` is a request that goes well. */
  readonly faults?: ReadonlyArray<Fault | undefined>
  /**
   * Faults by chance, for requests that meet no scripted one: `rate` is from 0 to 1, the first that applies is taken. By
   * the `Random` of whoever builds the layer, so that a seed decides.
   */
  readonly faultRates?: ReadonlyArray<{ readonly rate: number; readonly fault: Fault }>
  /** Every answer takes at least this long, in real time. */
  readonly latency?: Duration.DurationInput
  /** Runs for each request once its answer is decided: a log, for example. */
  readonly onRequest?: (seen: Seen) => Effect.Effect<void>
}

/**
 * A sandbox that runs as long as the layer lives. Fails with a `ServeError` when the port is in use.
 *
 * A request can bring its own faults: `x-sandbox-script: my-key; 503, reset, ok` goes through these steps, one for each
 * request with that key, and well after the last. It describes itself at `/openapi.json` and `/docs`.
 *
 * @example
 * ```ts
 * import { Gr4vy, Sandbox } from "@effect-gr4vy/node"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const Sessions = Layer.unwrapEffect(
 *   Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("any") }))
 * ).pipe(Layer.provide(Sandbox.layer()))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Sandbox, HttpServerError.ServeError> =>
  Layer.scoped(
    Sandbox,
    Effect.flatMap(
      Effect.promise(() => import("./internal/sandbox/server.js")),
      ({ start }) => start(options)
    )
  )
