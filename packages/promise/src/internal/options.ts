/**
 * Options into the layer of the service.
 */
import type { CheckoutSessions } from "@effect-gr4vy/core/CheckoutSessions"
import { Credentials } from "@effect-gr4vy/core/Credentials"
import type { Address, Gr4vyHttpClient } from "@effect-gr4vy/core/Gr4vyHttpClient"
import * as Gr4vy from "@effect-gr4vy/node/Gr4vy"
import type * as RetryPolicy from "@effect-gr4vy/node/RetryPolicy"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { ExpiringToken } from "../models.js"
import { type GivenOptions, readToken, refuse } from "./input.js"

/** The service with everything wired. What is secret is wrapped here. */
export const layerOf = (
  { baseUrl, environment, getToken, id, privateKey, retry: _, token, ...travel }: Omit<GivenOptions, "logger">,
  retry: RetryPolicy.RetryPolicy
): Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError> => {
  const address = present({ baseUrl, environment, id })
  const authentication = present({ token, privateKey, getToken })
  if (Object.keys(authentication).length > 1) {
    throw refuse("options must have only one of token, privateKey and getToken")
  }
  if (baseUrl !== undefined && (id !== undefined || environment !== undefined)) {
    throw refuse("options must have either baseUrl, or id and environment")
  }
  // Effect's own metrics are inside the bundle, where nobody reads them.
  const options = { ...travel, retry, metrics: "otel" as const }
  if (getToken !== undefined) return withSource(address, options, getToken)
  // Either a URL or the rest, as checked above.
  const overrides = { ...options, ...address } as Gr4vy.TravelOptions & Gr4vy.TokenOptions & Partial<Address>
  if (token !== undefined) return Gr4vy.layerConfig({ ...overrides, token: Redacted.make(token) })
  if (privateKey !== undefined) return Gr4vy.layerConfig({ ...overrides, privateKey: Redacted.make(privateKey) })
  return Gr4vy.layerConfig(overrides)
}

const present = <T extends object>(record: T) =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))

type AddressOptions = Pick<GivenOptions, "baseUrl" | "environment" | "id">

const withSource = (
  given: AddressOptions,
  options: Gr4vy.TravelOptions,
  getToken: () => Promise<ExpiringToken>
): Layer.Layer<CheckoutSessions | Gr4vyHttpClient, ConfigError.ConfigError> =>
  Effect.gen(function* () {
    const address = yield* addressOf(given)
    const merchantAccountId = options.merchantAccountId ?? (yield* read("GR4VY_MERCHANT_ACCOUNT_ID"))
    const account = merchantAccountId === undefined ? {} : { merchantAccountId }
    return Gr4vy.layerWithoutCredentials({ ...options, ...address, ...account })
  }).pipe(
    Layer.unwrapEffect,
    Layer.provide(
      Credentials.layerSource({
        get: Effect.tryPromise({ try: async () => getToken(), catch: (error) => error }).pipe(
          Effect.flatMap(readToken),
          Effect.map(({ expiresAt, token }) => ({ token, expiresAt: DateTime.unsafeFromDate(expiresAt) }))
        )
      })
    )
  )

/** The address, where `Gr4vy.layerConfig` would find it. */
const addressOf = (given: AddressOptions): Effect.Effect<Address, ConfigError.ConfigError> =>
  Effect.gen(function* () {
    if (given.baseUrl !== undefined) return { baseUrl: given.baseUrl }
    if (given.id === undefined && given.environment === undefined) {
      const baseUrl = yield* read("GR4VY_BASE_URL")
      if (baseUrl !== undefined) return { baseUrl }
    }
    const id = given.id ?? (yield* read("GR4VY_ID"))
    const environment = given.environment ?? (yield* read("GR4VY_ENVIRONMENT")) ?? "sandbox"
    if (id !== undefined) return { id, environment: environment as "sandbox" } // Checked where it becomes a URL.
    return yield* Effect.fail(
      ConfigError.MissingData(["id"], "Give the id of your Gr4vy instance, or set GR4VY_ID or GR4VY_BASE_URL.")
    )
  })

// A variable that is set to nothing counts as not set.
const read = (variable: string): Effect.Effect<string | undefined, ConfigError.ConfigError> =>
  Effect.map(Config.option(Config.string(variable)), (value) =>
    Option.getOrUndefined(Option.filter(value, (text) => text.trim() !== ""))
  )
