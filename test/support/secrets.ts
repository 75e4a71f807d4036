/**
 * Secrets of a call, and what a failure says of itself.
 */
import { inspect } from "node:util"
import { CheckoutSessionSecureFieldsUpdate } from "@effect-gr4vy/core"
import { Cause, Exit, Redacted } from "effect"

export const number = "4929000000006123"
export const grouped = "4929 0000 0000 6123"
export const code = "8362"
export const token = "sk_1live_aVeryOpaqueTokenOfTheMerchant"

export const update = CheckoutSessionSecureFieldsUpdate.make({
  paymentMethod: {
    method: "card",
    number: Redacted.make(number),
    expirationDate: "11/29",
    securityCode: Redacted.make(code)
  }
})

const secrets = [number, grouped, token, Buffer.from(number).toString("base64"), Buffer.from(token).toString("base64")]

export type Shown = ReadonlyArray<readonly [sink: string, text: string]>

/** What a failure says of itself. */
export const shown = (cause: Cause.Cause<unknown>): Shown => {
  const error = Cause.squash(cause)
  const object = Object(error)
  return [
    ["String", String(error)],
    ["message and stack", `${object.message} ${object.stack} ${inspect(object.cause, { depth: null })}`],
    ["JSON", JSON.stringify(error)],
    ["JSON of the cause", JSON.stringify(cause)],
    ["inspect", inspect(error, { depth: null, showHidden: true })],
    ["inspect without custom", inspect(error, { depth: null, showHidden: true, customInspect: false })],
    [
      "own properties",
      Reflect.ownKeys(object)
        .map((key) => inspect(object[key], { depth: null }))
        .join()
    ],
    ["Cause.pretty", Cause.pretty(cause, { renderErrorCause: true })],
    ["inspect of the exit", inspect(Exit.failCause(cause), { depth: null })]
  ]
}

/** The first secret in a text. A client knows the code of a card that it was given: elsewhere it is like any number. */
export const secretIn = (text: string, knowsCode = true): string | undefined =>
  secrets.find((secret) => text.includes(secret)) ??
  // Four digits may stand in a port or a date: the code counts where it stands alone.
  (knowsCode ? new RegExp(`(?<![\\d.:])${code}(?![\\d.])`).exec(text)?.[0] : undefined)
