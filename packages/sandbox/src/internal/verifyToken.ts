/**
 * Checks tokens like the API: signature, validity, and scope.
 */

import { Generic, Unauthorized } from "@effect-gr4vy/core/Errors"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { publicKeyFrom } from "./publicKey.js"

/** The allowed clock skew in seconds. */
const leewaySeconds = 5

/**
 * A check of tokens against a public key: PEM (SPKI) or JWK, P-521. Fails with a `ConfigError` when it is not one. A
 * token that is not good at `nowMillis` is `Unauthorized`, one that lacks the scope (where one is asked for) a `Generic` 403, in the API's words.
 */
export const verifyToken = (
  publicKey: string
): Effect.Effect<
  (
    token: Redacted.Redacted,
    scope: string | undefined,
    nowMillis: number
  ) => Effect.Effect<void, Unauthorized | Generic>,
  ConfigError.ConfigError
> =>
  Effect.gen(function* () {
    const key = yield* Either.mapLeft(publicKeyFrom(publicKey), (found) =>
      ConfigError.InvalidData(["publicKey"], `Found ${found}; expected a public key, PEM (SPKI) or JWK, curve P-521.`)
    )
    // jose is loaded only if tokens are checked.
    const jose = yield* Effect.promise(() => import("jose"))
    const kid = yield* Effect.promise(async () => jose.calculateJwkThumbprint(await jose.exportJWK(key)))
    return (token, scope, nowMillis) =>
      Effect.tryPromise({
        try: () =>
          jose.jwtVerify(Redacted.value(token), key, {
            algorithms: ["ES512"],
            clockTolerance: leewaySeconds,
            currentDate: new Date(nowMillis),
            requiredClaims: ["exp"]
          }),
        catch: unauthorized
      }).pipe(
        Effect.filterOrFail(({ protectedHeader }) => protectedHeader.kid === kid, unauthorized),
        Effect.filterOrFail(({ payload }) => scope === undefined || allows(payload["scopes"], scope), forbidden),
        Effect.asVoid
      )
  })

// Write does not include read. `*.read` is the scope to read everything.
const allows = (scopes: unknown, scope: string): boolean =>
  Array.isArray(scopes) && (scopes.includes(scope) || scopes.includes(scope.replace(/^.*\./, "*.")))

const unauthorized = () => new Unauthorized({ code: "unauthorized", message: "No valid API authentication found" })

const forbidden = () => new Generic({ status: 403, code: "forbidden", message: "Invalid credentials" })
