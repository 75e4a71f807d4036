/**
 * A URL as a trace shows it.
 *
 * @since 0.1.0
 */
import { hideCards } from "./Cards.js"

/**
 * Writes `{card}` for every card number, and the name in braces for the value of a query parameter that is named like a
 * secret: `?client_secret={client_secret}`. OpenTelemetry's conventions for `url.full` ask for the latter.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/url/
 * @since 0.1.0
 * @category conversions
 */
export const shownUrl = (url: string): string => {
  const query = url.indexOf("?")
  return hideCards(query < 0 ? url : url.slice(0, query + 1) + url.slice(query + 1).replace(parameter, shown))
}

const parameter = /([^&=]+)=[^&]*/g

const shown = (pair: string, name: string): string => (isSecret(name) ? `${name}={${name}}` : pair)

const isSecret = (name: string): boolean => secretName.test(readable(name).replace(/[^a-z0-9]/gi, ""))

/** Names without their separators: `client_secret`, `X-Goog-Signature`, `apiKey`, `data[token]`. */
const secretName =
  /(?:token|password|passwd|secret|signature|credentials?|privatekey|secretkey|apikey|accesskey|accesskeyid|cryptogram|securitycode|cardnumber)$|^(?:auth|authorization|code|cvc|cvv|jwt|key|number|pan|pin|pwd|sig)$/i

const readable = (name: string): string => {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
