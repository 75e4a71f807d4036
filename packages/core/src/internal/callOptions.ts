/**
 * The options of one call, read once. A name or a value that is wrong is refused: a call without its options is another
 * call.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type { RequestFailed } from "../Errors.js"
import * as MerchantAccount from "../spi/MerchantAccount.js"
import { unknownName } from "../spi/Names.js"
import type * as Endpoint from "./endpoint.js"
import { invalidRequest } from "./invalidRequest.js"

/** The options of one call, as they are used. */
export interface Options {
  readonly beforeSend: Endpoint.CallOptions["beforeSend"]
  readonly merchantAccountId: string | undefined
  /** In milliseconds. */
  readonly attemptTimeout: number | undefined
  readonly sendsUnknown: boolean
  readonly headers: Readonly<Record<string, unknown>> | undefined
  readonly idempotencyKey: string | undefined
  /** Other strings that no server may say back; the promise package gives them. */
  readonly secrets: ReadonlyArray<string>
}

const none: Options = {
  beforeSend: undefined,
  merchantAccountId: undefined,
  attemptTimeout: undefined,
  sendsUnknown: false,
  headers: undefined,
  idempotencyKey: undefined,
  secrets: []
}

const names = {
  beforeSend: true,
  headers: true,
  merchantAccountId: true,
  attemptTimeout: true,
  unknownProperties: true
}
const keyedNames = { ...names, idempotencyKey: true }
const read: ReadonlySet<string> = new Set([...Object.keys(keyedNames), "secrets"])

/** Reads the options of an endpoint's calls, or says what is wrong with them. */
export const readOptions = ({ name, resend }: Endpoint.Any): ((given: unknown) => Options | RequestFailed) => {
  const isKeyed = resend === "keyed"
  return (given) => {
    // `ids.map(get)` passes the index after the id.
    if (given === undefined || given === null || Predicate.isNumber(given)) return isKeyed ? badKey() : none
    if (!hasKnownNames(given)) {
      const unknown = unknownName(withoutSecrets(given), isKeyed ? keyedNames : names)
      if (unknown !== undefined) return invalidRequest(unknown.message)
    }
    const key = propertyOf(given, "idempotencyKey")
    if (isKeyed && !isKey(key)) return badKey()
    if (!isKeyed && key !== undefined) {
      return invalidRequest(
        resend === "idempotent"
          ? `${name} needs no idempotencyKey, because a second copy changes nothing: leave it out`
          : `${name} honours no idempotencyKey, so a second copy could act twice: leave it out`
      )
    }
    const beforeSend = propertyOf(given, "beforeSend")
    if (beforeSend !== undefined && !Predicate.isFunction(beforeSend)) {
      return invalidRequest("beforeSend must be a function that returns an Effect")
    }
    const merchantAccountId = propertyOf(given, "merchantAccountId")
    const accountProblem = merchantAccountId === undefined ? undefined : MerchantAccount.problemOf(merchantAccountId)
    if (accountProblem !== undefined) return MerchantAccount.invalid(accountProblem)
    const timeout = propertyOf(given, "attemptTimeout")
    const attemptTimeout = timeout === undefined ? undefined : millisOf(timeout)
    if (attemptTimeout !== undefined && !(attemptTimeout >= 1 && attemptTimeout <= longest)) {
      return invalidRequest('attemptTimeout must be a duration of 1 millisecond to 24 days, e.g. "20 seconds"')
    }
    const unknownProperties = propertyOf(given, "unknownProperties")
    if (unknownProperties !== undefined && unknownProperties !== "send" && unknownProperties !== "refuse") {
      return invalidRequest('unknownProperties must be "send" or "refuse"')
    }
    const headers = propertyOf(given, "headers")
    if (headers !== undefined && !isPlainRecord(headers)) return invalidRequest("headers must be an object of strings")
    return {
      // The type of the option says what it returns; a function tells no more of itself.
      beforeSend: beforeSend as Endpoint.CallOptions["beforeSend"],
      merchantAccountId: Predicate.isString(merchantAccountId) ? merchantAccountId : undefined,
      attemptTimeout,
      sendsUnknown: unknownProperties === "send",
      headers,
      idempotencyKey: isKey(key) ? key : undefined,
      secrets: secretsIn(propertyOf(given, "secrets"))
    }
  }
}

/** Whether a value can be sent as `Idempotency-Key`. */
export const isKey = (key: unknown): key is string =>
  Predicate.isString(key) && /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(key)

const badKey = (): RequestFailed =>
  invalidRequest(
    "idempotencyKey must be 1 to 255 visible ASCII characters, e.g. order-1001/1: the order and the buyer's try"
  )

/** Whether an object is a plain one, with no other names than those that are read. */
const hasKnownNames = (given: unknown): boolean => {
  if (!isPlainRecord(given)) return false
  for (const name in given) if (!read.has(name)) return false
  return true
}

const isPlainRecord = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (!Predicate.isRecord(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.prototype.toString.call(value) === plain
}

const plain = "[object Object]"

const withoutSecrets = (given: unknown): object => {
  if (!isPlainRecord(given) || !("secrets" in given)) return Object(given)
  const { secrets: _, ...options } = given
  return options
}

const propertyOf = (value: unknown, name: string): unknown =>
  Predicate.hasProperty(value, name) ? value[name] : undefined

/** The longest delay of a timer. */
const longest = 2 ** 31 - 1

const millisOf = (timeout: unknown): number =>
  Option.match(Duration.decodeUnknown(timeout), { onNone: () => Number.NaN, onSome: Duration.toMillis })

const secretsIn = (secrets: unknown): ReadonlyArray<string> =>
  Array.isArray(secrets)
    ? secrets.flatMap((secret) => (Redacted.isRedacted(secret) ? [String(Redacted.value(secret))] : []))
    : none.secrets
