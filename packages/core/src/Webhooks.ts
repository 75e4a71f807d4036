/**
 * Webhooks of Gr4vy, verified: whether an event comes from Gr4vy, as it was sent, and now. Runs wherever Web Crypto does
 * (Node 20, browsers, Workers, Deno, Bun).
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
import { parseJson } from "./internal/answer.js"
import { parseInstant } from "./internal/model.js"

// The web's own, which every runtime has and this package's types do not know.
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
 * An event that a webhook told.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebhookEvent {
  /** Always `"event"` today. */
  readonly type: string
  /** The id of the event: the same when it is delivered again, so remember it to handle an event once. */
  readonly id: string
  /** What happened, e.g. `"transaction.captured"`; an open set. */
  readonly name: string
  /** When it happened; absent where the API does not tell it as a date and time with an offset. */
  readonly createdAt?: DateTime.Utc
  /** The merchant account it happened to, e.g. `"default"`. */
  readonly merchantAccountId?: string
  /** What it happened to, as the API sent it: the names are those of the wire, e.g. `target["id"]`. */
  readonly target: Readonly<Record<string, unknown>>
}

/**
 * A webhook that must not be believed. `check` says which check failed:
 *
 * - `MissingHeader`: a header of the signature is not there
 * - `Timestamp`: the timestamp is not a number of seconds
 * - `Tolerance`: the timestamp is too old, or too far in the future
 * - `Signature`: none of the signatures was made with a secret of yours over this payload
 * - `Payload`: the signature is good, and the payload is not an event
 *
 * Neither a secret nor the payload is ever in it.
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
 * Headers in any form a server has them: a record under names of any case, a `Headers`, a `Map`, or pairs.
 *
 * @since 0.1.0
 * @category models
 */
export type HeadersInput =
  | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  | Iterable<readonly [name: string, value: string | ReadonlyArray<string>]>
  // `Headers` itself: its iterator is not a part of every runtime's types.
  | { readonly get: (name: string) => string | null }

/**
 * The event of a webhook, once its signature and time are good. Answer Gr4vy with a 2xx within 5 seconds; it delivers
 * again for up to 7 days.
 *
 * Give the payload as it arrived: parsed and written anew, it has another signature. `X-Gr4vy-Webhook-ID` is not signed,
 * so it is not read: `event.id` is.
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
  /** The body as it arrived, text or bytes. */
  readonly payload: string | Uint8Array
  /** The headers as they arrived. */
  readonly headers: HeadersInput
  /** The secret of the subscription, used as it is; several while you change it. */
  readonly secret: Redacted.Redacted<string> | ReadonlyArray<Redacted.Redacted<string>>
  /** How far the timestamp may be from now, in the past and in the future: 5 minutes by default. */
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
    // Whole seconds are all the timestamp has: a webhook of this very second is of now.
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

/** One signature for each active secret is what the API sends: whoever sends many more wants this machine to be busy. */
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

/** `undefined` for a secret that has been wiped or is empty: nothing can be signed with it. */
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
