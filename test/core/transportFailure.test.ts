import { HttpClientError, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { fromHttpClientError } from "@effect-gr4vy/core/unstable/TransportFailure"

const request = HttpClientRequest.post("/checkout/sessions")

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
    [{ code: "ENOTFOUND", syscall: "getaddrinfo" }],
    [{ code: "UND_ERR_CONNECT_TIMEOUT" }],
    [{ code: "ConnectionRefused" }]
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
})
