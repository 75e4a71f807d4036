/**
 * The resource of a verified event as a plain value.
 */
import { isKnown, schemaOf, targetOf } from "@effect-gr4vy/api/WebhookEvent"
import type { WebhookEvent, WebhookInvalid } from "@effect-gr4vy/core/Webhooks"
import * as Either from "effect/Either"
import { plainOf } from "./plainSchema.js"

export const plainTarget = (
  event: WebhookEvent
): Either.Either<{ readonly isKnown: boolean; readonly target: unknown }, WebhookInvalid> => {
  const schema = schemaOf(event.name)
  return Either.map(targetOf(event, schema && plainOf(schema)), (target) => ({ isKnown: isKnown(event.name), target }))
}
