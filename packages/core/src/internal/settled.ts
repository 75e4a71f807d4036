import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** What an effect has come to already, without running it: an operation less for what is at hand. */
export const settled = <A, E>(effect: Effect.Effect<A, E>): Exit.Exit<A, E> | undefined =>
  // `isExit` forgets the types of what it recognizes.
  Exit.isExit(effect) ? (effect as Exit.Exit<A, E>) : undefined
