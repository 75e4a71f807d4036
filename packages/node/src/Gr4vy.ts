/**
 * The client for Gr4vy: start here.
 *
 * @since 0.1.0
 */

import type * as HttpClient from "@effect/platform/HttpClient"
import {
  CheckoutSessions,
  type CheckoutSessionsService,
  make as makeService
} from "@effect-gr4vy/core/CheckoutSessions"
import { Credentials, type CredentialsService } from "@effect-gr4vy/core/Credentials"
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { type Address, baseUrl, fixedHeaders, Gr4vyHttpClient } from "@effect-gr4vy/core/Gr4vyHttpClient"
import { requestIdHeaders } from "@effect-gr4vy/core/spi/Response"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as HttpPipeline from "./internal/call/pipeline.js"
import { RetryBudget } from "./internal/call/retryBudget.js"
import { fromEnvironment, type TokenOrKey, tokenAndKey } from "./internal/environment.js"
import {
  type Authentication,
  checkNames,
  type Dispatcher,
  everyOption,
  type Options,
  type TokenOptions,
  type TravelOptions
} from "./internal/options.js"
import { goesToMeter, observe } from "./internal/otel/metric.js"
import { serverOf } from "./internal/otel/observation.js"
import type { Lookup } from "./internal/transport/connect.js"
import { loopbackOnly, type PlainHttp } from "./internal/transport/plainHttp.js"
import * as platformTransport from "./internal/transport/platform.js"
import type { Settings as CarrierSettings, Transport } from "./internal/transport/transport.js"
import { name, version } from "./internal/version.js"
import * as RetryPolicy from "./RetryPolicy.js"
import * as SignedCredentials from "./SignedCredentials.js"
import { metricSink } from "./spi/MetricSink.js"

export type { Authentication, Dispatcher, Options, TokenOptions, TravelOptions }

/**
 * Provides `CheckoutSessions` of one Gr4vy instance, and `Gr4vyHttpClient` for your own endpoints. Fails with a
 * `ConfigError` that says what to change if an option is invalid or its name is unknown. Connections close with the layer's scope.
 *
 * @example
 * ```ts
 * import { Gr4vy } from "@effect-gr4vy/node"
 * import { Redacted } from "effect"
 *
 * const Sessions = Gr4vy.layer({ id: "plantly", environment: "sandbox", token: Redacted.make("ey...") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError> =>
  withSessions(makeClient(options))

/**
 * Provides `Gr4vyHttpClient` only, for your own endpoints (`Endpoint.client`) or plain requests by path, with the same
 * token, retries, limits and traces.
 *
 * @example
 * ```ts
 * import { Gr4vy } from "@effect-gr4vy/node"
 * import { Redacted } from "effect"
 *
 * const Client = Gr4vy.layerClient({ id: "plantly", token: Redacted.make("ey..."), scopes: ["transactions.read"] })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient = (options: Options): Layer.Layer<Gr4vyHttpClient, ConfigError.ConfigError> =>
  Layer.scoped(Gr4vyHttpClient, makeClient(options))

/**
 * Like {@link layer}, over any `HttpClient` of `@effect/platform`. The built-in transport is faster and knows more about
 * a failure. `connections` and `maxConnectionAge` have no effect here. Provide a client that neither retries nor follows redirects (`fetch` is
 * told not to), and options for `fetch` next to it.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Gr4vy } from "@effect-gr4vy/node"
 * import { Layer, Redacted } from "effect"
 *
 * const Sessions = Gr4vy.layerWithoutTransport({ id: "plantly", token: Redacted.make("ey...") }).pipe(
 *   Layer.provide(FetchHttpClient.layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWithoutTransport = (
  options: Options
): Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError, HttpClient.HttpClient> =>
  withSessions(Effect.flatMap(authenticate(options), (credentials) => wire(options, credentials, foreignTransport)))

/**
 * Like {@link layer}, with your own `Credentials`, e.g. `Credentials.layerSource` over a secret manager.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWithoutCredentials = (
  options: Address & TravelOptions
): Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError, Credentials> =>
  withSessions(
    Effect.zipRight(
      // One object of options may serve several layers, so a token is not refused here.
      checkNames(options, everyOption),
      Effect.flatMap(Credentials, (credentials) => wire(options, credentials, undiciTransport))
    )
  )

/**
 * Builds the service inside a scope, e.g. one per tenant at run time.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<CheckoutSessionsService, ConfigError.ConfigError, Scope.Scope> =>
  Effect.map(makeClient(options), makeService)

/**
 * Builds the client inside a scope; see {@link layerClient}.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeClient = (options: Options): Effect.Effect<Client, ConfigError.ConfigError, Scope.Scope> =>
  Effect.flatMap(authenticate(options), (credentials) => wire(options, credentials, undiciTransport))

/**
 * The layer from configuration: `GR4VY_ID` and `GR4VY_ENVIRONMENT` (or `GR4VY_BASE_URL`), `GR4VY_TOKEN` or
 * `GR4VY_PRIVATE_KEY` or `GR4VY_PRIVATE_KEY_FILE`, `GR4VY_MERCHANT_ACCOUNT_ID`. The file is read again for each token, so
 * a rotated key needs no restart. Options given here override the configuration. Fails with a `ConfigError` that names the variable and says how to set it.
 *
 * @example
 * ```ts
 * import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
 *
 * const Sessions = Gr4vy.layerConfig({ retry: RetryPolicy.none })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  overrides: Partial<Address> & Partial<Authentication> & TokenOptions & TravelOptions = {}
): Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError> =>
  withSessions(
    fromEnvironment(overrides, (options, authentication) =>
      Effect.flatMap(credentialsOf(authentication, options), (credentials) =>
        wire(options, credentials, undiciTransport)
      )
    )
  )

type Client = HttpClient.HttpClient.With<RequestFailed>

const withSessions = <R>(
  client: Effect.Effect<Client, ConfigError.ConfigError, R>
): Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError, Exclude<R, Scope.Scope>> =>
  Layer.scopedContext(
    Effect.map(client, (client) =>
      Context.add(Context.make(Gr4vyHttpClient, client), CheckoutSessions, makeService(client))
    )
  )

interface Settings extends CarrierSettings {
  readonly origin: string
  readonly connections: number
  readonly maxConnectionAge: number
  readonly lookup: Lookup | undefined
  readonly plainHttp: PlainHttp
  readonly dispatcher: TravelOptions["dispatcher"]
}

interface MakeTransport<R> {
  readonly make: (settings: Settings) => Effect.Effect<Transport, ConfigError.ConfigError, R>
  /** Whether the names below `localhost` lead to this machine, whatever DNS says. */
  readonly connectsToLoopback: (options: TravelOptions) => boolean
}

// Loaded on demand: undici is a fifth of this package's import time, and not every program makes a call.
const loaded = <A>(load: () => Promise<A>): Effect.Effect<A, ConfigError.ConfigError> =>
  Effect.tryPromise({
    try: load,
    catch: (error) =>
      ConfigError.Unsupported(
        [],
        `undici could not be loaded (${error instanceof Error ? error.message : "no reason given"}). In a bundle, leave it external, or give the bundle a "require".`
      )
  })

const ownConnections = (settings: Settings): Effect.Effect<Transport, ConfigError.ConfigError, Scope.Scope> =>
  Effect.flatMap(
    loaded(() => import("./internal/transport/connections.js")),
    (Connections) => Connections.make(settings)
  )

const undiciTransport: MakeTransport<Scope.Scope> = {
  make: (settings) => {
    const { dispatcher, origin } = settings
    if (dispatcher === undefined) return ownConnections(settings)
    // A proxy would get the token in plain text.
    if (dispatcher === "environment" && (origin.startsWith("http:") || !namesProxy())) return ownConnections(settings)
    return Effect.flatMap(
      loaded(() => import("./internal/transport/dispatched.js")),
      (Dispatched) =>
        dispatcher === "environment" ? Dispatched.makeFromEnvironment(settings) : Dispatched.make(dispatcher, settings)
    )
  },
  connectsToLoopback: ({ dispatcher }) => dispatcher === undefined || dispatcher === "environment"
}

/** Whether the environment names a proxy for `https:`. undici reads the same variables. */
const namesProxy = (): boolean =>
  ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"].some((name) => (process.env[name] ?? "") !== "")

const foreignTransport: MakeTransport<HttpClient.HttpClient> = {
  make: (settings) =>
    settings.dispatcher === undefined
      ? platformTransport.make(settings)
      : Effect.fail(
          ConfigError.InvalidData(
            ["dispatcher"],
            "dispatcher has no effect on an HttpClient of yours. Give it to that client, or use Gr4vy.layer."
          )
        ),
  connectsToLoopback: () => false
}

const wire = <R>(
  options: Address & TravelOptions,
  credentials: CredentialsService,
  { connectsToLoopback, make }: MakeTransport<R>
): Effect.Effect<Client, ConfigError.ConfigError, R | Scope.Scope> =>
  Effect.gen(function* () {
    const { dispatcher } = options
    // Nothing but `true`: plain JavaScript may give the text of a variable.
    const exposeTokenOverHttp = options.exposeTokenOverHttp === true
    yield* checkDispatcher(dispatcher)
    const url = yield* baseUrl(options, { connectsToLoopback: connectsToLoopback(options), exposeTokenOverHttp })
    yield* fixedHeaders(options)
    const limits = {
      attempt: yield* timeLimit("attemptTimeout", options.attemptTimeout ?? "10 seconds"),
      deadline: yield* timeLimit("deadline", options.deadline ?? "30 seconds")
    }
    const { metrics: asked = "auto", propagateTrace = true, requestIdHeader } = options
    const host = yield* FiberRef.get(metricSink)
    const metrics = host !== undefined && asked === "auto" ? host : asked
    const requestIdNames =
      requestIdHeader === undefined ? requestIdHeaders : [requestIdHeader.toLowerCase(), ...requestIdHeaders]
    const transport = yield* make({
      origin: new URL(url).origin,
      // `localhost` is this machine, whatever DNS says.
      lookup: url.startsWith("http:") && isLocal(url) ? loopbackOnly : undefined,
      plainHttp: isLocal(url) ? "loopback" : "private",
      dispatcher,
      counted: () => goesToMeter(metrics),
      requestIdNames,
      maxResponseBytes: yield* wholeNumber("maxResponseBytes", options.maxResponseBytes ?? 1024 * 1024),
      connections: yield* wholeNumber("connections", options.connections ?? 64),
      maxConnectionAge: yield* timeLimit("maxConnectionAge", options.maxConnectionAge ?? "5 minutes")
    })
    const budget = new RetryBudget()
    const inFlight = { requests: 0 }
    yield* observe({ server: serverOf(url), metrics, usage: transport.usage, budget, inFlight })
    return HttpPipeline.make(
      {
        baseUrl: url,
        headers: {
          "accept-encoding": "identity",
          "user-agent": `${name}/${version} node/${process.versions.node}`
        },
        merchantAccountId: options.merchantAccountId,
        limits,
        retry: yield* retryPolicy(options.retry ?? RetryPolicy.standard),
        budget,
        credentials,
        propagated: { trace: propagateTrace, baggage: options.propagateBaggage ?? propagateTrace },
        metrics,
        inFlight,
        requestIdNames
      },
      transport
    )
  })

const authenticate = (options: Options): Effect.Effect<CredentialsService, ConfigError.ConfigError, Scope.Scope> =>
  Effect.gen(function* () {
    // First, because a misspelt `token` would read as no token.
    yield* checkNames(options, everyOption)
    const { privateKey, token } = options
    if (token !== undefined && privateKey !== undefined) return yield* Effect.fail(tokenAndKey)
    if (token !== undefined) return yield* credentialsOf({ token }, options)
    if (privateKey !== undefined) return yield* credentialsOf({ key: Effect.succeed(privateKey) }, options)
    return yield* Effect.fail(ConfigError.MissingData(["token"], "Give a token or a private key."))
  })

const credentialsOf = (
  authentication: TokenOrKey,
  { scopes, tokenLifetime }: TokenOptions
): Effect.Effect<CredentialsService, ConfigError.ConfigError, Scope.Scope> =>
  "token" in authentication
    ? Credentials.makeToken(authentication.token)
    : SignedCredentials.makeRotating(authentication.key, {
        ...(scopes === undefined ? {} : { scopes }),
        ...(tokenLifetime === undefined ? {} : { lifetime: tokenLifetime })
      })

/** Whether the token stays on this machine. */
const isLocal = (url: string): boolean => Either.isRight(baseUrl({ baseUrl: url }, { connectsToLoopback: true }))

const checkDispatcher = (dispatcher: TravelOptions["dispatcher"]): Effect.Effect<void, ConfigError.ConfigError> =>
  dispatcher === undefined ||
  dispatcher === "environment" ||
  (Predicate.hasProperty(dispatcher, "dispatch") && Predicate.isFunction(dispatcher.dispatch))
    ? Effect.void
    : Effect.fail(
        ConfigError.InvalidData(
          ["dispatcher"],
          'dispatcher must be one of undici, e.g. new ProxyAgent("http://proxy.internal:3128"), or "environment".'
        )
      )

// Validates policies that were not built with `make`.
const retryPolicy = (
  policy: RetryPolicy.RetryPolicy
): Effect.Effect<RetryPolicy.RetryPolicy, ConfigError.ConfigError> =>
  Effect.try({
    try: () => RetryPolicy.make(policy),
    catch: (error) => ConfigError.InvalidData(["retry"], error instanceof Error ? error.message : String(error))
  })

/** The longest delay of a JavaScript timer. */
const maxTimerMillis = 2 ** 31 - 1

const timeLimit = (field: string, input: Duration.DurationInput): Effect.Effect<number, ConfigError.ConfigError> => {
  const millis = Option.map(Duration.decodeUnknown(input), Duration.toMillis)
  return Option.isSome(millis) && millis.value > 0 && millis.value <= maxTimerMillis
    ? Effect.succeed(millis.value)
    : Effect.fail(
        ConfigError.InvalidData(
          [field],
          `${field} must be more than 0 and at most 24 days, e.g. "10 seconds"; a number is milliseconds.`
        )
      )
}

const wholeNumber = (field: string, value: number): Effect.Effect<number, ConfigError.ConfigError> =>
  Number.isSafeInteger(value) && value > 0
    ? Effect.succeed(value)
    : Effect.fail(ConfigError.InvalidData([field], `${field} must be a whole number of at least 1.`))
