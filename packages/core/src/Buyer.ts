/**
 * The buyer of a Checkout Session, as a guest: name, billing address, shipping address.
 *
 * @since 0.1.0
 */
import {
  country,
  type Field,
  type Model,
  model,
  nullish,
  object,
  oneOf,
  pattern,
  phoneNumber,
  required,
  text,
  type Wire
} from "./internal/model.js"

/**
 * A postal address.
 *
 * @since 0.1.0
 * @category models
 */
export interface Address {
  /** The city, 1–100 characters, e.g. `"London"`. */
  readonly city?: string | null | undefined
  /** The country, 2 capital letters (ISO 3166-1 alpha-2), e.g. `"GB"`. */
  readonly country?: string | null | undefined
  /** The postal code or ZIP, 1–50 characters, e.g. `"SW1A 1AA"`. */
  readonly postalCode?: string | null | undefined
  /** The state, county or province, 1–255 characters, e.g. `"California"`. */
  readonly state?: string | null | undefined
  /** The state's code (ISO 3166-2): country, dash, 1–3 capital letters or digits, e.g. `"US-CA"`. */
  readonly stateCode?: string | null | undefined
  /** The house's number or name, 1–255 characters, e.g. `"10"`. */
  readonly houseNumberOrName?: string | null | undefined
  /** The first line of the address, 1–255 characters, e.g. `"10 Downing Street"`. */
  readonly line1?: string | null | undefined
  /** The second line of the address, 1–255 characters, e.g. `"Flat 2"`. */
  readonly line2?: string | null | undefined
  /** The company or organization, 1–255 characters, e.g. `"Acme"`. */
  readonly organization?: string | null | undefined
}

/** @internal */
export const address: Field<Address> = object<Address>("Address", "A postal address.", () => ({
  city: nullish(text(1, 100, ["The city.", "London"])),
  country: nullish(country(["The country (ISO 3166-1 alpha-2).", "GB"])),
  postalCode: nullish(text(1, 50, ["The postal code or ZIP.", "SW1A 1AA"])),
  state: nullish(text(1, 255, ["The state, county or province.", "California"])),
  stateCode: nullish(
    pattern(/^[A-Z]{2}-[A-Z0-9]{1,3}$/, "a code like US-CA (ISO 3166-2)", ["The state's code (ISO 3166-2).", "US-CA"])
  ),
  houseNumberOrName: nullish(text(1, 255, ["The number or name of the house.", "10"])),
  line1: nullish(text(1, 255, ["The first line of the address.", "10 Downing Street"])),
  line2: nullish(text(1, 255, ["The second line of the address.", "Flat 2"])),
  organization: nullish(text(1, 255, ["The company or organization.", "Acme"]))
}))

const taxIdKinds = [
  "ae.trn",
  "au.abn",
  "ar.dni",
  "ar.cuil",
  "ar.cuit",
  "br.cnpj",
  "br.cpf",
  "ca.bn",
  "ca.gst_hst",
  "ca.pst_bc",
  "ca.pst_mb",
  "ca.pst_sk",
  "ca.qst",
  "ch.vat",
  "cl.tin",
  "co.itin",
  "co.nit",
  "co.cc",
  "co.ce",
  "co.de",
  "co.rc",
  "co.ti",
  "co.passport",
  "es.cif",
  "eu.vat",
  "gb.vat",
  "hk.br",
  "id.nik",
  "id.npwp",
  "in.gst",
  "in.pan",
  "jp.cn",
  "jp.rn",
  "kr.brn",
  "li.uid",
  "mx.curp",
  "mx.rfc",
  "my.frp",
  "my.itn",
  "my.nric",
  "my.sst",
  "no.vat",
  "nz.gst",
  "pe.ruc",
  "ph.tin",
  "ru.inn",
  "ru.kpp",
  "sa.vat",
  "sg.gst",
  "sg.uen",
  "th.id",
  "th.vat",
  "tw.vat",
  "us.ein",
  "za.vat",
  "bo.ci",
  "uy.rut",
  "uy.ci"
] as const

/**
 * The kinds of tax ID that the API accepts: country, dot, kind, e.g. `"gb.vat"`.
 *
 * @since 0.1.0
 * @category models
 */
export type TaxIdKind = (typeof taxIdKinds)[number]

/**
 * A tax ID of a buyer.
 *
 * @since 0.1.0
 * @category models
 */
export interface TaxId {
  /** The tax ID itself, 1–50 characters, e.g. `"GB123456789"`. */
  readonly value: string
  /** The kind of tax ID, e.g. `"gb.vat"`. */
  readonly kind: TaxIdKind
}

const taxId = object<TaxId>("TaxId", "A tax ID of a buyer.", () => ({
  value: required(text(1, 50, ["The tax ID itself.", "GB123456789"])),
  kind: required(oneOf(taxIdKinds, ["The kind of tax ID.", "gb.vat"]))
}))

/**
 * The recipient and the shipping address.
 *
 * @since 0.1.0
 * @category models
 */
export interface ShippingDetails {
  /** The first name, 1–255 characters, e.g. `"Ada"`. */
  readonly firstName?: string | null | undefined
  /** The last name, 1–255 characters, e.g. `"Lovelace"`. */
  readonly lastName?: string | null | undefined
  /** The email address, 1–320 characters, e.g. `"ada@example.com"`. */
  readonly emailAddress?: string | null | undefined
  /** The phone number with `+` and country code (E.164), e.g. `"+442079460123"`. */
  readonly phoneNumber?: string | null | undefined
  /** The address. */
  readonly address?: Address | null | undefined
}

/**
 * The payer and the billing address.
 *
 * @since 0.1.0
 * @category models
 */
export interface BillingDetails {
  /** The first name, 1–255 characters, e.g. `"Ada"`. */
  readonly firstName?: string | null | undefined
  /** The last name, 1–255 characters, e.g. `"Lovelace"`. */
  readonly lastName?: string | null | undefined
  /** The email address, 1–320 characters, e.g. `"ada@example.com"`. */
  readonly emailAddress?: string | null | undefined
  /** The phone number with `+` and country code (E.164), e.g. `"+442079460123"`. */
  readonly phoneNumber?: string | null | undefined
  /** The address. */
  readonly address?: Address | null | undefined
  /** The tax ID. */
  readonly taxId?: TaxId | null | undefined
}

const person = {
  firstName: nullish(text(1, 255, ["The first name.", "Ada"])),
  lastName: nullish(text(1, 255, ["The last name.", "Lovelace"])),
  emailAddress: nullish(text(1, 320, ["The email address.", "ada@example.com"])),
  phoneNumber: nullish(phoneNumber(["The phone number (E.164).", "+442079460123"])),
  address: nullish(address)
}

const shippingDetails = object<ShippingDetails>(
  "ShippingDetails",
  "The recipient, and the address of the parcel.",
  () => person
)

const billingDetails = object<BillingDetails>("BillingDetails", "The payer, and the address of the bill.", () => ({
  ...person,
  taxId: nullish(taxId)
}))

/**
 * A buyer who has no account with the merchant.
 *
 * @example
 * ```ts
 * import type { Buyer } from "@effect-gr4vy/core"
 *
 * const buyer: Buyer = {
 *   displayName: "Ada Lovelace",
 *   billingDetails: { firstName: "Ada", lastName: "Lovelace", address: { city: "London", country: "GB" } }
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Buyer {
  /** The name that Gr4vy's dashboard shows, 1–200 characters, e.g. `"Ada Lovelace"`. */
  readonly displayName?: string | null | undefined
  /** Your own identifier of the buyer, 1–200 characters, e.g. `"user-789123"`. */
  readonly externalIdentifier?: string | null | undefined
  /** The payer and the billing address. */
  readonly billingDetails?: BillingDetails | null | undefined
  /** The number of the buyer's account with you, 1–200 characters, e.g. `"AC-1029"`. */
  readonly accountNumber?: string | null | undefined
  /** The recipient and the shipping address. */
  readonly shippingDetails?: ShippingDetails | null | undefined
}

/** @internal */
export const buyer: Field<Buyer> = object<Buyer>("Buyer", "A buyer who has no account with the merchant.", () => ({
  displayName: nullish(text(1, 200, ["The name that Gr4vy's dashboard shows.", "Ada Lovelace"])),
  externalIdentifier: nullish(text(1, 200, ["Your own identifier of the buyer.", "user-789123"])),
  billingDetails: nullish(billingDetails),
  accountNumber: nullish(text(1, 200, ["The number of the buyer's account with you.", "AC-1029"])),
  shippingDetails: nullish(shippingDetails)
}))

/**
 * The schema of a {@link Buyer} in a request: camelCase in TypeScript, snake_case on the wire.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Buyer: Model<Buyer, Wire<Buyer>> = model(buyer.sent)
