/**
 * The sandbox in place of Gr4vy. It outlives the killed processes and records their requests.
 */
import { Sandbox } from "@effect-gr4vy/sandbox"
import { type Duration, Effect, Layer } from "effect"

export const makeGr4vy = (options: { readonly sessionLifetime?: Duration.DurationInput } = {}) =>
  Effect.gen(function* () {
    const hook = { onRequest: (_: Sandbox.Seen): void => {} }
    const context = yield* Layer.build(
      Sandbox.layer({
        ...options,
        latency: "50 millis",
        // Runs before the response is sent: a process that is killed here never gets it.
        onRequest: (seen) => Effect.sync(() => hook.onRequest(seen))
      })
    )
    const { baseUrl, seen } = yield* Effect.provide(Sandbox.Sandbox, context)

    /** The executed requests of a trace, oldest first. */
    const requests = (traceId: string) =>
      Effect.map(seen, (all) =>
        all.filter(({ headers, status = 0 }) => headers["traceparent"]?.includes(traceId) === true && status < 300)
      )
    /** The number of executed requests of a trace with this method. One POST is one session. */
    const count = (traceId: string, method: string) =>
      Effect.map(requests(traceId), (all) => all.filter((request) => request.method === method).length)

    return { hook, requests, count, env: { GR4VY_BASE_URL: baseUrl, GR4VY_TOKEN: "sandbox-token" } }
  })
