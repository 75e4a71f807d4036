/**
 * Checkout Sessions as plain promises, for code without Effect: the same client, the same error classes.
 *
 * @since 0.1.0
 */
import { setMaxListeners } from "node:events"
import { type CheckoutSession, CheckoutSessionId } from "@effect-gr4vy/core/CheckoutSession"
import { CheckoutSessions } from "@effect-gr4vy/core/CheckoutSessions"
import { RequestFailed } from "@effect-gr4vy/core/Errors"
import type * as SecureFields from "@effect-gr4vy/core/SecureFields"
import { callerSignal } from "@effect-gr4vy/core/unstable/Span"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Gr4vy from "./Gr4vy.js"
import * as OtelTracer from "./OtelTracer.js"

/** `T` with a plain string allowed wherever it has a `Redacted`. */
type Plain<T> = { readonly [K in keyof T]: Redacted.Redacted extends T[K] ? T[K] | string : T[K] }

type LayerOptions = NonNullable<Parameters<typeof Gr4vy.layerConfig>[0]>

/**
 * The options of `Gr4vy.layer`, with secrets as plain strings or `Redacted`. Where address or authentication is left out,
 * the variables of `Gr4vy.layerConfig` are read.
 *
 * @since 0.1.0
 * @category models
 */
export type Options = Plain<LayerOptions>

/**
 * @since 0.1.0
 * @category models
 */
export type CardRequest = Plain<SecureFields.CardRequest>

/**
 * @since 0.1.0
 * @category models
 */
export interface CheckoutSessionSecureFieldsUpdate {
  readonly paymentMethod?: CardRequest
}

/**
 * @since 0.1.0
 * @category models
 */
export interface CallOptions {
  /** Ends the call, its socket and its retries at once; the promise then rejects with the signal's `reason`, like `fetch`. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The four operations. They reject with `Unauthorized`, `NotFound`, `Generic` or `RequestFailed`, told apart by
 * `instanceof` or `_tag`; `add` and `get` give a `CheckoutSession`, whose `expiresAt.epochMillis` is what `new Date` takes.
 *
 * @since 0.1.0
 * @category models
 */
export interface Client extends AsyncDisposable {
  /** Creates a Checkout Session. */
  readonly add: (options?: CallOptions) => Promise<CheckoutSession>
  /** Reads a Checkout Session. */
  readonly get: (id: string, options?: CallOptions) => Promise<CheckoutSession>
  /** Stores secure fields on a Checkout Session, which then lives for 5 minutes more. */
  readonly updateFields: (
    id: string,
    update?: CheckoutSessionSecureFieldsUpdate,
    options?: CallOptions
  ) => Promise<void>
  /** Deletes a Checkout Session. */
  readonly delete: (id: string, options?: CallOptions) => Promise<void>
  /** Takes no more calls, lets those underway finish, and resolves once every socket is closed. */
  readonly close: () => Promise<void>
}

/**
 * A client, ready to be called; it joins the OpenTelemetry trace its calls are made in. Rejects with an `Error` that says
 * what to change when an option or a variable cannot be used.
 *
 * @example
 * ```ts
 * import { create } from "@effect-gr4vy/node/promise"
 *
 * const gr4vy = await create({ id: "plantly", environment: "sandbox", token: "ey..." })
 * const session = await gr4vy.add({ signal: AbortSignal.timeout(2_000) })
 * await gr4vy.close()
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const create = async (options: Options = {}): Promise<Client> => {
  const runtime = ManagedRuntime.make(
    Layer.provideMerge(Gr4vy.layerConfig(redact<LayerOptions>(options, ["token", "privateKey"])), OtelTracer.layer)
  )
  const built = await runtime.runPromiseExit(CheckoutSessions)
  if (Exit.isFailure(built)) {
    await runtime.dispose()
    throw new Error(`Gr4vy: these options cannot be used: ${Cause.squash(built.cause)}`)
  }
  const sessions = built.value
  const underway = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  const call = async <A, E>(effect: Effect.Effect<A, E>, { signal }: CallOptions = {}): Promise<A> => {
    if (closing !== undefined) throw closed()
    signal?.throwIfAborted()
    allowManyCalls(signal)
    const running = runtime.runPromiseExit(Effect.locally(effect, callerSignal, signal), { signal })
    underway.add(running)
    const exit = await running
    underway.delete(running)
    if (Exit.isSuccess(exit)) return exit.value
    if (Cause.isInterruptedOnly(exit.cause)) signal?.throwIfAborted()
    throw Cause.squash(exit.cause)
  }

  const close = () => {
    closing ??= Promise.all(underway).then(() => runtime.dispose())
    return closing
  }

  return {
    add: (options) => call(sessions.add(), options),
    get: (id, options) => call(sessions.get(toId(id)), options),
    updateFields: async (id, update, options) => call(sessions.updateFields(toId(id), redactUpdate(update)), options),
    delete: (id, options) => call(sessions.delete(toId(id)), options),
    close,
    [Symbol.asyncDispose]: close
  }
}

const closed = () =>
  new RequestFailed({
    reason: "InvalidRequest",
    delivered: "no",
    attempts: 0,
    message: "Nothing was sent: the client is closed. Create a new one, or close it after its last call."
  })

// One signal may well end many calls; from the eleventh on, Node would warn of a leak.
const allowManyCalls = (signal: AbortSignal | undefined): void => {
  try {
    if (signal !== undefined) setMaxListeners(0, signal)
  } catch {
    // A signal that is not Node's own has no such warning.
  }
}

// The service itself refuses an id that cannot be one.
const toId = (id: string) => CheckoutSessionId.make(id, { disableValidation: true })

const redactUpdate = (update: CheckoutSessionSecureFieldsUpdate | undefined) => {
  if (update === undefined) return undefined
  const { paymentMethod, ...others } = update
  return paymentMethod === undefined
    ? others
    : { ...others, paymentMethod: redact<SecureFields.CardRequest>(paymentMethod, ["number", "securityCode"]) }
}

const redact = <T extends object>(plain: Plain<T>, secrets: ReadonlyArray<string>): T =>
  // TypeScript cannot follow that what `Plain` allowed is undone here.
  Object.fromEntries(
    Object.entries(plain).map(([key, value]) => [
      key,
      typeof value === "string" && secrets.includes(key) ? Redacted.make(value) : value
    ])
  ) as T
