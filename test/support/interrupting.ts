import { Effect, Fiber } from "effect"

export const until = (condition: () => boolean) =>
  Effect.timeout(Effect.repeat(Effect.yieldNow(), { until: condition }), "5 seconds")

/** Interrupts a call, and tells how long it took until its socket was closed at the server's end. */
export const millisToClose = (fiber: Fiber.RuntimeFiber<unknown, unknown>, closed: () => boolean) =>
  Effect.gen(function* () {
    const began = performance.now()
    yield* Fiber.interrupt(fiber)
    yield* until(closed)
    return performance.now() - began
  })

// 1 to 11 ms here; without interruption it would be the limit of 10 seconds.
export const soon = 2000
