/**
 * Checks options and faults. A test relies on them: a name or a value that the sandbox cannot use is refused, not ignored.
 */
import { type Implementation, Implemented } from "@effect-gr4vy/core/Endpoint"
import { unknownName } from "@effect-gr4vy/core/spi/Names"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Fault, Options } from "./model.js"

/** The longest delay; the sum of two is still one that a timer of Node can wait. */
export const maxDelay = Duration.days(7)

/** A century: with a much longer lifetime the expiry would be no date. */
export const maxLifetime = Duration.days(36_500)

export const implementations = "a list of implementations, from Endpoint.implement"

/** Whether a value comes from `Endpoint.implement`. */
export const isImplementation = (value: unknown): value is Implementation =>
  Predicate.hasProperty(value, Implemented) && Predicate.isRecord(value[Implemented])

/** Decodes a duration from 0 to `max`; a `Left` is the word for what it is instead. */
export const durationFrom = (
  input: unknown,
  max: Duration.Duration
): Either.Either<Duration.Duration, "none" | "too long"> => {
  // Effect takes what is below zero, or not a number, for zero.
  const isNone =
    Predicate.isNumber(input) || Predicate.isBigInt(input)
      ? !(input >= 0)
      : Predicate.isString(input) && input.trim().startsWith("-")
  const decoded = isNone ? Option.none() : Duration.decodeUnknown(input)
  return Option.match(decoded, {
    onNone: () => Either.left("none"),
    onSome: (duration) => (Duration.lessThanOrEqualTo(duration, max) ? Either.right(duration) : Either.left("too long"))
  })
}

/** Says what is wrong with the value of this name, without a full stop. */
type Rule = (name: string, value: unknown) => string | undefined

type Rules<T> = { readonly [Name in keyof T]-?: Rule }

const must =
  (expected: string, is: (value: unknown) => boolean): Rule =>
  (name, value) =>
    is(value) ? undefined : `${name} must be ${expected}`

const numberFrom = (min: number, max: number) => (value: unknown) =>
  Predicate.isNumber(value) && value >= min && value <= max

const whole = (min: number, max: number) => (value: unknown) => Number.isInteger(value) && numberFrom(min, max)(value)

const yesOrNo = must("true or false", Predicate.isBoolean)

const duration = (max: Duration.Duration) =>
  must(`a duration of at most ${Duration.toDays(max)} days, e.g. "500 millis", "2 seconds", "1 hour"`, (value) =>
    Either.isRight(durationFrom(value, max))
  )

const listOf =
  (what: string, problemOf: (item: Readonly<Record<string, unknown>>) => string | undefined): Rule =>
  (name, value) => {
    const items: ReadonlyArray<unknown> | undefined = Array.isArray(value) ? value : undefined
    const given = items?.filter(Predicate.isNotNullable)
    return given?.every(Predicate.isRecord) === true
      ? given.map(problemOf).find(Predicate.isNotUndefined)
      : `${name} must be a list of ${what}`
  }

/** The first misspelt name or unusable value. */
const firstProblem = (given: object, rules: Readonly<Record<string, Rule>>): string | undefined => {
  const unknown = unknownName(given, rules)
  if (unknown !== undefined) return unknown.message
  return Object.entries(rules)
    .map(([name, problemOf]) => {
      const value: unknown = Reflect.get(given, name)
      return value === undefined ? undefined : problemOf(name, value)
    })
    .find(Predicate.isNotUndefined)
}

const faultRules: Rules<Fault> = {
  status: must("a whole number from 200 to 599", whole(200, 599)),
  code: must("a string that is not empty", (value) => Predicate.isString(value) && value !== ""),
  message: must("a string", Predicate.isString),
  retryAfterSeconds: must("a whole number of seconds, 0 or more", whole(0, Number.MAX_SAFE_INTEGER)),
  reset: must('true, false, "before" or "after"', (value) =>
    [true, false, "before", "after"].some((each) => each === value)
  ),
  truncate: yesOrNo,
  delayMillis: must(
    `a number from 0 to ${Duration.toMillis(maxDelay)} (${Duration.toDays(maxDelay)} days)`,
    numberFrom(0, Duration.toMillis(maxDelay))
  )
}

/** Statuses of responses that have no body. */
export const isBodiless = (status: number): boolean => status === 204 || status === 205 || status === 304

/** Says what is wrong with a fault, without a full stop. */
export const faultProblem = (fault: unknown): string | undefined => {
  if (fault === undefined || fault === null) return undefined
  if (!Predicate.isRecord(fault)) return "a fault must be an object"
  const problem = firstProblem(fault, faultRules)
  if (problem !== undefined) return problem
  const has = (name: keyof Fault) => fault[name] !== undefined && fault[name] !== false
  const ofAnswer = (["code", "message", "retryAfterSeconds"] as const).find(has)
  if (ofAnswer !== undefined && !has("status")) return `${ofAnswer} needs a status`
  const ofBody = (["code", "message"] as const).find(has)
  if (ofBody !== undefined && isBodiless(Number(fault["status"]))) {
    return `${ofBody} has no place in a response of status ${fault["status"]}, which has no body`
  }
  const besides = (["status", "truncate"] as const).find(has)
  return has("reset") && besides !== undefined
    ? `reset closes the connection without a response: leave ${besides} out`
    : undefined
}

const ofFault = (fault: unknown): string | undefined => {
  const problem = faultProblem(fault)
  return problem === undefined ? undefined : `a fault is wrong: ${problem}`
}

const rateRules: Rules<{ readonly rate: number; readonly fault: Fault }> = {
  rate: must("a number from 0 to 1", numberFrom(0, 1)),
  fault: (_, fault) => ofFault(fault)
}

const rates = "{ rate, fault }"

const webhookRules: Rules<NonNullable<Options["webhooks"]>[number]> = {
  url: must(
    "an http: or https: URL",
    (value) => Predicate.isString(value) && /^https?:\/\/./i.test(value) && URL.canParse(value)
  ),
  secret: must("a string that is not empty", (value) => Predicate.isString(value) && value !== "")
}

const webhookProblem = (webhook: Readonly<Record<string, unknown>>): string | undefined =>
  firstProblem(webhook, webhookRules) ??
  (webhook["url"] === undefined || webhook["secret"] === undefined ? "a webhook needs a url and a secret" : undefined)

const optionRules: Rules<Options> = {
  port: must("a whole number from 0 to 65535", whole(0, 65_535)),
  host: must('an address of this machine, e.g. "127.0.0.1"', (value) => Predicate.isString(value) && value !== ""),
  sessionLifetime: duration(maxLifetime),
  endpoints: must(
    implementations,
    (value) => Array.isArray(value) && value.every((item) => Effect.isEffect(item) || isImplementation(item))
  ),
  webhooks: listOf("webhooks: { url, secret }", webhookProblem),
  tracing: yesOrNo,
  publicKey: must("a string", Predicate.isString),
  faults: listOf("faults", ofFault),
  faultRates: listOf(rates, (item) => {
    const problem = firstProblem(item, rateRules)
    const isWhole = item["rate"] !== undefined && item["fault"] !== undefined
    return problem ?? (isWhole ? undefined : `faultRates must be a list of ${rates}`)
  }),
  latency: duration(maxDelay),
  onRequest: must("a function", Predicate.isFunction)
}

/** Says what is wrong with the options, without a full stop. */
export const optionsProblem = (options: object): string | undefined => firstProblem(options, optionRules)
