/**
 * Work outside the fiber that waits for it (a wait for a connection, an exchange on the wire, a child fiber), and its time
 * limit by the fiber's `Clock`.
 */
import { clearImmediate, setImmediate } from "node:timers"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import * as Runtime from "effect/Runtime"
import { resumeWhereItBegan } from "./otel/context.js"

export interface Pending<out A, out E> {
  /** Begins the work. `resume` is called with its result. */
  begin(resume: (exit: Exit.Exit<A, E>) => void): void
  /** Gives the work up. Harmless once it has ended. */
  cancel(): void
}

/**
 * Begins work and waits for it, inside `Effect.uninterruptibleMask`, whose `restore` it takes. `onEnd` runs whenever the
 * wait ends, also by an interruption. The canceller of `Effect.async` alone leaves a gap: a fiber may be interrupted after
 * the work began and before the canceller is in place.
 */
export const settle = <A, E>(
  begin: (resume: (exit: Exit.Exit<A, E>) => void) => void,
  restore: <B, E2>(effect: Effect.Effect<B, E2>) => Effect.Effect<B, E2>,
  onEnd: (exit: Exit.Exit<A, E>) => void
): Effect.Effect<A, E> => {
  const end = (exit: Exit.Exit<A, E>): Exit.Exit<A, E> => {
    onEnd(exit)
    return exit
  }
  return Effect.matchCauseEffect(restore(Effect.async<A, E>((resume) => begin(resume))), {
    onFailure: (cause) => end(Exit.failCause(cause)),
    onSuccess: (value) => end(Exit.succeed(value))
  })
}

const liveClock = Context.get(DefaultServices.liveServices, Clock.Clock)

export const clockOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Clock.Clock =>
  Context.get(fiber.currentDefaultServices, Clock.Clock)

/**
 * Monotonic milliseconds, to measure durations: no change of the wall clock moves them. `performance.now` is the same
 * clock as the nanoseconds of Effect's live clock, without a `BigInt`.
 */
export const monotonicMillis = (clock: Clock.Clock): number =>
  clock === liveClock ? performance.now() : Number(clock.unsafeCurrentTimeNanos()) / 1e6

/**
 * Runs `f` after `millis`; the returned function cancels it. After a stalled event loop, Node runs late timers before it
 * reads its sockets, so under the live clock `f` waits for one more read: what has arrived by then counts. The immediate
 * comes from `node:timers`, because the global one may be a test's fake.
 */
export const after = (clock: Clock.Clock, millis: number, f: () => void): (() => void) => {
  if (clock === liveClock) {
    let read: NodeJS.Immediate | undefined
    const timer = setTimeout(() => {
      read = setImmediate(f)
    }, millis)
    return () => {
      clearTimeout(timer)
      clearImmediate(read)
    }
  }
  const fiber = Effect.runFork(Effect.map(clock.sleep(Duration.millis(millis)), f))
  return () => Effect.runFork(Fiber.interruptFork(fiber))
}

/**
 * Interrupts `effect` and fails with `onTimeout` after `millis`, without a wait for its finalizers; an interruption waits
 * for them. It costs nothing if the effect completes synchronously.
 */
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
          const outcome = settle<A, E | E2>(
            (resume) => limited.begin(resume),
            restore,
            (exit) => {
              if (Exit.isFailure(exit)) limited.cancel()
            }
          )
          return Effect.tapErrorCause(outcome, (cause) => (Cause.isInterrupted(cause) ? limited.ended : Effect.void))
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

  /** Waits for the fiber's end. */
  get ended(): Effect.Effect<void> {
    return this.child === undefined ? Effect.void : Effect.asVoid(Fiber.await(this.child))
  }
}
