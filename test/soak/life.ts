/**
 * One client, for as long as it takes: mixed calls, some interrupted, against a server that does what it likes to some of
 * them. What counts is that heap and sockets stay what they were.
 */
import { CheckoutSessionId, CheckoutSessions, Credentials, Endpoint } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Clock, DateTime, Effect, Exit, FastCheck, Layer, Logger, Redacted, Schema } from "effect"
import { heapUsed } from "../support/heap.js"
import { random } from "../support/permuting.js"
import { secretIn, shown, token, update } from "../support/secrets.js"
import { type Answer, anyCase } from "../support/wire/answers.js"
import { wireServer } from "../support/wire/server.js"

export interface Sample {
  readonly seconds: number
  /** After a collection. */
  readonly heapMiB: number
  readonly sockets: number
}

export interface Life {
  readonly calls: number
  readonly succeeded: number
  readonly interrupted: number
  readonly samples: ReadonlyArray<Sample>
  readonly problems: ReadonlyArray<string>
}

const connections = 8
const inFlight = 32
const callsOfARound = 400
const deadline = 1_000
const grace = 5_000

/** Half of what a collection leaves varies by itself: code is compiled, caches fill. */
export const maxGrowthMiB = 4

const shortLived = Effect.map(DateTime.now, (now) => ({
  token: Redacted.make(token),
  expiresAt: DateTime.addDuration(now, "30 seconds")
}))

const payload = Schema.Struct({ amount: Schema.Int })
const success = Schema.Struct({ id: Schema.String })
const endpoints = {
  once: Endpoint.post("Payments.once", "/payments", { payload, success, resend: "once" }),
  keyed: Endpoint.post("Payments.keyed", "/payments", { payload, success, resend: "keyed" })
}

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

/** Of ten requests nine get a good answer, and one gets anything. */
const answersOf = (seed: number): ReadonlyArray<Answer | undefined> => {
  const strange = FastCheck.sample(anyCase, { seed, numRuns: callsOfARound / 10 }).flatMap(({ answers }) => answers)
  const next = random(seed)
  return Array.from({ length: callsOfARound }, () => (next() < 0.1 ? strange.pop() : undefined))
}

export const life = (options: {
  readonly seed: number
  readonly minutes: number
  readonly log: (line: string) => void
}): Effect.Effect<Life> =>
  Effect.scoped(
    Effect.gen(function* () {
      const server = yield* wireServer
      const problems: Array<string> = []
      const samples: Array<Sample> = []
      const count = { calls: 0, succeeded: 0, interrupted: 0 }
      const next = random(options.seed)
      const millis = options.minutes * 60_000
      const began = yield* Clock.currentTimeMillis
      const elapsed = Effect.map(Clock.currentTimeMillis, (now) => now - began)

      const rounds = Effect.gen(function* () {
        const sessions = yield* CheckoutSessions
        const payments = yield* Endpoint.client(endpoints)
        const withCard: Effect.Effect<unknown, unknown> = sessions.updateFields(id, update)
        const operations: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
          sessions.add(),
          sessions.get(id),
          sessions.update(id, {}),
          withCard,
          sessions.delete(id),
          payments.once({ amount: 1 }),
          payments.keyed({ amount: 1 }, { idempotencyKey: "order-1" })
        ]
        const call = Effect.gen(function* () {
          const operation = operations[Math.floor(next() * operations.length)] ?? Effect.void
          const isInterrupted = next() < 0.05
          const start = performance.now()
          const exit = yield* Effect.exit(isInterrupted ? Effect.timeout(operation, next() * 20) : operation)
          const took = performance.now() - start
          count.calls++
          if (isInterrupted) count.interrupted++
          if (Exit.isSuccess(exit)) count.succeeded++
          else if (shown(exit.cause).some(([, text]) => secretIn(text, operation === withCard) !== undefined)) {
            problems.push("an error shows a secret")
          }
          if (took > deadline + grace) problems.push(`a call took ${Math.round(took)} ms`)
        })

        for (let round = 0; (yield* elapsed) < millis; round++) {
          server.begin(answersOf(options.seed + round))
          yield* Effect.all(
            Array.from({ length: callsOfARound }, () => call),
            { concurrency: inFlight, discard: true }
          )
          if (server.open() > connections) problems.push(`${server.open()} sockets for ${connections} connections`)
          const seconds = (yield* elapsed) / 1_000
          // Twenty of them are enough for a table.
          if (seconds >= (samples.length * millis) / 20_000) {
            // The round's ledger is not the client's.
            server.begin([])
            const sample = { seconds: Math.round(seconds), heapMiB: heapUsed() / 2 ** 20, sockets: server.open() }
            samples.push(sample)
            options.log(
              `${sample.seconds} s: ${sample.heapMiB.toFixed(1)} MiB, ${sample.sockets} sockets, ${count.calls} calls`
            )
          }
        }
      })

      const client = Gr4vy.layerWithoutCredentials({
        baseUrl: server.baseUrl,
        connections,
        attemptTimeout: 300,
        deadline,
        retry: RetryPolicy.make({ baseDelay: 1, maxDelay: 5 })
      }).pipe(Layer.provide(Credentials.layerSource({ get: shortLived })))
      yield* rounds.pipe(Effect.provide(Layer.merge(client, Logger.remove(Logger.defaultLogger))), Effect.orDie)
      yield* Effect.timeout(server.quiet, grace).pipe(
        Effect.catchAll(() => Effect.sync(() => problems.push(`${server.open()} sockets are left after the layer`)))
      )

      const growth = growthOf(samples)
      if (growth > maxGrowthMiB) problems.push(`the heap has grown by ${growth.toFixed(1)} MiB`)
      return { ...count, samples, problems }
    })
  )

/** From the second quarter to the last: in the first, code is still compiled. */
export const growthOf = (samples: ReadonlyArray<Sample>): number => {
  const quarter = Math.max(1, Math.floor(samples.length / 4))
  const median = (part: ReadonlyArray<Sample>) =>
    part.map(({ heapMiB }) => heapMiB).sort((one, other) => one - other)[Math.floor(part.length / 2)] ?? 0
  return median(samples.slice(-quarter)) - median(samples.slice(quarter, 2 * quarter))
}
