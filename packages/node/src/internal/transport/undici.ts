/**
 * undici as the carrier of requests: one at a time per connection. Its connections close with the scope.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Connections, type Options } from "./connections.js"
import type { Transport } from "./transport.js"

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Transport, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Connections(options)),
    (connections) => connections.close
  )
