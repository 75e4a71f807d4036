/**
 * The one retry loop: a request is sent again only where that is safe, worth it, within the budget and before the
 * deadline. It knows nothing of HTTP clients or tokens.
 */
import { RequestFailed } from "@effect-gr4vy/core/Errors"
import { isEndpointRequest } from "@effect-gr4vy/core/unstable/EndpointRequest"
import type { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import * as RetryAfter from "@effect-gr4vy/core/unstable/RetryAfter"
import { TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import { mayResend, type RetryPolicy, resendOfStatus } from "../../RetryPolicy.js"
import { ignoreThrow } from "../otel/context.js"
import type { Abandoned, Decisions, Failed } from "../otel/decisions.js"
import type { Call, Send } from "./call.js"
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
}

const nothing: History = { retries: 0, taken: 0, mayHaveActed: false }

export const retry =
  (budget: RetryBudget, decisions: Decisions) =>
  (next: Send) =>
  (call: Call): Effect.Effect<BufferedResponse, RequestFailed> =>
    new Loop(budget, decisions, next, call).attempt(nothing)

// A class, because closures of a call's own would all live as long as the call waits.
class Loop {
  constructor(
    private readonly budget: RetryBudget,
    private readonly decisions: Decisions,
    private readonly next: Send,
    private readonly call: Call
  ) {}

  attempt(history: History): Effect.Effect<BufferedResponse, RequestFailed> {
    return Effect.matchEffect(this.next(this.call), {
      onSuccess: (response) => this.received(response, history),
      onFailure: (failure) =>
        failure instanceof TransportFailure
          ? this.again(lost(failure, this.call, history), history)
          : Effect.fail(ofCall(failure, this.call, history))
    })
  }

  private received(response: BufferedResponse, history: History): Effect.Effect<BufferedResponse, RequestFailed> {
    response.attempts = this.call.attempts
    // Only the body tells whether this 409 is one that passes.
    return response.status === 409 && this.call.resend === "keyed"
      ? Effect.flatMap(codeOf(response), (code) => this.judge(response, code, history))
      : this.judge(response, undefined, history)
  }

  private judge(
    response: BufferedResponse,
    code: unknown,
    history: History
  ): Effect.Effect<BufferedResponse, RequestFailed> {
    const { status } = response
    if (status >= 400 && resendOfStatus(this.call.resend, status, false, code) !== "never") {
      return this.again(refused(response, code, this.call), history)
    }
    if (isSuccess(response, this.call)) this.budget.succeeded(history.taken)
    showAttempts(this.call)
    return Effect.succeed(
      history.mayHaveActed && status === 404 && this.call.request.method === "DELETE"
        ? // An earlier copy has done the job, and its response was lost.
          response.replacedBy(204)
        : response
    )
  }

  private again(last: Attempt, history: History): Effect.Effect<BufferedResponse, RequestFailed> {
    const { budget, call, decisions } = this
    if (last.resend === "never") return last.end
    const abandon = (why: Abandoned, millis?: number) =>
      Effect.zipRight(decisions.abandoned(call, last, why, millis), last.end)
    if (!mayResend(call.policy, call.resend, last.resend)) return abandon("unsafe")
    if (history.retries + 1 >= call.policy.maxAttempts) return abandon("attempts")
    const minimum = minimumOf(last.retryAfter)
    if (minimum > Duration.toMillis(call.policy.maxRetryAfter)) return abandon("retry-after", minimum)
    return Effect.flatMap(delay(call.policy, history.retries, minimum), (millis) => {
      if (millis >= call.timeLeft) return abandon("deadline", millis)
      // Masked, or an interruption between the taking and `onExit` would keep the tokens.
      return Effect.uninterruptibleMask((restore) => {
        const taken = budget.take(last.throttled)
        if (taken === 0) return restore(abandon("budget"))
        const { attempts } = call
        const retries = history.retries + 1
        const mayHaveActed = history.mayHaveActed || last.mayHaveActed
        const retried = decisions
          .retrying(call, last, millis)
          .pipe(
            Effect.zipRight(Effect.sleep(millis)),
            Effect.zipRight(Effect.suspend(() => this.attempt({ retries, taken, mayHaveActed })))
          )
        // A retry that sent nothing, because the call was interrupted or out of time, costs nothing.
        return Effect.onExit(restore(retried), () =>
          Effect.sync(() => call.attempts === attempts && budget.giveBack(taken))
        )
      })
    })
  }
}

/** Whether the API works: a 2xx that can be used, or a 4xx about the request itself. */
const isSuccess = (response: BufferedResponse, { request }: Call): boolean => {
  const { status } = response
  if (status < 200 || status >= 300) return status >= 400 && status < 500
  return !isEndpointRequest(request) || Either.isRight(response.decodedBy(request))
}

/** How many requests a call took that went well; one that failed tells by its error. */
const showAttempts = ({ attempts, endpoint, fiber }: Call): void => {
  const span = fiber.currentSpan
  if (span?._tag === "Span" && span.name === endpoint?.name)
    ignoreThrow(() => span.attribute("gr4vy.attempts", attempts))
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
  requestId: undefined,
  throttled: false,
  retryAfter: Option.none(),
  mayHaveActed: failure.delivered !== "no",
  end: Effect.fail(ofCall(failure, call, history))
})

/** The last attempt's failure as the call's: that it was not sent says nothing of those before it. */
const ofCall = (failure: TransportFailure | RequestFailed, { attempts }: Call, { mayHaveActed }: History) => {
  const { delivered, message, reason } = failure
  if (delivered === "no" && mayHaveActed) {
    return new RequestFailed({
      reason,
      delivered: "unknown",
      message: `${message} An earlier request of this call may have reached the API.`,
      attempts
    })
  }
  return failure instanceof RequestFailed && failure.attempts === attempts
    ? failure
    : new RequestFailed({ reason, delivered, message, attempts })
}
