/**
 * What a transaction means for a shop, and the keys of its payments. Import it as a namespace:
 * `import { Payment } from "@effect-gr4vy/api"`.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Predicate from "effect/Predicate"

/**
 * The properties of a transaction that decide its outcome. `Transaction` and `TransactionSummary` have them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Facts {
  readonly status: string
  readonly amount: number
  readonly authorizedAmount: number
  readonly capturedAmount: number
  readonly refundedAmount: number
  /** Whether a person or a rule must still release the payment. */
  readonly pendingReview?: boolean | undefined
  readonly errorCode?: string | undefined
  readonly paymentMethod?: { readonly approvalUrl?: string | undefined } | undefined
  readonly giftCardRedemptions?:
    | ReadonlyArray<{ readonly status: string; readonly amount: number; readonly refundedAmount: number }>
    | undefined
}

/**
 * The outcome of a payment. Amounts are in the currency's smallest unit.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = Data.TaggedEnum<{
  /** Money is taken. `outstanding` is more than 0 after a partial capture; `refunded` is the part that went back. */
  Paid: { readonly captured: number; readonly outstanding: number; readonly refunded: number }
  /** All captured money went back to the buyer. */
  Refunded: { readonly refunded: number }
  /** Money is reserved and not yet taken. `missing` is more than 0 after a partial authorization. */
  Authorized: { readonly authorized: number; readonly missing: number }
  /** The buyer must approve the payment at this URL. */
  NeedsApproval: { readonly url: string }
  /** The API has not decided yet. A second payment may charge the buyer twice. */
  Pending: { readonly awaits: "authorization" | "approval" | "review" | "capture" | "void" }
  /** The bank refused; no money moved. */
  Declined: { readonly code: string | undefined }
  /** The authorization failed; no money moved. */
  Failed: { readonly code: string | undefined }
  /** The reservation is cancelled; no money moved. */
  Voided: object
  /** This version does not know the status, or the amounts contradict it. A person must look at the transaction. */
  Unknown: { readonly status: string }
}>

/**
 * The constructors of {@link Outcome}, and its match:
 * `Payment.$match({ Paid: () => …, … })` has a function for each outcome.
 *
 * @since 0.1.0
 * @category constructors
 */
export const { $is, $match, Authorized, Declined, Failed, NeedsApproval, Paid, Pending, Refunded, Unknown, Voided } =
  Data.taggedEnum<Outcome>()

/**
 * Returns what a transaction means. Captured money counts before the status: a transaction that says it was declined and
 * has money is `Unknown`.
 *
 * @example
 * ```ts
 * import { Payment } from "@effect-gr4vy/api"
 * import type { Transaction } from "@effect-gr4vy/api"
 *
 * const wordsFor = (transaction: Transaction) =>
 *   Payment.mayTryAgain(Payment.outcome(transaction)) ? "Please try another card." : "Please do not pay again."
 * ```
 *
 * @since 0.1.0
 * @category conversions
 */
export const outcome = (transaction: Facts): Outcome => {
  const { amount, authorizedAmount, capturedAmount, errorCode: code, status } = transaction
  switch (status) {
    case "processing":
      return Pending({ awaits: "authorization" })
    case "buyer_approval_pending": {
      const url = transaction.paymentMethod?.approvalUrl ?? ""
      return /^https?:\/\//i.test(url) ? NeedsApproval({ url }) : Pending({ awaits: "approval" })
    }
    case "authorization_succeeded":
      if (capturedAmount > 0) return taken(transaction)
      if (transaction.pendingReview === true) return Pending({ awaits: "review" })
      return authorizedAmount <= 0 && amount > 0
        ? Unknown({ status })
        : Authorized({ authorized: authorizedAmount, missing: Math.max(0, amount - authorizedAmount) })
    case "capture_pending":
      return Pending({ awaits: "capture" })
    case "capture_succeeded":
      return taken(transaction)
    case "authorization_void_pending":
      return Pending({ awaits: "void" })
    case "authorization_voided":
      return capturedAmount > 0 ? taken(transaction) : withoutMoney(transaction, Voided())
    case "authorization_declined":
      return withoutMoney(transaction, Declined({ code }))
    case "authorization_failed":
      return withoutMoney(transaction, Failed({ code }))
    default:
      return Unknown({ status })
  }
}

const taken = ({ amount, capturedAmount, refundedAmount, status }: Facts): Outcome => {
  // A capture of nothing is a success only where nothing was to be paid.
  if (capturedAmount <= 0 && amount > 0) return Unknown({ status })
  return refundedAmount > 0 && refundedAmount >= capturedAmount
    ? Refunded({ refunded: refundedAmount })
    : Paid({ captured: capturedAmount, outstanding: Math.max(0, amount - capturedAmount), refunded: refundedAmount })
}

/** An outcome without money, unless a gift card has paid a part that did not go back. */
const withoutMoney = ({ capturedAmount, giftCardRedemptions, status }: Facts, outcome: Outcome): Outcome =>
  capturedAmount > 0 ||
  giftCardRedemptions?.some((each) => each.status === "succeeded" && each.amount > each.refundedAmount) === true
    ? Unknown({ status })
    : outcome

/**
 * Returns the transaction that a capture or a void answers with, whatever its header `prefer` asked for.
 *
 * @since 0.1.0
 * @category conversions
 */
export const transactionOf = <T extends { readonly amount: number }>(
  answer: T | { readonly transaction: T; readonly amount?: never }
): T => (answer.amount === undefined ? answer.transaction : answer)

/**
 * Returns whether the buyer may try again with a new key: the payment is over, and no money moved.
 *
 * @since 0.1.0
 * @category predicates
 */
export const mayTryAgain = (outcome: Outcome): boolean =>
  outcome._tag === "Declined" || outcome._tag === "Failed" || outcome._tag === "Voided"

/**
 * Returns the idempotency key of the buyer's n-th try to pay an order, of at most 255 visible ASCII characters. A repeated
 * call of the same try has the same key; a new try has a new key. Throws a `RangeError` if there is no order, if
 * `attempt` is not a whole number from 1, or if the key would be too long.
 *
 * @example
 * ```ts
 * import { Payment } from "@effect-gr4vy/api"
 *
 * const idempotencyKey = Payment.key("order-1001", 2) // "order-1001/2"
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const key = (order: string, attempt: number): string => {
  // Plain JavaScript may give an order without an id. All of them would share a key.
  if (!Predicate.isString(order) || order === "")
    throw new RangeError("Payment.key: the order must be a text that is not empty")
  if (!Number.isSafeInteger(attempt) || attempt < 1) {
    throw new RangeError("Payment.key: the attempt must be a whole number of at least 1")
  }
  const text = `${encoded(order)}/${attempt}`
  if (text.length > maxLength) {
    throw new RangeError(`Payment.key: the order must be shorter: a key has at most ${maxLength} characters`)
  }
  return text
}

const maxLength = 255

const encoded = (order: string): string => {
  try {
    return encodeURIComponent(order)
  } catch {
    // A lone surrogate has no UTF-8.
    throw new RangeError("Payment.key: the order must be well-formed text")
  }
}
