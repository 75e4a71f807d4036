/**
 * The calls that wait for a connection, first come, first served. As many may wait as a program likes, so that a waiting
 * call holds one small object, and all of them share one timer.
 */
import { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import type * as Otel from "@opentelemetry/api"
import type * as Clock from "effect/Clock"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import { activeContext, runIn } from "../otel/context.js"
import { after, monotonicMillis, type Pending } from "../pending.js"
import { type Lease, timedOut } from "./transport.js"

/** The end of every call of a client whose scope has ended. */
export const closed = Exit.fail(
  new TransportFailure({
    reason: "Connect",
    delivered: "no",
    resend: "never",
    message:
      "The client is closed: its layer's scope has ended. Nothing was sent. Provide the layer to the whole program, or keep it in a ManagedRuntime."
  })
)

type Granted = Exit.Exit<Lease, TransportFailure>

export class Queue {
  // A linked list instead of a `Set`: V8 rebuilds a busy set again and again, and its old tables keep the removed calls
  // alive until they are collected.
  private head: Waiting | undefined = undefined
  private tail: Waiting | undefined = undefined
  private count = 0
  /** The end of every wait, once there is no more to wait for. */
  end: Granted | undefined = undefined
  /** The next time to look for waits that are over, by their clock: one, but for tests. */
  private readonly timers = new Map<Clock.Clock, { readonly at: number; readonly cancel: () => void }>()

  get size(): number {
    return this.count
  }

  get first(): Waiting | undefined {
    return this.head
  }

  add(waiting: Waiting): void {
    waiting.previous = this.tail
    if (this.tail === undefined) this.head = waiting
    else this.tail.next = waiting
    this.tail = waiting
    this.count++
    this.arm(waiting.clock, waiting.deadline)
  }

  remove(waiting: Waiting): void {
    const { next, previous } = waiting
    if (previous === undefined) this.head = next
    else previous.next = next
    if (next === undefined) this.tail = previous
    else next.previous = previous
    waiting.previous = undefined
    waiting.next = undefined
    this.count--
    if (this.count > 0) return
    for (const { cancel } of this.timers.values()) cancel()
    this.timers.clear()
  }

  /** Ends every wait, also later ones. */
  endAll(exit: Granted): void {
    this.end = exit
    for (let waiting = this.head; waiting !== undefined; waiting = this.head) waiting.settle(exit)
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
    let waiting = this.head
    while (waiting !== undefined) {
      const { next: following } = waiting
      // A timer may fire up to 1 ms early.
      if (waiting.clock === clock && waiting.deadline <= now + 1) waiting.settle(expired)
      else if (waiting.clock === clock) next = Math.min(next, waiting.deadline)
      waiting = following
    }
    if (next < Number.POSITIVE_INFINITY) this.arm(clock, next)
  }
}

const expired = Exit.fail(timedOut("No connection was free before the call's deadline.", false))

/** One call that waits. */
export class Waiting implements Pending<Lease, TransportFailure> {
  previous: Waiting | undefined = undefined
  next: Waiting | undefined = undefined
  /** When the wait is over, by the monotonic clock. */
  readonly deadline: number
  private readonly context: Otel.Context = activeContext()
  private exit: Granted | undefined = undefined
  private resume: ((exit: Granted) => void) | undefined = undefined

  constructor(
    private readonly queue: Queue,
    readonly clock: Clock.Clock,
    millis: number
  ) {
    this.deadline = monotonicMillis(clock) + millis
  }

  begin(resume: (exit: Granted) => void): void {
    if (this.queue.end !== undefined) {
      resume(this.queue.end)
      return
    }
    this.resume = resume
    this.queue.add(this)
  }

  settle(exit: Granted): void {
    if (this.exit !== undefined) return
    this.exit = exit
    this.queue.remove(this)
    // Later, because a connection is given back by another call's fiber, which must not be the current one here. A test's
    // fake timers may have replaced `queueMicrotask`.
    void Promise.resolve().then(() => this.deliver(exit))
  }

  private deliver(exit: Granted): void {
    const { resume } = this
    this.resume = undefined
    if (resume !== undefined) runIn(this.context, () => resume(exit))
  }

  cancel(): void {
    // Nothing to give up: it has not begun, or its connection has been handed over.
    if (this.resume === undefined) return
    this.resume = undefined
    // A connection may have come at the very moment of the interruption.
    if (this.exit !== undefined && Exit.isSuccess(this.exit)) this.exit.value.release(true)
    this.settle(abandoned)
  }
}

const abandoned = Exit.interrupt(FiberId.none)
