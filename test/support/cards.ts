/**
 * Cards that keep the contract's rules, on the wire and in TypeScript, for properties.
 */
import { CardRequest } from "@effect-gr4vy/core"
import { FastCheck, Redacted, Schema } from "effect"

const optional = <A>(arbitrary: FastCheck.Arbitrary<A>) => FastCheck.option(arbitrary, { nil: undefined })

const text = FastCheck.string()

/** A card as `PUT …/fields` takes it; absent fields are absent. */
export const wireCard = FastCheck.record({
  method: FastCheck.constant("card"),
  number: FastCheck.stringMatching(/^[0-9]{13,19}$/),
  expiration_date: FastCheck.stringMatching(/^(0[1-9]|1[0-2])\/[0-9]{2}$/),
  security_code: FastCheck.stringMatching(/^[0-9]{3,4}$/),
  external_identifier: optional(FastCheck.option(text)),
  buyer: FastCheck.oneof(
    FastCheck.constant({}),
    FastCheck.record({ buyer_id: FastCheck.uuid() }),
    FastCheck.record({ buyer_external_identifier: text })
  ),
  redirect_url: optional(FastCheck.option(text))
}).map(({ buyer, external_identifier, redirect_url, ...card }) => ({
  ...card,
  ...buyer,
  ...(external_identifier === undefined ? {} : { external_identifier }),
  ...(redirect_url === undefined ? {} : { redirect_url })
}))

export const visa = {
  method: "card",
  number: "4111111111111111",
  expiration_date: "11/29",
  security_code: "737"
} as const

export const card = (): CardRequest =>
  CardRequest.make({
    method: "card",
    number: Redacted.make(visa.number),
    expirationDate: visa.expiration_date,
    securityCode: Redacted.make(visa.security_code)
  })

export const decodeCard = Schema.decodeUnknownEither(CardRequest, { errors: "all" })
