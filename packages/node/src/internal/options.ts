/**
 * The options of a client, and their names, to refuse a misspelt one. A name that is missing here does not compile.
 */
import type { Address } from "@effect-gr4vy/core/Gr4vyHttpClient"
import { unknownName } from "@effect-gr4vy/core/spi/Names"
import * as ConfigError from "effect/ConfigError"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as RetryPolicy from "../RetryPolicy.js"
import type * as Telemetry from "../Telemetry.js"

/**
 * The authentication: a token, or the private key that signs tokens.
 *
 * @since 0.1.0
 * @category models
 */
export type Authentication =
  | {
      /** A bearer token that is valid for the lifetime of the layer. */
      readonly token: Redacted.Redacted
      readonly privateKey?: never
    }
  | {
      /** The private key of your Gr4vy instance: PEM (PKCS#8), P-521. Tokens are signed, cached and renewed. */
      readonly privateKey: Redacted.Redacted
      readonly token?: never
    }

/**
 * A dispatcher of undici 7 or later, e.g. `ProxyAgent`, `Agent`, `Pool` or `MockAgent`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dispatcher {
  /** Sends a request and reports to the handler. */
  dispatch(options: object, handler: object): boolean
}

/**
 * Options for requests: retries, limits, traces. Every one has a default.
 *
 * @since 0.1.0
 * @category models
 */
export interface TravelOptions {
  /** Sent as `x-gr4vy-merchant-account-id`. */
  readonly merchantAccountId?: string
  /** The retry policy; `RetryPolicy.standard` by default. */
  readonly retry?: RetryPolicy.RetryPolicy
  /**
   * The time limit of one request: connecting, sending, headers and the whole body. 10 s by default; an endpoint may ask
   * for more. It starts when a connection is free: the wait for one counts towards the deadline only.
   */
  readonly attemptTimeout?: Duration.DurationInput
  /** The time limit of a call: every attempt, every wait. 30 s by default. */
  readonly deadline?: Duration.DurationInput
  /** The largest response body in bytes. 1 MiB by default. */
  readonly maxResponseBytes?: number
  /** The maximum number of connections; further requests wait for one. 64 by default. */
  readonly connections?: number
  /**
   * How long a connection is used for new requests; then the host's name is resolved again, so that a client follows DNS.
   * 5 minutes by default; more than 0 and at most 24 days.
   */
  readonly maxConnectionAge?: Duration.DurationInput
  /**
   * Carries the requests in place of the client's own connections: a proxy, a private certificate authority, a client
   * certificate, a mock. `"environment"` takes the proxy from `HTTPS_PROXY`, except for the hosts in `NO_PROXY`. Its sockets
   * are its own: `maxConnectionAge` is not used, `connections` limits the requests at a time. The program closes a
   * dispatcher that it gives, after the layer's scope. A dispatcher must not retry, follow redirects or cache.
   */
  readonly dispatcher?: Dispatcher | "environment"
  /**
   * Accepts an `http:` base URL of any host, e.g. `http://sandbox:4010` in a compose file. Everyone on the network path can
   * read the token and the payloads, so the host must have a private address (RFC 1918, RFC 4193 or link-local). `false` by
   * default: `http:` is for loopback hosts.
   */
  readonly exposeTokenOverHttp?: boolean
  /** Whether requests carry the trace context (`traceparent`). `true` by default. */
  readonly propagateTrace?: boolean
  /** Whether requests carry OpenTelemetry's baggage, if the registered propagator sends it. As `propagateTrace` by default. */
  readonly propagateBaggage?: boolean
  /** The sink of metrics. `"auto"` by default: OpenTelemetry if a meter provider is registered, else Effect. */
  readonly metrics?: Telemetry.Metrics
  /** A response header with the request's id; it is read before the usual ones (`x-request-id` …). */
  readonly requestIdHeader?: string
}

/**
 * Tokens that are signed with `privateKey`.
 *
 * @since 0.1.0
 * @category models
 */
export interface TokenOptions {
  /** `checkout-sessions.read` and `checkout-sessions.write` by default. */
  readonly scopes?: ReadonlyArray<string>
  /** 5 minutes by default, 30 seconds to 24 hours. */
  readonly tokenLifetime?: Duration.DurationInput
}

/**
 * @since 0.1.0
 * @category models
 */
export type Options = Address & Authentication & TokenOptions & TravelOptions

type KeysOf<T> = T extends T ? keyof T : never

/** The names of the properties of a `T`, of every member of a union. */
export type Names<T> = Readonly<Record<KeysOf<T>, true>>

export const everyOption: Names<Address | TravelOptions | Authentication | TokenOptions> = {
  id: true,
  environment: true,
  baseUrl: true,
  merchantAccountId: true,
  retry: true,
  attemptTimeout: true,
  deadline: true,
  maxResponseBytes: true,
  connections: true,
  maxConnectionAge: true,
  dispatcher: true,
  exposeTokenOverHttp: true,
  propagateTrace: true,
  propagateBaggage: true,
  metrics: true,
  requestIdHeader: true,
  token: true,
  privateKey: true,
  scopes: true,
  tokenLifetime: true
}

/** Fails with a `ConfigError` about the first option that is not one of the names. */
export const checkNames = (
  options: object,
  known: Readonly<Record<string, true>>
): Effect.Effect<void, ConfigError.ConfigError> => {
  const unknown = unknownName(options, known)
  return unknown === undefined
    ? Effect.void
    : Effect.fail(ConfigError.InvalidData([unknown.name], `${sentence(unknown.message)}.`))
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
