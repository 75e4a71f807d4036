/**
 * The log of the client: to the caller's logger, or nowhere.
 */
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as EffectLogger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Logger } from "../models.js"

/** The layer that sends log lines to `logger`; without one, no line is written. */
export const layer = (logger: Logger | undefined): Layer.Layer<never> => {
  // Effect's loggers write to the process's standard output, and repeat each line as an event of the span.
  const quiet = Layer.merge(
    EffectLogger.remove(EffectLogger.defaultLogger),
    EffectLogger.remove(EffectLogger.tracerLogger)
  )
  return logger === undefined
    ? quiet
    : Layer.mergeAll(
        quiet,
        EffectLogger.add(toLogger(logger)),
        // The logger has a level of its own.
        EffectLogger.minimumLogLevel(LogLevel.Debug),
        // The caller gets each failure as a rejection.
        Layer.setUnhandledErrorLogLevel(Option.none())
      )
}

const toLogger = (logger: Logger) =>
  EffectLogger.make<unknown, void>(({ annotations, logLevel, message }) => {
    const attributes: Record<string, string | number | boolean> = {}
    for (const [name, value] of HashMap.entries(annotations)) {
      if (Predicate.isString(value) || Predicate.isNumber(value) || Predicate.isBoolean(value)) attributes[name] = value
    }
    // A logger is code of others, and never fails a call.
    try {
      // As a method: loggers need their `this`.
      const result: unknown = logger[methodOf(logLevel)](attributes, String(message))
      if (Predicate.isPromise(result)) result.then(undefined, () => undefined)
    } catch {}
  })

const methodOf = (level: LogLevel.LogLevel): keyof Logger => {
  if (LogLevel.greaterThanEqual(level, LogLevel.Error)) return "error"
  if (LogLevel.greaterThanEqual(level, LogLevel.Warning)) return "warn"
  return LogLevel.greaterThanEqual(level, LogLevel.Info) ? "info" : "debug"
}
