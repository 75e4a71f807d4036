/**
 * The service as a promise client. Effect ends here: inputs and results are plain values.
 */
import { setMaxListeners } from "node:events"
import { CheckoutSessionId } from "@effect-gr4vy/core/CheckoutSession"
import { CheckoutSessions, type CheckoutSessionsService } from "@effect-gr4vy/core/CheckoutSessions"
import * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { Gr4vyHttpClient } from "@effect-gr4vy/core/Gr4vyHttpClient"
import { callerSignal } from "@effect-gr4vy/core/spi/Span"
import * as Webhooks from "@effect-gr4vy/core/Webhooks"
import * as OtelTracer from "@effect-gr4vy/node/OtelTracer"
import * as RetryPolicy from "@effect-gr4vy/node/RetryPolicy"
import * as SignedCredentials from "@effect-gr4vy/node/SignedCredentials"
import * as Cause from "effect/Cause"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import type { Resources } from "./api/index.js"
import { RequestFailed } from "./errors.js"
import {
  type EndpointOptions,
  readCallOptions,
  readEmbedOptions,
  readKeyedOptions,
  readOptions,
  readRequestOptions,
  readRetry,
  readSigning,
  readUpdate,
  readWebhook,
  refuse
} from "./internal/input.js"
import * as Log from "./internal/logger.js"
import { resources } from "./internal/operations.js"
import { layerOf } from "./internal/options.js"
import { type Plain, toPlain, toPlainError } from "./internal/plain.js"
import { request } from "./internal/request.js"
import { resourcesOf } from "./internal/resource.js"
import type {
  CallOptions,
  Client,
  EmbedOptions,
  KeyedCallOptions,
  Options,
  SigningOptions,
  WebhookOptions
} from "./models.js"
import type { WebhookEvent } from "./webhooks.js"

/**
 * A client, ready to be called; it joins the OpenTelemetry trace its calls are made in. Create one for the lifetime of
 * the process. Rejects with `RequestFailed`, reason `InvalidRequest`, when an option or a variable cannot be used; the
 * message says what to change.
 *
 * @example
 * ```ts
 * import { create } from "@effect-gr4vy/promise"
 *
 * const gr4vy = await create({ id: "plantly", environment: "sandbox", token: "ey..." })
 * const session = await gr4vy.add({ amount: 1299, currency: "USD" }, { signal: AbortSignal.timeout(2_000) })
 * await gr4vy.close()
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const create = async (options?: Options | null): Promise<Client> => {
  const { logger, retry, ...settings } = readOptions(options)
  const policy = readRetry(retry, RetryPolicy.standard)
  const runtime = ManagedRuntime.make(
    Layer.provideMerge(layerOf(settings, policy), Layer.merge(OtelTracer.layer, Log.layer(logger)))
  )
  const built = await runtime.runPromiseExit(Effect.all({ sessions: CheckoutSessions, http: Gr4vyHttpClient }))
  if (Exit.isFailure(built)) {
    await runtime.dispose()
    throw unusable(built.cause)
  }
  const { http, sessions } = built.value
  const underway = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  const call = async <A, E>(
    options: CallOptions | null | undefined,
    run: (options: EndpointOptions) => Effect.Effect<A, E>,
    read = readCallOptions
  ): Promise<A> => {
    if (closing !== undefined) throw closed()
    const { retry, signal, ...own } = read(options)
    const effect = run(own)
    const running = retry === undefined ? effect : RetryPolicy.withPolicy(effect, readRetry(retry, policy))
    if (signal?.aborted) throw reasonOf(signal)
    allowManyCalls(signal)
    const ended = runtime.runPromiseExit(
      Effect.locally(running, callerSignal, signal),
      signal === undefined ? {} : { signal }
    )
    underway.add(ended)
    const exit = await ended
    underway.delete(ended)
    if (Exit.isSuccess(exit)) return exit.value
    if (Cause.isInterruptedOnly(exit.cause) && signal?.aborted) throw reasonOf(signal)
    throw toPlainError(Cause.squash(exit.cause))
  }

  const close = () => {
    closing ??= Promise.all(underway).then(() => runtime.dispose())
    return closing
  }

  const plainly = <A, E>(
    options: CallOptions | null | undefined,
    run: (options: EndpointOptions) => Effect.Effect<A, E>
  ): Promise<Plain<A>> => call(options, run).then(toPlain)

  // Every operation of the service: one that is forgotten does not compile.
  const operations = {
    add: (session, options) => plainly(options, (own) => sessions.add(session ?? undefined, own)),
    get: (id, options) => plainly(options, (own) => sessions.get(toId(id), own)),
    update: (id, session, options) => plainly(options, (own) => sessions.update(toId(id), session, own)),
    updateFields: (id, update, options) =>
      plainly(options, (own) => sessions.updateFields(toId(id), readUpdate(update), own)),
    delete: (id, options) => plainly(options, (own) => sessions.delete(toId(id), own))
  } satisfies Pick<Client, keyof CheckoutSessionsService>

  const send: Client["request"] = async (method, path, options) => {
    const { body, idempotencyKey, query, ...callOptions } = readRequestOptions(method, options)
    // JSON is plain as it is, and may be deeper than the stack.
    return call(callOptions, (own) => request(http, method, path, { ...own, body, idempotencyKey, query }))
  }

  const ofApi = resourcesOf(resources, {
    functionsOf: async (endpoints) => {
      const { plainEndpoints } = await import("./internal/plainSchema.js")
      return Endpoint.clientOf(plainEndpoints(endpoints), http)
    },
    // The arguments are of unknown types here: the endpoint checks them.
    run: (options, run) => call(options as CallOptions, run, readKeyedOptions as typeof readCallOptions),
    check: (options) => {
      const { signal } = readKeyedOptions(options as KeyedCallOptions)
      if (signal?.aborted) throw reasonOf(signal)
    }
  }) as Resources // The table and the types come from one generator.

  return { ...operations, ...ofApi, request: send, close, [Symbol.asyncDispose]: close }
}

/**
 * A token for the page that hosts the payment form: its one scope is `embed`, so it is safe in a browser. Rejects with
 * `RequestFailed`, reason `InvalidRequest`, when an option cannot be used; the message never shows the key.
 *
 * @example
 * ```ts
 * import { embedToken } from "@effect-gr4vy/promise"
 *
 * const token = await embedToken({
 *   privateKey: "-----BEGIN PRIVATE KEY-----\n...",
 *   embed: { amount: 1299, currency: "USD" }
 * })
 * ```
 *
 * @since 0.1.0
 * @category tokens
 */
export const embedToken = async (options: EmbedOptions): Promise<string> => {
  const { checkoutSessionId, privateKey, ...others } = readEmbedOptions(options)
  const token = SignedCredentials.embedToken({
    ...others,
    privateKey: Redacted.make(privateKey),
    ...(checkoutSessionId === undefined ? {} : { checkoutSessionId: toId(checkoutSessionId) })
  })
  const exit = await Effect.runPromiseExit(token)
  if (Exit.isSuccess(exit)) return Redacted.value(exit.value)
  throw unusable(exit.cause)
}

/**
 * The event of a webhook, once its signature and time are good. Answer Gr4vy with a 2xx within 5 seconds; it delivers
 * again for up to 7 days, with the same `id`. The event is a union by `name` where `isKnown`: `"transaction.captured"` has a `Transaction` as
 * its `target`; a name that this version does not know has what the API sent. Rejects with `WebhookInvalid`, which says which
 * check failed; check `Payload` also if the resource is not as the API describes it.
 *
 * @example
 * ```ts
 * import { verifyWebhook } from "@effect-gr4vy/promise"
 *
 * declare const request: { readonly text: () => Promise<string>; readonly headers: Headers }
 *
 * const event = await verifyWebhook({
 *   payload: await request.text(),
 *   headers: request.headers,
 *   secret: process.env["GR4VY_WEBHOOK_SECRET"] ?? ""
 * })
 * ```
 *
 * @since 0.1.0
 * @category webhooks
 */
export const verifyWebhook = async (options: WebhookOptions): Promise<WebhookEvent> => {
  const exit = await Effect.runPromiseExit(Webhooks.verify(readWebhook(options)))
  if (Exit.isFailure(exit)) throw toPlainError(Cause.squash(exit.cause))
  const { target: _, ...event } = exit.value
  const { plainTarget } = await import("./internal/webhookTarget.js")
  const target = plainTarget(exit.value)
  if (Either.isLeft(target)) throw toPlainError(target.left)
  // By its name, the target is of this type.
  return { ...toPlain(event), ...target.right } as WebhookEvent
}

/**
 * Signs a payload as Gr4vy does and resolves to the headers of the delivery, for tests of your own handler. Rejects with
 * `WebhookInvalid` if the payload is no string or bytes, the timestamp no number of seconds, or a secret cannot be one.
 *
 * @example
 * ```ts
 * import { signWebhook, verifyWebhook } from "@effect-gr4vy/promise"
 *
 * const secret = "test-secret"
 * const payload = JSON.stringify({ type: "event", id: "e1", name: "buyer.deleted", target: { type: "buyer", id: "b1" } })
 * const event = await verifyWebhook({ payload, secret, headers: await signWebhook({ payload, secret }) })
 * ```
 *
 * @since 0.1.0
 * @category webhooks
 */
export const signWebhook = async (
  options: SigningOptions
): Promise<Readonly<Record<`X-Gr4vy-Webhook-${"Signatures" | "Timestamp" | "ID"}`, string>>> => {
  const exit = await Effect.runPromiseExit(Webhooks.sign(readSigning(options)))
  if (Exit.isSuccess(exit)) return exit.value
  throw toPlainError(Cause.squash(exit.cause))
}

// Both options and variables end up here: a `ConfigError` names the field, and never shows what was in it.
const unusable = (cause: Cause.Cause<ConfigError.ConfigError>): unknown => {
  const error = Cause.squash(cause)
  return ConfigError.isConfigError(error)
    ? new RequestFailed({
        reason: "InvalidRequest",
        delivered: "no",
        attempts: 0,
        message: `The options cannot be used: ${error}`
      })
    : error
}

const closed = () => refuse("the client is closed. Create a new one, or close it after its last call")

const reasonOf = (signal: AbortSignal): unknown =>
  signal.reason ?? new DOMException("This operation was aborted", "AbortError")

// One signal may end many calls; from the eleventh on, Node would warn of a leak.
const allowManyCalls = (signal: AbortSignal | undefined): void => {
  try {
    if (signal !== undefined) setMaxListeners(0, signal)
  } catch {
    // A signal that is not Node's own has no such warning.
  }
}

// The service itself refuses a string that cannot be one.
const toId = (id: unknown) => {
  if (typeof id !== "string") throw refuse("id must be a string")
  return CheckoutSessionId.make(id, { disableValidation: true })
}
