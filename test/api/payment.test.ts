/**
 * What a transaction means for a shop.
 */
import { assert, describe, it } from "@effect/vitest"
import { Payment } from "@effect-gr4vy/api"
import { FastCheck as fc } from "effect"

describe("a payment's outcome", () => {
  const facts = { amount: 1299, authorizedAmount: 1299, capturedAmount: 0, refundedAmount: 0 }
  const url = "https://bank.example/approve"
  const rows: ReadonlyArray<readonly [what: string, transaction: Partial<Payment.Facts>, outcome: Payment.Outcome]> = [
    ["processing", { status: "processing" }, Payment.Pending({ awaits: "authorization" })],
    [
      "an approval",
      { status: "buyer_approval_pending", paymentMethod: { approvalUrl: url } },
      Payment.NeedsApproval({ url })
    ],
    ["an approval without a URL", { status: "buyer_approval_pending" }, Payment.Pending({ awaits: "approval" })],
    [
      "an approval whose URL is a script",
      { status: "buyer_approval_pending", paymentMethod: { approvalUrl: "javascript:alert(1)" } },
      Payment.Pending({ awaits: "approval" })
    ],
    ["an authorization", { status: "authorization_succeeded" }, Payment.Authorized({ authorized: 1299, missing: 0 })],
    [
      "a partial authorization",
      { status: "authorization_succeeded", authorizedAmount: 1000 },
      Payment.Authorized({ authorized: 1000, missing: 299 })
    ],
    [
      "an authorization under review",
      { status: "authorization_succeeded", pendingReview: true },
      Payment.Pending({ awaits: "review" })
    ],
    [
      "a partial capture whose status is still authorized",
      { status: "authorization_succeeded", capturedAmount: 300 },
      Payment.Paid({ captured: 300, outstanding: 999, refunded: 0 })
    ],
    ["a decline", { status: "authorization_declined", errorCode: "lost" }, Payment.Declined({ code: "lost" })],
    ["a failure", { status: "authorization_failed", errorCode: undefined }, Payment.Failed({ code: undefined })],
    [
      "a decline that took money",
      { status: "authorization_declined", capturedAmount: 1 },
      Payment.Unknown({ status: "authorization_declined" })
    ],
    ["a void", { status: "authorization_voided" }, Payment.Voided()],
    [
      "a void of what a partial capture left",
      { status: "authorization_voided", capturedAmount: 300 },
      Payment.Paid({ captured: 300, outstanding: 999, refunded: 0 })
    ],
    ["a void that is pending", { status: "authorization_void_pending" }, Payment.Pending({ awaits: "void" })],
    ["a capture that is pending", { status: "capture_pending" }, Payment.Pending({ awaits: "capture" })],
    [
      "a capture",
      { status: "capture_succeeded", capturedAmount: 1299 },
      Payment.Paid({ captured: 1299, outstanding: 0, refunded: 0 })
    ],
    [
      "a partial refund",
      { status: "capture_succeeded", capturedAmount: 1299, refundedAmount: 1298 },
      Payment.Paid({ captured: 1299, outstanding: 0, refunded: 1298 })
    ],
    [
      "a full refund",
      { status: "capture_succeeded", capturedAmount: 1299, refundedAmount: 1299 },
      Payment.Refunded({ refunded: 1299 })
    ],
    ["a capture of nothing", { status: "capture_succeeded" }, Payment.Unknown({ status: "capture_succeeded" })],
    [
      "a capture of nothing where nothing was to be paid",
      { status: "capture_succeeded", amount: 0 },
      Payment.Paid({ captured: 0, outstanding: 0, refunded: 0 })
    ],
    [
      "an authorization of nothing",
      { status: "authorization_succeeded", authorizedAmount: 0 },
      Payment.Unknown({ status: "authorization_succeeded" })
    ],
    [
      "a decline after a gift card had paid",
      {
        status: "authorization_declined",
        giftCardRedemptions: [{ status: "succeeded", amount: 500, refundedAmount: 0 }]
      },
      Payment.Unknown({ status: "authorization_declined" })
    ],
    [
      "a decline whose gift card got its money back",
      {
        status: "authorization_declined",
        giftCardRedemptions: [{ status: "succeeded", amount: 5, refundedAmount: 5 }]
      },
      Payment.Declined({ code: undefined })
    ],
    ["a status of tomorrow", { status: "settled_in_part" }, Payment.Unknown({ status: "settled_in_part" })]
  ]

  for (const [what, transaction, outcome] of rows) {
    it(`of ${what} is ${outcome._tag}`, () => {
      assert.deepStrictEqual(Payment.outcome({ ...facts, status: "", ...transaction }), outcome)
    })
  }

  it("lets the buyer try again only if no money moved", () => {
    const again = rows.filter(([, , outcome]) => Payment.mayTryAgain(outcome)).map(([what]) => what)
    assert.deepStrictEqual(again, ["a decline", "a failure", "a void", "a decline whose gift card got its money back"])
  })

  it.prop(
    "has another key for another order or try",
    [fc.string({ minLength: 1 }), fc.nat(), fc.string({ minLength: 1 }), fc.nat()],
    ([a, n, b, m]) => {
      const same = a === b && n === m
      assert.strictEqual(Payment.key(a, n + 1) === Payment.key(b, m + 1), same)
      assert.match(Payment.key(a, n + 1), /^[!-~]+$/)
    }
  )

  it("has no key without an order, or with a number that is no try", () => {
    for (const attempt of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => Payment.key("order-1", attempt), RangeError)
    }
    for (const order of ["", "\ud800", "x".repeat(254)]) assert.throws(() => Payment.key(order, 1), RangeError)
    // Plain JavaScript: two orders without an id would share a key, and the second would be told the first's payment.
    for (const order of [undefined, null, Number.NaN, {}]) {
      assert.throws(() => Reflect.apply(Payment.key, undefined, [order, 1]), RangeError)
    }
    assert.lengthOf(Payment.key("x".repeat(253), 1), 255)
  })
})
