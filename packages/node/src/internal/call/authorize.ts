/**
 * The bearer token of each request.
 */
import type { CredentialsService } from "@effect-gr4vy/core/Credentials"
import type { RequestFailed } from "@effect-gr4vy/core/Errors"
import { authorization } from "@effect-gr4vy/core/Gr4vyHttpClient"
import type { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import * as RetryAfter from "@effect-gr4vy/core/spi/RetryAfter"
import type { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { timeoutWithin } from "../pending.js"
import { timedOut } from "../transport/transport.js"
import type { Call } from "./call.js"

/** Sends one request with this value of its `Authorization` header. */
type SendAuthorized = (
  call: Call,
  authorization: string
) => Effect.Effect<BufferedResponse, TransportFailure | RequestFailed>

export interface Authorized {
  /** Sends one request with this token, or with the one of the moment. */
  readonly send: (
    call: Call,
    token?: Redacted.Redacted
  ) => Effect.Effect<BufferedResponse, TransportFailure | RequestFailed>
  /** Gets a token in place of the call's, which this response refused. Absent if there is no other one. */
  readonly renew:
    | ((call: Call, refusal: BufferedResponse) => Effect.Effect<Redacted.Redacted, TransportFailure | RequestFailed>)
    | undefined
}

/** `observe` runs each wait for a token. */
export const authorize = (
  credentials: CredentialsService,
  observe: <A, E extends TransportFailure | RequestFailed>(
    call: Call,
    token: Effect.Effect<A, E>
  ) => Effect.Effect<A, E>
) => {
  let latest: { readonly token: Redacted.Redacted; readonly value: string } | undefined

  // Built and checked once for each token.
  const headerOf = (token: Redacted.Redacted): Either.Either<string, RequestFailed> => {
    if (latest?.token === token) return Either.right(latest.value)
    return Either.map(authorization(token), (value) => {
      latest = { token, value }
      return value
    })
  }

  return (next: SendAuthorized): Authorized => {
    const sendWith = (call: Call, token: Redacted.Redacted): ReturnType<SendAuthorized> => {
      const header = headerOf(token)
      if (Either.isLeft(header)) return Effect.fail(header.left)
      call.token = token
      return next(call, header.right)
    }
    const { renew } = credentials
    return {
      send: (call, token = credentials.cachedToken?.(call.clock.unsafeCurrentTimeMillis())) =>
        token === undefined
          ? Effect.flatMap(observe(call, inTime(credentials.token, call)), (token) => sendWith(call, token))
          : sendWith(call, token),
      renew:
        renew &&
        ((call, refusal) =>
          call.token === undefined
            ? observe(call, inTime(credentials.token, call))
            : observe(call, inTime(renew(call.token, serverTime(refusal, call)), call)))
    }
  }
}

/** The deadline covers the wait for a token as well. */
const inTime = (
  token: Effect.Effect<Redacted.Redacted, RequestFailed>,
  call: Call
): Effect.Effect<Redacted.Redacted, RequestFailed | TransportFailure> =>
  call.restore(
    timeoutWithin(token, call.timeLeft, () => timedOut("There was no token before the call's deadline.", false))
  )

const serverTime = ({ headers }: BufferedResponse, { clock }: Call): Option.Option<DateTime.Utc> =>
  Option.map(RetryAfter.dateOf(headers, clock.unsafeCurrentTimeMillis()), DateTime.unsafeMake)
