/**
 * Headers that a caller names: which names are free, and which values HTTP can carry.
 */
import * as Predicate from "effect/Predicate"

/** Headers that the client itself sends. */
const ours: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "authorization",
  "b3",
  "baggage",
  "content-encoding",
  "content-length",
  "content-type",
  "idempotency-key",
  "traceparent",
  "tracestate",
  "user-agent",
  "x-gr4vy-merchant-account-id"
])

/** Headers of one connection (RFC 9110, section 7.6.1), and those that change how a request is framed or routed. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** Options that say what the header would. */
const instead: Readonly<Record<string, string>> = {
  "idempotency-key": ": use the option idempotencyKey",
  "x-gr4vy-merchant-account-id": ": use the option merchantAccountId"
}

/** The name of a header is a token (RFC 9110, section 5.6.2). */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/

/** Says what is wrong with the name of a header. A name that is no token may be a value in the wrong place: it is not shown. */
export const nameProblem = (name: string): string | undefined => {
  if (!token.test(name)) return "headers has a name that no header can have"
  const lower = name.toLowerCase()
  if (ours.has(lower)) return `headers must not have ${lower}, which the client sets itself${instead[lower] ?? ""}`
  if (hopByHop.has(lower) || lower.startsWith("proxy-")) {
    return `headers must not have ${lower}, which belongs to the connection`
  }
  return undefined
}

/** Says what is wrong with the value of a header, without quoting it. */
export const valueProblem = (name: string, value: unknown): string | undefined =>
  Predicate.isString(value) && /^[\t\x20-\x7e]*$/.test(value)
    ? undefined
    : `headers.${name} must be a string of visible ASCII characters, spaces and tabs, without line breaks`
