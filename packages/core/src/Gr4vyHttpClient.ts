/**
 * An `HttpClient` for one Gr4vy instance: it adds address and token, and fails with `RequestFailed`.
 * `@effect-gr4vy/node` provides it with retries, limits and traces; the plain layer here works over any `HttpClient`.
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FiberRef from "effect/FiberRef"
import { dual } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import { bearer, Credentials } from "./Credentials.js"
import { RequestFailed } from "./Errors.js"
import { isEndpointRequest } from "./spi/EndpointRequest.js"
import * as MerchantAccount from "./spi/MerchantAccount.js"
import { unknownName } from "./spi/Names.js"
import * as PlatformClient from "./spi/PlatformClient.js"
import { BufferedResponse } from "./spi/Response.js"

/**
 * The address of the API: the id of an instance, or a base URL (a white-label host, a proxy, the sandbox server).
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
 * An authenticated `HttpClient` for one Gr4vy instance. Its requests name a path.
 *
 * @since 0.1.0
 * @category services
 */
export class Gr4vyHttpClient extends Context.Tag("@effect-gr4vy/core/Gr4vyHttpClient")<
  Gr4vyHttpClient,
  HttpClient.HttpClient.With<RequestFailed>
>() {
  /**
   * The plain client: address and bearer token over any `HttpClient`, e.g. `FetchHttpClient.layer`. One request per
   * call, no retries, no limits. `fetch` does not follow redirects here.
   *
   * Fails with a `ConfigError` if the address or the merchant account id is invalid.
   *
   * @example
   * ```ts
   * import { CheckoutSessions, Credentials, Gr4vyHttpClient } from "@effect-gr4vy/core"
   * import { FetchHttpClient } from "@effect/platform"
   * import { Layer, Redacted } from "effect"
   *
   * const Gr4vy = CheckoutSessions.layer.pipe(
   *   Layer.provide(Gr4vyHttpClient.layer({ id: "plantly", environment: "sandbox" })),
   *   Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make("ey..."))])
   * )
   * ```
   *
   * @since 0.1.0
   */
  static readonly layer = (
    options: Address & { readonly merchantAccountId?: string }
  ): Layer.Layer<Gr4vyHttpClient, ConfigError.ConfigError, HttpClient.HttpClient | Credentials> =>
    Layer.effect(Gr4vyHttpClient, makePlain(options))

  /**
   * Uses this merchant account for every request of an effect, one call or a whole program. It overrides the client's
   * `merchantAccountId`. An id that is not a valid header value fails the call with `RequestFailed`, reason
   * `InvalidRequest`, before anything is sent.
   *
   * @example
   * ```ts
   * import { CheckoutSessions, Gr4vyHttpClient } from "@effect-gr4vy/core"
   * import { Effect } from "effect"
   *
   * const program = Effect.flatMap(CheckoutSessions, (sessions) =>
   *   sessions.add().pipe(Gr4vyHttpClient.withMerchantAccount("acme-eu"))
   * )
   * ```
   *
   * @since 0.1.0
   */
  static readonly withMerchantAccount: {
    (id: string): <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    <A, E, R>(effect: Effect.Effect<A, E, R>, id: string): Effect.Effect<A, E, R>
  } = dual(
    2,
    <A, E, R>(effect: Effect.Effect<A, E, R>, id: string): Effect.Effect<A, E, R> =>
      Effect.locally(effect, MerchantAccount.override, id)
  )
}

/**
 * Returns the base URL of an address, without a trailing slash, or a `ConfigError` that says what is wrong. A name below
 * `localhost` is accepted for `http:` only if the client connects it to a loopback address by itself: elsewhere DNS
 * decides who gets the token.
 *
 * @since 0.1.0
 * @category address
 */
export const baseUrl = (
  address: Address,
  client: {
    readonly connectsToLoopback: boolean
    /** Whether the program accepts `http:` for any host. */
    readonly exposeTokenOverHttp?: boolean
  } = { connectsToLoopback: false }
): Either.Either<string, ConfigError.ConfigError> =>
  address.baseUrl === undefined
    ? instanceUrl(address.id, address.environment ?? "sandbox")
    : customUrl(address.baseUrl, client)

/**
 * Returns the headers that every request carries, or a `ConfigError` that says what is wrong.
 *
 * @since 0.1.0
 * @category headers
 */
export const fixedHeaders = (options: {
  readonly merchantAccountId?: string | undefined
}): Either.Either<Record<string, string>, ConfigError.ConfigError> => {
  const id = options.merchantAccountId
  if (id === undefined) return Either.right({})
  const problem = MerchantAccount.problemOf(id)
  return problem === undefined ? Either.right({ [MerchantAccount.header]: id }) : invalid("merchantAccountId", problem)
}

/**
 * Returns the `Authorization` header for a token, or a failure. Never shows the token.
 *
 * @since 0.1.0
 * @category headers
 */
export const authorization = (token: Parameters<typeof bearer>[0]): Either.Either<string, RequestFailed> =>
  Either.mapLeft(
    bearer(token),
    (problem) =>
      new RequestFailed({
        reason: "Credentials",
        delivered: "no",
        attempts: 0,
        message: `${problem} Nothing was sent.`
      })
  )

const invalid = (field: string, problem: string): Either.Either<never, ConfigError.ConfigError> =>
  Either.left(ConfigError.InvalidData([field], problem))

// One or more DNS labels (RFC 1123, section 2.1).
const hostLabels = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/

const instanceUrl = (id: string, environment: string): Either.Either<string, ConfigError.ConfigError> => {
  // A whole host name in place of its subdomain would fail only at the first call, as an unknown host.
  if (!Predicate.isString(id) || !hostLabels.test(id) || id.toLowerCase().endsWith(".gr4vy.app")) {
    return invalid(
      "id",
      'The instance id must be the subdomain of your Gr4vy instance, e.g. "plantly": letters, digits and dashes.'
    )
  }
  switch (environment) {
    case "production":
      return Either.right(`https://api.${id}.gr4vy.app`)
    case "sandbox":
      return Either.right(`https://api.sandbox.${id}.gr4vy.app`)
    default:
      return invalid("environment", 'The environment must be "sandbox" or "production".')
  }
}

const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)

const customUrl = (
  input: string | URL,
  { connectsToLoopback, exposeTokenOverHttp = false }: Parameters<typeof baseUrl>[1] & {}
): Either.Either<string, ConfigError.ConfigError> => {
  const parsed = Either.try(() => new URL(input))
  if (Either.isLeft(parsed)) {
    return invalid("baseUrl", 'The base URL is not a URL. Give a complete one, e.g. "https://api.plantly.gr4vy.app".')
  }
  const url = parsed.right
  if (url.username !== "" || url.password !== "") {
    return invalid(
      "baseUrl",
      "The base URL contains credentials: remove them, and give a token or a private key instead."
    )
  }
  const mayBePlain = url.protocol === "http:" && exposeTokenOverHttp
  if (url.protocol === "http:" && url.hostname.endsWith(".localhost") && !connectsToLoopback && !mayBePlain) {
    return invalid(
      "baseUrl",
      "http:// is for localhost, 127.0.0.1 and [::1] here: this client does not control which address another name leads to, and the token would travel in the open."
    )
  }
  const isLocal = isLoopback(url.hostname) || url.hostname.endsWith(".localhost")
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLocal) && !mayBePlain) {
    return invalid(
      "baseUrl",
      "The base URL must begin with https:// (http:// is for loopback hosts only): the token would travel in the open."
    )
  }
  if (url.search !== "" || url.hash !== "") {
    return invalid("baseUrl", "The base URL has a query or a fragment: remove it.")
  }
  return Either.right(url.origin + url.pathname.replace(/\/+$/, ""))
}

/**
 * The failure of a request with a complete URL: the token goes to one origin only.
 *
 * @since 0.1.0
 * @category address
 */
export const notAPath: RequestFailed = new RequestFailed({
  reason: "InvalidRequest",
  delivered: "no",
  attempts: 0,
  message: 'Nothing was sent: a request to a Gr4vyHttpClient names a path that begins with "/", not a URL.'
})

/**
 * Builds a client from a function, without middleware and spans.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromExecute = <E>(
  execute: (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<HttpClientResponse.HttpClientResponse, E>
): HttpClient.HttpClient.With<E> =>
  HttpClient.makeWith<never, never, E, never>((request) => Effect.flatMap(request, execute), Effect.succeed)

const optionNames = { id: true, environment: true, baseUrl: true, merchantAccountId: true }

const makePlain = (options: Address & { readonly merchantAccountId?: string }) =>
  Effect.gen(function* () {
    // Options of another client may be shared, so a name that resembles none of these is not refused.
    const unknown = unknownName(options, optionNames, "near")
    if (unknown !== undefined) return yield* invalid(unknown.name, unknown.message)
    const url = yield* baseUrl(options)
    const headers = yield* fixedHeaders(options)
    const credentials = yield* Credentials
    const client = yield* PlatformClient.fromContext

    const execute = (request: HttpClientRequest.HttpClientRequest) =>
      Effect.gen(function* () {
        if (!request.url.startsWith("/")) return yield* notAPath
        const call = isEndpointRequest(request) ? request : undefined
        const ownAccount = call?.merchantAccountId ?? (yield* FiberRef.get(MerchantAccount.override))
        const problem = ownAccount === undefined ? undefined : MerchantAccount.problemOf(ownAccount)
        if (problem !== undefined) return yield* MerchantAccount.invalid(problem)
        const value = yield* authorization(yield* credentials.token)
        const sent = request.pipe(
          HttpClientRequest.prependUrl(url),
          HttpClientRequest.setHeaders({
            ...headers,
            ...(ownAccount === undefined ? {} : { [MerchantAccount.header]: ownAccount }),
            authorization: value
          })
        )
        if (call?.beforeSend !== undefined) yield* call.beforeSend(1)
        const exchange = client.execute(sent).pipe(
          Effect.flatMap((response) =>
            Effect.map(response.text, (text) => new BufferedResponse(sent, response.status, response.headers, text))
          ),
          PlatformClient.mapFailures,
          Effect.mapError((failure) => failure.toRequestFailed(1))
        )
        const timeout = call?.attemptTimeout
        return yield* timeout === undefined
          ? exchange
          : Effect.timeoutFail(exchange, { duration: timeout, onTimeout: () => timedOut(timeout) })
      })

    return fromExecute(execute)
  })

const timedOut = (millis: number): RequestFailed =>
  new RequestFailed({
    reason: "Timeout",
    delivered: "unknown",
    attempts: 1,
    message: `No complete response within ${millis} ms, the attemptTimeout of this call. Whether the API acted on the request is unknown.`
  })
