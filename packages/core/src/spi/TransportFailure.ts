/**
 * A failed request: why it failed, whether the server may have acted on it, and whether it may be retried. Messages are
 * built from error codes only, because the messages of HTTP clients may quote header values.
 *
 * @since 0.1.0
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { type Delivered, RequestFailed, type RequestFailedReason } from "../Errors.js"

/**
 * A request without a usable response.
 *
 * @since 0.1.0
 * @category models
 */
export class TransportFailure extends Data.TaggedError("TransportFailure")<{
  readonly reason: RequestFailedReason
  readonly delivered: Delivered
  readonly message: string
  /**
   * Whether a retry makes sense: `"safe"` (the first request had no effect), `"idempotent"` (it may have had one, so only
   * if a second copy changes nothing), `"never"` (a retry would fail the same way).
   */
  readonly resend: "safe" | "idempotent" | "never"
  /** The code of the error behind it, e.g. `ECONNREFUSED` or `CERT_HAS_EXPIRED`. Absent if there is none. */
  readonly code?: string | undefined
  /** The id that the server gave the request, where a response had begun. */
  readonly requestId?: string | undefined
}> {
  /**
   * The same failure with the id that the server gave the request.
   *
   * @since 0.1.0
   */
  withRequestId(requestId: string | undefined): TransportFailure {
    const { code, delivered, message, reason, resend } = this
    return requestId === undefined
      ? this
      : new TransportFailure({ reason, delivered, message, resend, code, requestId })
  }

  /**
   * The same failure as the call's outcome. `attempts` counts the requests that were started.
   *
   * @since 0.1.0
   */
  toRequestFailed(attempts: number): RequestFailed {
    const { delivered, message, reason, requestId } = this
    return new RequestFailed({
      reason,
      delivered,
      message,
      attempts,
      ...(requestId === undefined ? {} : { requestId })
    })
  }
}

/**
 * Never connected: nothing was sent. An untrusted certificate is not retried. `address` is the host and port.
 *
 * @since 0.1.0
 * @category constructors
 */
export const notConnected = (cause: unknown, address?: string): TransportFailure => {
  const code = codeOf(cause)
  if (isRefusedClient(code) || isHandshake(code)) return refusedClient(code, address)
  const certificate = code !== undefined && isCertificate(code)
  const to = address === undefined ? "" : ` to ${address}`
  return new TransportFailure({
    reason: "Connect",
    delivered: "no",
    resend: certificate ? "never" : "safe",
    code,
    message: certificate
      ? `Could not connect${to}: the server's TLS certificate is not trusted (${code}). Check the base URL, and NODE_EXTRA_CA_CERTS for a private authority.`
      : `Could not connect${to}${inBrackets(code)}. Check the base URL, DNS and the network.`
  })
}

/**
 * The server ended the TLS handshake because of the client's certificate, or because there is none. In TLS 1.3 the client may
 * have written the request by then; no server reads one before the handshake is over.
 */
const refusedClient = (code: string, address: string | undefined): TransportFailure =>
  new TransportFailure({
    reason: "Connect",
    delivered: "no",
    resend: "never",
    code,
    message: `Nothing was sent: ${address ?? "the server"} ${isHandshake(code) ? "refused the TLS handshake; it may demand a client certificate" : "demands a client certificate that it trusts"} (${code}). Give the client one, e.g. by a dispatcher: new Agent({ connect: { cert, key } }).`
  })

// TLS's alerts about a certificate, in the codes of OpenSSL.
const isRefusedClient = (code: string | undefined): code is string =>
  code !== undefined && /^ERR_SSL_.*ALERT_(?:.*CERTIFICATE.*|UNKNOWN_CA)$/.test(code)

// A server of TLS 1.2 says this where there is no certificate, and in other cases.
const isHandshake = (code: string | undefined): code is string =>
  code !== undefined && /^ERR_SSL_.*ALERT_HANDSHAKE_FAILURE$/.test(code)

// Node writes before the handshake is over, and then has the alert in the message alone.
const isHandshakeAlert = (cause: unknown): boolean =>
  Option.isSome(
    findInChain(cause, (error) =>
      isHandshake(codeFrom(error)) || (error instanceof Error && /\bSSL alert number 40\b/.test(error.message))
        ? Option.some(error)
        : Option.none()
    )
  )

/**
 * The host and port of a URL, e.g. `api.plantly.gr4vy.app:443`; `undefined` if it is no complete URL.
 *
 * @since 0.1.0
 * @category accessors
 */
export const hostAndPort = (url: string): string | undefined => {
  if (!URL.canParse(url)) return undefined
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port === "" ? (protocol === "https:" ? 443 : 80) : port}`
}

/**
 * The connection was lost before the response was complete: the server may have acted.
 *
 * @since 0.1.0
 * @category constructors
 */
export const disconnected = (cause?: unknown, address?: string): TransportFailure => {
  const code = codeOf(cause)
  if (isRefusedClient(code)) return refusedClient(code, address)
  return new TransportFailure({
    reason: "Disconnected",
    delivered: "unknown",
    resend: "idempotent",
    code,
    message: `The connection was lost before the response was complete${inBrackets(code)}. Whether the API acted on the request is unknown.${isHandshakeAlert(cause) ? " The server refused the TLS handshake: it may demand a client certificate." : ""}`
  })
}

/**
 * The response violates HTTP. A retry would get the same response.
 *
 * @since 0.1.0
 * @category constructors
 */
export const protocolViolation = (cause?: unknown): TransportFailure =>
  new TransportFailure({
    reason: "InvalidResponse",
    delivered: "unknown",
    resend: "never",
    code: codeOf(cause),
    message: `The response violates HTTP${inBrackets(codeOf(cause))}. Check any proxy between you and the API.`
  })

/**
 * The failure of any `HttpClient` of `@effect/platform`, by the error codes of Node, undici and Bun. Without a known code
 * the request counts as lost: the server may have acted.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromHttpClientError = (error: HttpClientError.HttpClientError): TransportFailure => {
  if (error._tag === "RequestError" && error.reason !== "Transport") {
    return new TransportFailure({
      reason: "InvalidRequest",
      delivered: "no",
      resend: "never",
      message: "The request could not be built. Check the base URL."
    })
  }
  if (isProtocolViolation(error.cause, error._tag === "ResponseError")) return protocolViolation(error.cause)
  const address = addressOf(error)
  return error._tag === "RequestError" && isNotConnected(error.cause)
    ? notConnected(error.cause, address)
    : disconnected(error.cause, address)
}

/** A client of plain JavaScript may fail with something else than its type says. */
const addressOf = (error: object): string | undefined =>
  Predicate.hasProperty(error, "request") &&
  Predicate.hasProperty(error.request, "url") &&
  Predicate.isString(error.request.url)
    ? hostAndPort(error.request.url)
    : undefined

/**
 * Whether undici or llhttp refused what arrived. `inBody` tells that the head was fine: then a length that does not match
 * is a body that was cut off, where in the head it is two lengths that contradict each other.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isProtocolViolation = (cause: unknown, inBody: boolean): boolean =>
  Option.isSome(
    findInChain(cause, (error) => {
      const code = codeFrom(error)
      const violation =
        isProtocol(code) ||
        (!inBody && code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") ||
        // undici leaves some of its parser's errors without a code, and has none of its own for an upgrade nobody asked
        // for. A body that merely ends too early is no violation: it was cut off.
        (error instanceof Error &&
          ((error.name === "HTTPParserError" && !/EOF/i.test(error.message)) ||
            (error.name === "SocketError" && /^bad (upgrade|response)$/.test(error.message))))
      return violation ? Option.some(error) : Option.none()
    })
  )

/** The first machine-readable code in a chain of causes. */
const codeOf = (cause: unknown): string | undefined =>
  Option.getOrUndefined(findInChain(cause, (error) => Option.fromNullable(codeFrom(error))))

const codeFrom = (error: object): string | undefined =>
  Predicate.hasProperty(error, "code") && Predicate.isString(error.code) && /^[A-Za-z0-9_]{1,64}$/.test(error.code)
    ? error.code
    : undefined

const findInChain = <A>(cause: unknown, f: (error: object) => Option.Option<A>): Option.Option<A> => {
  let current = cause
  for (let depth = 0; depth < 8 && Predicate.isObject(current); depth++) {
    const found = f(current)
    if (Option.isSome(found)) return found
    current = Predicate.hasProperty(current, "cause") ? current.cause : undefined
  }
  return Option.none()
}

const inBrackets = (code: string | undefined): string => (code === undefined ? "" : ` (${code})`)

/** Whether the first code in a chain of causes means that no connection was established. */
const isNotConnected = (cause: unknown): boolean =>
  Option.getOrElse(
    findInChain(cause, (error) =>
      Option.map(
        Option.fromNullable(codeFrom(error)),
        (code) => isCertificate(code) || isHandshake(code) || (connectCodes.has(code) && !isOfSocketInUse(error))
      )
    ),
    () => false
  )

// An established connection can end with the same codes when packets stop arriving.
const isOfSocketInUse = (error: object): boolean =>
  Predicate.hasProperty(error, "syscall") && (error.syscall === "read" || error.syscall === "write")

const connectCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "ConnectionRefused",
  "FailedToOpenSocket"
])

// OpenSSL's verification results (https://nodejs.org/api/tls.html#x509-certificate-error-codes) and Node's own check of the name.
const isCertificate = (code: string): boolean =>
  code.includes("CERT") ||
  code.startsWith("UNABLE_TO_") ||
  code.startsWith("CRL_") ||
  code === "INVALID_CA" ||
  code === "INVALID_PURPOSE" ||
  code === "PATH_LENGTH_EXCEEDED" ||
  code === "HOSTNAME_MISMATCH"

const isProtocol = (code: string | undefined): boolean =>
  code?.startsWith("HPE_") === true ||
  code === "UND_ERR_HEADERS_OVERFLOW" ||
  code === "UND_ERR_INFO" ||
  code === "UND_ERR_RESPONSE" ||
  // A status below 100 trips an assertion of the undici in Node's own fetch.
  code === "ERR_ASSERTION"
