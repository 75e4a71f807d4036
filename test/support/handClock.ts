/** A clock that stands still unless a test moves it. Nobody wakes from a sleep; what was slept for is not its business. */
import { Clock, Duration, Effect } from "effect"

/** The wall clock (`millis`) and the monotonic one (`nanos`) can be moved apart, as NTP or a suspended machine does. */
export const handClock = (millis = 0) => {
  const time = { millis, monotonicMillis: 0 }
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => time.millis,
    unsafeCurrentTimeNanos: () => BigInt(Math.round(time.monotonicMillis * 1e6)),
    currentTimeMillis: Effect.sync(() => time.millis),
    currentTimeNanos: Effect.sync(() => BigInt(Math.round(time.monotonicMillis * 1e6))),
    sleep: () => Effect.never
  }
  return {
    clock,
    /** Time passes. */
    pass: (duration: Duration.DurationInput) => {
      time.millis += Duration.toMillis(duration)
      time.monotonicMillis += Duration.toMillis(duration)
    },
    /** Somebody sets the wall clock. */
    set: (millis: number) => {
      time.millis = millis
    }
  }
}
