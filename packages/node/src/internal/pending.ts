/**
 * Work outside the fiber that waits for it: a wait for a connection, an exchange on the wire, a child fiber.
 */
import * as Effect from "effect/Effect"

export interface Pending<out A, out E> {
  /** Begins the work where it has not begun, and waits for its end. */
  readonly outcome: Effect.Effect<A, E>
  /** Gives the work up. Harmless once it has ended. */
  cancel(): void
}

/**
 * Waits for pending work inside `Effect.uninterruptibleMask`, whose `restore` it takes: it is given up whenever the wait
 * ends without a success. The canceller of `Effect.async` alone leaves a gap: a fiber may be interrupted after the work
 * began and before the canceller is in place.
 */
export const settle = <A, E>(
  pending: Pending<A, E>,
  restore: <B, E2>(effect: Effect.Effect<B, E2>) => Effect.Effect<B, E2>
): Effect.Effect<A, E> =>
  Effect.matchCauseEffect(restore(pending.outcome), {
    onFailure: (cause) => {
      pending.cancel()
      return Effect.failCause(cause)
    },
    onSuccess: Effect.succeed
  })
