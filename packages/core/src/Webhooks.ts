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
  readonly randomUUID: () => string
  readonly subtle: {
    readonly importKey: (
      format: "raw",
      key: Uint8Array,
      algorithm: { readonly name: "HMAC"; readonly hash: "SHA-256" },
      extractable: false,
      usages: ReadonlyArray<"sign" | "verify">
    ) => Promise<object>
    readonly sign: (algorithm: "HMAC", key: object, data: Uint8Array) => Promise<ArrayBuffer>
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
 * - `Signature`: no signature matches this payload and your secret, or the secret cannot be one (`message` says why)
 * - `Payload`: the payload is not the raw body, or it is signed and not an event
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
  | Iterable<readonly [name: string, value: string | ReadonlyArray<string> | undefined]>
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
  /** The raw body as it arrived, a string or bytes: not the object that was parsed from it. */
  readonly payload: string | Uint8Array | ArrayBuffer
  /** The headers as they arrived. */
  readonly headers: HeadersInput
  /** The secret of the subscription, used unchanged; a list while you rotate it. */
  readonly secret: Redacted.Redacted<string> | ReadonlyArray<Redacted.Redacted<string>>
  /** The largest difference between timestamp and now, in both directions: 5 minutes by default. */
  readonly tolerance?: Duration.DurationInput
}): Effect.Effect<WebhookEvent, WebhookInvalid> =>
  Effect.gen(function* () {
    const payload = yield* bytesOf(webhook.payload)
    const valuesOf = readHeaders(webhook.headers)
    const signatures = yield* header(valuesOf, "X-Gr4vy-Webhook-Signatures")
    const timestamp = yield* header(valuesOf, "X-Gr4vy-Webhook-Timestamp")
    if (!isTimestamp.test(timestamp)) {
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
    const secrets = [webhook.secret].flat().map(readSecret)
    const data = signedBytes(timestamp, payload)
    if (!(yield* signedBy(secrets, signatures, data))) return yield* invalid("Signature", unsigned(secrets))
    // The bytes that were verified: the caller may reuse its buffer. A byte order mark is skipped.
    const text = new TextDecoder().decode(data.subarray(data.length - payload.length))
    const event = Option.flatMap(Option.getRight(parseJson(text)), toEvent)
    if (Option.isNone(event)) {
      return yield* invalid("Payload", "The payload is signed, and is not an event: JSON with an id and a name.")
    }
    return event.value
  })

/**
 * Signs a payload as Gr4vy does and returns the headers of the delivery, for tests of your own handler.
 *
 * Fails with {@link WebhookInvalid}, if the payload is no string or bytes, the timestamp no number of seconds, or a secret
 * cannot be one.
 *
 * @example
 * ```ts
 * import { Webhooks } from "@effect-gr4vy/core"
 * import { Effect, Redacted } from "effect"
 *
 * const secret = Redacted.make("test-secret")
 * const payload = JSON.stringify({ type: "event", id: "e1", name: "transaction.captured", target: { id: "t1" } })
 *
 * const program = Effect.gen(function* () {
 *   const headers = yield* Webhooks.sign({ payload, secret })
 *   return yield* Webhooks.verify({ payload, headers, secret })
 * })
 * ```
 *
 * @since 0.1.0
 * @category testing
 */
export const sign = (webhook: {
  /** The body, a string or bytes. */
  readonly payload: string | Uint8Array | ArrayBuffer
  /** The secret of the subscription; several give one signature each, as while a secret is rotated. */
  readonly secret: Redacted.Redacted<string> | ReadonlyArray<Redacted.Redacted<string>>
  /** The time of the delivery in whole seconds since 1970, 0 to 999,999,999,999; now by default. */
  readonly timestamp?: number | undefined
  /** The id of the delivery, which is not signed; a random UUID by default. */
  readonly id?: string | undefined
}): Effect.Effect<Readonly<Record<`X-Gr4vy-Webhook-${"Signatures" | "Timestamp" | "ID"}`, string>>, WebhookInvalid> =>
  Effect.gen(function* () {
    const payload = yield* bytesOf(webhook.payload)
    const seconds = webhook.timestamp ?? Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const timestamp = String(seconds)
    if (!isTimestamp.test(timestamp)) return yield* invalid("Timestamp", "The timestamp is not a number of seconds.")
    const secrets = [webhook.secret].flat().map(readSecret)
    const usable = secrets.flatMap(({ value }) => value ?? [])
    if (usable.length === 0 || usable.length < secrets.length) {
      return yield* invalid("Signature", unsigned(secrets.filter(({ value }) => value === undefined)))
    }
    const data = signedBytes(timestamp, payload)
    const signatures = yield* Effect.promise(() => Promise.all(usable.map((value) => signature(value, data))))
    return {
      "X-Gr4vy-Webhook-Signatures": signatures.join(","),
      "X-Gr4vy-Webhook-Timestamp": timestamp,
      "X-Gr4vy-Webhook-ID": webhook.id ?? crypto.randomUUID()
    }
  })

const isTimestamp = /^\d{1,12}$/

const invalid = (check: WebhookInvalid["check"], message: string) => Effect.fail(new WebhookInvalid({ check, message }))

/** The bytes of a payload, also of one that another realm (a worker, a test environment) has made. */
const bytesOf = (payload: unknown): Effect.Effect<Uint8Array, WebhookInvalid> => {
  if (Predicate.isString(payload)) return Effect.succeed(new TextEncoder().encode(payload))
  if (ArrayBuffer.isView(payload)) {
    return Effect.succeed(new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength))
  }
  if (isBuffer(payload)) return Effect.succeed(new Uint8Array(payload))
  return invalid(
    "Payload",
    Predicate.isNotNullable(payload)
      ? "The payload is a parsed body. Pass the raw body as it arrived, a string or bytes: its bytes are what is signed."
      : "There is no payload. Pass the raw body as it arrived, a string or bytes."
  )
}

const isBuffer = (value: unknown): value is ArrayBuffer =>
  /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value))

const header = (
  valuesOf: (name: string) => ReadonlyArray<string>,
  name: string
): Effect.Effect<string, WebhookInvalid> => {
  const value = valuesOf(name)
    .map((each) => each.trim())
    .filter((each) => each !== "")
    .join(",")
  return value === "" ? invalid("MissingHeader", `The header ${name} is missing.`) : Effect.succeed(value)
}

/** The values of a header by its name. An iterator can be read once, so it is. */
const readHeaders = (headers: HeadersInput): ((name: string) => ReadonlyArray<string>) => {
  if (Predicate.hasProperty(headers, "get") && Predicate.isFunction(headers.get) && !Predicate.isIterable(headers)) {
    const { get } = headers
    return (name) => [get.call(headers, name)].filter(Predicate.isString)
  }
  const entries: ReadonlyArray<unknown> = Predicate.isIterable(headers)
    ? Array.from(headers)
    : Object.entries(headers ?? {})
  return (name) =>
    entries.flatMap((entry) => {
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

const signedBy = (secrets: ReadonlyArray<Secret>, signatures: string, data: Uint8Array): Effect.Effect<boolean> => {
  const given = [...new Set(signatures.split(",").map((signature) => signature.trim()))]
    .filter((signature) => /^[0-9a-f]{64}$/i.test(signature))
    .slice(0, maxSignatures)
    .flatMap((signature) => Option.toArray(Option.getRight(Encoding.decodeHex(signature.toLowerCase()))))
  return Effect.promise(async () => {
    for (const { value } of secrets) {
      if (value === undefined) continue
      const key = await importKey(value, "verify")
      for (const signature of given) {
        // Web Crypto compares in constant time.
        if (await crypto.subtle.verify("HMAC", key, signature, data)) return true
      }
    }
    return false
  })
}

const signature = async (secret: string, data: Uint8Array): Promise<string> =>
  Encoding.encodeHex(new Uint8Array(await crypto.subtle.sign("HMAC", await importKey(secret, "sign"), data)))

const importKey = (secret: string, usage: "sign" | "verify"): Promise<object> =>
  crypto.subtle.importKey("raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [usage])

/** A secret that can sign has a value. `problem` says what is wrong with it, or may be. */
interface Secret {
  readonly value?: string
  readonly problem?: string
}

const readSecret = (secret: unknown): Secret => {
  if (Predicate.isString(secret)) return { problem: "is a plain string: wrap it with Redacted.make" }
  if (!Redacted.isRedacted(secret)) return { problem: "is missing: set it" }
  const found = valueOf(secret)
  if (Option.isNone(found)) return { problem: "was wiped: keep it while webhooks arrive" }
  const { value } = found
  if (!Predicate.isString(value)) return { problem: "is missing: set it" }
  if (value === "") return { problem: "is empty: set it" }
  if (/^(undefined|null)$/.test(value)) return { value, problem: `is the word "${value}": set it` }
  if (/^\s|\s$/.test(value)) return { value, problem: "begins or ends with a blank or a line break: remove it" }
  if (/^(["'`]).*\1$/s.test(value)) return { value, problem: "is in quotes: remove them" }
  return { value }
}

const valueOf: (secret: Redacted.Redacted<unknown>) => Option.Option<unknown> = Option.liftThrowable(Redacted.value)

/** Why nothing was signed with one of the secrets. It says no more of a secret than its form. */
const unsigned = (secrets: ReadonlyArray<Secret>): string => {
  if (secrets.length === 0) return "The list of secrets is empty: give the secret of the webhook subscription."
  const index = secrets.findIndex(({ problem }) => problem !== undefined)
  const { problem, value } = secrets[index] ?? {}
  if (problem === undefined) {
    return "No signature fits the payload. Check the subscription's secret, and that the payload is the body as it arrived."
  }
  const subject = secrets.length === 1 ? "the secret" : `secret ${index + 1} of ${secrets.length}`
  return value === undefined
    ? `${subject.charAt(0).toUpperCase()}${subject.slice(1)} ${problem}.`
    : `No signature fits the payload, and ${subject} ${problem}.`
}

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
