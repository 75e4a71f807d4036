/**
 * Cards whose payment does not simply succeed, in the spirit of test cards. Every other card is good.
 */
import * as Predicate from "effect/Predicate"

/** What the bank does with a payment by a card. */
export type Behaviour =
  | "good"
  | "declined"
  | "expired"
  | "failed"
  | "approval"
  | "approvalWithoutUrl"
  | "processing"
  | "review"
  | "broken"
  | "uncapturable"
  | "capturePending"
  | "unrefundable"
  | "refundPending"

/** A test card, and what a docs page says of it. */
export interface TestCard {
  readonly number: string
  readonly behaviour: Behaviour
  readonly about: string
}

export const testCards: ReadonlyArray<TestCard> = [
  { number: "4111111111111111", behaviour: "good", about: "authorized, captured, refunded" },
  { number: "4000000000009995", behaviour: "declined", about: "declined: insufficient_funds" },
  { number: "4000000000000069", behaviour: "expired", about: "declined: expired_card" },
  { number: "4000000000000127", behaviour: "failed", about: "the authorization fails: service_error" },
  { number: "4000000000003220", behaviour: "approval", about: "the buyer must approve it at its approval URL" },
  { number: "4000000000003063", behaviour: "approvalWithoutUrl", about: "waits for an approval, and has no URL" },
  { number: "4000000000000077", behaviour: "processing", about: "stays processing, until a sync settles it" },
  { number: "4000000000000259", behaviour: "unrefundable", about: "captured; every refund is declined" },
  { number: "4000000000000267", behaviour: "refundPending", about: "captured; a refund stays processing" },
  { number: "4000000000000341", behaviour: "uncapturable", about: "authorized; a capture takes nothing" },
  {
    number: "4000000000000358",
    behaviour: "capturePending",
    about: "authorized; a capture stays pending, until a sync settles it"
  },
  { number: "4000000000000119", behaviour: "broken", about: "the bank breaks down: a 500, which the key repeats" },
  { number: "4000000000009235", behaviour: "review", about: "authorized, and under review" }
]

/** The behaviour of a card by its last four digits: no more is kept of it. */
export const behaviourOf = (label: string | null | undefined): Behaviour =>
  Predicate.isString(label) ? (testCards.find(({ number }) => number.endsWith(label))?.behaviour ?? "good") : "good"
