/**
 * Everything a program could show of a failure, and a look for secrets in it.
 */
import { inspect } from "node:util"
import { assert } from "@effect/vitest"
import { Cause, Effect, Logger, LogLevel } from "effect"
import { type Shown, secretIn, shown } from "./secrets.js"

export { code, grouped, number, shown, token, update } from "./secrets.js"

/** What a failure says of itself, and what the loggers make of it. */
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
  assert.isUndefined(secretIn(text), where)
}

export const allClean = (where: string, all: Shown): void => {
  for (const [sink, text] of all) clean(`${where} → ${sink}`, text)
}
