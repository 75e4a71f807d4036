/**
 * Verifies the webhooks of Gr4vy, and signs payloads as Gr4vy does.
 *
 * @since 0.1.0
 */
import { callTool } from "@effect-gr4vy/promise/spi/bridge"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { durationsOf } from "./Gr4vy.js"
import { run } from "./internal/host.js"
import { values } from "./internal/values.js"
import { WebhookInvalid } from "./internal/webhookInvalid.js"

export { WebhookInvalid }

/**
 * The event of a webhook.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebhookEvent {
  /** Always `"event"` today. */
  readonly type: string
  /** The id of the event: the same for each delivery. Store it to handle an event once. */
  readonly id: string
  /** The name of the event, e.g. `"transaction.captured"`; an open set. */
  readonly name: string
  /** The time of the event; absent if the API sent no date and time with an offset. */
  readonly createdAt?: DateTime.Utc
  /** The merchant account of the event, e.g. `"default"`. */
  readonly merchantAccountId?: string
  /** The resource of the event, as the API sent it, with names in snake_case, e.g. `target["id"]`. */
  readonly target: Readonly<Record<string, unknown>>
}

/**
 * Headers in any form: a record (names in any case), a `Headers`, a `Map`, or pairs.
 *
 * @since 0.1.0
 * @category models
 */
export type HeadersInput =
  | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  | Iterable<readonly [name: string, value: string | ReadonlyArray<string> | undefined]>
  | { readonly get: (name: string) => string | null }

type Secret = Redacted.Redacted<string> | ReadonlyArray<Redacted.Redacted<string>>

/**
 * Verifies a webhook by Effect's `Clock` and returns its event. Respond to Gr4vy with a 2xx within 5 seconds; otherwise it
 * repeats the delivery for up to 7 days. Fails with {@link WebhookInvalid}, which says which check failed.
 *
 * Pass the raw payload: after parsing and serializing, the signature no longer matches.
 *
 * @example
 * ```ts
 * import { Webhooks } from "@effect-gr4vy/effect4"
 * import { Config, Effect } from "effect"
 * import { HttpServerRequest, HttpServerResponse } from "effect/http"
 *
 * const handler = Effect.gen(function*() {
 *   const request = yield* HttpServerRequest.HttpServerRequest
 *   const event = yield* Webhooks.verify({
 *     payload: yield* request.text,
 *     headers: request.headers,
 *     secret: yield* Config.redacted("GR4VY_WEBHOOK_SECRET")
 *   })
 *   yield* Effect.log(`${event.name} ${event.id}`)
 *   return HttpServerResponse.empty({ status: 204 })
 * })
 * ```
 *
 * @since 0.1.0
 * @category verification
 */
export const verify = (webhook: {
  /** The raw body as it arrived, a string or bytes: not the object that was parsed from it. */
  readonly payload: string | Uint8Array | ArrayBuffer
  /** The headers as they arrived. */
  readonly headers: HeadersInput
  /** The secret of the subscription, used unchanged; a list while you rotate it. */
  readonly secret: Secret
  /** The largest difference between timestamp and now, in both directions: 5 minutes by default. */
  readonly tolerance?: Duration.Input
}): Effect.Effect<WebhookEvent, WebhookInvalid> =>
  run((host, done) => callTool("verifyWebhook", durationsOf(webhook), host, values, done))

/**
 * Signs a payload as Gr4vy does and returns the headers of the delivery, for tests of your own handler.
 *
 * @since 0.1.0
 * @category signing
 */
export const sign = (delivery: {
  /** The body, a string or bytes. */
  readonly payload: string | Uint8Array | ArrayBuffer
  /** The secret of the subscription; several give one signature each. */
  readonly secret: Secret
  /** The time of the delivery in whole seconds since 1970; now by default. */
  readonly timestamp?: number
  /** The id of the delivery, which is not signed; a random UUID by default. */
  readonly id?: string
}): Effect.Effect<Readonly<Record<`X-Gr4vy-Webhook-${"Signatures" | "Timestamp" | "ID"}`, string>>, WebhookInvalid> =>
  run((host, done) => callTool("signWebhook", durationsOf(delivery), host, values, done))
