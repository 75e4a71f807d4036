/**
 * Bodies that the API's description accepts beyond those that a client of ours sends, by the names of the operations.
 */
import type { checkoutSessions } from "@effect-gr4vy/core/Endpoints"
import * as Predicate from "effect/Predicate"

/** Converts a body to the form that the schema of the request has. */
export type Accept = (body: unknown) => unknown

export const accepted: Partial<Record<keyof typeof checkoutSessions, Accept>> = {
  // `null`, and a list without content: PHP writes an empty object as a list.
  add: (body) => (body === null || (Array.isArray(body) && body.every(isEmpty)) ? undefined : body),
  updateFields: (body) =>
    Predicate.hasProperty(body, "payment_method") && Predicate.isRecord(body.payment_method)
      ? { ...body, payment_method: withMethod(body.payment_method) }
      : body
}

const isEmpty = (item: unknown): boolean => Predicate.isRecord(item) && Object.keys(item).length === 0

/** `method` has a default in each of the three payment methods; a property that the others lack tells which one it is. */
const withMethod = (given: Readonly<Record<string, unknown>>) => {
  if ("method" in given) return given
  const own = Object.entries(ownProperty).find(([, property]) => property in given)
  return own === undefined ? given : { method: own[0], ...given }
}

const ownProperty = { card: "number", "click-to-pay": "merchant_transaction_id", id: "id" }
