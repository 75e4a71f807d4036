/**
 * Every error by its tag: what the buyer reads, and who has to act.
 *
 *   node examples/dist/02-errors.js
 */
import { NodeRuntime } from "@effect/platform-node"
import { CheckoutSessionId, CheckoutSessions, type RequestFailedReason } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Console, Duration, Effect, Layer, Match, Redacted } from "effect"

/** Reads the session of a returning buyer, or creates a new one if it is gone. */
export const resume = (id: CheckoutSessionId) =>
  Effect.flatMap(CheckoutSessions, (sessions) =>
    sessions.get(id).pipe(
      Effect.as("Pay now."),
      Effect.catchTag("NotFound", () => Effect.as(sessions.add(), "Your session has expired: enter your card again."))
    )
  )

/** Handles every tag, so the error channel is `never`. Remove one, and this no longer compiles. */
export const paymentPage = (id: CheckoutSessionId): Effect.Effect<string, never, CheckoutSessions> =>
  resume(id).pipe(
    Effect.catchTags({
      // Our mistake, not the buyer's. The message says how to fix it, and never shows the token.
      Unauthorized: ({ message }) => Effect.as(Effect.logError(message), "Payment is closed for the moment."),
      Generic: ({ message, retryAfter, status }) =>
        status === 429 || status >= 500
          ? Effect.succeed(`Busy: try again in ${Duration.format(retryAfter ?? Duration.minutes(1))}.`)
          : Effect.as(Effect.logError(message), `Something went wrong (${status}).`),
      RequestFailed: ({ delivered, reason }) => Effect.succeed(`${advice(reason)} [${reason}, delivered: ${delivered}]`)
    })
  )

const advice = Match.type<RequestFailedReason>().pipe(
  Match.whenOr("Connect", "Timeout", "Disconnected", () => "The connection is bad: try again."),
  Match.whenOr("Credentials", "InvalidResponse", "ResponseTooLarge", () => "Payment is closed for the moment."),
  Match.when("InvalidRequest", () => "Check your input."),
  Match.exhaustive
)

/** A name, and the fault that one request meets. */
const visits: ReadonlyArray<[what: string, fault?: Sandbox.Fault]> = [
  ["all is well"],
  ["401", { status: 401 }],
  ["403", { status: 403 }],
  ["429, Retry-After: 20", { status: 429, retryAfterSeconds: 20 }],
  ["503", { status: 503 }],
  ["connection lost", { reset: true }],
  ["no response in time", { delayMillis: 2_200 }]
]

export const program = Effect.gen(function* () {
  const sandbox = yield* Sandbox.Sandbox
  const { id } = yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())
  const visit = (what: string, id: CheckoutSessionId) =>
    Effect.flatMap(paymentPage(id), (page) => Console.log(`${what.padEnd(22)} ${page}`))

  for (const [what, fault] of visits) {
    yield* sandbox.failNext(fault)
    yield* visit(what, id)
  }
  yield* visit("unknown session", CheckoutSessionId.make("8724fd24-5489-4a5d-90fd-0604df7d3b83"))
})

// Without retries, so that every fault shows. Your program provides `Gr4vy.layerConfig()` here.
const Sessions = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) =>
    Gr4vy.layer({ baseUrl, token: Redacted.make("any"), retry: RetryPolicy.none, attemptTimeout: "2 seconds" })
  )
).pipe(Layer.provideMerge(Sandbox.layer()))

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(Effect.provide(program, Sessions))
