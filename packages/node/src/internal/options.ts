/**
 * The names of all options, to refuse a misspelt one. A name that is missing here does not compile.
 */
import type { Address } from "@effect-gr4vy/core/Gr4vyHttpClient"
import { unknownName } from "@effect-gr4vy/core/unstable/Names"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import type { Authentication, TokenOptions, TravelOptions } from "../Gr4vy.js"

type KeysOf<T> = T extends T ? keyof T : never

/** The names of the properties of a `T`, of every member of a union. */
export type Names<T> = Readonly<Record<KeysOf<T>, true>>

export const everyOption: Names<Address | TravelOptions | Authentication | TokenOptions> = {
  id: true,
  environment: true,
  baseUrl: true,
  merchantAccountId: true,
  retry: true,
  attemptTimeout: true,
  deadline: true,
  maxResponseBytes: true,
  connections: true,
  propagateTrace: true,
  propagateBaggage: true,
  metrics: true,
  requestIdHeader: true,
  token: true,
  privateKey: true,
  scopes: true,
  tokenLifetime: true
}

/** Fails with a `ConfigError` about the first option that is not one of the names. */
export const checkNames = (
  options: object,
  known: Readonly<Record<string, true>>
): Effect.Effect<void, ConfigError.ConfigError> => {
  const unknown = unknownName(options, known)
  return unknown === undefined
    ? Effect.void
    : Effect.fail(ConfigError.InvalidData([unknown.name], `${sentence(unknown.message)}.`))
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
