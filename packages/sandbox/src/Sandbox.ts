/**
 * A local Gr4vy Checkout Sessions API: the contract served on loopback over the in-memory service, with faults on
 * request. It stores no card number and no security code.
 *
 * @since 0.1.0
 */

import type * as HttpServerError from "@effect/platform/HttpServerError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { testCards } from "./internal/api/cards.js"
import type { Bank, Booking, Delivery, Fault, Options, Running, Seen } from "./internal/model.js"

export type { Bank, Booking, Delivery, Fault, Options, Seen }

/**
 * Cards whose payments do not simply succeed, and what becomes of these. Every other card is good.
 *
 * @since 0.1.0
 * @category testing
 */
export const cards: ReadonlyArray<{ readonly number: string; readonly behaviour: string; readonly about: string }> =
  testCards

/**
 * A running sandbox.
 *
 * @since 0.1.0
 * @category services
 */
export class Sandbox extends Context.Tag("@effect-gr4vy/sandbox/Sandbox")<Sandbox, Running>() {}

/**
 * Runs a sandbox for the lifetime of the layer. Fails with a `ServeError` if the port is in use or an option cannot
 * be used; its `message` says why, and what to do.
 *
 * A request can set its own faults: with the header `x-sandbox-script: my-key; 503, reset, ok`, each request with that key
 * takes the next step, and succeeds after the last. `/openapi.json` and `/docs` describe the API.
 *
 * @example
 * ```ts
 * import { Gr4vy } from "@effect-gr4vy/node"
 * import { Sandbox } from "@effect-gr4vy/sandbox"
 * import { Effect, Layer, Redacted } from "effect"
 *
 * const Sessions = Layer.unwrapEffect(
 *   Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("any") }))
 * ).pipe(Layer.provide(Sandbox.layer()))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Sandbox, HttpServerError.ServeError> =>
  Layer.scoped(
    Sandbox,
    Effect.flatMap(
      Effect.promise(() => import("./internal/server.js")),
      ({ start }) => start(options)
    )
  )
