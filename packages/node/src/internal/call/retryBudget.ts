/**
 * The token bucket that stops retry storms: while the API is down, retries run out and calls fail at once.
 *
 * @since 0.1.0
 */

/** The cost of a retry, and the lower cost if the server only asked to slow down. */
const cost = 10
const throttledCost = 5

/** The reward of a success without a retry. */
const reward = 1

/**
 * A bucket of tokens shared by all calls of one layer.
 *
 * @since 0.1.0
 * @category models
 */
export class RetryBudget {
  private tokens: number

  /** `capacity` is 500 tokens by default: 50 retries in a row. */
  constructor(readonly capacity: number = 500) {
    this.tokens = capacity
  }

  /** The tokens left. */
  get available(): number {
    return this.tokens
  }

  /** Takes the tokens for a retry and returns how many; 0 if there are not enough. */
  take(throttled: boolean): number {
    const price = throttled ? throttledCost : cost
    if (this.tokens < price) return 0
    this.tokens -= price
    return price
  }

  /** Returns the tokens of a retry that never happened. */
  giveBack(taken: number): void {
    this.tokens = Math.min(this.capacity, this.tokens + taken)
  }

  /** After a call that found the API working: returns the tokens of the last retry, or adds the reward of a call without retries. */
  succeeded(taken: number): void {
    this.giveBack(taken === 0 ? reward : taken)
  }
}
