/**
 * The merchant account of requests.
 *
 * @since 0.1.0
 */
import * as FiberRef from "effect/FiberRef"
import { globalValue } from "effect/GlobalValue"
import * as Predicate from "effect/Predicate"
import { RequestFailed } from "../Errors.js"

/**
 * The header that names it.
 *
 * @since 0.1.0
 * @category headers
 */
export const header = "x-gr4vy-merchant-account-id"

/**
 * The merchant account that overrides the layer's own, where there is one.
 *
 * @since 0.1.0
 * @category references
 */
export const override: FiberRef.FiberRef<string | undefined> = globalValue(
  Symbol.for("@effect-gr4vy/core/MerchantAccount/override"),
  () => FiberRef.unsafeMake<string | undefined>(undefined)
)

/**
 * Says what is wrong with an id, without quoting it.
 *
 * @since 0.1.0
 * @category validation
 */
export const problemOf = (id: unknown): string | undefined =>
  Predicate.isString(id) && /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(id) && !/^["'`]|["'`]$/.test(id)
    ? undefined
    : "The merchant account id is empty or not a string, or contains control characters, non-ASCII characters, or surrounding white space or quotes: copy it from the dashboard."

/**
 * The failure of a call for an id that has this problem.
 *
 * @since 0.1.0
 * @category validation
 */
export const invalid = (problem: string): RequestFailed =>
  new RequestFailed({
    reason: "InvalidRequest",
    delivered: "no",
    attempts: 0,
    message: `Nothing was sent. ${problem}`
  })
