/**
 * The bearer token of each request, and one new token after a 401.
 */

import type { CredentialsService } from "@effect-gr4vy/core/Credentials"
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { authorization } from "@effect-gr4vy/core/Gr4vyHttpClient"
import type { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import * as RetryAfter from "@effect-gr4vy/core/unstable/RetryAfter"
import type { TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { timeoutWithin } from "../timeoutWithin.js"
import { type Call, type Send, timedOut } from "../transport/transport.js"

/**
 * `fixed` are the headers that every request has; they go into the call together with the token's, which were made and
 * checked when the token was new.
 */
export const authorize = (credentials: CredentialsService, fixed: Readonly<Record<string, string>>) => {
  let latest: { readonly token: Redacted.Redacted; readonly headers: Readonly<Record<string, string>> } | undefined

  const headersFor = (token: Redacted.Redacted): Either.Either<Readonly<Record<string, string>>, RequestFailed> => {
    if (latest?.token === token) return Either.right(latest.headers)
    return Either.map(authorization(token), (value) => {
      latest = { token, headers: { ...fixed, authorization: value } }
      return latest.headers
    })
  }

  return (next: Send): Send =>
    (request, call) => {
      const sendWith = (token: Redacted.Redacted): ReturnType<Send> => {
        const headers = headersFor(token)
        if (Either.isLeft(headers)) return Effect.fail(headers.left)
        call.headers = headers.right
        return next(request, call)
      }

      const renew = credentials.renew
      const withToken = (token: Redacted.Redacted): ReturnType<Send> => {
        const answer = sendWith(token)
        if (renew === undefined || !call.policy.renewToken) return answer
        return Effect.flatMap(answer, (response) => {
          if (response.status !== 401 || call.renewed) return Effect.succeed(response)
          call.renewed = true
          return Effect.matchEffect(inTime(renew(token, serverTime(response)), call), {
            // The 401 is what the API said: no token to follow it does not change that.
            onFailure: () => Effect.succeed(response),
            onSuccess: sendWith
          })
        })
      }

      const cachedToken = credentials.cachedToken?.(call.clock.unsafeCurrentTimeMillis())
      return cachedToken === undefined
        ? Effect.flatMap(inTime(credentials.token, call), withToken)
        : withToken(cachedToken)
    }
}

/** The deadline covers the wait for a token as well. */
const inTime = (
  token: Effect.Effect<Redacted.Redacted, RequestFailed>,
  call: Call
): Effect.Effect<Redacted.Redacted, RequestFailed | TransportFailure> =>
  timeoutWithin(token, call.timeLeft, () => timedOut("There was no token before the call's deadline.", false))

const serverTime = (response: BufferedResponse): Option.Option<DateTime.Utc> =>
  Option.map(RetryAfter.parseHttpDate(response.headers["date"]), DateTime.unsafeMake)
