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

// 1 to 5 ms here; the bound is for a machine that has other things to do.
export const soon = 500
