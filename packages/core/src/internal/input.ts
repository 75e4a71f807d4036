/**
 * What a caller gives, checked before anything is sent: types can be forced.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { CheckoutSessionId } from "../CheckoutSession.js"
import * as Endpoints from "../Endpoints.js"
import { RequestFailed } from "../Errors.js"
import type { CheckoutSessionSecureFieldsUpdate } from "../SecureFields.js"
import { explain } from "./explain.js"
import { secretsIn } from "./scrub.js"

/** What `f` gives, unless the id was forced past its type. */
export const withId = <A, E>(
  id: CheckoutSessionId,
  f: () => Effect.Effect<A, E>
): Effect.Effect<A, E | RequestFailed> =>
  isId(id) ? f() : invalidRequest("the id of a Checkout Session must be 1 to 64 letters, digits, '_' or '-'")

const isId = Schema.is(CheckoutSessionId)

/** The JSON body of an update, or `undefined` where there is none. */
export const encodeUpdate = (
  update: CheckoutSessionSecureFieldsUpdate | undefined
): Effect.Effect<string | undefined, RequestFailed> =>
  Effect.suspend(() => {
    if (update === undefined) return Effect.succeed(undefined)
    const encoded = encodePayload(update)
    return Either.isRight(encoded)
      ? Effect.succeed(JSON.stringify(encoded.right))
      : invalidRequest(explain(encoded.left, Endpoints.updateFields.payload.ast, "update"))
  })

// A property of another name would be lost on the way: better said than lost.
const encodePayload = Schema.encodeUnknownEither(Endpoints.updateFields.payload, {
  errors: "all",
  onExcessProperty: "error"
})

const invalidRequest = (problem: string) =>
  Effect.fail(
    new RequestFailed({
      reason: "InvalidRequest",
      delivered: "no",
      attempts: 0,
      message: `Nothing was sent: ${problem}.`
    })
  )

/** What a server must not be able to say back. */
export const secretsOf = (update: CheckoutSessionSecureFieldsUpdate | undefined): ReadonlyArray<string> =>
  secretsIn(update)
