/**
 * From the values of Effect to plain ones.
 */
import * as Core from "@effect-gr4vy/core/Errors"
import { WebhookInvalid as CoreWebhookInvalid } from "@effect-gr4vy/core/Webhooks"
import type * as Brand from "effect/Brand"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { Generic, NotFound, RequestFailed, Unauthorized, WebhookInvalid } from "../errors.js"

/** `T` as the callers of this package see it: without what needs Effect's `Clock`. */
export type Plain<T> = T extends DateTime.Utc
  ? Date
  : T extends string
    ? T extends Brand.Brand<string>
      ? string
      : T
    : T extends ReadonlyArray<infer A>
      ? ReadonlyArray<Plain<A>>
      : T extends object
        ? { readonly [K in keyof T as T[K] extends Effect.Effect<unknown> ? never : K]: Plain<T[K]> }
        : T

/** A value of the service as a plain one: own properties alone, instants as `Date`. */
export const toPlain = <A>(value: A): Plain<A> => plain(value) as Plain<A> // TypeScript does not follow conditional types.

const plain = (value: unknown): unknown => {
  if (DateTime.isDateTime(value)) return new Date(DateTime.toEpochMillis(value))
  if (Array.isArray(value)) return value.map(plain)
  if (!Predicate.isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
}

/** An error of the service as one of this package; a defect as it is. */
export const toPlainError = (error: unknown): unknown => {
  if (error instanceof Core.RequestFailed) {
    const { attempts, delivered, message, reason, requestId } = error
    return new RequestFailed({ attempts, delivered, message, reason, requestId })
  }
  if (error instanceof CoreWebhookInvalid) return new WebhookInvalid({ check: error.check, message: error.message })
  if (error instanceof Core.Unauthorized) return new Unauthorized(answerFields(error))
  if (error instanceof Core.NotFound) return new NotFound(answerFields(error))
  if (error instanceof Core.Generic) {
    return new Generic({
      ...answerFields(error),
      status: error.status,
      resourceId: error.resourceId,
      retryAfter: error.retryAfter === undefined ? undefined : Duration.toMillis(error.retryAfter)
    })
  }
  return error
}

const answerFields = (error: Core.Unauthorized | Core.NotFound | Core.Generic) => ({
  attempts: error.attempts,
  code: error.code,
  message: error.message,
  requestId: error.requestId,
  details: error.details.map((detail) => ({ ...detail }))
})
