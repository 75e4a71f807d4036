/**
 * The pipeline without a network and without waiting: answers come from a script, and whoever sleeps moves the clock.
 */

import { make as makeService } from "@effect-gr4vy/core/CheckoutSessions"
import type { CredentialsService } from "@effect-gr4vy/core/Credentials"
import { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import { disconnected, notConnected, type TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import type { RetryPolicy } from "@effect-gr4vy/node"
import { standard } from "@effect-gr4vy/node/RetryPolicy"
import { Clock, Duration, Effect, Exit, Random, Redacted } from "effect"
import * as HttpPipeline from "../../packages/node/dist/internal/call/pipeline.js"
import { RetryBudget } from "../../packages/node/dist/internal/call/retryBudget.js"
import {
  type Lease,
  type Transport,
  timedOut,
  type WireRequest
} from "../../packages/node/dist/internal/transport/transport.js"
import { sessionJson } from "./script.js"

export const start = Date.UTC(2026, 0, 1)

/** What a request comes to, after `takes` milliseconds. */
export interface Answer {
  readonly outcome:
    | TransportFailure
    | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body?: string }
  readonly takes: number
}

export const status = (code: number, headers: Readonly<Record<string, string>> = {}, takes = 0): Answer => ({
  outcome: { status: code, headers },
  takes
})
export const lost: Answer = { outcome: disconnected(), takes: 0 }
export const refused: Answer = { outcome: notConnected({ code: "ECONNREFUSED" }), takes: 0 }
export const silent: Answer = { outcome: disconnected(), takes: Number.POSITIVE_INFINITY }

/** A service whose n-th request gets the n-th answer; the last one goes on. */
export const simulated = (
  answers: ReadonlyArray<Answer>,
  options: {
    readonly retry?: RetryPolicy.RetryPolicy
    readonly attempt?: number
    readonly deadline?: number
    /** How late timers are. */
    readonly lag?: number
    /** How long the token takes. */
    readonly tokenTakes?: number
    /** Instead of a fixed token. */
    readonly credentials?: CredentialsService
    /** How far the wall clock is set back or forth when the first request goes out. */
    readonly setClock?: number
  } = {}
) => {
  let now = start
  /** When requests were sent, in milliseconds since the beginning. */
  const sentAt: Array<number> = []
  const budget = new RetryBudget()

  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => now + (sentAt.length === 0 ? 0 : (options.setClock ?? 0)),
    unsafeCurrentTimeNanos: () => BigInt(Math.round(now * 1e6)),
    currentTimeMillis: Effect.sync(() => clock.unsafeCurrentTimeMillis()),
    currentTimeNanos: Effect.sync(() => BigInt(Math.round(now * 1e6))),
    sleep: (duration) =>
      Effect.sync(() => {
        now += Duration.toMillis(duration) + (options.lag ?? 0)
      })
  }

  const respond = (request: WireRequest, millis: number): Exit.Exit<BufferedResponse, TransportFailure> => {
    sentAt.push(now - start)
    const { outcome, takes } = answers[Math.min(sentAt.length, answers.length) - 1] ?? silent
    now += Math.min(takes, millis)
    if (takes > millis) return Exit.fail(timedOut("No whole answer.", true))
    if (!("status" in outcome)) return Exit.fail(outcome)
    const headers = { "content-type": "application/json", ...outcome.headers }
    return Exit.succeed(
      new BufferedResponse(
        request,
        outcome.status,
        headers,
        outcome.body ?? (outcome.status < 300 ? sessionJson : "{}")
      )
    )
  }

  const lease: Lease = {
    send: (request, _, millis) => ({
      begin: (resume) => resume(respond(request, millis)),
      cancel: () => {},
      received: undefined
    }),
    release: () => {}
  }
  const transport: Transport = {
    acquire: () => lease,
    wait: () => ({ begin: (resume) => resume(Exit.succeed(lease)), cancel: () => {} })
  }

  const http = HttpPipeline.make(
    {
      baseUrl: "https://api.plantly.gr4vy.app",
      headers: {},
      merchantAccountId: undefined,
      limits: { attempt: options.attempt ?? 10_000, deadline: options.deadline ?? 30_000 },
      retry: options.retry ?? standard,
      budget,
      credentials: options.credentials ?? {
        token: Effect.sync(() => {
          now += options.tokenTakes ?? 0
          return Redacted.make("token")
        })
      },
      propagated: { trace: false, baggage: false },
      metrics: "off",
      inFlight: { requests: 0 },
      requestIdNames: []
    },
    transport
  )

  return {
    http,
    sessions: makeService(http),
    budget,
    sentAt,
    /** The time since the beginning in milliseconds. */
    elapsed: () => now - start,
    /** Runs calls by the simulated clock, with the random numbers of this seed. */
    run: <A, E>(effect: Effect.Effect<A, E>, seed: unknown = 1) =>
      effect.pipe(Effect.withRandom(Random.make(seed)), Effect.withClock(clock), Effect.either)
  }
}
