/**
 * Secrets of a call, and everything a program could show of its failure.
 */
import { inspect } from "node:util"
import { assert } from "@effect/vitest"
import { CheckoutSessionSecureFieldsUpdate } from "@effect-gr4vy/core"
import { Cause, Effect, Exit, Logger, LogLevel, Redacted } from "effect"

export const number = "4929000000006123"
export const grouped = "4929 0000 0000 6123"
export const code = "8362"
export const token = "sk_1live_aVeryOpaqueTokenOfTheMerchant"

export const update = CheckoutSessionSecureFieldsUpdate.make({
  paymentMethod: {
    method: "card",
    number: Redacted.make(number),
    expirationDate: "11/29",
    securityCode: Redacted.make(code)
  }
})

const secrets = [number, grouped, token, Buffer.from(number).toString("base64"), Buffer.from(token).toString("base64")]

type Shown = ReadonlyArray<readonly [sink: string, text: string]>

/** What a failure says of itself. */
export const shown = (cause: Cause.Cause<unknown>): Shown => {
  const error = Cause.squash(cause)
  const object = Object(error)
  return [
    ["String", String(error)],
    ["message and stack", `${object.message} ${object.stack} ${inspect(object.cause, { depth: null })}`],
    ["JSON", JSON.stringify(error)],
    ["JSON of the cause", JSON.stringify(cause)],
    ["inspect", inspect(error, { depth: null, showHidden: true })],
    ["inspect without custom", inspect(error, { depth: null, showHidden: true, customInspect: false })],
    [
      "own properties",
      Reflect.ownKeys(object)
        .map((key) => inspect(object[key], { depth: null }))
        .join()
    ],
    ["Cause.pretty", Cause.pretty(cause, { renderErrorCause: true })],
    ["inspect of the exit", inspect(Exit.failCause(cause), { depth: null })]
  ]
}

/** The same, and what the loggers make of it. */
export const sinks = (cause: Cause.Cause<unknown>): Effect.Effect<Shown> =>
  Effect.gen(function* () {
    const logged: Array<string> = []
    const loggers = [
      Logger.logfmtLogger,
      Logger.stringLogger,
      Logger.jsonLogger,
      Logger.map(Logger.structuredLogger, (_) => inspect(_, { depth: null }))
    ]
    for (const logger of loggers) {
      const capture = Logger.make((options) => void logged.push(String(logger.log(options))))
      for (const level of LogLevel.allLevels) {
        yield* Effect.logWithLevel(level, "failed", Cause.squash(cause), cause).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, capture)),
          Effect.provide(Logger.minimumLogLevel(LogLevel.All))
        )
      }
    }
    return [...shown(cause), ["logs", logged.join("\n")]]
  })

export const clean = (where: string, text: string): void => {
  for (const secret of secrets) assert.notInclude(text, secret, where)
  // Four digits may stand in a port or a date: the code counts where it stands alone.
  assert.notMatch(text, new RegExp(`(?<![\\d.:])${code}(?![\\d.])`), where)
}

export const allClean = (where: string, all: Shown): void => {
  for (const [sink, text] of all) clean(`${where} → ${sink}`, text)
}
