import { HttpClientError, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  disconnected,
  fromHttpClientError,
  isProtocolViolation,
  notConnected,
  protocolViolation
} from "@effect-gr4vy/core/spi/TransportFailure"

const request = HttpClientRequest.post("https://api.example/checkout/sessions")

/** As clients of others report it: fetch wraps the socket's error. */
const notSent = (cause: object) => [
  new HttpClientError.RequestError({ request, reason: "Transport", cause }),
  new HttpClientError.RequestError({ request, reason: "Transport", cause: new TypeError("fetch failed", { cause }) })
]
const whileReading = (cause: object) => [
  new HttpClientError.ResponseError({
    request,
    response: HttpClientResponse.fromWeb(request, new Response()),
    reason: "Decode",
    cause
  })
]

describe("the failure of a user-supplied HttpClient", () => {
  it.each([
    [{ code: "ECONNREFUSED", syscall: "connect" }],
    // Several addresses were tried.
    [{ code: "ECONNREFUSED", errors: [] }],
    [{ code: "EHOSTUNREACH", syscall: "connect" }],
    [{ code: "ENETUNREACH", syscall: "connect" }],
    [{ code: "EADDRNOTAVAIL", syscall: "connect" }],
    [{ code: "ENOTFOUND", syscall: "getaddrinfo" }],
    [{ code: "EAI_AGAIN", syscall: "getaddrinfo" }],
    [{ code: "UND_ERR_CONNECT_TIMEOUT" }],
    [{ code: "ConnectionRefused" }],
    [{ code: "FailedToOpenSocket" }]
  ])("says that nothing was delivered where there was no connection: %o", (cause) => {
    for (const error of notSent(cause)) {
      assert.deepInclude(fromHttpClientError(error), { reason: "Connect", delivered: "no", resend: "safe" })
    }
  })

  it.each([
    [{ code: "ECONNRESET" }],
    [{ code: "EPIPE", syscall: "write" }],
    // What a connection that was made can end with, when packets stop coming through.
    [{ code: "EHOSTUNREACH", syscall: "read" }],
    [{ code: "ENETUNREACH", syscall: "write" }],
    [{ code: "ECONNREFUSED", syscall: "read" }],
    [{}]
  ])("leaves open what was delivered where there may have been one: %o", (cause) => {
    for (const error of notSent(cause)) {
      assert.deepInclude(fromHttpClientError(error), {
        reason: "Disconnected",
        delivered: "unknown",
        resend: "idempotent"
      })
    }
  })

  it.each([[{ code: "ECONNREFUSED" }], [{ code: "EHOSTUNREACH" }], [{ code: "CERT_HAS_EXPIRED" }], [{}]])(
    "never says so once an answer has begun: %o",
    (cause) => {
      for (const error of whileReading(cause)) {
        assert.deepInclude(fromHttpClientError(error), { reason: "Disconnected", delivered: "unknown" })
      }
    }
  )

  it("says that nothing was sent where the request could not be built", () => {
    for (const reason of ["InvalidUrl", "Encode"] as const) {
      const failure = fromHttpClientError(new HttpClientError.RequestError({ request, reason }))
      assert.deepInclude(failure, {
        _tag: "TransportFailure",
        reason: "InvalidRequest",
        delivered: "no",
        resend: "never",
        message: "The request could not be built. Check the base URL."
      })
    }
  })

  it("is a violation of HTTP where the parser says so, in the head or in the body", () => {
    for (const error of [
      ...notSent({ code: "HPE_INVALID_STATUS" }),
      ...whileReading({ code: "HPE_INVALID_CHUNK_SIZE" })
    ]) {
      assert.deepInclude(fromHttpClientError(error), { reason: "InvalidResponse", resend: "never" })
    }
  })

  it("with two lengths is a violation in the head, and a body that was cut off after it", () => {
    const cause = { code: "UND_ERR_RES_CONTENT_LENGTH_MISMATCH" }
    for (const error of notSent(cause)) assert.strictEqual(fromHttpClientError(error).reason, "InvalidResponse")
    for (const error of whileReading(cause)) assert.strictEqual(fromHttpClientError(error).reason, "Disconnected")
  })
})

describe("a server without a trusted certificate", () => {
  it.each([
    "CERT_HAS_EXPIRED",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "UNABLE_TO_GET_CRL",
    "CRL_HAS_EXPIRED",
    "INVALID_CA",
    "INVALID_PURPOSE",
    "PATH_LENGTH_EXCEEDED",
    "HOSTNAME_MISMATCH"
  ])("is not asked again: %s", (code) => {
    for (const [failure, to] of [
      [notConnected({ code }), ""],
      ...notSent({ code }).map((error) => [fromHttpClientError(error), " to api.example:443"] as const)
    ] as const) {
      assert.deepInclude(failure, {
        reason: "Connect",
        delivered: "no",
        resend: "never",
        code,
        message: `Could not connect${to}: the server's TLS certificate is not trusted (${code}). Check the base URL, and NODE_EXTRA_CA_CERTS for a private authority.`
      })
    }
  })
})

describe("the message of a failure", () => {
  const ofConnect = (brackets: string) => `Could not connect${brackets}. Check the base URL, DNS and the network.`

  it("names the code", () => {
    const cause = { code: "ECONNRESET" }
    assert.strictEqual(notConnected(cause).message, ofConnect(" (ECONNRESET)"))
    assert.strictEqual(
      disconnected(cause).message,
      "The connection was lost before the response was complete (ECONNRESET). Whether the API acted on the request is unknown."
    )
    assert.deepInclude(protocolViolation(cause), {
      reason: "InvalidResponse",
      delivered: "unknown",
      resend: "never",
      message: "The response violates HTTP (ECONNRESET). Check any proxy between you and the API."
    })
  })

  it.each([
    [undefined],
    [null],
    ["ECONNRESET"],
    [{}],
    [{ code: 7 }],
    [{ code: "two words" }],
    [{ code: "A".repeat(65) }]
  ])("names none where there is none: %o", (cause) => assert.strictEqual(notConnected(cause).message, ofConnect("")))

  it("names the first code of eight causes, also where they go round in a circle", () => {
    const under = (depth: number): object => (depth === 0 ? { code: "EPIPE" } : { cause: under(depth - 1) })
    assert.strictEqual(notConnected(under(7)).message, ofConnect(" (EPIPE)"))
    assert.strictEqual(notConnected(under(8)).message, ofConnect(""))
    const circle: { cause?: object } = {}
    circle.cause = circle
    assert.strictEqual(notConnected(circle).message, ofConnect(""))
  })
})

describe("a violation of HTTP", () => {
  const named = (name: string, message: string) => Object.assign(new Error(message), { name })

  it.each([
    [{ code: "HPE_CB_HEADERS_COMPLETE" }, true],
    [{ code: "UND_ERR_HEADERS_OVERFLOW" }, true],
    [{ code: "UND_ERR_INFO" }, true],
    [{ code: "UND_ERR_RESPONSE" }, true],
    [{ code: "ERR_ASSERTION" }, true],
    [named("HTTPParserError", "Response does not match the HTTP/1.1 protocol"), true],
    [named("HTTPParserError", "Unexpected EOF"), false],
    [named("HTTPParserError", "unexpected eof"), false],
    [named("SocketError", "bad upgrade"), true],
    [named("SocketError", "bad response"), true],
    [named("SocketError", "a bad response"), false],
    [named("SocketError", "bad response?"), false],
    [named("SocketError", "other side closed"), false],
    [named("Error", "bad response"), false],
    [{ name: "SocketError", message: "bad response" }, false],
    [{ code: "NOT_HPE_" }, false],
    [{ code: "ECONNRESET" }, false],
    [undefined, false]
  ])("is recognized by code, or by name and message: %o", (cause, violates) => {
    assert.strictEqual(isProtocolViolation(cause, false), violates)
    assert.strictEqual(isProtocolViolation(new Error("outer", { cause }), true), violates)
  })
})
