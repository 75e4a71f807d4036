/**
 * undici as the carrier of one request at a time per connection: a response is yielded only when its whole body has
 * arrived, within the size cap and the time limit; a request that is interrupted leaves nothing behind.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Connections } from "./connections.js"
import { Exchange } from "./exchange.js"
import type { Transport } from "./transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Scheme, host and port; requests carry the path. */
  readonly origin: string
  /** The largest response body in bytes. */
  readonly maxResponseBytes: number
  /** How many connections there may be at a time; further requests wait. */
  readonly connections: number
}

/**
 * The transport; its connections close with the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Transport, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Connections(options)),
      (connections) => connections.close
    ),
    (connections): Transport =>
      (begin) =>
        // What `Effect.async` does with a canceller, without a gap between the beginning and the canceller, and for less.
        Effect.uninterruptibleMask((restore) => {
          const exchange = new Exchange(begin(), options, connections)
          return Effect.matchCauseEffect(restore(exchange.outcome), {
            onFailure: (cause) => {
              exchange.interrupt()
              return Effect.failCause(cause)
            },
            onSuccess: Effect.succeed
          })
        })
  )
