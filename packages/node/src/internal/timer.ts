/**
 * Time by the fiber's `Clock`: one timer, and a reading that no change of the wall clock can move.
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

/**
 * Monotonic milliseconds, to measure durations. The nanoseconds of Effect's live clock come from
 * `process.hrtime`, its milliseconds from the wall clock. `performance.now` is the same clock without a `BigInt`.
 */
export const monotonicMillis = (clock: Clock.Clock): number =>
  clock === liveClock ? performance.now() : Number(clock.unsafeCurrentTimeNanos()) / 1e6

/**
 * Runs `f` after `millis`; the returned function cancels it. Under the live clock it is a plain `setTimeout`: a fiber
 * that sleeps costs 30–40 µs a call on Effect 3 (`Effect.timeout`), this costs 1. Any other clock (`TestClock`) decides
 * by itself.
 */
export const after = (clock: Clock.Clock, millis: number, f: () => void): (() => void) => {
  if (clock === liveClock) {
    const timer = setTimeout(f, millis)
    return () => clearTimeout(timer)
  }
  const fiber = Effect.runFork(Effect.map(clock.sleep(Duration.millis(millis)), f))
  return () => Effect.runFork(Fiber.interruptFork(fiber))
}
