/**
 * Runs an example if it is the started program: against the real API if the environment configures one, else against the
 * embedded sandbox. Then prints the requests as a trace.
 */
import type { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Console, Effect, Layer, Redacted } from "effect"
import { drawTrace } from "./drawTrace.js"
import { keepSpans, type TraceSpan } from "./trace.js"

const configured = ["GR4VY_ID", "GR4VY_BASE_URL", "GR4VY_TOKEN", "GR4VY_PRIVATE_KEY", "GR4VY_PRIVATE_KEY_FILE"].some(
  (name) => (process.env[name] ?? "") !== ""
)

const sandboxed = (options: Sandbox.Options) =>
  Layer.unwrapEffect(
    Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, token: Redacted.make("sandbox-token") }))
  ).pipe(Layer.provide(Sandbox.layer(options)))

export const SessionsInSandbox = sandboxed({})

export const run = <A, E>(file: string, program: Effect.Effect<A, E, CheckoutSessions>): void => {
  if (process.argv[1] !== file) return
  const { layer, spans } = keepSpans()
  const shown = Effect.gen(function* () {
    yield* Console.log(
      configured
        ? "Gr4vy Checkout Sessions, against the API that the environment names\n"
        : "Gr4vy Checkout Sessions, against the embedded sandbox, which responds once with 503 on purpose\n"
    )
    // The second request gets a 503, so that the trace shows a retry.
    const sessions = configured ? Gr4vy.layerConfig() : sandboxed({ faults: [undefined, { status: 503 }] })
    yield* Effect.provide(Effect.withSpan(Effect.provide(program, sessions), "quickstart"), layer)
  })
  Effect.runPromise(
    Effect.ensuring(
      shown,
      Effect.suspend(() => Console.log(`\n${report(spans())}`))
    )
  ).catch((error) => {
    console.error(String(error))
    process.exitCode = 1
  })
}

const report = (spans: ReadonlyArray<TraceSpan>): string => {
  const requests = spans.filter((_) => _.kind === "client")
  const retries = requests.filter((_) => _.attributes["http.request.resend_count"] !== undefined)
  const count = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`
  return `${count(requests.length, "request")} on the wire, ${count(retries.length, "retry", "retries")}\n\n${drawTrace(spans)}`
}
