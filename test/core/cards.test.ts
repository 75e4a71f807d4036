import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import {
  CardRequest,
  CheckoutSessionId,
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessions,
  CheckoutSessionsMemory
} from "@effect-gr4vy/core"
import { Cause, Effect, Either, FastCheck, Redacted, Schema } from "effect"
import { card, decodeCard, visa } from "../support/cards.js"
import { clients } from "../support/layers.js"
import { reply, script } from "../support/script.js"

const id = CheckoutSessionId.make("8724fd24-5489-4a5d-90fd-0604df7d3b83")
const buyerId = "fe26475d-ec3e-4884-9553-f7356683f7f9"

// Digits that no message has for another reason.
const numbers = FastCheck.stringMatching(/^[0-9]{13,19}$/)

const longestDigits = (text: string): number => Math.max(0, ...(text.match(/\d+/g) ?? []).map((run) => run.length))

/** No run of a message is long enough to be a part of a card number; "13 to 19 digits" and "3 or 4 digits" are. */
const assertSilent = (message: string, secret: string) => {
  assert.isAtMost(longestDigits(message), 2, message)
  if (secret.trim().length > 2) assert.notInclude(message, secret)
}

const messageOf = (wire: unknown): string => {
  const result = Schema.decodeUnknownEither(CheckoutSessionSecureFieldsUpdate, { errors: "all" })({
    payment_method: wire
  })
  assert(Either.isLeft(result))
  return [result.left.message, String(result.left), JSON.stringify(result.left), inspect(result.left.message)].join(
    "\n"
  )
}

describe("the rules of a card", () => {
  for (const [field, value, problem] of [
    ["method", "apple_pay", 'must be an object with the method "card", "click-to-pay" or "id"'],
    ["number", "411111111111", "must be 13 to 19 digits, without blanks or dashes"],
    ["number", "41111111111111111111", "must be 13 to 19 digits, without blanks or dashes"],
    ["number", "4111 1111 1111 1111", "must be 13 to 19 digits, without blanks or dashes"],
    ["number", "٤١١١١١١١١١١١١١١١", "must be 13 to 19 digits, without blanks or dashes"],
    ["number", 4111111111111111, "must be 13 to 19 digits, without blanks or dashes"],
    ["expiration_date", "1/25", "must be MM/YY"],
    ["expiration_date", "11/2025", "must be MM/YY"],
    ["expiration_date", null, "must be MM/YY"],
    ["security_code", "12", "must be 3 or 4 digits"],
    ["security_code", "12345", "must be 3 or 4 digits"],
    ["security_code", "12a", "must be 3 or 4 digits"],
    ["external_identifier", 7, "must be a string or null"],
    ["buyer_id", "not-a-uuid", "must be a UUID"],
    ["buyer_id", null, "must be a UUID"],
    ["buyer_external_identifier", null, "must be a string"],
    ["redirect_url", [], "must be a string or null"]
  ] as const) {
    it(`refuse ${JSON.stringify(value)} as ${field}`, () => {
      assert.include(messageOf({ ...visa, [field]: value }), problem)
    })
  }

  for (const field of ["method", "number", "expiration_date", "security_code"] as const) {
    it(`ask for ${field}`, () => {
      const { [field]: _, ...rest } = visa
      assert.include(messageOf(rest), field)
    })
  }

  it("refuse a buyer's id together with an external identifier, and take each alone", () => {
    assert.include(
      messageOf({ ...visa, buyer_id: buyerId, buyer_external_identifier: "user-789123" }),
      "either buyerId or buyerExternalIdentifier, not both"
    )
    assert(Either.isRight(decodeCard({ ...visa, buyer_id: buyerId })))
    assert(Either.isRight(decodeCard({ ...visa, buyer_external_identifier: "user-789123" })))
  })
})

const wrongCards = FastCheck.oneof(
  // a typo anywhere in the number
  FastCheck.tuple(numbers, FastCheck.nat(18), FastCheck.constantFrom("x", " ", "-", ".", "O", "\n")).map(
    ([number, at, typo]) => ({ ...visa, number: number.slice(0, at) + typo + number.slice(at) })
  ),
  // too short, too long
  FastCheck.stringMatching(/^[0-9]{5,12}$/).map((number) => ({ ...visa, number })),
  FastCheck.stringMatching(/^[0-9]{20,30}$/).map((number) => ({ ...visa, number })),
  // the number in a field that is not its own
  FastCheck.tuple(numbers, FastCheck.constantFrom("method", "expiration_date", "security_code", "buyer_id")).map(
    ([number, field]) => ({ ...visa, [field]: number })
  ),
  // the number as something that is not a text
  FastCheck.tuple(
    numbers,
    FastCheck.constantFrom(
      "method",
      "number",
      "expiration_date",
      "security_code",
      "external_identifier",
      "redirect_url"
    ),
    FastCheck.constantFrom<(number: string) => unknown>(
      Number,
      (_) => [_],
      (number) => ({ number }),
      BigInt
    )
  ).map(([number, field, wrap]) => ({ ...visa, [field]: wrap(number) })),
  // the number in place of the card
  FastCheck.tuple(
    numbers,
    FastCheck.constantFrom<(number: string) => unknown>(String, Number, (_) => [_])
  ).map(([number, wrap]) => wrap(number))
)

const jsonOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString() : part)) ?? ""

describe("no digit of a wrong card", () => {
  it.prop("is in the message of decoding it", { wrong: wrongCards }, ({ wrong }) => {
    const result = Schema.decodeUnknownEither(CheckoutSessionSecureFieldsUpdate)({ payment_method: wrong })
    assert(Either.isLeft(result), jsonOf(wrong))
    assertSilent(result.left.message, jsonOf(wrong))
    assertSilent(String(result.left), jsonOf(wrong))
  })

  it.prop("is in the message of CardRequest.make", { number: numbers, at: FastCheck.nat(12) }, ({ at, number }) => {
    for (const wrong of [
      { ...card(), number: Redacted.make(`${number.slice(0, at)}x${number.slice(at)}`) },
      { ...card(), securityCode: Redacted.make(number) },
      { ...card(), expirationDate: number }
    ]) {
      try {
        CardRequest.make(wrong)
        assert.fail("it was taken")
      } catch (error) {
        assert(error instanceof Error)
        assertSilent(error.message, number)
      }
    }
  })

  const forced = FastCheck.oneof(
    numbers.map((number) => ({ ...card(), number })),
    numbers.map((number) => ({ ...card(), number: Redacted.make(`${number} `) })),
    numbers.map((number) => ({ ...card(), securityCode: Redacted.make(number) })),
    numbers.map((number) => ({ ...card(), securityCode: Redacted.make(Number(number)) })),
    numbers.map((number) => ({ ...card(), expirationDate: number })),
    numbers.map((number) => ({ ...card(), [number]: number })),
    numbers.map((number) => ({ ...card(), buyerId, buyerExternalIdentifier: number })),
    numbers.map((number) => [number]),
    numbers
  )

  // Past the types, as plain JavaScript or a cast would.
  const force = (paymentMethod: unknown): CheckoutSessionSecureFieldsUpdate =>
    JSON.parse("{}", () => ({ paymentMethod }))

  const refused = (sessions: CheckoutSessions["Type"], update: CheckoutSessionSecureFieldsUpdate) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(sessions.updateFields(id, update))
      assert(exit._tag === "Failure")
      const error = yield* Effect.flip(exit)
      assert(error._tag === "RequestFailed", Cause.pretty(exit.cause))
      assert.strictEqual(error.reason, "InvalidRequest")
      assert.strictEqual(error.delivered, "no")
      assert.strictEqual(error.attempts, 0)
      assertSilent(error.message, "")
      assertSilent(JSON.stringify(error), "")
    })

  for (const [name, client] of Object.entries(clients)) {
    it.scopedLive(`leaves the program, and no request, through ${name}`, () =>
      Effect.gen(function* () {
        const { baseUrl, requests } = yield* script(reply(204, ""))
        yield* Effect.gen(function* () {
          const sessions = yield* CheckoutSessions
          for (const wrong of FastCheck.sample(forced, 50)) yield* refused(sessions, force(wrong))
          yield* sessions.updateFields(id, { paymentMethod: card() })
        }).pipe(Effect.provide(client(baseUrl)))
        assert.strictEqual(requests.length, 1)
      })
    )

    it.scopedLive(`an id forced past its type never becomes a request, through ${name}`, () =>
      Effect.gen(function* () {
        const { baseUrl, requests } = yield* script(reply(204, ""))
        yield* Effect.gen(function* () {
          const sessions = yield* CheckoutSessions
          for (const text of ["", "..", "../fields", "%2e%2e", "a?b", "a\r\nb", "a".repeat(65)]) {
            const wrong: CheckoutSessionId = JSON.parse(JSON.stringify(text))
            for (const call of [sessions.get(wrong), sessions.updateFields(wrong), sessions.delete(wrong)]) {
              const error = yield* Effect.flip(call)
              assert(error._tag === "RequestFailed")
              assert.strictEqual(error.reason, "InvalidRequest")
              assert.strictEqual(
                error.message,
                "Nothing was sent: checkoutSessionId must be 1 to 64 letters, digits, '_' or '-'."
              )
            }
          }
        }).pipe(Effect.provide(client(baseUrl)))
        assert.strictEqual(requests.length, 0)
      })
    )
  }

  it.effect("leaves the in-memory service", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      for (const wrong of FastCheck.sample(forced, 50)) yield* refused(sessions, force(wrong))
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )
})
