/**
 * Turns of the event loop before a request is written.
 */
import { setImmediate } from "node:timers"

/** Runs functions once the event loop has gone round: one immediate for all that wait. */
export class Turns {
  /** What waits for a turn, since the last turn and since the one before it. */
  private resting: Array<() => void> = []
  private rested: Array<() => void> = []

  after(f: () => void): void {
    this.resting.push(f)
    if (this.resting.length + this.rested.length === 1) setImmediate(this.turn)
  }

  private readonly turn = (): void => {
    const rested = this.rested
    this.rested = this.resting
    this.resting = []
    for (const f of rested) f()
    if (this.rested.length + this.resting.length > 0) setImmediate(this.turn)
  }
}

/** undici waits for an immediate before it reuses a connection: never, where a test has put fake timers in its place. */
export const withRealImmediate = (f: () => unknown): void => {
  const current = globalThis.setImmediate
  if (current === setImmediate) {
    f()
    return
  }
  globalThis.setImmediate = setImmediate
  try {
    f()
  } finally {
    globalThis.setImmediate = current
  }
}
