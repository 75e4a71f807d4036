/**
 * What a Checkout Session is about: what is sent keeps every limit of the API, what is read is read for its types alone.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  Airline,
  Buyer,
  CartItem,
  CheckoutSession,
  CheckoutSessionCreate,
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessionsError,
  CheckoutSessionUpdate,
  Generic,
  NotFound,
  RequestFailed,
  Unauthorized
} from "@effect-gr4vy/core"
import { Arbitrary, Duration, Either, Redacted, Schema } from "effect"
import { explain } from "../../packages/core/dist/internal/explain.js"
import { visa } from "../support/cards.js"

const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"
const bare = { id, expires_at: "2022-01-01T00:00:00Z" }

const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const decodeSession = Schema.decodeUnknownEither(CheckoutSession)

/** Every name of an object at every depth, but for those inside `metadata`. */
const namesIn = (value: unknown): ReadonlyArray<string> =>
  typeof value !== "object" || value === null
    ? []
    : Object.entries(value).flatMap(([name, inside]) => [
        ...(Array.isArray(value) ? [] : [name]),
        ...(name === "metadata" ? [] : namesIn(inside))
      ])

const creates = Arbitrary.make(CheckoutSessionCreate)

describe("the properties of a new session", () => {
  it.prop(
    "is snake_case on the wire at every depth, and comes back as it went",
    { session: creates },
    ({ session }) => {
      const wire = overJson(Schema.encodeSync(CheckoutSessionCreate)(session))
      for (const name of namesIn(wire)) assert.match(name, /^[a-z0-9_]+$/)
      const { expiresIn, ...rest } = Schema.decodeUnknownSync(CheckoutSessionCreate)(wire)
      const { expiresIn: given, ...sent } = session
      assert.deepStrictEqual(overJson(rest), overJson(sent))
      assert.strictEqual(
        expiresIn === undefined ? undefined : Duration.toMillis(expiresIn),
        given === undefined ? undefined : Duration.toMillis(given)
      )
    }
  )

  it("keeps all keys and strings of its metadata", () => {
    const metadata = JSON.parse('{"orderId":"1","order_id":"2","__proto__":"3","constructor":"4","":""}')
    for (const schema of [CheckoutSessionCreate, CheckoutSessionUpdate]) {
      assert.strictEqual(
        JSON.stringify(Schema.encodeSync(schema)({ metadata })),
        `{"metadata":${JSON.stringify(metadata)}}`
      )
    }
    const session = Either.getOrThrow(decodeSession({ ...bare, metadata }))
    assert.strictEqual(JSON.stringify(session.metadata), JSON.stringify(metadata))
  })

  it("sends null where null is given, and nothing where nothing or undefined is", () => {
    const encode = Schema.encodeSync(CheckoutSessionUpdate)
    assert.strictEqual(
      JSON.stringify(
        encode({
          amount: null,
          cartItems: null,
          metadata: null,
          currency: undefined,
          expiresIn: undefined,
          buyer: { displayName: null, billingDetails: { address: null, phoneNumber: undefined } }
        })
      ),
      '{"cart_items":null,"metadata":null,"buyer":{"display_name":null,"billing_details":{"address":null}},"amount":null}'
    )
    assert.deepStrictEqual(encode({}), {})
  })

  for (const [given, seconds] of [
    ["1 hour", 3600],
    ["24 hours", 86400],
    [Duration.seconds(4000.9), 4000],
    [7_200_000, 7200]
  ] as const) {
    it(`lives for ${seconds} seconds where ${String(given)} is given`, () => {
      assert.deepStrictEqual(Schema.encodeSync(CheckoutSessionCreate)({ expiresIn: given }), { expires_in: seconds })
    })
  }
})

const long = (length: number) => "x".repeat(length)
const item = { name: "Tea", quantity: 1, unitAmount: 450 }
const amounts = "must be an integer from 0 to 99999999, in the currency's smallest unit (1299 is 12.99 USD)"
const country = "must be 2 capital letters (ISO 3166-1 alpha-2)"

/** A model, a field, what it takes at its limits, what it refuses, and how it says so. */
const limits: ReadonlyArray<
  readonly [
    model: string,
    field: string,
    good: ReadonlyArray<unknown>,
    bad: ReadonlyArray<unknown>,
    problem: string,
    required?: Record<string, unknown>
  ]
> = [
  ["session", "amount", [0, 99_999_999], [-1, 100_000_000, 1.5, Number.NaN, "1"], amounts],
  ["session", "currency", ["EUR"], ["eur", "EURO", "", "EU1", 978], "must be 3 capital letters (ISO 4217)"],
  ["session", "country", ["DE"], ["de", "DEU", ""], country],
  ["session", "paymentServiceId", [id], ["", "1", `${id}0`], "must be a UUID"],
  [
    "session",
    "expiresIn",
    ["1 hour", "24 hours"],
    ["3599 seconds", "24.1 hours", 3600, "Infinity", "soon", null, -1],
    "must be a duration of 1 to 24 hours"
  ],
  ["session", "metadata", [{}, { a: "b" }], [{ a: 1 }, { a: null }, [], "a"], "must be an object of strings"],
  ["session", "paymentSource", ["ecommerce", "card_on_file"], ["shop", ""], 'must be "ecommerce" or "moto"'],
  ["session", "intent", ["authorize", "capture"], ["refund", true], 'must be "authorize" or "capture"'],
  ["session", "merchantInitiated", [true, false], ["true", 1], "must be true or false"],
  ["session", "isSubsequentPayment", [true, false], ["true", 0], "must be true or false"],
  ["session", "cartItems", [[], [item]], [{}, "x"], "must be a list"],
  ["session", "buyer", [{}], [[], "x"], "must be an object"],
  [
    "item",
    "name",
    ["x", long(255), "😀".repeat(255)],
    ["", long(256), "😀".repeat(256), null],
    "must be a string of 1 to 255 characters",
    item
  ],
  ["item", "quantity", [1, 99_999_999], [0, 100_000_000, 0.5, null], "must be an integer from 1 to 99999999", item],
  ["item", "unitAmount", [0, 99_999_999], [-1, 100_000_000, null], amounts, item],
  ["item", "discountAmount", [0, null], [-1, 100_000_000], amounts, item],
  ["item", "sku", [long(200)], ["", long(201)], "must be a string of 1 to 200 characters", item],
  ["item", "upc", [long(50)], ["", long(51)], "must be a string of 1 to 50 characters", item],
  ["item", "productUrl", ["", "any"], [1], "must be a string", item],
  ["item", "categories", [[], [long(50)]], ["x"], "must be a list", item],
  ["item", "productType", ["physical", "surcharge"], ["food"], 'must be "physical" or "discount"', item],
  ["item", "sellerCountry", ["GB"], ["gb"], country, item],
  ["buyer", "displayName", ["x", long(200)], ["", long(201)], "must be a string of 1 to 200 characters"],
  ["buyer", "accountNumber", [long(200)], ["", long(201)], "must be a string of 1 to 200 characters"],
  [
    "airline",
    "issuedAt",
    ["2027-07-16T19:23:00+01:00", "2027-07-16T19:23:00.5Z"],
    ["2027-07-16", "2027-07-16T19:23:00", "2027-02-30T00:00:00Z"],
    "must be a date and time with an offset (RFC 3339)"
  ],
  ["airline", "issuingCarrierCode", ["BA", "BAW"], ["B", "BAWX"], "must be a string of 2 to 3 characters"],
  ["airline", "issuingCarrierName", ["B", long(9999)], [""], "must be a string of at least 1 character"],
  ["airline", "issuingIcaoCode", ["BAW"], ["BA", "BAWX", "😀😀"], "must be a string of 3 characters"],
  ["airline", "legs", [[], Array(20).fill({})], [Array(21).fill({})], "must be a list of up to 20"],
  ["airline", "ticketDeliveryMethod", ["electronic", "other"], ["post"], 'must be "electronic" or "other"'],
  ["fields", "postalCode", ["x", long(50)], ["", long(51)], "must be a string of 1 to 50 characters"]
] // prettier-ignore

const models: Readonly<Record<string, Schema.Schema<unknown, unknown>>> = {
  session: Schema.make(CheckoutSessionCreate.ast),
  item: Schema.make(CartItem.ast),
  buyer: Schema.make(Buyer.ast),
  airline: Schema.make(Airline.ast),
  fields: Schema.make(CheckoutSessionSecureFieldsUpdate.ast)
}

describe("a limit of a request", () => {
  for (const [name, field, good, bad, problem, required] of limits) {
    it(`binds ${name}.${field}`, () => {
      const schema = models[name]
      assert(schema !== undefined)
      const encode = Schema.encodeUnknownEither(schema)
      for (const value of good) {
        assert(Either.isRight(encode({ ...required, [field]: value })), `${field} takes ${String(value)}`)
      }
      for (const value of bad) {
        const result = encode({ ...required, [field]: value })
        assert(Either.isLeft(result), `${field} refuses ${String(value)}`)
        assert.include(explain(result.left.issue, schema.ast, name, "sent"), `${name}.${field} ${problem}`)
      }
    })
  }

  for (const [path, update] of [
    ["cartItems.0.unitAmount", { cartItems: [{ ...item, unitAmount: -1 }] }],
    ["cartItems.0.name", { cartItems: [{ quantity: 1, unitAmount: 1 }] }],
    ["cartItems.1.categories.0", { cartItems: [item, { ...item, categories: [""] }] }],
    ["buyer.billingDetails.emailAddress", { buyer: { billingDetails: { emailAddress: long(321) } } }],
    ["buyer.billingDetails.phoneNumber", { buyer: { billingDetails: { phoneNumber: "0442079460123" } } }],
    ["buyer.billingDetails.taxId.kind", { buyer: { billingDetails: { taxId: { value: "1", kind: "xx" } } } }],
    ["buyer.billingDetails.address.stateCode", { buyer: { billingDetails: { address: { stateCode: "us-ca" } } } }],
    ["buyer.shippingDetails.address.line1", { buyer: { shippingDetails: { address: { line1: long(256) } } } }],
    ["airline.legs.0.flightNumber", { airline: { legs: [{ flightNumber: "12" }] } }],
    ["airline.legs.0.routeType", { airline: { legs: [{ routeType: "circle" }] } }],
    ["airline.passengers.0.dateOfBirth", { airline: { passengers: [{ dateOfBirth: "1990-02-30" }] } }],
    ["airline.passengers.0.frequentFlyerNumber", { airline: { passengers: [{ frequentFlyerNumber: "1234" }] } }],
    ["buyer", { buyer: { shipping_details: {} } }]
  ] as const) {
    it(`is described at ${path}`, () => {
      const result = Schema.encodeUnknownEither(CheckoutSessionCreate, { onExcessProperty: "error" })(update)
      assert(Either.isLeft(result))
      assert.match(
        explain(result.left.issue, CheckoutSessionCreate.ast, "session", "sent"),
        new RegExp(`^session\\.${path} (must|has|is)`)
      )
    })
  }
})

/** Sessions whose values keep no limit at all. */
const sessions = Arbitrary.make(CheckoutSession)

describe("a session that is read", () => {
  it("ignores limits, opens sets, and knows no null", () => {
    const session = Either.getOrThrow(
      decodeSession({
        ...bare,
        amount: -1.5,
        currency: "euro",
        buyer: null,
        airline: { legs: [{ departure_at: "tomorrow", route_type: "circle" }], passengers: null, unknown: 1 },
        cart_items: [{ name: "", quantity: 0, unit_amount: -1, product_type: "food", sku: null, unknown: {} }],
        payment_service_id: "none",
        payment_method: {
          id: null,
          method: "wallet",
          scheme: "new",
          label: "1111",
          details: { bin: "41111111", card_type: "charge", card_country: null }
        },
        intent: "later"
      })
    )
    assert.deepStrictEqual(overJson(session), {
      type: "checkout-session",
      id,
      expiresAt: "2022-01-01T00:00:00.000Z",
      amount: -1.5,
      currency: "euro",
      airline: { legs: [{ departureAt: "tomorrow", routeType: "circle" }] },
      cartItems: [{ name: "", quantity: 0, unitAmount: -1, productType: "food" }],
      paymentServiceId: "none",
      paymentMethod: {
        method: "wallet",
        scheme: "new",
        label: "1111",
        details: { bin: "41111111", cardType: "charge" }
      },
      intent: "later"
    })
    for (const name of ["buyer", "metadata", "country"]) assert(!(name in session), name)
  })

  it.prop("comes back from the wire as it went", { session: sessions }, ({ session }) => {
    const wire = overJson(Schema.encodeSync(CheckoutSession)(session))
    for (const name of namesIn(wire)) assert.match(name, /^[a-z0-9_]+$/)
    assert.deepStrictEqual(overJson(Either.getOrThrow(decodeSession(wire))), overJson(session))
  })
})

describe("secure fields", () => {
  const encode = (update: CheckoutSessionSecureFieldsUpdate) =>
    JSON.stringify(Schema.encodeSync(CheckoutSessionSecureFieldsUpdate)(update))
  const card = {
    method: "card",
    number: Redacted.make(visa.number),
    expirationDate: visa.expiration_date,
    securityCode: Redacted.make(visa.security_code)
  } as const

  for (const [what, update, wire] of [
    [
      "a plain card",
      { paymentMethod: card },
      '{"payment_method":{"method":"card","number":"4111111111111111","expiration_date":"11/29","security_code":"737"}}'
    ],
    [
      "a card of the first contract",
      { paymentMethod: { redirectUrl: null, ...card, buyerId: id, externalIdentifier: "a" } },
      `{"payment_method":{"method":"card","number":"4111111111111111","expiration_date":"11/29","security_code":"737","external_identifier":"a","buyer_id":"${id}","redirect_url":null}}`
    ],
    [
      "a card and a postal code",
      { paymentMethod: card, postalCode: "SW1A 1AA" },
      '{"payment_method":{"method":"card","number":"4111111111111111","expiration_date":"11/29","security_code":"737"},"postal_code":"SW1A 1AA"}'
    ],
    [
      "Click to Pay",
      {
        paymentMethod: {
          method: "click-to-pay",
          merchantTransactionId: "a",
          srcCorrelationId: "b",
          srcDpaId: "c",
          srcCxFlowId: null
        }
      },
      '{"payment_method":{"method":"click-to-pay","merchant_transaction_id":"a","src_correlation_id":"b","src_dpa_id":"c","src_cx_flow_id":null}}'
    ],
    [
      "a stored payment method",
      { paymentMethod: { method: "id", id, securityCode: Redacted.make("737") } },
      `{"payment_method":{"method":"id","id":"${id}","security_code":"737"}}`
    ],
    ["nothing", {}, "{}"]
  ] as ReadonlyArray<readonly [string, CheckoutSessionSecureFieldsUpdate, string]>) {
    it(`with ${what} are sent as the API takes them, byte for byte`, () => {
      assert.strictEqual(encode(update), wire)
      assert.strictEqual(encode(Schema.decodeUnknownSync(CheckoutSessionSecureFieldsUpdate)(JSON.parse(wire))), wire)
    })
  }
})

describe("CheckoutSessionsError", () => {
  it("takes each of the four errors over JSON", () => {
    for (const error of [
      new Unauthorized({ message: "a" }),
      new NotFound({ message: "b" }),
      new Generic({ status: 500, message: "c" }),
      new RequestFailed({ reason: "Timeout", delivered: "unknown", message: "d", attempts: 1 })
    ]) {
      const copy = Schema.decodeUnknownSync(CheckoutSessionsError)(
        overJson(Schema.encodeSync(CheckoutSessionsError)(error))
      )
      assert.strictEqual(Object.getPrototypeOf(copy), Object.getPrototypeOf(error))
      assert.strictEqual(copy.message, error.message)
    }
  })
})
