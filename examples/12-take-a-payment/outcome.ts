/**
 * The meaning of a transaction for a shop. Import it as a namespace: `import * as Payment from "./outcome.js"`.
 */
import { Data } from "effect"

/** The properties of a transaction that decide its outcome. */
export interface Facts {
  readonly status: string
  readonly amount: number
  readonly authorized_amount: number
  readonly captured_amount: number
  readonly refunded_amount: number
  /** A person or a rule must still release the payment. */
  readonly pending_review?: boolean | undefined
  readonly error_code?: string | null | undefined
  readonly payment_method?: { readonly approval_url?: string | null | undefined } | null | undefined
}

/** Amounts are in the currency's smallest unit. */
export type Outcome = Data.TaggedEnum<{
  /** Money is taken. `outstanding` is more than 0 after a partial capture; `refunded` is the part that went back. */
  Paid: { readonly captured: number; readonly outstanding: number; readonly refunded: number }
  /** All captured money went back to the buyer. */
  Refunded: { readonly refunded: number }
  /** Money is reserved and not yet taken. */
  Authorized: { readonly authorized: number }
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
  /** This version does not know the status, or it contradicts the amounts. A person must look at the transaction. */
  Unknown: { readonly status: string }
}>

export const { $is, $match, Authorized, Declined, Failed, NeedsApproval, Paid, Pending, Refunded, Unknown, Voided } =
  Data.taggedEnum<Outcome>()

/** Returns what a transaction means. Captured money counts before the status. */
export const outcome = (transaction: Facts): Outcome => {
  const code = transaction.error_code ?? undefined
  switch (transaction.status) {
    case "processing":
      return Pending({ awaits: "authorization" })
    case "buyer_approval_pending": {
      const url = transaction.payment_method?.approval_url ?? ""
      return /^https?:\/\//i.test(url) ? NeedsApproval({ url }) : Pending({ awaits: "approval" })
    }
    case "authorization_succeeded":
      if (transaction.captured_amount > 0) return taken(transaction)
      return transaction.pending_review === true
        ? Pending({ awaits: "review" })
        : Authorized({ authorized: transaction.authorized_amount })
    case "capture_pending":
      return Pending({ awaits: "capture" })
    case "capture_succeeded":
      return taken(transaction)
    case "authorization_void_pending":
      return Pending({ awaits: "void" })
    case "authorization_voided":
      return transaction.captured_amount > 0 ? taken(transaction) : Voided()
    case "authorization_declined":
      return transaction.captured_amount > 0 ? Unknown({ status: transaction.status }) : Declined({ code })
    case "authorization_failed":
      return transaction.captured_amount > 0 ? Unknown({ status: transaction.status }) : Failed({ code })
    default:
      return Unknown({ status: transaction.status })
  }
}

const taken = ({ amount, captured_amount, refunded_amount, status }: Facts): Outcome => {
  // A capture of nothing is a success only where nothing was to be paid.
  if (captured_amount <= 0 && amount > 0) return Unknown({ status })
  return refunded_amount > 0 && refunded_amount >= captured_amount
    ? Refunded({ refunded: refunded_amount })
    : Paid({
        captured: captured_amount,
        outstanding: Math.max(0, amount - captured_amount),
        refunded: refunded_amount
      })
}

/** Returns whether the buyer may try again with a new key: the payment is over, and no money moved. */
export const mayTryAgain = (outcome: Outcome): boolean =>
  outcome._tag === "Declined" || outcome._tag === "Failed" || outcome._tag === "Voided"

/**
 * Returns the idempotency key of the buyer's n-th try to pay an order. A repeated call of the same try has the same key; a
 * new try has a new key. Throws a `RangeError` if there is no order or `attempt` is not a whole number from 1.
 */
export const key = (order: string, attempt: number): string => {
  if (order === "") throw new RangeError("Payment.key: the order must not be empty")
  if (!Number.isSafeInteger(attempt) || attempt < 1) {
    throw new RangeError("Payment.key: the attempt must be a whole number of at least 1")
  }
  return `${encodeURIComponent(order)}/${attempt}`
}
