/**
 * The resource of a verified event as a plain value.
 */
import { schemaOf, targetOf } from "@effect-gr4vy/api/WebhookEvent"
import type { WebhookEvent, WebhookInvalid } from "@effect-gr4vy/core/Webhooks"
import type * as Either from "effect/Either"
import { plainOf } from "./plainSchema.js"

export const plainTarget = (event: WebhookEvent): Either.Either<unknown, WebhookInvalid> => {
  const schema = schemaOf(event.name)
  return targetOf(event, schema && plainOf(schema))
}
