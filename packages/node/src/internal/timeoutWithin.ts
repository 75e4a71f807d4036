/**
 * A time limit that is free if the effect completes synchronously, and otherwise costs one plain timer.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import * as Runtime from "effect/Runtime"
import { resumeWhereItBegan } from "./otel/context.js"
import { type Pending, settle } from "./pending.js"
import { after, clockOf } from "./timer.js"

/** Interrupts `effect` and fails with `onTimeout` after `millis`. */
export const timeoutWithin = <A, E, E2>(
  effect: Effect.Effect<A, E>,
  millis: number,
  onTimeout: () => E2
): Effect.Effect<A, E | E2> =>
  Exit.isExit(effect)
    ? effect
    : Effect.withFiberRuntime<A, E | E2>((parent) =>
        Effect.uninterruptibleMask((restore) => {
          const limited = new Limited(effect, parent, millis, onTimeout)
          return settle<A, E | E2>(
            (resume) => limited.begin(resume),
            restore,
            (exit) => {
              if (Exit.isFailure(exit)) limited.cancel()
            }
          )
        })
      )

/** An effect in a fiber of its own, which a time limit or `cancel` interrupts. Neither waits for the fiber's end. */
export class Limited<A, E, E2> implements Pending<A, E | E2> {
  private child: Fiber.RuntimeFiber<A, E> | undefined
  private cancelTimer: () => void = constVoid

  constructor(
    private readonly effect: Effect.Effect<A, E>,
    private readonly parent: Fiber.RuntimeFiber<unknown, unknown>,
    private readonly millis: number,
    private readonly onTimeout: () => E2
  ) {}

  begin(resumeParent: (exit: Exit.Exit<A, E | E2>) => void): void {
    const { effect, parent } = this
    const runtime = Runtime.make({
      context: parent.currentContext,
      fiberRefs: parent.getFiberRefs(),
      runtimeFlags: Runtime.defaultRuntimeFlags
    })
    const child = Runtime.runFork(runtime)(effect)
    this.child = child
    const exit = child.unsafePoll()
    if (exit !== null) {
      resumeParent(exit)
      return
    }
    const resume = resumeWhereItBegan(resumeParent)
    this.cancelTimer = after(clockOf(parent), this.millis, () => resume(Exit.fail(this.onTimeout())))
    child.addObserver((exit) => {
      this.cancelTimer()
      resume(exit)
    })
  }

  cancel(): void {
    this.cancelTimer()
    if (this.child?.unsafePoll() === null) this.child.unsafeInterruptAsFork(FiberId.none)
  }
}
