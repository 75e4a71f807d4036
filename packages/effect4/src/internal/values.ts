/**
 * The values of Effect 4, as the engine asks for them.
 */
import type { Known, Values } from "@effect-gr4vy/promise/spi/bridge"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import { Generic, NotFound, RequestFailed, Unauthorized } from "../Errors.js"
import { WebhookInvalid } from "./webhookInvalid.js"

const known = (value: object): Known | undefined => {
  if (Redacted.isRedacted(value)) {
    try {
      return { _tag: "Secret", value: Redacted.value(value) }
    } catch {
      return { _tag: "WipedSecret" }
    }
  }
  if (DateTime.isDateTime(value)) return { _tag: "Instant", millis: DateTime.toEpochMillis(value) }
  if (Duration.isDuration(value)) return { _tag: "Duration", millis: Duration.toMillis(value) }
  return undefined
}

const errors = { Unauthorized, NotFound, Generic, RequestFailed, WebhookInvalid }

const isTag = (tag: string): tag is keyof typeof errors => Object.hasOwn(errors, tag)

export const values: Values = {
  known,
  instant: (millis) => DateTime.makeUnsafe(millis),
  duration: Duration.millis,
  secret: (value) => Redacted.make(value),
  error: ({ _tag, ...fields }) => {
    if (!isTag(_tag)) return { _tag, ...fields }
    // The engine gives the fields of the same class of its own, so the constructor's checks are of the same kind.
    const Class = errors[_tag] as new (fields: object) => unknown
    return new Class(fields)
  }
}
