/**
 * Options from configuration, with errors that name the variable to set.
 */

import { readFile } from "node:fs/promises"
import type { Address } from "@effect-gr4vy/core/Gr4vyHttpClient"
import { advice } from "@effect-gr4vy/core/spi/Names"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { type Authentication, checkNames, everyOption, type TokenOptions, type TravelOptions } from "./options.js"

type Overrides = Partial<Address> & Partial<Authentication> & TokenOptions & TravelOptions

/** A token, or where to get the private key whenever a token is signed: its file may be replaced. */
export type TokenOrKey =
  | { readonly token: Redacted.Redacted }
  | { readonly key: Effect.Effect<Redacted.Redacted, ConfigError.ConfigError> }

/** Builds from the given options, and from the configuration for the missing ones. */
export const fromEnvironment = <A, R>(
  overrides: Overrides,
  make: (
    options: Address & TokenOptions & TravelOptions,
    authentication: TokenOrKey
  ) => Effect.Effect<A, ConfigError.ConfigError, R>
): Effect.Effect<A, ConfigError.ConfigError, R> =>
  Effect.zipRight(
    checkNames(overrides, everyOption),
    Effect.gen(function* () {
      const address = yield* addressFrom(overrides)
      const { authentication, keyVariable } = yield* authenticationFrom(overrides)
      const merchantAccountId = overrides.merchantAccountId ?? (yield* read("GR4VY_MERCHANT_ACCOUNT_ID"))
      const { baseUrl: _, environment: __, id: ___, privateKey: ____, token: _____, ...rest } = overrides
      const options = {
        ...rest,
        ...address,
        ...(merchantAccountId === undefined ? {} : { merchantAccountId })
      }
      return yield* Effect.mapError(
        make(options, authentication),
        nameVariable({ ...variables, privateKey: keyVariable }, overrides)
      )
    }).pipe(Effect.mapError(nameVariable(variables, overrides)))
  )

/** Options of the program override the configuration. Among the variables, the base URL overrides its parts. */
const addressFrom = (overrides: Overrides): Effect.Effect<Address, ConfigError.ConfigError> =>
  Effect.gen(function* () {
    if (overrides.baseUrl !== undefined) {
      const parts = (["id", "environment"] as const).filter((part) => overrides[part] !== undefined)
      if (parts.length > 0) return yield* Effect.fail(urlAndParts(parts))
      return { baseUrl: overrides.baseUrl }
    }
    const url = yield* read("GR4VY_BASE_URL")
    const ownParts = overrides.id !== undefined || overrides.environment !== undefined
    if (url !== undefined && !ownParts) return { baseUrl: url }
    const id = overrides.id ?? (yield* read("GR4VY_ID"))
    if (id === undefined) return yield* url === undefined ? missing("id", noId) : Effect.fail(environmentAndUrl)
    const environment = overrides.environment ?? (yield* read("GR4VY_ENVIRONMENT")) ?? "sandbox"
    return environment === "sandbox" || environment === "production"
      ? { id, environment }
      : yield* Effect.fail(ConfigError.InvalidData(["environment"], 'It must be "sandbox" or "production".'))
  })

const noId =
  "Set it to the subdomain of your Gr4vy instance, e.g. GR4VY_ID=plantly (or set GR4VY_BASE_URL to a complete URL)."

const environmentAndUrl: ConfigError.ConfigError = ConfigError.InvalidData(
  ["environment"],
  "The program sets an environment, but GR4VY_BASE_URL is a complete URL, which may belong to another environment. Set GR4VY_ID instead of GR4VY_BASE_URL, or leave the environment out."
)

const urlAndParts = (parts: ReadonlyArray<string>): ConfigError.ConfigError =>
  ConfigError.InvalidData(["baseUrl"], `Give either baseUrl or ${parts.join(" and ")}, not both.`)

/** The two could contradict each other, so both together are an error. */
export const tokenAndKey: ConfigError.ConfigError = ConfigError.InvalidData(
  ["token"],
  "Give either a token or a private key, not both."
)

/** The authentication, and the variable that the private key came from. */
const authenticationFrom = (
  overrides: Overrides
): Effect.Effect<{ readonly authentication: TokenOrKey; readonly keyVariable?: string }, ConfigError.ConfigError> =>
  Effect.gen(function* () {
    if (overrides.token !== undefined && overrides.privateKey !== undefined) return yield* Effect.fail(tokenAndKey)
    if (overrides.token !== undefined) return { authentication: { token: overrides.token } }
    if (overrides.privateKey !== undefined) return { authentication: { key: Effect.succeed(overrides.privateKey) } }
    const token = yield* read("GR4VY_TOKEN")
    const privateKey = yield* read("GR4VY_PRIVATE_KEY")
    const file = yield* read("GR4VY_PRIVATE_KEY_FILE")
    const given = Object.entries({ GR4VY_TOKEN: token, GR4VY_PRIVATE_KEY: privateKey, GR4VY_PRIVATE_KEY_FILE: file })
      .filter(([, value]) => value !== undefined)
      .map(([variable]) => variable)
    if (given.length > 1) {
      return yield* Effect.fail(
        ConfigError.InvalidData(given.slice(0, 1), `Set only one of these, which are all set: ${given.join(", ")}.`)
      )
    }
    if (token !== undefined) return { authentication: { token: Redacted.make(token) } }
    if (privateKey !== undefined) {
      const key = Effect.succeed(Redacted.make(privateKey))
      return { authentication: { key }, keyVariable: "GR4VY_PRIVATE_KEY" }
    }
    if (file !== undefined) return { authentication: { key: readKey(file) }, keyVariable: "GR4VY_PRIVATE_KEY_FILE" }
    return yield* missing("token", noToken)
  })

const noToken =
  "Set it to a bearer token; or set GR4VY_PRIVATE_KEY to the PEM of your private key, or GR4VY_PRIVATE_KEY_FILE to the path of its file."

const known = [
  "GR4VY_ID",
  "GR4VY_ENVIRONMENT",
  "GR4VY_BASE_URL",
  "GR4VY_TOKEN",
  "GR4VY_PRIVATE_KEY",
  "GR4VY_PRIVATE_KEY_FILE",
  "GR4VY_MERCHANT_ACCOUNT_ID"
]

/** The error, with a variable that is set under a name that resembles a known one. */
const missing = (path: string, message: string): Effect.Effect<never, ConfigError.ConfigError> =>
  Effect.flatMap(namesLikeOurs, (names) => {
    const misspelt = names.find((name) => !known.includes(name.toUpperCase()) && advice(name, known).startsWith("did"))
    const hint = misspelt === undefined ? "" : ` ${misspelt} is set: ${advice(misspelt, known)}`
    return Effect.fail(ConfigError.MissingData([path], `${message}${hint}`))
  })

/** The names in the configuration that begin like ours. */
const namesLikeOurs: Effect.Effect<ReadonlyArray<string>> = Effect.configProviderWith(({ flattened }) => {
  const childrenOf = (path: ReadonlyArray<string>) =>
    Effect.orElseSucceed(Effect.map(flattened.enumerateChildren(path), Array.from<string>), () => [])
  // A provider may take `_` for the end of a part of the name: then the parts of `GR4VY_BASE_URL` are three levels.
  const namesUnder = (path: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
    path.length > maxParts
      ? Effect.succeed([])
      : Effect.flatMap(childrenOf(path), (parts) =>
          parts.length === 0
            ? Effect.succeed([path.join("_")])
            : Effect.map(
                Effect.forEach(parts, (part) => namesUnder([...path, part])),
                (names) => names.flat()
              )
        )
  return Effect.zipWith(childrenOf([]), namesUnder(["GR4VY"]), (all, parts) =>
    [...all, ...parts].filter((name) => /^gr4vy_[a-z_]{1,40}$/i.test(name))
  )
})

/** The most parts of a name that resembles one of ours: `GR4VY_MERCHANT_ACCOUNT_ID` has four. */
const maxParts = 6

// An empty variable, as CI systems and compose files leave it, counts as unset. A provider that changes the case of names
// takes the 4 of `GR4VY_ID` for the end of a word, but not that of `gr4vy_id`.
const read = (variable: string): Effect.Effect<string | undefined, ConfigError.ConfigError> =>
  Effect.map(
    Config.all([variable, variable.toLowerCase()].map((name) => Config.option(Config.string(name)))),
    (values) => values.flatMap(Option.toArray).find((text) => text.trim() !== "")
  )

const readKey = (path: string): Effect.Effect<Redacted.Redacted, ConfigError.ConfigError> =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (error) =>
      ConfigError.InvalidData(
        ["GR4VY_PRIVATE_KEY_FILE"],
        `Found ${path.includes("-----BEGIN") ? "the key itself" : unreadable(error)}; expected the path of the PEM file with your private key.`
      )
  }).pipe(Effect.map((pem) => Redacted.make(pem)))

// Node's own message contains the path, which may be a key in the wrong variable.
const unreadable = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  switch (code) {
    case "ENOENT":
      return "no file"
    case "EISDIR":
      return "a directory"
    case "EACCES":
    case "EPERM":
      return "a file that this process may not read"
    default:
      return "a file that cannot be read"
  }
}

/** The variable behind each option. */
const variables: Readonly<Record<string, string>> = {
  id: "GR4VY_ID",
  environment: "GR4VY_ENVIRONMENT",
  baseUrl: "GR4VY_BASE_URL",
  token: "GR4VY_TOKEN",
  merchantAccountId: "GR4VY_MERCHANT_ACCOUNT_ID"
}

/** Options of the program keep their own names in errors. */
const nameVariable =
  (names: Readonly<Record<string, string | undefined>>, overrides: Overrides) =>
  (error: ConfigError.ConfigError): ConfigError.ConfigError => {
    if (error._op !== "InvalidData" && error._op !== "MissingData") return error
    const path = error.path.map((field) =>
      Reflect.get(overrides, field) === undefined ? (names[field] ?? field) : field
    )
    return error._op === "InvalidData"
      ? ConfigError.InvalidData(path, error.message)
      : ConfigError.MissingData(path, error.message)
  }
