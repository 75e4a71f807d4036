/**
 * The sandbox in the place of Gr4vy, which outlives the processes that are killed and remembers what it was asked for.
 */
import { Sandbox } from "@effect-gr4vy/node"
import { type Duration, Effect, Layer } from "effect"

export const makeGr4vy = (options: { readonly sessionLifetime?: Duration.DurationInput } = {}) =>
  Effect.gen(function* () {
    const hook = { onRequest: (_: Sandbox.Seen): void => {} }
    const context = yield* Layer.build(
      Sandbox.layer({
        ...options,
        latency: "50 millis",
        // Runs before the answer is sent: a process that is killed here never gets it.
        onRequest: (seen) => Effect.sync(() => hook.onRequest(seen))
      })
    )
    const { baseUrl, seen } = yield* Effect.provide(Sandbox.Sandbox, context)

    /** The requests of a trace that were carried out, oldest first. */
    const requests = (traceId: string) =>
      Effect.map(seen, (all) =>
        all.filter(({ headers, status = 0 }) => headers["traceparent"]?.includes(traceId) === true && status < 300)
      )
    /** How many requests of the trace were carried out with this method. A session is a POST. */
    const count = (traceId: string, method: string) =>
      Effect.map(requests(traceId), (all) => all.filter((request) => request.method === method).length)

    return { hook, requests, count, env: { GR4VY_BASE_URL: baseUrl, GR4VY_TOKEN: "sandbox-token" } }
  })
