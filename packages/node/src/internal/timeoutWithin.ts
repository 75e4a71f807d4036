/**
 * A time limit that costs nothing while the effect ends at once, and a plain timer when it does not.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import { resumeWhereItBegan } from "./otel/context.js"
import { after, clockOf } from "./timer.js"

/** Interrupts `effect` and fails with `onTimeout` after `millis`. */
export const timeoutWithin = <A, E, E2>(
  effect: Effect.Effect<A, E>,
  millis: number,
  onTimeout: () => E2
): Effect.Effect<A, E | E2> =>
  Exit.isExit(effect)
    ? effect
    : Effect.withFiberRuntime<A, E | E2>((parent) => {
        const runtime = Runtime.make({
          context: parent.currentContext,
          fiberRefs: parent.getFiberRefs(),
          runtimeFlags: Runtime.defaultRuntimeFlags
        })
        const child = Runtime.runFork(runtime)(effect)
        const exit = child.unsafePoll()
        if (exit !== null) return exit
        return Effect.async<A, E | E2>((resumeParent) => {
          const resume = resumeWhereItBegan(resumeParent)
          const cancel = after(clockOf(parent), millis, () => {
            resume(Effect.zipRight(Fiber.interruptFork(child), Effect.fail(onTimeout())))
          })
          child.addObserver((exit) => {
            cancel()
            resume(exit)
          })
          return Effect.suspend(() => {
            cancel()
            return Fiber.interrupt(child)
          })
        })
      })
