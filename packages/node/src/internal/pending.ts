/**
 * Work outside the fiber that waits for it: a wait for a connection, an exchange on the wire, a child fiber.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

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
