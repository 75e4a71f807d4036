/**
 * Many cases of one seed, a few at a time.
 */
import { Effect, FastCheck, type Scope } from "effect"
import { anyCase, type Case } from "./answers.js"
import { run } from "./run.js"
import { wireServer } from "./server.js"

export interface Failure {
  /** How to run it alone. */
  readonly command: string
  readonly problems: ReadonlyArray<string>
  readonly case: Case
}

export interface Result {
  readonly calls: number
  readonly requests: number
  /** How many calls ended how. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly failures: ReadonlyArray<Failure>
}

export const batch = (options: {
  readonly seed: number
  readonly cases: number
  readonly concurrency: number
}): Effect.Effect<Result, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { cases, concurrency, seed } = options
    const all = FastCheck.sample(anyCase, { seed, numRuns: cases }).entries()
    const outcomes: Record<string, number> = {}
    const failures: Array<Failure> = []
    let calls = 0
    let requests = 0
    const lane = Effect.gen(function* () {
      const server = yield* wireServer
      for (const [index, which] of all) {
        const verdict = yield* run(server, which)
        calls += verdict.outcomes.length
        requests += verdict.requests
        for (const name of verdict.outcomes) outcomes[name] = (outcomes[name] ?? 0) + 1
        if (verdict.problems.length > 0) {
          failures.push({
            command: `npm run soak -- --seed ${seed} --only ${index}`,
            problems: verdict.problems,
            case: which
          })
        }
      }
    })
    yield* Effect.all(
      Array.from({ length: concurrency }, () => lane),
      { concurrency: "unbounded", discard: true }
    )
    return { calls, requests, outcomes, failures }
  })

/** The case of a seed by its number, and where it fails a smaller one that fails as well. */
export const only = (seed: number, index: number) =>
  Effect.gen(function* () {
    const server = yield* wireServer
    const property = FastCheck.asyncProperty(anyCase, async (which) => {
      const { problems } = await Effect.runPromise(run(server, which))
      if (problems.length > 0) throw new Error(problems.join("\n"))
    })
    const details = yield* Effect.promise(async () =>
      FastCheck.check(property, { seed, path: String(index), numRuns: 1, interruptAfterTimeLimit: 60_000 })
    )
    const [smallest] = details.counterexample ?? []
    return smallest === undefined
      ? undefined
      : { case: smallest, problems: (yield* run(server, smallest)).problems, shrinks: details.numShrinks }
  })
