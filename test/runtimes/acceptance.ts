/**
 * What a client has to do on every runtime, against a sandbox that was started with {@link faults}. Answers with the
 * names of the checks that failed.
 */
import {
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessions,
  CheckoutSessionsMemory,
  NotFound
} from "@effect-gr4vy/core"
import { Cause, Clock, Duration, Effect, Exit, Redacted, Schema } from "effect"

const number = "4111111111111111"

export const token = Redacted.make("acceptance-token")

/** One for each request, in the order the checks send them. */
export const faults = [
  ...[undefined, undefined, undefined, undefined, undefined],
  ...[{ status: 401 }, { status: 418 }, { status: 302 }, { status: 429, retryAfterSeconds: 60 }],
  { delayMillis: 10_000 },
  // For `main-node.ts`, which has a retry to show.
  { status: 429 }
]

const mainJob = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const { id } = yield* sessions.add()
  yield* sessions.updateFields(
    id,
    CheckoutSessionSecureFieldsUpdate.make({
      paymentMethod: {
        method: "card",
        number: Redacted.make(number),
        expirationDate: "11/29",
        securityCode: Redacted.make("123")
      }
    })
  )
  const left = yield* Effect.flatMap(sessions.get(id), (session) => session.timeLeft)
  yield* sessions.delete(id)
  const gone = yield* Effect.flip(sessions.get(id))
  const json = Schema.parseJson(NotFound)
  const crossed = yield* Effect.flatMap(Schema.encodeUnknown(json)(gone), Schema.decode(json))
  return {
    soon: Duration.lessThanOrEqualTo(left, "5 minutes"),
    gone: gone._tag,
    crossed: crossed.message === gone.message
  }
})

const refusal = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const error = yield* Effect.flip(sessions.add())
  return error._tag === "RequestFailed" ? error : { _tag: error._tag, status: error.status }
})

const checks = {
  "create, fill, get, delete, get": Effect.map(mainJob, (seen) => [
    seen,
    { soon: true, gone: "NotFound", crossed: true }
  ]),
  "401 is Unauthorized": Effect.map(refusal, (seen) => [seen, { _tag: "Unauthorized", status: 401 }]),
  "another 4xx is Generic": Effect.map(refusal, (seen) => [seen, { _tag: "Generic", status: 418 }]),
  "a redirect is not followed": Effect.map(refusal, (seen) => [seen, { _tag: "Generic", status: 302 }]),
  "Retry-After is read": Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    const error = yield* Effect.flip(sessions.add())
    return [error._tag === "Generic" ? error.retryAfter : error._tag, Duration.seconds(60)]
  }),
  "interruption ends a call at once": Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    const started = yield* Clock.currentTimeMillis
    const exit = yield* Effect.exit(Effect.timeoutFail(sessions.add(), { duration: 100, onTimeout: () => "stopped" }))
    return [
      [Exit.isFailure(exit), (yield* Clock.currentTimeMillis) - started < 5_000],
      [true, true]
    ]
  }),
  "a bad card is refused before it is sent, and not shown": Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    const paymentMethod = {
      method: "card" as const,
      number: Redacted.make(`${number}x`),
      expirationDate: "11/29",
      securityCode: Redacted.make("123")
    }
    const { id } = yield* Effect.provide(
      Effect.flatMap(CheckoutSessions, (memory) => memory.add()),
      CheckoutSessionsMemory.layer
    )
    const update = CheckoutSessionSecureFieldsUpdate.make({ paymentMethod }, { disableValidation: true })
    const exit = yield* Effect.exit(sessions.updateFields(id, update))
    const shown = Exit.isFailure(exit) ? Cause.pretty(exit.cause) + JSON.stringify(exit) : ""
    return [
      [shown.includes("RequestFailed"), shown.includes(number)],
      [true, false]
    ]
  }),
  "the in-memory service does the same": Effect.map(Effect.provide(mainJob, CheckoutSessionsMemory.layer), (seen) => [
    seen,
    { soon: true, gone: "NotFound", crossed: true }
  ])
}

export const names: ReadonlyArray<string> = Object.keys(checks)

export const acceptance: Effect.Effect<ReadonlyArray<string>, never, CheckoutSessions> = Effect.gen(function* () {
  const failed: Array<string> = []
  for (const [name, check] of Object.entries(checks)) {
    const exit = yield* Effect.exit<ReadonlyArray<unknown>, unknown, CheckoutSessions>(check)
    if (Exit.isFailure(exit)) failed.push(`${name}: ${Cause.pretty(exit.cause)}`)
    else {
      const [seen, expected] = exit.value.map((value) => JSON.stringify(value))
      if (seen !== expected) failed.push(`${name}: ${seen} instead of ${expected}`)
    }
  }
  return failed
})
