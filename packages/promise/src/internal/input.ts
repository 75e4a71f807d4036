/**
 * Checks the arguments of callers, who may write plain JavaScript. No message quotes a value, because it may be a secret in
 * the wrong place.
 */
import { isDate } from "node:util/types"
import type * as SecureFields from "@effect-gr4vy/core/SecureFields"
import { namesIn, unknownName } from "@effect-gr4vy/core/spi/Names"
import * as RetryPolicy from "@effect-gr4vy/node/RetryPolicy"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import { RequestFailed } from "../errors.js"
import type {
  CallOptions,
  EmbedOptions,
  KeyedCallOptions,
  Options,
  RequestOptions,
  RetryOptions,
  SigningOptions,
  WebhookOptions
} from "../models.js"

const refuseOptions = (problem: string): RequestFailed =>
  new RequestFailed({ reason: "InvalidRequest", delivered: "no", attempts: 0, message: `${problem}.` })

/** A failure before anything was sent. */
export const refuse = (problem: string): RequestFailed => refuseOptions(`Nothing was sent: ${problem}`)

interface Check {
  readonly is: (value: unknown) => boolean
  readonly expected: string
}

const aString: Check = { is: Predicate.isString, expected: "a string" }
const aNumber: Check = { is: Predicate.isNumber, expected: "a number" }
const aBoolean: Check = { is: Predicate.isBoolean, expected: "true or false" }
const aFunction: Check = { is: Predicate.isFunction, expected: "a function" }
const anObject: Check = { is: Predicate.isRecord, expected: "an object" }
const aDuration: Check = {
  is: Predicate.or(Predicate.isNumber, Predicate.isString),
  expected: 'milliseconds, or a duration like "10 seconds"'
}
const strings: Check = {
  is: (value) => Array.isArray(value) && value.every(Predicate.isString),
  expected: "an array of strings"
}
const aRetry: Check = {
  is: (value) => value === "none" || Predicate.isRecord(value),
  expected: 'an object like { maxAttempts: 5 }, or "none"'
}
const aSignal: Check = {
  is: (value) =>
    Predicate.isRecord(value) &&
    Predicate.isBoolean(value["aborted"]) &&
    Predicate.isFunction(value["addEventListener"]) &&
    Predicate.isFunction(value["removeEventListener"]),
  expected: "an AbortSignal"
}

const aLogger: Check = {
  is: (value) =>
    Predicate.isRecord(value) &&
    ["debug", "info", "warn", "error"].every((method) => Predicate.isFunction(value[method])),
  expected: "an object with the methods debug, info, warn and error, e.g. console"
}

type Checks<T> = Readonly<Record<KeysOf<T>, Check>>

const optionChecks: Checks<Options> = {
  id: aString,
  environment: aString,
  baseUrl: { is: (value) => Predicate.isString(value) || value instanceof URL, expected: "a string or a URL" },
  token: aString,
  privateKey: aString,
  getToken: aFunction,
  scopes: strings,
  tokenLifetime: aDuration,
  merchantAccountId: aString,
  retry: aRetry,
  attemptTimeout: aDuration,
  deadline: aDuration,
  maxResponseBytes: aNumber,
  maxConnectionAge: aDuration,
  connections: aNumber,
  dispatcher: {
    is: (value) =>
      value === "environment" || (Predicate.hasProperty(value, "dispatch") && Predicate.isFunction(value.dispatch)),
    expected: 'one of undici, e.g. new ProxyAgent("http://proxy.internal:3128"), or "environment"'
  },
  exposeTokenOverHttp: aBoolean,
  propagateTrace: aBoolean,
  propagateBaggage: aBoolean,
  logger: aLogger
}

const retryChecks: Checks<RetryOptions> = {
  maxAttempts: aNumber,
  baseDelay: aDuration,
  maxDelay: aDuration,
  maxRetryAfter: aDuration,
  creates: aString,
  renewToken: aBoolean
}

const callChecks: Checks<CallOptions> = {
  signal: aSignal,
  retry: aRetry,
  merchantAccountId: aString,
  attemptTimeout: aDuration,
  headers: anObject,
  unknownProperties: aString
}

const keyedChecks: Checks<KeyedCallOptions> = { ...callChecks, idempotencyKey: aString }

const { unknownProperties: _, ...sentAsItIs } = callChecks

const requestChecks: Checks<RequestOptions> = {
  ...sentAsItIs,
  body: { is: () => true, expected: "a JSON value" },
  query: anObject,
  idempotencyKey: aString
}

const webhookChecks: Checks<WebhookOptions> = {
  // Core says how to give it: what a framework has parsed is a fact of the request, not of the options.
  payload: { is: () => true, expected: "a string or bytes" },
  headers: {
    is: (value) => Predicate.isRecord(value) || Array.isArray(value),
    expected: "an object or an array of pairs"
  },
  secret: {
    is: (value) => Predicate.isString(value) || strings.is(value),
    expected: "a string or an array of strings"
  },
  tolerance: { ...aDuration, is: (value) => aDuration.is(value) && Option.isSome(Duration.decodeUnknown(value)) }
}

const signingChecks: Checks<SigningOptions> = {
  payload: webhookChecks.payload,
  secret: webhookChecks.secret,
  timestamp: aNumber,
  id: aString
}

const embedChecks: Checks<EmbedOptions> = {
  privateKey: aString,
  checkoutSessionId: aString,
  embed: anObject,
  lifetime: aDuration
}

/** `T` with what was left out, `undefined` or `null`, absent; of every member of a union. */
type Given<T> = { readonly [K in KeysOf<T>]?: NonNullable<ValueOf<T, K>> }

type KeysOf<T> = T extends T ? keyof T : never

type ValueOf<T, K> = T extends { readonly [P in K & string]?: infer A } ? A : never

export type GivenOptions = Given<Options>

/** Reads the given properties and checks each one. An unknown name is refused, because it may be a typo. */
const read = <T extends object>(
  value: T | null | undefined,
  name: string,
  checks: Checks<T>,
  fail: (problem: string) => RequestFailed = refuse
): Given<T> => {
  if (value !== null && value !== undefined && !Predicate.isRecord(value)) throw fail(`${name} must be an object`)
  const names = namesIn(value ?? {})
  if (names.length === 0 && !isPlain(value ?? {}))
    throw fail(`${name} must be an object with options as its properties`)
  const given = names
    .map((key) => [key, Reflect.get(value ?? {}, key)] as const)
    .filter(([, part]) => part !== undefined && part !== null)
  const known = new Map<string, Check>(Object.entries(checks))
  for (const [key, part] of given) {
    const check = known.get(key)
    if (check === undefined) throw fail(`${name}: ${unknownName({ [key]: part }, checks)?.message}`)
    if (!check.is(part)) throw fail(`${name}.${key} must be ${check.expected}`)
  }
  return Object.fromEntries(given) as Given<T> // As checked above.
}

/** What a Promise, a Map or a private field holds is no property, and would be lost. */
const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The options of `create`. */
export const readOptions = (options: Options | null | undefined): GivenOptions => read(options, "options", optionChecks)

/**
 * The options of `embedToken`. A session or a content that is there and `undefined` is a value that got lost: the token
 * would fix nothing.
 */
export const readEmbedOptions = (options: EmbedOptions): Given<EmbedOptions> & { readonly privateKey: string } => {
  const { privateKey, ...others } = read(options, "options", embedChecks)
  refuseLost(options, "checkoutSessionId", embedChecks.checkoutSessionId.expected)
  refuseLost(options, "embed", embedChecks.embed.expected)
  if (privateKey === undefined) throw refuse("options.privateKey must be a string")
  return { privateKey, ...others }
}

/** Refuses a property that is there without a value. */
const refuseLost = (options: object | null | undefined, name: string, expected: string): void => {
  if (!Predicate.hasProperty(options, name)) return
  const value = options[name]
  if (value === undefined || value === null) {
    throw refuse(`options.${name} must be ${expected}, or left out: it is ${value}`)
  }
}

/** The options of a call that core knows by the same names. */
export type EndpointOptions = Pick<
  Given<CallOptions>,
  "merchantAccountId" | "attemptTimeout" | "headers" | "unknownProperties"
>

/** The options of a call. */
export const readCallOptions = (options: CallOptions | null | undefined): Given<CallOptions> =>
  read(options, "options", callChecks)

/** The options of an operation of the API. Its endpoint says whether it takes a key. */
export const readKeyedOptions = (options: KeyedCallOptions | null | undefined): Given<KeyedCallOptions> =>
  read(options, "options", keyedChecks)

/**
 * The options of `request`. A body that is there and `undefined` or `null` is a value that got lost: without it a POST may do
 * more than it should, e.g. refund everything.
 */
export const readRequestOptions = (
  method: unknown,
  options: RequestOptions | null | undefined
): Given<RequestOptions> => {
  const given = read(options, "options", requestChecks)
  const mayHaveNone = method === "GET" || method === "DELETE"
  if (!mayHaveNone) refuseLost(options, "body", "a value")
  return given
}

/** The options of `verifyWebhook`. */
export const readWebhook = (options: WebhookOptions) => {
  const refuse = (problem: string) => refuseOptions(`No webhook was verified: ${problem}`)
  const { headers, payload, secret, ...others } = read(options, "options", webhookChecks, refuse)
  if (headers === undefined) throw refuse(`options.headers must be ${webhookChecks.headers.expected}`)
  return { headers, payload: given(payload), secret: wrapped(secret, refuse), ...others }
}

/** The options of `signWebhook`. */
export const readSigning = (options: SigningOptions) => {
  const refuse = (problem: string) => refuseOptions(`No webhook was signed: ${problem}`)
  const { payload, secret, ...others } = read(options, "options", signingChecks, refuse)
  return { payload: given(payload), secret: wrapped(secret, refuse), ...others }
}

// Core refuses a payload that is none, in its own words.
const given = (payload: SigningOptions["payload"] | undefined) => payload as SigningOptions["payload"]

const wrapped = (secret: SigningOptions["secret"] | undefined, refuse: (problem: string) => RequestFailed) => {
  if (secret === undefined) throw refuse(`options.secret must be ${webhookChecks.secret.expected}`)
  return [secret].flat().map((value) => Redacted.make(value))
}

/** A policy: what was left out is as in `base`. */
export const readRetry = (
  retry: RetryOptions | "none" | undefined,
  base: RetryPolicy.RetryPolicy
): RetryPolicy.RetryPolicy => {
  if (retry === undefined) return base
  if (retry === "none") return RetryPolicy.none
  try {
    return RetryPolicy.make({ ...base, ...read(retry, "options.retry", retryChecks) })
  } catch (error) {
    if (error instanceof RequestFailed || !(error instanceof Error)) throw error
    throw refuse(error.message.replace("RetryPolicy: ", "options.retry."))
  }
}

/** The secure fields to store, with what is secret wrapped at once; the service checks the rest. */
export const readUpdate = (update: unknown): SecureFields.CheckoutSessionSecureFieldsUpdate | undefined => {
  if (update === undefined || update === null) return undefined
  if (!Predicate.isRecord(update)) throw refuse("update must be an object")
  const { paymentMethod } = update
  const wrapped = Predicate.isRecord(paymentMethod) ? { ...update, paymentMethod: wrap(paymentMethod) } : update
  return wrapped as SecureFields.CheckoutSessionSecureFieldsUpdate // The service refuses what is none.
}

const secrets: ReadonlyArray<string> = ["number", "securityCode"]

const wrap = (paymentMethod: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(paymentMethod).map(([key, value]) => {
      if (!secrets.includes(key) || value === null || value === undefined) return [key, value]
      if (!Predicate.isString(value)) throw refuse(`update.paymentMethod.${key} must be a string`)
      return [key, Redacted.make(value)]
    })
  )

/** The token that `getToken` resolved to. A source's failure is named by its tag alone, which is why that is a sentence. */
export const readToken = (
  value: unknown
): Effect.Effect<{ readonly token: Redacted.Redacted; readonly expiresAt: Date }, { readonly _tag: string }> => {
  if (Predicate.isRecord(value)) {
    const { expiresAt, token } = value
    if (Predicate.isString(token) && isDate(expiresAt) && !Number.isNaN(expiresAt.getTime())) {
      return Effect.succeed({ token: Redacted.make(token), expiresAt })
    }
  }
  return Effect.fail({ _tag: "getToken must resolve to { token, expiresAt }, a string and a valid Date" })
}
