/**
 * The only place that sends a request again: where that is safe, worth it, within the budget and before the deadline, or
 * once more with a new token after a 401.
 */
import { RequestFailed } from "@effect-gr4vy/core/Errors"
import type { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import * as RetryAfter from "@effect-gr4vy/core/spi/RetryAfter"
import { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import type * as Redacted from "effect/Redacted"
import { mayResend, type RetryPolicy, resendOfStatus } from "../../RetryPolicy.js"
import type { Abandoned, Decisions, Failed } from "../otel/decisions.js"
import { isUnusable, onCallSpan } from "../otel/observation.js"
import type { Authorized } from "./authorize.js"
import type { Call } from "./call.js"
import type { RetryBudget } from "./retryBudget.js"

/** What one attempt came to, as far as sending it again is concerned. */
interface Attempt extends Failed {
  readonly resend: TransportFailure["resend"]
  readonly throttled: boolean
  readonly retryAfter: Option.Option<Duration.Duration>
  /** Whether the server may have acted on it. */
  readonly mayHaveActed: boolean
  /** The call's outcome if this attempt was the last. */
  readonly end: Effect.Effect<BufferedResponse, RequestFailed>
}

/** What went before an attempt. */
interface History {
  readonly retries: number
  /** The tokens that the last retry took from the budget. */
  readonly taken: number
  readonly mayHaveActed: boolean
  /** Whether a 401 has already got a new token. */
  readonly renewed: boolean
}

const nothing: History = { retries: 0, taken: 0, mayHaveActed: false, renewed: false }

export const retry =
  (budget: RetryBudget, decisions: Decisions) =>
  (next: Authorized) =>
  (call: Call): Effect.Effect<BufferedResponse, RequestFailed> =>
    new Loop(budget, decisions, next, call).attempt(nothing)

// A class, because closures of a call's own would all live as long as the call waits.
class Loop {
  constructor(
    private readonly budget: RetryBudget,
    private readonly decisions: Decisions,
    private readonly next: Authorized,
    private readonly call: Call
  ) {}

  /** Sends one request, with the token of the moment unless one is given. */
  attempt(history: History, token?: Redacted.Redacted): Effect.Effect<BufferedResponse, RequestFailed> {
    return Effect.matchEffect(this.next.send(this.call, token), {
      onSuccess: (response) => this.received(response, history),
      onFailure: (failure) =>
        failure instanceof TransportFailure
          ? this.lost(failure, history)
          : Effect.zipRight(this.decisions.failed(this.call, failure), Effect.fail(ofCall(failure, this.call, history)))
    })
  }

  private received(response: BufferedResponse, history: History): Effect.Effect<BufferedResponse, RequestFailed> {
    response.attempts = this.call.attempts
    if (response.status === 401 && !history.renewed && this.next.renew !== undefined) {
      return this.renew(this.next.renew(this.call, response), response, history)
    }
    // Only the body tells whether this 409 is one that passes.
    return response.status === 409 && this.call.resend === "keyed"
      ? Effect.flatMap(codeOf(response), (code) => this.judge(response, code, history))
      : this.judge(response, undefined, history)
  }

  private renew(
    token: ReturnType<NonNullable<Authorized["renew"]>>,
    response: BufferedResponse,
    history: History
  ): Effect.Effect<BufferedResponse, RequestFailed> {
    const { call } = this
    if (!call.policy.renewToken) {
      // This call sends nothing more, but the next one should have a token that is not refused.
      return Effect.zipRight(
        Effect.forkDaemon(Effect.interruptible(Effect.ignore(token))),
        this.judge(response, undefined, history)
      )
    }
    return Effect.matchEffect(token, {
      // Without a new token the 401 is still the API's response.
      onFailure: ({ message }) => this.judge(response, undefined, history, `no new token: ${message}`),
      // A request that was refused with 401 had no effect, so a second one is safe for every endpoint.
      onSuccess: (renewed) =>
        Effect.zipRight(
          this.decisions.renewed(call, { reason: "401", requestId: response.requestId }, clockOff(response, call)),
          this.attempt({ ...history, renewed: true }, renewed)
        )
    })
  }

  private judge(
    response: BufferedResponse,
    code: unknown,
    history: History,
    note?: string
  ): Effect.Effect<BufferedResponse, RequestFailed> {
    const { status } = response
    if (status >= 400 && resendOfStatus(this.call.resend, status, false, code) !== "never") {
      return this.again(refused(response, code, this.call), history)
    }
    // A retry that ends in a refusal has not worked, although the API does.
    if (isSuccess(response, this.call)) this.budget.succeeded(status < 300 ? history.taken : 0)
    onCallSpan(this.call, "gr4vy.attempts", this.call.attempts)
    if (history.mayHaveActed && status === 404 && isDeleted(this.call)) {
      // An earlier copy has done the job, and its response was lost.
      return Effect.succeed(response.replacedBy(204))
    }
    const reported = this.decisions.responded(this.call, response, note)
    return reported === undefined ? Effect.succeed(response) : Effect.as(reported, response)
  }

  private lost(failure: TransportFailure, history: History): Effect.Effect<BufferedResponse, RequestFailed> {
    const last = lost(failure, this.call, history)
    return failure.resend === "never"
      ? Effect.zipRight(this.decisions.failed(this.call, failure), last.end)
      : this.again(last, history)
  }

  private again(last: Attempt, history: History): Effect.Effect<BufferedResponse, RequestFailed> {
    const { budget, call, decisions } = this
    const abandon = (why: Abandoned, millis?: number) =>
      Effect.zipRight(decisions.abandoned(call, last, why, millis), last.end)
    if (!mayResend(call.policy, call.resend, last.resend)) return abandon("unsafe")
    if (history.retries + 1 >= call.policy.maxAttempts) return abandon("attempts")
    const minimum = minimumOf(last.retryAfter)
    if (minimum > Duration.toMillis(call.policy.maxRetryAfter)) return abandon("retry-after", minimum)
    return Effect.flatMap(delay(call.policy, history.retries, minimum), (millis) => {
      if (millis >= call.timeLeft) return abandon("deadline", millis)
      const taken = budget.take(last.throttled)
      if (taken === 0) return abandon("budget")
      const { attempts } = call
      const retries = history.retries + 1
      const mayHaveActed = history.mayHaveActed || last.mayHaveActed
      const { renewed } = history
      const retried = decisions
        .retrying(call, last, millis)
        .pipe(
          Effect.zipRight(call.restore(Effect.sleep(millis))),
          Effect.zipRight(Effect.suspend(() => this.attempt({ retries, taken, mayHaveActed, renewed })))
        )
      // A retry that sent nothing, because the call was interrupted or out of time, costs nothing.
      return Effect.onExit(retried, () => Effect.sync(() => call.attempts === attempts && budget.giveBack(taken)))
    })
  }
}

/** Whether a 404 to a copy means that an earlier one has done its job. An endpoint with a result has none to give then. */
const isDeleted = ({ endpoint, request }: Call): boolean =>
  request.method === "DELETE" && (endpoint?.success === undefined || endpoint.successOptional)

/** Whether the API works: a 2xx that can be used, or a 4xx about the request itself. */
const isSuccess = (response: BufferedResponse, call: Call): boolean =>
  response.status < 300 ? !isUnusable(call, response) : response.status >= 400 && response.status < 500

/** The server's clock less this machine's in milliseconds, where the server told its own. */
const clockOff = ({ headers }: BufferedResponse, { clock }: Call): number | undefined => {
  const now = clock.unsafeCurrentTimeMillis()
  return Option.getOrUndefined(Option.map(RetryAfter.dateOf(headers, now), (date) => date - now))
}

/** How long to wait in milliseconds. */
const delay = (policy: RetryPolicy, retries: number, minimum: number): Effect.Effect<number> => {
  const ceiling = Math.min(Duration.toMillis(policy.maxDelay), Duration.toMillis(policy.baseDelay) * 2 ** retries)
  return Effect.map(Random.next, (random) => Math.max(minimum, random * ceiling))
}

const minimumOf = (retryAfter: Option.Option<Duration.Duration>): number =>
  Option.match(retryAfter, { onNone: () => 0, onSome: Duration.toMillis })

const codeOf = (response: BufferedResponse): Effect.Effect<unknown> =>
  Effect.match(response.json, {
    onSuccess: (body) => (Predicate.hasProperty(body, "code") ? body.code : undefined),
    onFailure: () => undefined
  })

const refused = (response: BufferedResponse, code: unknown, call: Call): Attempt => {
  const retryAfter = RetryAfter.fromHeaders(response.headers, call.clock.unsafeCurrentTimeMillis())
  const resend = resendOfStatus(call.resend, response.status, Option.isSome(retryAfter), code)
  return {
    resend,
    reason: String(response.status),
    requestId: response.requestId,
    throttled: resend === "safe",
    retryAfter,
    mayHaveActed: resend === "idempotent",
    end: Effect.succeed(response)
  }
}

const lost = (failure: TransportFailure, call: Call, history: History): Attempt => ({
  resend: failure.resend,
  reason: failure.reason,
  code: failure.code,
  requestId: failure.requestId,
  throttled: false,
  retryAfter: Option.none(),
  mayHaveActed: failure.delivered !== "no",
  end: Effect.fail(ofCall(failure, call, history))
})

/** The last attempt's failure as the call's: that it was not sent says nothing of those before it. */
const ofCall = (failure: TransportFailure | RequestFailed, { attempts }: Call, { mayHaveActed }: History) => {
  const { delivered, message, reason } = failure
  const requestId = failure.requestId === undefined ? {} : { requestId: failure.requestId }
  if (delivered === "no" && mayHaveActed) {
    return new RequestFailed({
      reason,
      delivered: "unknown",
      message: `${message} An earlier request of this call may have reached the API.`,
      attempts,
      ...requestId
    })
  }
  return failure instanceof RequestFailed && failure.attempts === attempts
    ? failure
    : new RequestFailed({ reason, delivered, message, attempts, ...requestId })
}
