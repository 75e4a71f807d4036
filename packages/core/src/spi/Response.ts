/**
 * A response with its complete body, as an `HttpClientResponse` of `@effect/platform`. It hides the request: errors about
 * a response contain its request, which has the token and maybe a card.
 *
 * @since 0.1.0
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import type { HttpMethod } from "@effect/platform/HttpMethod"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { scrub } from "../internal/scrub/scrub.js"
import type { EndpointRequest, Unusable } from "./EndpointRequest.js"

/**
 * The number of requests that a response took; 1 for a client without retries.
 *
 * @since 0.1.0
 * @category accessors
 */
export const attemptsOf = (response: HttpClientResponse.HttpClientResponse): number =>
  response instanceof BufferedResponse ? response.attempts : 1

/**
 * The header names that servers and gateways give a request's id, in the order they are looked for.
 *
 * @since 0.1.0
 * @category request ids
 */
export const requestIdHeaders: ReadonlyArray<string> = [
  "x-gr4vy-request-id",
  "x-request-id",
  "request-id",
  "x-correlation-id",
  "x-amzn-requestid",
  "cf-ray"
]

/**
 * The id the server gave a request, unless it may be one of these secrets.
 *
 * @since 0.1.0
 * @category request ids
 */
export const requestIdOf = (
  response: HttpClientResponse.HttpClientResponse,
  secrets: ReadonlyArray<string>
): string | undefined => {
  const names = response instanceof BufferedResponse ? response.requestIdNames : requestIdHeaders
  return requestIdIn(response.headers, names, () => [...secrets, ...BufferedResponse.tokenOf(response)])
}

/**
 * The id in a response's headers, by the first of these names. A server may send anything, even its input: an id is short,
 * visible, not a card number and not a secret.
 *
 * @since 0.1.0
 * @category request ids
 */
export const requestIdIn = (
  headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
  names: ReadonlyArray<string>,
  secrets: () => ReadonlyArray<string>
): string | undefined => {
  for (const name of names) {
    const header = headers[name]
    if (header === undefined) continue
    const value = typeof header === "string" ? header : header[0]
    if (value !== undefined && /^[\x21-\x7e]{1,128}$/.test(value) && scrub(value, secrets()) === value) return value
  }
  return undefined
}

/**
 * A request as it was sent, with every header.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sent {
  readonly method: HttpMethod
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** What no server may say back, besides the token. */
  readonly secrets?: (() => ReadonlyArray<string>) | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export class BufferedResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  /** The number of requests it took. */
  attempts = 1

  // Private fields, not only private to the compiler, so that no inspection shows them.
  readonly #sent: Sent
  readonly #headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly #body: string
  #decoded: Either.Either<unknown, Unusable> | undefined = undefined

  constructor(
    sent: Sent,
    readonly status: number,
    headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
    body: string,
    /** The header names that may contain the request's id; the first match wins. */
    readonly requestIdNames: ReadonlyArray<string> = requestIdHeaders
  ) {
    super()
    this.#sent = sent
    this.#headers = headers
    this.#body = body
  }

  /** The token of the request, to remove it from the server's messages. */
  static tokenOf(response: HttpClientResponse.HttpClientResponse): ReadonlyArray<string> {
    const header = (#sent in response ? response.#sent : response.request).headers["authorization"]
    return header === undefined ? [] : [header.replace(/^Bearer /, "")]
  }

  /** The decoded 2xx by the request's endpoint, decoded once for the attempt's span and for the call. */
  decodedBy(request: EndpointRequest): Either.Either<unknown, Unusable> {
    this.#decoded ??= request.decode(this.status, this.#body)
    return this.#decoded
  }

  /** The id the server gave the request. */
  get requestId(): string | undefined {
    return requestIdIn(this.#headers, this.requestIdNames, () => [
      ...(this.#sent.secrets?.() ?? []),
      ...BufferedResponse.tokenOf(this)
    ])
  }

  /** The request by its method and address, without headers and body. */
  get request(): HttpClientRequest.HttpClientRequest {
    return HttpClientRequest.make(this.#sent.method)(this.#sent.url)
  }

  get headers(): Headers.Headers {
    return Headers.fromInput(this.#headers)
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie([this.#headers["set-cookie"] ?? []].flat())
  }

  get remoteAddress(): Option.Option<string> {
    return Option.none()
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.succeed(this.#body)
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.try({
      try: (): unknown => {
        const body = this.#body.replace(/^\uFEFF/, "")
        return body === "" ? null : JSON.parse(body)
      },
      catch: () => this.#unreadable()
    })
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return Effect.sync(() => UrlParams.fromInput(new URLSearchParams(this.#body)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.tryPromise({
      try: () => new Response(this.#body, { headers: this.headers }).formData(),
      catch: () => this.#unreadable()
    })
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.ResponseError> {
    return Effect.sync(() => this.#bytes().buffer)
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    return Stream.sync(() => this.#bytes())
  }

  /** A response that replaces this one: another status, without a body. */
  replacedBy(status: number): BufferedResponse {
    const other = new BufferedResponse(this.#sent, status, this.#headers, "", this.requestIdNames)
    other.attempts = this.attempts
    return other
  }

  toJSON(): unknown {
    return { _id: "@effect/platform/HttpClientResponse", status: this.status }
  }

  #bytes() {
    return new TextEncoder().encode(this.#body)
  }

  // Without the cause: the message of JSON.parse quotes its input.
  #unreadable(): HttpClientError.ResponseError {
    return new HttpClientError.ResponseError({ request: this.request, response: this, reason: "Decode" })
  }
}
