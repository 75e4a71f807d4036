/**
 * The client for one Gr4vy instance: its connections, tokens, retries and limits. Every service of this package is a face of
 * one.
 *
 * @since 0.1.0
 */
import { type Engine, type HostMetrics, open, type Settings, Unusable } from "@effect-gr4vy/promise/spi/bridge"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Generic, NotFound, RequestFailed, Unauthorized } from "./Errors.js"
import { policyOf, run, workOf } from "./internal/host.js"
import { metricsIn } from "./internal/metrics.js"
import { values } from "./internal/values.js"
import type { RetryPolicy } from "./RetryPolicy.js"

/**
 * The address of a Gr4vy instance: an id, or a complete URL.
 *
 * @since 0.1.0
 * @category models
 */
export type Address =
  | {
      /** The subdomain of your Gr4vy instance, e.g. `plantly`. */
      readonly id: string
      /** `"sandbox"` by default. */
      readonly environment?: "sandbox" | "production"
      readonly baseUrl?: never
    }
  | {
      /** `https:`, or `http:` on a loopback host; without credentials. A path in it becomes a prefix. */
      readonly baseUrl: string | URL
      readonly id?: never
      readonly environment?: never
    }

/**
 * A token and its expiry.
 *
 * @since 0.1.0
 * @category models
 */
export interface ExpiringToken {
  readonly token: Redacted.Redacted<string>
  readonly expiresAt: DateTime.DateTime
}

/**
 * The authentication: a token, the private key that signs tokens, or your own source of tokens.
 *
 * @since 0.1.0
 * @category models
 */
export type Authentication =
  | {
      /** A bearer token that is valid for the lifetime of the layer. */
      readonly token: Redacted.Redacted<string>
      readonly privateKey?: never
      readonly getToken?: never
    }
  | {
      /** The private key of your Gr4vy instance: PEM (PKCS#8), P-521. Tokens are signed, cached and renewed. */
      readonly privateKey: Redacted.Redacted<string>
      readonly token?: never
      readonly getToken?: never
    }
  | {
      /**
       * Gets a token from your own source, e.g. a secret manager. It runs when the first request needs a token, again when 20 %
       * of a token's lifetime is left, and once after a 401; one run serves all requests that wait. Its failure is
       * `RequestFailed`, reason `Credentials`, and is named by its `_tag` alone.
       */
      readonly getToken: Effect.Effect<ExpiringToken, unknown>
      readonly token?: never
      readonly privateKey?: never
    }

/**
 * Options for tokens and requests. Every one has a default.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientOptions {
  /** The scopes of signed tokens: `checkout-sessions.read` and `checkout-sessions.write` by default. */
  readonly scopes?: ReadonlyArray<string>
  /** The lifetime of signed tokens: 5 minutes by default, 30 seconds to 24 hours. */
  readonly tokenLifetime?: Duration.Input
  /** Sent as `x-gr4vy-merchant-account-id`. */
  readonly merchantAccountId?: string
  /** The retry policy; `RetryPolicy.standard` by default. */
  readonly retry?: RetryPolicy
  /** The time limit of one request: connecting, sending, headers and the whole body. 10 s by default. */
  readonly attemptTimeout?: Duration.Input
  /** The time limit of a call: every attempt, every wait. 30 s by default. */
  readonly deadline?: Duration.Input
  /** The largest response body in bytes. 1 MiB by default. */
  readonly maxResponseBytes?: number
  /** The maximum number of connections; further requests wait for one. 64 by default. */
  readonly connections?: number
  /**
   * How long a connection is used for new requests; then the host's name is resolved again. 5 minutes by default; more than 0
   * and at most 24 days.
   */
  readonly maxConnectionAge?: Duration.Input
  /** Whether requests carry the trace context (`traceparent`). `true` by default. */
  readonly propagateTrace?: boolean
  /** Whether requests carry OpenTelemetry's baggage. As `propagateTrace` by default. */
  readonly propagateBaggage?: boolean
  /**
   * The sink of metrics. `"auto"` by default: OpenTelemetry if the process has registered a meter provider, else Effect's
   * `Metric`.
   */
  readonly metrics?: "auto" | "otel" | "off"
  /** A response header with the request's id; it is read before the usual ones (`x-request-id` …). */
  readonly requestIdHeader?: string
}

/**
 * The options of {@link layer}.
 *
 * @since 0.1.0
 * @category models
 */
export type Options = Address & Authentication & ClientOptions

/**
 * The options of {@link layerConfig}. What is given overrides the configuration.
 *
 * @since 0.1.0
 * @category models
 */
export type Overrides = Partial<Address> &
  ({ readonly [K in "token" | "privateKey"]?: Redacted.Redacted<string> } & { readonly getToken?: never }) &
  ClientOptions

/**
 * The client as a service. Its layers close every connection with their scope.
 *
 * @example
 * ```ts
 * import { CheckoutSessions, Gr4vy } from "@effect-gr4vy/effect4"
 * import { Layer, Redacted } from "effect"
 *
 * const Client = Gr4vy.layer({ id: "plantly", token: Redacted.make("ey...") })
 * const Sessions = Layer.provide(CheckoutSessions.layerClient, Client)
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export class Gr4vy extends Context.Service<Gr4vy, Engine>()("@effect-gr4vy/effect4/Gr4vy") {
  /**
   * The client from options. Fails with a `ConfigError` that says what to change if an option is missing, invalid or unknown.
   *
   * @since 0.1.0
   */
  static readonly layer = (options: Options): Layer.Layer<Gr4vy, Config.ConfigError> =>
    Layer.effect(Gr4vy, opened(options, Effect.undefined))

  /**
   * The client from the configuration: `GR4VY_ID` and `GR4VY_ENVIRONMENT` (or `GR4VY_BASE_URL`), `GR4VY_TOKEN` or
   * `GR4VY_PRIVATE_KEY` or `GR4VY_PRIVATE_KEY_FILE`, `GR4VY_MERCHANT_ACCOUNT_ID`. Fails with a `ConfigError` that names the
   * variable and says how to set it.
   *
   * @since 0.1.0
   */
  static readonly layerConfig = (overrides: Overrides = {}): Layer.Layer<Gr4vy, Config.ConfigError> =>
    Layer.effect(Gr4vy, opened(overrides, configuration))
}

/**
 * Any other request of the API, with the same token, retries, limits, spans and errors. Succeeds with the JSON of the response
 * as it is on the wire, or with `undefined` for an empty body. A GET, PUT or DELETE is retried as `get` of a session is; a POST
 * with an `idempotencyKey` is retried with that key, and a POST or PATCH without one is never retried once it may have arrived.
 * Signed tokens need the scopes of what you call: see `scopes`.
 *
 * @example
 * ```ts
 * import { request } from "@effect-gr4vy/effect4"
 *
 * const transaction = request("POST", "/transactions", {
 *   body: { amount: 1299, currency: "USD", payment_method: { method: "checkout-session", id: "8724fd24-..." } },
 *   idempotencyKey: "order-1001/1"
 * })
 * ```
 *
 * @since 0.1.0
 * @category requests
 */
export const request = (
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  options: {
    /** Sent as JSON. A value that JSON would change in silence is refused before anything is sent. */
    readonly body?: unknown
    /** Sent as `Idempotency-Key`, 1 to 255 visible ASCII characters, where the operation honours it; refused elsewhere. */
    readonly idempotencyKey?: string
  } = {}
): Effect.Effect<unknown, Unauthorized | NotFound | Generic | RequestFailed, Gr4vy> =>
  Effect.flatMap(Gr4vy, (engine) =>
    run((host, done) =>
      engine.request({ method, path, body: options.body, idempotencyKey: options.idempotencyKey }, host, done)
    )
  )

const opened = (
  options: Overrides | Options,
  configuration: Effect.Effect<Settings["config"], Config.ConfigError>
): Effect.Effect<Engine, Config.ConfigError, Scope.Scope> =>
  Effect.gen(function* () {
    const config = yield* configuration
    const context = yield* Effect.context()
    return yield* Effect.acquireRelease(engineOf(settingsOf(options, config, context, metricsIn(context))), (engine) =>
      Effect.promise(() => engine.close())
    )
  })

const engineOf = (settings: Settings): Effect.Effect<Engine, Config.ConfigError> =>
  Effect.flatMap(
    Effect.promise(() => open(settings, values).catch(unusable)),
    (opened) => (opened instanceof Unusable ? Effect.fail(configError(opened)) : Effect.succeed(opened))
  )

const unusable = (error: unknown): Unusable => {
  if (error instanceof Unusable) return error
  throw error
}

/** An option that cannot be used, as Effect 4 says it. */
export const configError = ({ message }: Unusable): Config.ConfigError =>
  new Config.ConfigError(new ConfigProvider.SourceError({ message }))

const settingsOf = (
  options: Overrides | Options,
  config: Settings["config"],
  context: Context.Context<never>,
  metrics: HostMetrics
): Settings => {
  const { getToken, retry, ...others } = options
  return {
    options: durationsOf(others),
    config,
    getToken: getToken === undefined ? undefined : workOf(getToken, context),
    policy: retry === undefined ? undefined : policyOf(retry),
    metrics
  }
}

const durations = new Set(["tokenLifetime", "attemptTimeout", "deadline", "maxConnectionAge", "lifetime", "tolerance"])

/** The options with durations of any form as `Duration`s. The engine refuses one that is none, by its name. */
export const durationsOf = (options: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]: readonly [string, unknown]) => [
      name,
      durations.has(name) ? Option.getOrElse(Duration.fromInput(value as Duration.Input), () => value) : value
    ])
  )

const variables = [
  "GR4VY_ID",
  "GR4VY_ENVIRONMENT",
  "GR4VY_BASE_URL",
  "GR4VY_TOKEN",
  "GR4VY_PRIVATE_KEY",
  "GR4VY_PRIVATE_KEY_FILE",
  "GR4VY_MERCHANT_ACCOUNT_ID"
]

// A provider that changes the case of names takes the 4 of `GR4VY_ID` for the end of a word, but not that of `gr4vy_id`.
const configuration: Effect.Effect<Readonly<Record<string, string>>, Config.ConfigError> = Effect.map(
  Effect.forEach(
    variables.flatMap((name) => [name, name.toLowerCase()]),
    (name) => Effect.map(Config.option(Config.String(name)), (value) => [name, value] as const)
  ),
  (found) =>
    Object.fromEntries(found.flatMap(([name, value]) => (Option.isSome(value) ? [[name, value.value] as const] : [])))
)
