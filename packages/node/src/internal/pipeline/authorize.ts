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
import { annotated } from "../otel/decisions.js"
import { timeoutWithin } from "../timeoutWithin.js"
import { timedOut } from "../transport/transport.js"
import type { Call, Send } from "./call.js"

/** Sends one request with this value of its `Authorization` header. */
type SendAuthorized = (call: Call, authorization: string) => ReturnType<Send>

export const authorize = (credentials: CredentialsService) => {
  let latest: { readonly token: Redacted.Redacted; readonly value: string } | undefined

  // Built and checked once for each token.
  const headerOf = (token: Redacted.Redacted): Either.Either<string, RequestFailed> => {
    if (latest?.token === token) return Either.right(latest.value)
    return Either.map(authorization(token), (value) => {
      latest = { token, value }
      return value
    })
  }

  return (next: SendAuthorized): Send => {
    const sendWith = (call: Call, token: Redacted.Redacted): ReturnType<Send> => {
      const header = headerOf(token)
      return Either.isLeft(header) ? Effect.fail(header.left) : next(call, header.right)
    }

    const { renew } = credentials
    const withToken = (call: Call, token: Redacted.Redacted): ReturnType<Send> => {
      const sent = sendWith(call, token)
      if (renew === undefined) return sent
      return Effect.flatMap(sent, (response) => {
        if (response.status === 401 && !call.policy.renewToken) {
          // This call sends nothing more, but the next one should have a token that is not refused.
          return Effect.as(Effect.forkDaemon(Effect.ignore(renew(token, serverTime(response, call)))), response)
        }
        if (response.status !== 401 || call.renewed) return Effect.succeed(response)
        call.renewed = true
        return Effect.matchEffect(inTime(renew(token, serverTime(response, call)), call), {
          // Without a new token the 401 is still the API's response.
          onFailure: ({ message, reason }) =>
            Effect.as(
              annotated(
                Effect.logWarning(`No new token after a 401, which is the call's result: ${message}`),
                call,
                { "error.type": reason },
                response.requestId
              ),
              response
            ),
          // A request that was refused with 401 had no effect, so a second one is safe for every endpoint.
          onSuccess: (renewed) => sendWith(call, renewed)
        })
      })
    }

    return (call) => {
      const cachedToken = credentials.cachedToken?.(call.clock.unsafeCurrentTimeMillis())
      return cachedToken === undefined
        ? Effect.flatMap(inTime(credentials.token, call), (token) => withToken(call, token))
        : withToken(call, cachedToken)
    }
  }
}

/** The deadline covers the wait for a token as well. */
const inTime = (
  token: Effect.Effect<Redacted.Redacted, RequestFailed>,
  call: Call
): Effect.Effect<Redacted.Redacted, RequestFailed | TransportFailure> =>
  timeoutWithin(token, call.timeLeft, () => timedOut("There was no token before the call's deadline.", false))

const serverTime = ({ headers }: BufferedResponse, { clock }: Call): Option.Option<DateTime.Utc> =>
  Option.map(RetryAfter.dateOf(headers, clock.unsafeCurrentTimeMillis()), DateTime.unsafeMake)
