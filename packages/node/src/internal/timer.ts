/**
 * One timer by the fiber's `Clock`. Under the live clock it is a plain `setTimeout`: forking a fiber that sleeps costs
 * 30–40 µs a call on Effect 3 (`Effect.timeout`), this costs 1. Under any other clock (`TestClock`) that clock decides.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

const liveClock = Context.get(DefaultServices.liveServices, Clock.Clock)

export const clockOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

/** Runs `f` after `millis`; the returned function cancels it. */
export const after = (clock: Clock.Clock, millis: number, f: () => void): (() => void) => {
  if (clock === liveClock) {
    const timer = setTimeout(f, millis)
    return () => clearTimeout(timer)
  }
  const fiber = Effect.runFork(Effect.map(clock.sleep(Duration.millis(millis)), f))
  return () => Effect.runFork(Fiber.interruptFork(fiber))
}
