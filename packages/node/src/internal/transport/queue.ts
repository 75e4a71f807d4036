/**
 * The calls that wait for a connection, first come, first served. As many may wait as a program likes, so that a waiting
 * call holds one small object, and all of them share one timer.
 */
import type { TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import type * as Otel from "@opentelemetry/api"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import { activeContext, runIn } from "../otel/context.js"
import type { Pending } from "../pending.js"
import { after, monotonicMillis } from "../timer.js"
import { type Lease, timedOut } from "./transport.js"

type Granted = Exit.Exit<Lease, TransportFailure>

export class Queue {
  private readonly waiting = new Set<Waiting>()
  /** The next time to look for waits that are over, by their clock: one, but for tests. */
  private readonly timers = new Map<Clock.Clock, { readonly at: number; readonly cancel: () => void }>()

  get size(): number {
    return this.waiting.size
  }

  get first(): Waiting | undefined {
    return this.waiting.values().next().value
  }

  add(waiting: Waiting): void {
    this.waiting.add(waiting)
    this.arm(waiting.clock, waiting.deadline)
  }

  remove(waiting: Waiting): void {
    this.waiting.delete(waiting)
    if (this.waiting.size > 0) return
    for (const { cancel } of this.timers.values()) cancel()
    this.timers.clear()
  }

  endAll(exit: Granted): void {
    for (const waiting of this.waiting) waiting.settle(exit)
  }

  private arm(clock: Clock.Clock, deadline: number): void {
    const armed = this.timers.get(clock)
    if (armed !== undefined && armed.at <= deadline) return
    armed?.cancel()
    const cancel = after(clock, Math.max(0, deadline - monotonicMillis(clock)), () => this.expire(clock))
    this.timers.set(clock, { at: deadline, cancel })
  }

  private expire(clock: Clock.Clock): void {
    this.timers.delete(clock)
    const now = monotonicMillis(clock)
    let next = Number.POSITIVE_INFINITY
    for (const waiting of this.waiting) {
      if (waiting.clock !== clock) continue
      // A timer may fire up to 1 ms early.
      if (waiting.deadline <= now + 1) waiting.settle(expired)
      else next = Math.min(next, waiting.deadline)
    }
    if (next < Number.POSITIVE_INFINITY) this.arm(clock, next)
  }
}

const expired = Exit.fail(timedOut("No connection was free before the call's deadline.", false))

/** One call that waits. */
export class Waiting implements Pending<Lease, TransportFailure> {
  /** When the wait is over, by the monotonic clock. */
  readonly deadline: number
  private readonly context: Otel.Context = activeContext()
  private exit: Granted | undefined = undefined
  private resume: (exit: Granted) => void = constVoid

  constructor(
    private readonly queue: Queue,
    readonly clock: Clock.Clock,
    millis: number
  ) {
    this.deadline = monotonicMillis(clock) + millis
    queue.add(this)
  }

  get outcome(): Effect.Effect<Lease, TransportFailure> {
    return Effect.async((resume) => {
      if (this.exit !== undefined) resume(this.exit)
      else this.resume = resume
    })
  }

  settle(exit: Granted): void {
    if (this.exit !== undefined) return
    this.exit = exit
    this.queue.remove(this)
    runIn(this.context, () => this.resume(exit))
  }

  cancel(): void {
    // The connection may have come at the very moment of the interruption.
    if (this.exit !== undefined && Exit.isSuccess(this.exit)) this.exit.value.release(true)
    else this.settle(Exit.interrupt(FiberId.none))
  }
}
