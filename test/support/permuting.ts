/**
 * Runs an effect in an order that a seed decides: of all fibers that could go on, one goes on, and it may be stopped
 * before any of its operations. Each seed gives the same run again, as far as the effect itself does.
 */
import { Effect, type Scheduler } from "effect"

/** mulberry32: numbers from 0 up to 1. */
export const random = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

class Permuting implements Scheduler.Scheduler {
  readonly #next: () => number
  readonly #tasks: Array<Scheduler.Task> = []
  #running = false

  constructor(seed: number) {
    this.#next = random(seed)
  }

  scheduleTask(task: Scheduler.Task): void {
    this.#tasks.push(task)
    if (this.#running) return
    this.#running = true
    queueMicrotask(() => this.#run())
  }

  // A yield is followed by operations that may yield, too: at one half that would never end. A priority adds some more,
  // which is why `Effect.withMaxOpsBeforeYield` below 10 never gets anywhere; without one a fiber just yields.
  shouldYield(): number | false {
    return this.#next() < 0.25 ? (undefined as unknown as number) : false
  }

  #run(): void {
    for (;;) {
      const [task] = this.#tasks.splice(Math.floor(this.#next() * this.#tasks.length), 1)
      if (task === undefined) break
      task()
      // Promises, timers and sockets have their turn in between, too.
      if (this.#next() < 0.05) return void setImmediate(() => this.#run())
    }
    this.#running = false
  }
}

/** Runs `effect` and every fiber it forks in the order of `seed`. */
export const withScheduler =
  (seed: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => Effect.zipRight(Effect.yieldNow(), effect).pipe(Effect.withScheduler(new Permuting(seed))))
