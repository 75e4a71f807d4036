/**
 * Verification of Gr4vy's webhooks: the event comes from Gr4vy, is unchanged and recent. Runs on every runtime with Web
 * Crypto (Node 20, browsers, Workers, Deno, Bun).
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { parseJson } from "./internal/body.js"
import { parseInstant } from "./internal/instant.js"

// Web APIs that every runtime has, but this package's types do not include.
declare const TextEncoder: new () => { readonly encode: (text: string) => Uint8Array }
declare const TextDecoder: new () => { readonly decode: (bytes: Uint8Array) => string }
declare const crypto: {
  readonly subtle: {
    readonly importKey: (
      format: "raw",
      key: Uint8Array,
      algorithm: { readonly name: "HMAC"; readonly hash: "SHA-256" },
      extractable: false,
      usages: ReadonlyArray<"verify">
    ) => Promise<object>
    readonly verify: (algorithm: "HMAC", key: object, signature: Uint8Array, data: Uint8Array) => Promise<boolean>
  }
}

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
 * A webhook that failed verification. `check` says which check failed:
 *
 * - `MissingHeader`: a signature header is missing
 * - `Timestamp`: the timestamp is not a number of seconds
 * - `Tolerance`: the timestamp is too old or too far in the future
 * - `Signature`: no signature matches this payload and your secret
 * - `Payload`: the signature is valid, but the payload is not an event
 *
 * It contains neither a secret nor the payload.
 *
 * @since 0.1.0
 * @category errors
 */
export class WebhookInvalid extends Schema.TaggedError<WebhookInvalid>("@effect-gr4vy/core/WebhookInvalid")(
  "WebhookInvalid",
  {
    check: Schema.Literal("MissingHeader", "Timestamp", "Tolerance", "Signature", "Payload"),
    message: Schema.String
  }
) {}

/**
 * Headers in any form: a record (names in any case), a `Headers`, a `Map`, or pairs.
 *
 * @since 0.1.0
 * @category models
 */
export type HeadersInput =
  | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  | Iterable<readonly [name: string, value: string | ReadonlyArray<string>]>
  // `Headers`: its iterator is not part of every runtime's types.
  | { readonly get: (name: string) => string | null }

/**
 * Verifies a webhook and returns its event. Respond to Gr4vy with a 2xx within 5 seconds; otherwise it repeats the
 * delivery for up to 7 days.
 *
 * Pass the raw payload: after parsing and serializing, the signature no longer matches. `X-Gr4vy-Webhook-ID` is not
 * signed, so it is ignored; use `event.id`.
 *
 * Fails with {@link WebhookInvalid}, which says which check failed.
 *
 * @example
 * ```ts
 * import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
 * import { Webhooks } from "@effect-gr4vy/core"
 * import { Config, Effect } from "effect"
 *
 * const handler = Effect.gen(function* () {
 *   const request = yield* HttpServerRequest.HttpServerRequest
 *   const event = yield* Webhooks.verify({
 *     payload: yield* request.text,
 *     headers: request.headers,
 *     secret: yield* Config.redacted("GR4VY_WEBHOOK_SECRET")
 *   })
 *   yield* Effect.log(`${event.name} ${event.id}`)
 *   return HttpServerResponse.empty({ status: 204 })
 * }).pipe(Effect.catchTag("WebhookInvalid", () => HttpServerResponse.empty({ status: 400 })))
 * ```
 *
 * @since 0.1.0
 * @category verification
 */
export const verify = (webhook: {
  /** The raw body, string or bytes. */
  readonly payload: string | Uint8Array
  /** The headers as they arrived. */
  readonly headers: HeadersInput
  /** The secret of the subscription, used unchanged; a list while you rotate it. */
  readonly secret: Redacted.Redacted<string> | ReadonlyArray<Redacted.Redacted<string>>
  /** The largest difference between timestamp and now, in both directions: 5 minutes by default. */
  readonly tolerance?: Duration.DurationInput
}): Effect.Effect<WebhookEvent, WebhookInvalid> =>
  Effect.gen(function* () {
    const signatures = yield* header(webhook.headers, "X-Gr4vy-Webhook-Signatures")
    const timestamp = yield* header(webhook.headers, "X-Gr4vy-Webhook-Timestamp")
    if (!/^\d{1,12}$/.test(timestamp)) {
      return yield* invalid("Timestamp", "X-Gr4vy-Webhook-Timestamp is not a number of seconds.")
    }
    const tolerance = Duration.toMillis(webhook.tolerance ?? Duration.minutes(5))
    const now = yield* Clock.currentTimeMillis
    // The timestamp has whole seconds, so a webhook of the current second counts as now.
    const apart = Math.abs(Math.floor(now / 1000) - Number(timestamp)) * 1000
    if (!(apart <= tolerance)) {
      return yield* invalid(
        "Tolerance",
        "X-Gr4vy-Webhook-Timestamp is too far from now. Check this machine's clock; a webhook that is replayed is refused too."
      )
    }
    const bytes = Predicate.isString(webhook.payload) ? new TextEncoder().encode(webhook.payload) : webhook.payload
    const isSigned = yield* signedBy([webhook.secret].flat(), signatures, signedBytes(timestamp, bytes))
    if (!isSigned) {
      return yield* invalid(
        "Signature",
        "No signature fits the payload. Check the subscription's secret, and that the payload is the body as it arrived."
      )
    }
    const text = Predicate.isString(webhook.payload) ? webhook.payload : new TextDecoder().decode(webhook.payload)
    const event = Option.flatMap(Option.getRight(parseJson(text)), toEvent)
    if (Option.isNone(event)) {
      return yield* invalid("Payload", "The payload is signed, and is not an event: JSON with an id and a name.")
    }
    return event.value
  })

const invalid = (check: WebhookInvalid["check"], message: string) => Effect.fail(new WebhookInvalid({ check, message }))

const header = (headers: HeadersInput, name: string): Effect.Effect<string, WebhookInvalid> => {
  const value = valuesOf(headers, name)
    .map((each) => each.trim())
    .filter((each) => each !== "")
    .join(",")
  return value === "" ? invalid("MissingHeader", `The header ${name} is missing.`) : Effect.succeed(value)
}

const valuesOf = (headers: HeadersInput, name: string): ReadonlyArray<string> => {
  if (Predicate.hasProperty(headers, "get") && Predicate.isFunction(headers.get) && !Predicate.isIterable(headers)) {
    const value: unknown = headers.get(name)
    return Predicate.isString(value) ? [value] : []
  }
  const entries: Iterable<unknown> = Predicate.isIterable(headers) ? headers : Object.entries(headers)
  return Array.from(entries).flatMap((entry) => {
    if (!Array.isArray(entry) || !Predicate.isString(entry[0])) return []
    return entry[0].toLowerCase() === name.toLowerCase() ? [entry[1]].flat().filter(Predicate.isString) : []
  })
}

const signedBytes = (timestamp: string, payload: Uint8Array): Uint8Array => {
  const start = new TextEncoder().encode(`${timestamp}.`)
  const bytes = new Uint8Array(start.length + payload.length)
  bytes.set(start)
  bytes.set(payload, start.length)
  return bytes
}

/** The API sends one signature per active secret. The limit stops requests that only burn CPU. */
const maxSignatures = 20

const signedBy = (
  secrets: ReadonlyArray<Redacted.Redacted<string>>,
  signatures: string,
  data: Uint8Array
): Effect.Effect<boolean> => {
  const given = [...new Set(signatures.split(",").map((signature) => signature.trim()))]
    .filter((signature) => /^[0-9a-f]{64}$/i.test(signature))
    .slice(0, maxSignatures)
    .flatMap((signature) => Option.toArray(Option.getRight(Encoding.decodeHex(signature.toLowerCase()))))
  return Effect.promise(async () => {
    for (const secret of secrets) {
      const key = await importKey(secret)
      if (key === undefined) continue
      for (const signature of given) {
        // Web Crypto compares in constant time.
        if (await crypto.subtle.verify("HMAC", key, signature, data)) return true
      }
    }
    return false
  })
}

/** `undefined` for a wiped or empty secret, which cannot sign. */
const importKey = (secret: Redacted.Redacted<string>): Promise<object | undefined> =>
  Promise.resolve()
    .then(() => {
      const value = Redacted.value(secret)
      return value === ""
        ? undefined
        : crypto.subtle.importKey("raw", new TextEncoder().encode(value), { name: "HMAC", hash: "SHA-256" }, false, [
            "verify"
          ])
    })
    .catch(() => undefined)

const toEvent = (payload: unknown): Option.Option<WebhookEvent> => {
  if (!Predicate.isRecord(payload)) return Option.none()
  const { created_at, id, merchant_account_id, name, target, type } = payload
  if (!Predicate.isString(id) || !Predicate.isString(name)) return Option.none()
  const createdAt = Predicate.isString(created_at) ? parseInstant(created_at) : Number.NaN
  return Option.some({
    type: Predicate.isString(type) ? type : "event",
    id,
    name,
    ...(Number.isNaN(createdAt) ? {} : { createdAt: DateTime.unsafeMake(createdAt) }),
    ...(Predicate.isString(merchant_account_id) ? { merchantAccountId: merchant_account_id } : {}),
    target: Predicate.isRecord(target) ? target : {}
  })
}
