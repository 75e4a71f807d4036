/**
 * One case, through `Gr4vy.layer` and over a real socket, held against the server's ledger.
 */
import { CheckoutSessionId, CheckoutSessions, Endpoint, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Cause, Effect, Exit, Logger, Option, Redacted, Schema } from "effect"
import { type Shown, secretIn, shown, token, update } from "../secrets.js"
import { type Case, maxResponseBytes, type Operation } from "./answers.js"
import type { Reading } from "./reading.js"
import type { Seen, WireServer } from "./server.js"

export const limits = { attemptTimeout: 300, deadline: 700 } as const

// A busy machine may be late: what counts is that a call ends at all, and not by its server's leave.
const grace = 3_000

const Payment = Schema.Struct({ id: Schema.String })
const payload = Schema.Struct({ amount: Schema.Int })
const endpoints = {
  once: Endpoint.post("Payments.once", "/payments", { payload, success: Payment, resend: "once" }),
  keyed: Endpoint.post("Payments.keyed", "/payments", { payload, success: Payment, resend: "keyed" })
}

const calls = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const payments = yield* Endpoint.client(endpoints)
  return {
    get: (id: CheckoutSessionId) => sessions.get(id),
    add: () => sessions.add(),
    update: (id: CheckoutSessionId) => sessions.update(id, {}),
    updateFields: (id: CheckoutSessionId) => sessions.updateFields(id, update),
    delete: (id: CheckoutSessionId) => sessions.delete(id),
    once: () => payments.once({ amount: 1 }),
    keyed: () => payments.keyed({ amount: 1 }, { idempotencyKey: "order-1" })
  } satisfies Record<Operation, (id: CheckoutSessionId) => Effect.Effect<unknown, unknown>>
})

const policyOf = {
  standard: RetryPolicy.make({ baseDelay: 1, maxDelay: 2 }),
  none: RetryPolicy.none,
  "at-least-once": RetryPolicy.make({ baseDelay: 1, maxDelay: 2, creates: "at-least-once" })
} as const

/** What is wrong with a case, and how its calls ended. */
export interface Verdict {
  readonly problems: ReadonlyArray<string>
  readonly outcomes: ReadonlyArray<string>
  readonly requests: number
}

export const run = (server: WireServer, which: Case): Effect.Effect<Verdict> =>
  Effect.gen(function* () {
    const problems: Array<string> = []
    const outcomes: Array<string> = []
    const logged: Array<string> = []
    let requests = 0
    server.begin(which.answers)

    yield* Effect.gen(function* () {
      const all = yield* calls
      for (const [n, operation] of which.calls.entries()) {
        const id = CheckoutSessionId.make(`9d5f7a1e-0000-4000-8000-00000000000${n}`)
        const began = performance.now()
        const ended = yield* Effect.exit(Gr4vyHttpClient.withMerchantAccount(all[operation](id), `call-${n}`)).pipe(
          Effect.disconnect,
          Effect.timeoutOption(limits.deadline + grace)
        )
        const took = performance.now() - began
        if (Option.isNone(ended)) {
          problems.push(`call ${n}, ${operation}: did not settle`)
          break
        }
        const seen = server.seenOf(n)
        requests += seen.length
        outcomes.push(nameOf(ended.value))
        const found = [...judge(which, operation, id, ended.value, took, seen), ...shows(operation, ended.value)]
        problems.push(...found.map((problem) => `call ${n}, ${operation} → ${nameOf(ended.value)}: ${problem}`))
        if (!hasUnasked(which) && isLost(ended.value, seen.at(-1)) && !(yield* isClosed(server))) {
          problems.push(`call ${n}, ${operation} → ${nameOf(ended.value)}: its connection is still open`)
        }
      }
    }).pipe(
      Effect.provide(
        Gr4vy.layer({
          baseUrl: server.baseUrl,
          token: Redacted.make(token),
          connections: 1,
          maxResponseBytes,
          retry: policyOf[which.policy],
          ...limits
        })
      ),
      Effect.provide(
        Logger.replace(
          Logger.defaultLogger,
          Logger.map(Logger.jsonLogger, (line) => void logged.push(line))
        )
      ),
      Effect.orDie
    )
    problems.push(...secretsIn(which.calls, [["the log", logged.join("\n")]]))
    if (!(yield* isClosed(server))) problems.push("a socket is left after the layer")
    for (const value of [{}, [], () => {}]) {
      if (Reflect.get(value, "polluted") !== undefined) problems.push("a prototype is polluted")
    }
    return { problems, outcomes, requests }
  })

const isClosed = (server: WireServer) => Effect.map(Effect.timeoutOption(server.quiet, grace), Option.isSome)

type Failure = Readonly<Record<string, unknown>>

// A spread leaves out an error's message.
const failureOf = (cause: Cause.Cause<unknown>): Failure => {
  const error = Object(Cause.squash(cause))
  return { ...error, message: error.message }
}

const nameOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "success"
  if (!Cause.isFailType(exit.cause)) return `defect: ${Cause.pretty(exit.cause)}`
  const { _tag, delivered, reason, status } = failureOf(exit.cause)
  return _tag === "RequestFailed" ? `${reason}, ${delivered}` : `${_tag} ${status}`
}

const hasUnasked = ({ answers }: Case) => answers.some(({ on }) => on === "connect")

/** Whether the connection of the last request is of no more use. */
const isLost = (exit: Exit.Exit<unknown, unknown>, last: Seen | undefined): boolean =>
  Exit.isFailure(exit) && last !== undefined && !last.disturbed && last.writing.reading.kind === "cut"

const shows = (operation: Operation, exit: Exit.Exit<unknown, unknown>): ReadonlyArray<string> =>
  Exit.isSuccess(exit) ? [] : secretsIn([operation], shown(exit.cause))

const secretsIn = (calls: ReadonlyArray<Operation>, all: Shown): ReadonlyArray<string> =>
  all.flatMap(([sink, text]) => {
    const secret = secretIn(text, calls.includes("updateFields"))
    return secret === undefined ? [] : [`${sink} shows ${secret}`]
  })

/** No timer of an attempt ends before. */
const soonest = limits.attemptTimeout * 0.95

const retried: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** Whether a status passes by itself; a 5xx that nobody has defined is a gateway's (RFC 9110, section 15). */
const passes = (status: number): boolean => retried.has(status) || (status > 511 && status < 600)

const judge = (
  which: Case,
  operation: Operation,
  id: string,
  exit: Exit.Exit<unknown, unknown>,
  took: number,
  seen: ReadonlyArray<Seen>
): ReadonlyArray<string> => {
  const { policy } = which
  const problems: Array<string> = []
  const must = (isSo: boolean, problem: string) => {
    if (!isSo) problems.push(problem)
  }
  const last = seen.at(-1)
  const reading: Reading = last?.writing.reading ?? { kind: "odd" }

  // A client cannot tell bytes that came unasked from an answer: then it may believe anything.
  const isUnasked = last?.disturbed === true || hasUnasked(which)

  must(took <= limits.deadline + grace, `took ${Math.round(took)} ms`)
  must(seen.length <= (policy === "none" ? 1 : 3), `${seen.length} requests`)
  for (const [n, request] of seen.slice(0, -1).entries()) {
    // What was reset may not have arrived, and what was whole may have come too late.
    const isUncertain = request.writing.answer.ending === "reset" || request.disturbed || took >= soonest
    const before = request.writing.reading
    const isRefused = before.kind === "odd" && /HTTP\/\d\.\d (429|503)/.test(request.writing.bytes.toString("latin1"))
    const isSafe =
      mayFollow(operation, policy, before) ||
      (policy !== "none" && isRefused) ||
      (isUncertain && mayFollow(operation, policy, { kind: "odd" }))
    must(isSafe, `a request follows on ${summary(before)} (request ${n})`)
  }

  if (Exit.isSuccess(exit)) {
    if (operation === "get" || operation === "update") must(Object(exit.value).id === id, "another session")
    if (isUnasked) return problems
    must(last !== undefined, "there was no request")
    must(reading.kind !== "cut", `the answer was ${summary(reading)}`)
    if (reading.kind === "whole") {
      const deletedBefore = operation === "delete" && reading.status === 404 && seen.length > 1
      must(deletedBefore || isGood(operation, id, reading), `the answer was ${summary(reading)}`)
    }
    return problems
  }

  must(Cause.isFailType(exit.cause), "not a typed failure")
  const { attempts, delivered, message, reason, status, _tag } = failureOf(exit.cause)
  const count = Number(attempts)
  must(count >= seen.length && count <= (policy === "none" ? 1 : 3), `attempts ${attempts}, requests ${seen.length}`)

  if (isUnasked) return problems
  if (_tag === "Unauthorized" || _tag === "NotFound" || _tag === "Generic") {
    must(reading.kind !== "cut", `the answer was ${summary(reading)}`)
    if (reading.kind === "whole")
      must(reading.status === status && !is2xx(reading), `the answer was ${summary(reading)}`)
    else must(last?.writing.bytes.includes(String(status)) === true, "nobody sent this status")
    return problems
  }

  must(_tag === "RequestFailed", "an unknown error")
  // One that was refused for now had no effect, and the one after it may never have left.
  if (delivered === "no") {
    const isRefused = ({ writing }: Seen) => /HTTP\/\d\.\d (429|503)/.test(writing.bytes.toString("latin1"))
    must(seen.every(isRefused), "the server has seen it")
  }
  if (delivered === "yes")
    must(
      seen.some(({ writing }) => /\n\r?\n/.test(writing.bytes.toString("latin1"))),
      "no answer"
    )
  if (last === undefined) return problems
  const isReset = last.writing.answer.ending === "reset"
  switch (reason) {
    case "Timeout":
      must(took >= soonest, `after ${Math.round(took)} ms`)
      break
    case "Disconnected":
      must(reading.kind !== "whole" || isReset, `the answer was ${summary(reading)}`)
      must(reading.kind !== "cut" || isReset || last.writing.ending === "end", "the connection was not closed")
      break
    case "InvalidResponse":
      must(reading.kind !== "cut", `the answer was ${summary(reading)}`)
      if (reading.kind === "whole") {
        must(is2xx(reading) && !isGood(operation, id, reading), `the answer was ${summary(reading)}`)
        // The response to another request says nothing of this one.
        must(delivered === (/of another request/.test(String(message)) ? "unknown" : "yes"), "the answer was whole")
      }
      break
    case "ResponseTooLarge":
      must(isLarge(last), `the answer was ${summary(reading)}`)
      break
    default:
      must(false, "the server was there, and the request was right")
  }
  return problems
}

const is2xx = (reading: Reading) => reading.kind === "whole" && reading.status >= 200 && reading.status < 300

const isLarge = ({ writing }: Seen) =>
  writing.bytes.length > maxResponseBytes ||
  Array.from(writing.bytes.toString("latin1").matchAll(/content-length: *(\d+)/gi)).some(
    ([, length]) => Number(length) > maxResponseBytes
  )

const summary = (reading: Reading): string => {
  if (reading.kind === "odd") return "odd"
  return reading.kind === "cut" ? `cut (${reading.status})` : `${reading.status} ${reading.body.toString("latin1")}`
}

/** Whether a whole answer is the success of an operation. */
const isGood = (operation: Operation, id: string, reading: Extract<Reading, { readonly kind: "whole" }>): boolean => {
  const text = reading.body.toString("utf8")
  const encoding = reading.headers.get("content-encoding") ?? ""
  // A 204 has no body that could be encoded.
  const isIdentity =
    reading.status === 204 || encoding.split(",").every((coding) => ["", "identity"].includes(coding.trim()))
  if (!is2xx(reading) || !isIdentity || reading.body.length > maxResponseBytes) return false
  if (operation === "delete" || operation === "updateFields") return reading.status === 204
  try {
    // A byte order mark is no part of JSON, and no error (RFC 8259, section 8.1).
    const found: unknown = JSON.parse(text.replace(/^\ufeff/, "")).id
    if (typeof found !== "string") return false
    if (operation === "get" || operation === "update") return found === id
    return operation !== "add" || /^[\w-]+$/.test(found)
  } catch {
    return false
  }
}

/** Whether a second request is safe after this. */
const mayFollow = (operation: Operation, policy: Case["policy"], before: Reading): boolean => {
  if (policy === "none") return false
  const isRepeatable = operation === "add" ? policy === "at-least-once" : operation !== "once"
  if (before.kind !== "whole") return isRepeatable
  if (before.status === 429) return true
  if (before.status === 503 && before.headers.has("retry-after")) return true
  if (operation === "keyed" && before.status === 409) return true
  if (operation === "keyed" && before.status === 500) return false
  return isRepeatable && passes(before.status)
}
