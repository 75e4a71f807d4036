/**
 * The handler behind the page's `fetch("/pay")`. Amount and order come from the shop's own records, never from the page.
 */
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Payment, Transactions } from "@effect-gr4vy/api"
import type { CheckoutSessionsError } from "@effect-gr4vy/core"
import { Effect, Option, Schema } from "effect"
import { statusOf } from "../support/statusOf.js"
import { capture, type OutcomeUnknown, pay, refund } from "./payment.js"
import { nextAttempt, type Purchase, Purchases } from "./purchases.js"

/**
 * Pays, and returns the outcome with the number of the next try. A payment that is over or underway is read, not made again.
 */
export const payOnce = (purchase: Purchase) =>
  Effect.gen(function* () {
    const { get } = yield* Transactions
    const purchases = yield* Purchases
    const { attempt, order, sessionId, transaction: known } = purchase
    const transaction =
      known === undefined
        ? yield* pay(order, { id: sessionId }, attempt)
        : Payment.mayTryAgain(Payment.outcome(known))
          ? known
          : yield* get(known.id)
    yield* purchases.learn(purchase, transaction)
    return {
      outcome: Payment.outcome(transaction),
      transaction,
      attempt: nextAttempt({ ...purchase, transaction })
    }
  })

/**
 * Captures `amount`, or what is left. A part stays open, and is repeated with its key and its amount, until the API has said
 * whether it took money. Then the next call begins a new one.
 */
export const captureOnce = (transactionId: string, amount?: number) =>
  Effect.gen(function* () {
    const { get } = yield* Transactions
    const purchases = yield* Purchases
    const part = yield* purchases.beginPart("capture", transactionId, amount)
    if (Option.isNone(part)) return yield* get(transactionId)
    return yield* capture(part.value).pipe(
      Effect.tap((now) => purchases.endPart(part.value, now.capturedAmount)),
      Effect.tapErrorTag("NotCaptured", () => purchases.endPart(part.value, part.value.before))
    )
  })

/** Gives back `amount`, or what is left. A refund that is still processing stays open: its webhook says how it ended. */
export const refundOnce = (transactionId: string, amount?: number) =>
  Effect.gen(function* () {
    const purchases = yield* Purchases
    const part = yield* purchases.beginPart("refund", transactionId, amount)
    if (Option.isNone(part)) return
    const { status } = yield* refund(part.value)
    const { before } = part.value
    if (status === "succeeded") yield* purchases.endPart(part.value, before + part.value.amount)
    if (["declined", "failed", "voided"].includes(status)) yield* purchases.endPart(part.value, before)
  })

/** The words for the buyer. Only an outcome without money asks for another card. */
export const wordsFor: (outcome: Payment.Outcome) => string = Payment.$match({
  Paid: () => "Thank you, your order is paid.",
  Authorized: () => "Thank you, your order is confirmed.",
  NeedsApproval: () => "Your bank asks you to approve this payment.",
  Pending: ({ awaits }) =>
    awaits === "capture"
      ? "Thank you, your order is confirmed."
      : "Your payment is being processed. Please do not pay again: we will write to you.",
  Declined: () => "The card was declined. Please try another one.",
  Failed: () => "The payment failed, and you were not charged. Please try again.",
  Voided: () => "The payment was cancelled, and you were not charged. Please try again.",
  Refunded: () => "This payment was refunded.",
  Unknown: () => "We are checking your payment. Please do not pay again: we will write to you."
})

const notKnown = "We could not finish the payment. Please try again: you will not be charged twice."

const answer = (status: number, message: string, attempt?: number) =>
  HttpServerResponse.unsafeJson({ message, attempt }, { status })

const Click = Schema.Struct({ sessionId: Schema.NonEmptyString, attempt: Schema.NumberFromString })

export const router = HttpRouter.empty.pipe(
  HttpRouter.post(
    "/pay",
    Effect.gen(function* () {
      const { attempt, sessionId } = yield* HttpServerRequest.schemaBodyUrlParams(Click)
      const found = yield* Effect.flatMap(Purchases, (purchases) => purchases.begin(sessionId, attempt))
      if (Option.isNone(found)) return answer(404, "This checkout does not exist. Please start again.")
      const purchase = found.value
      return yield* payOnce(purchase).pipe(
        Effect.map(({ attempt, outcome }) =>
          HttpServerResponse.unsafeJson({
            message: wordsFor(outcome),
            attempt,
            ...(outcome._tag === "NeedsApproval" ? { approvalUrl: outcome.url } : {})
          })
        ),
        // The try stays open: the page repeats it with the same number, hence with the same key.
        Effect.catchAll((error: CheckoutSessionsError | OutcomeUnknown) =>
          Effect.as(
            Effect.logError(`${error._tag}: ${error.message}`),
            answer(statusOf(error._tag === "OutcomeUnknown" ? error.last : error), notKnown, purchase.attempt)
          )
        )
      )
    })
  ),
  HttpRouter.catchTag("ParseError", () => Effect.succeed(answer(400, "The request is incomplete.")))
)
