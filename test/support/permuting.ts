/** Interleavings by seed: a scheduler that runs what is due in a random order, and fibers that yield at every operation. */
import { Effect, type Scheduler } from "effect"

/** A small generator of numbers from 0 up to 1 (mulberry32). */
const randomFrom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const permuting = (seed: number): Scheduler.Scheduler => {
  const random = randomFrom(seed)
  const tasks: Array<Scheduler.Task> = []
  const drain = () => {
    for (let task = next(); task !== undefined; task = next()) task()
  }
  const next = () => tasks.splice(Math.floor(random() * tasks.length), 1)[0]
  return {
    scheduleTask: (task) => {
      // One drain runs until nothing is due; a task that arrives meanwhile is drawn with the others.
      if (tasks.push(task) === 1) queueMicrotask(drain)
    },
    // The yield itself comes back by ten operations of its own: fewer would never get on, this many is one at a time.
    shouldYield: ({ currentOpCount }) => (currentOpCount > 10 ? 0 : false)
  }
}

/** Runs an effect and its fibers in the order that the seed decides. */
export const withScheduler =
  (seed: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withScheduler(effect, permuting(seed))
