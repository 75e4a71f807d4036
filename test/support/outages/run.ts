/**
 * Outages: a client in a process of its own against a server in this one, held against the server's ledger.
 */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Effect, FastCheck, type Scope } from "effect"
import {
  anyOutage,
  type Ended,
  type FromClient,
  limits,
  nameOf,
  type Operation,
  type Outage,
  type ToClient
} from "./cases.js"
import { type Arrival, type OutageServer, outageServer } from "./server.js"

/** How late a call may end, and a socket close, on a busy machine. */
const grace = 8_000

/** How late this process may read what has arrived, in milliseconds. */
const slack = 100

/** The compiled client, also where this file is run as it is. */
const program = fileURLToPath(
  import.meta.url.includes("/dist/")
    ? new URL("client.js", import.meta.url)
    : new URL("../../dist/support/outages/client.js", import.meta.url)
)

const next = <Name extends FromClient["name"]>(child: ChildProcess, name: Name) =>
  Effect.async<Extract<FromClient, { readonly name: Name }>, string>((resume) => {
    const onMessage = (message: FromClient) => {
      if (message.name === name) done(Effect.succeed(message as Extract<FromClient, { readonly name: Name }>))
    }
    const onExit = () => done(Effect.fail("the client's process has ended"))
    const done = (effect: Effect.Effect<Extract<FromClient, { readonly name: Name }>, string>) => {
      child.off("message", onMessage)
      child.off("exit", onExit)
      resume(effect)
    }
    child.on("message", onMessage)
    child.on("exit", onExit)
    return Effect.sync(() => {
      child.off("message", onMessage)
      child.off("exit", onExit)
    })
  })

const startChild: Effect.Effect<ChildProcess, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => fork(program, { stdio: ["ignore", "ignore", "inherit", "ipc"] })),
  (child) => Effect.sync(() => child.kill("SIGKILL"))
).pipe(Effect.tap((child) => Effect.orDie(next(child, "ready"))))

export interface Counts {
  calls: number
  arrivals: number
  dropped: number
  stalls: number
  freezes: number
  early: number
}

export interface Verdict {
  readonly problems: ReadonlyArray<string>
  readonly counts: Counts
  /** The class of each call, and how it ended. */
  readonly outcomes: ReadonlyArray<readonly [resend: string, outcome: string]>
}

const run = (
  server: OutageServer,
  child: ChildProcess,
  { closes, drops, fates, freezes, plan }: Outage
): Effect.Effect<Verdict> =>
  Effect.gen(function* () {
    server.begin(fates)
    const stopped = freezes.reduce((sum, { millis }) => sum + millis, 0)
    const stalled = plan.stalls.reduce((sum, { millis }) => sum + millis, 0)
    const message: ToClient = { baseUrl: server.baseUrl, plan }
    const ended = yield* Effect.all(
      [
        Effect.zipRight(
          Effect.sync(() => child.send(message)),
          next(child, "ended")
        ),
        Effect.zipRight(
          next(child, "began"),
          Effect.all(
            [
              ...freezes.map(({ at, millis }) => Effect.delay(frozen(child, millis), at)),
              ...drops.map(({ answer, at }) =>
                Effect.delay(
                  Effect.sync(() => server.drop(answer)),
                  at
                )
              ),
              ...closes.map((at) => Effect.delay(Effect.sync(server.closeIdle), at))
            ],
            { concurrency: "unbounded", discard: true }
          )
        )
      ],
      { concurrency: "unbounded" }
    ).pipe(
      Effect.timeoutFail({
        duration: 700 + limits.deadline + stopped + stalled + grace,
        onTimeout: () => "did not settle"
      }),
      Effect.either
    )
    server.end()
    const arrivals = server.arrivals()
    const counts: Counts = {
      calls: plan.calls.length,
      arrivals: arrivals.filter(({ isDropped }) => !isDropped).length,
      dropped: arrivals.filter(({ isDropped }) => isDropped).length,
      stalls: 0,
      freezes: freezes.length,
      early: arrivals.filter(({ status }) => status === 413).length
    }
    if (ended._tag === "Left") return { problems: [ended.left], counts, outcomes: [] }
    const [{ calls, left, stalls }] = ended.right
    counts.stalls = stalls
    const problems = arrivals.flatMap(({ call, problem }) => (problem === undefined ? [] : [`${call}: ${problem}`]))
    if (left > 0) problems.push(`${left} sockets are left in the client`)
    const isClosed = yield* Effect.timeoutOption(server.quiet, grace)
    if (isClosed._tag === "None") problems.push(`${server.open()} sockets are left at the server`)
    for (const [n, call] of calls.entries()) {
      const operation = plan.calls[n]?.operation ?? "get"
      const own = arrivals.filter(({ call }) => call === nameOf(n))
      for (const problem of judge(operation, n, call, own, server.cuts())) {
        problems.push(`${nameOf(n)}, ${operation} → ${outcomeOf(call)} (${call.message ?? ""}): ${problem}`)
      }
    }
    const late = afterLoss(calls, arrivals)
    if (late > 0) problems.push(`${late} requests on dropped connections, after one of them had been found dead`)
    const outcomes = calls.map((call, n) => [classOf[plan.calls[n]?.operation ?? "get"], outcomeOf(call)] as const)
    return { problems, counts, outcomes }
  })

const frozen = (child: ChildProcess, millis: number) =>
  Effect.acquireUseRelease(
    Effect.sync(() => child.kill("SIGSTOP")),
    () => Effect.sleep(millis),
    () => Effect.sync(() => child.kill("SIGCONT"))
  )

export const classOf: Readonly<Record<Operation, "idempotent" | "keyed" | "create" | "once">> = {
  get: "idempotent",
  update: "idempotent",
  updateFields: "idempotent",
  delete: "idempotent",
  uploadPut: "idempotent",
  add: "create",
  keyed: "keyed",
  once: "once",
  uploadOnce: "once"
}

const outcomeOf = ({ delivered, outcome, reason, status, tag }: Ended): string => {
  if (outcome !== "failure") return outcome
  return tag === "RequestFailed" ? `${reason}, ${delivered}` : `${tag} ${status}`
}

/**
 * How many requests were written on connections that the network had dropped although one of these had been found dead:
 * its call went on to its next request, or ended. This process reads a request late while it reads a large upload.
 */
const afterLoss = (calls: ReadonlyArray<Ended>, arrivals: ReadonlyArray<Arrival>): number => {
  const dropped = arrivals.filter(({ isDropped, isReused }) => isDropped && isReused)
  const found = dropped.flatMap(({ at, call }) => {
    const again = arrivals.find((arrival) => arrival.call === call && arrival.at > at)
    const end = calls.find((_, n) => nameOf(n) === call)
    if (again !== undefined) return [again.at]
    return end?.outcome === "failure" ? [end.ended] : []
  })
  const first = Math.min(...found)
  return dropped.filter(({ at }) => at > first + slack).length
}

/** What the ledger says against the end of a call. */
const judge = (
  operation: Operation,
  n: number,
  call: Ended,
  own: ReadonlyArray<Arrival>,
  cuts: ReadonlyArray<number>
): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const must = (isSo: boolean, problem: string) => {
    if (!isSo) problems.push(problem)
  }
  const resend = classOf[operation]
  const reached = own.filter(({ isDropped }) => !isDropped)
  // Whatever was written and not refused may have been acted on, also where the network has swallowed it.
  const maybeActed = own.filter(({ isRefused }) => !isRefused)
  const { answered, attempts, began, delivered, ended, message, outcome, reason, shows, status } = call

  must(outcome !== "defect", `a defect: ${message}`)
  must(shows === undefined, `${shows} shows a secret`)
  must(own.length <= 3, `${own.length} requests`)
  if (resend === "once" || resend === "create") {
    must(maybeActed.length <= 1, `${maybeActed.length} requests that may have been acted on`)
  }
  for (const { key } of own) {
    must(key === (resend === "keyed" ? `order-${n}` : undefined), `the key ${key}`)
  }
  if (resend === "keyed" && own.length > 1) {
    // Unless the limit had passed, or was about to.
    const [first] = own
    const inTime = first?.answeredAt !== undefined && first.answeredAt < began + limits.attemptTimeout - slack
    must(!(first?.status === 500 && inTime), "a request follows on a 500, which the API has stored")
  }

  if (outcome === "success") {
    must(
      reached.some(({ status }) => status === 200),
      "the server has not said so"
    )
    must(
      operation === "updateFields" || operation === "delete" || answered === nameOf(n),
      `the response of ${answered}`
    )
  }
  if (outcome !== "failure") return problems

  must(Number(attempts) >= own.length && Number(attempts) <= 3, `${attempts} attempts, ${own.length} requests`)
  if (delivered === "no") must(maybeActed.length === 0, "the request was written")
  if (delivered === "yes") {
    must(
      reached.some(({ status }) => status !== undefined),
      "the server has not answered"
    )
  }
  if (status !== undefined) {
    must(
      reached.some((arrival) => arrival.status === status),
      "the server has not said so"
    )
  }
  // A request is lost by the end of a connection. One that had been closed before is not used.
  if (delivered === "unknown" && own.length === 0) {
    must(
      cuts.some((at) => at >= began - 5 && at <= ended),
      "nothing was written, and no connection was closed meanwhile"
    )
  }
  // What has arrived before the limit counts, however late the client reads it.
  const [first] = own
  if (reason === "Timeout" && attempts === 1 && first?.answeredAt !== undefined && first.status === 200) {
    must(
      first.answeredAt > began + limits.attemptTimeout - slack,
      `the response had arrived after ${Math.round(first.answeredAt - began)} ms`
    )
  }
  return problems
}

export interface Failure {
  /** How to run it alone. */
  readonly command: string
  readonly problems: ReadonlyArray<string>
  readonly outage: Outage
}

export interface Result extends Counts {
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly failures: ReadonlyArray<Failure>
}

/** Many outages of one seed, a few at a time. */
export const outages = (options: {
  readonly seed: number
  readonly cases: number
  readonly concurrency: number
  /** Runs one case alone. */
  readonly only?: number | undefined
  readonly onCase?: (done: number) => void
}): Effect.Effect<Result, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { cases, concurrency, onCase, only, seed } = options
    let done = 0
    const drawn = FastCheck.sample(anyOutage, { seed, numRuns: only === undefined ? cases : only + 1 })
    const all = Array.from(drawn.entries())
      .slice(only ?? 0)
      .values()
    const sum: Counts = { calls: 0, arrivals: 0, dropped: 0, stalls: 0, freezes: 0, early: 0 }
    const outcomes: Record<string, Record<string, number>> = {}
    const failures: Array<Failure> = []
    /** Ends with `true` where the client's process has to be replaced. */
    const lane = Effect.gen(function* () {
      const server = yield* outageServer
      const child = yield* startChild
      for (const [index, outage] of all) {
        const verdict = yield* run(server, child, outage)
        onCase?.(++done)
        for (const name of Object.keys(sum) as ReadonlyArray<keyof Counts>) sum[name] += verdict.counts[name]
        for (const [resend, outcome] of verdict.outcomes) {
          const ofClass = outcomes[resend] ?? {}
          outcomes[resend] = ofClass
          ofClass[outcome] = (ofClass[outcome] ?? 0) + 1
        }
        if (verdict.problems.length === 0) continue
        failures.push({
          command: `npm run soak -- --seed ${seed} --outage ${index}`,
          problems: verdict.problems,
          outage
        })
        if (verdict.outcomes.length === 0) return true
      }
      return false
    })
    yield* Effect.all(
      Array.from({ length: concurrency }, () => Effect.repeat(Effect.scoped(lane), { while: (again) => again })),
      { concurrency: "unbounded", discard: true }
    )
    return { ...sum, outcomes, failures }
  })
