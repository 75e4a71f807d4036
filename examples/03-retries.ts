/**
 * Retry policies: the presets, one for a single call, one of your own. Each trial meets a fault in the sandbox and prints
 * the requests it took.
 *
 *   node examples/dist/03-retries.js
 */
import { NodeRuntime } from "@effect/platform-node"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Console, Effect, Layer, Redacted } from "effect"

/** Five quick attempts, and a second session does no harm, so a POST is retried like a GET. */
const eager = RetryPolicy.make({ maxAttempts: 5, baseDelay: "20 millis", creates: "at-least-once" })

export const program = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const { id } = yield* sessions.add()

  yield* trial("the layer's policy: a GET is retried", [{ status: 503 }], sessions.get(id))
  yield* trial("a POST that may have arrived is not", [{ status: 503 }], sessions.add())
  yield* trial("a POST that was refused with 429 is", [{ status: 429, retryAfterSeconds: 1 }], sessions.add())
  yield* trial("none, for one call", [{ status: 503 }], sessions.get(id).pipe(RetryPolicy.withPolicy(RetryPolicy.none)))

  // A policy applies to every call inside.
  const two = Effect.zip(sessions.add(), sessions.get(id))
  yield* trial("your own, for a whole program", [{ reset: true }, { status: 500 }], RetryPolicy.withPolicy(two, eager))
})

const trial = <A, E extends { readonly _tag: string }, R>(
  what: string,
  faults: ReadonlyArray<Sandbox.Fault>,
  call: Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const sandbox = yield* Sandbox.Sandbox
    const before = yield* sandbox.seen
    yield* sandbox.failNext(...faults)
    const outcome = yield* Effect.match(call, { onSuccess: () => "fine", onFailure: (error) => error._tag })
    const after = yield* sandbox.seen
    const answers = after.slice(before.length).map(({ method, status }) => `${method} ${status ?? "cut"}`)
    yield* Console.log(`${what.padEnd(42)} ${outcome.padEnd(8)} ${answers.join(", ")}`)
  })

// `RetryPolicy.standard` is the default: named here only to show where a layer's policy goes.
const Sessions = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) =>
    Gr4vy.layer({ baseUrl, token: Redacted.make("any"), retry: RetryPolicy.standard })
  )
).pipe(Layer.provideMerge(Sandbox.layer()))

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(Effect.provide(program, Sessions))
