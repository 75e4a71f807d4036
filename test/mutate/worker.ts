/**
 * Runs the tests for one mutant after the other in one process. Vitest loads this file as its only test; the questions
 * come from runner.mjs.
 */
import { BroadcastChannel } from "node:worker_threads"
import { collectTests, type File, type Suite, type Test } from "@vitest/runner"
import { FastCheck } from "effect"
import { beforeAll, it, vi } from "vitest"
import { getFn, getHooks } from "vitest/suite"

/** What the instrumented code reads and writes. */
interface Instrumented {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  hitCount?: number | undefined
  hitLimit?: number | undefined
  mutantCoverage?: unknown
}

declare global {
  var __stryker__: Instrumented | undefined
}

interface MutantRun {
  readonly name: "mutantRun"
  /** Those that may kill it. */
  readonly files: ReadonlyArray<string>
  readonly mutant: string
  readonly hitLimit: number | undefined
  /** The tests that reach the mutant; all if it is in code that runs when its module is loaded. */
  readonly tests: ReadonlyArray<string> | undefined
}

type Question =
  | { readonly name: "dryRun"; readonly files: ReadonlyArray<string> }
  | MutantRun
  | { readonly name: "result" | "ready" | "end" }

/** The time limit of a test. Without a mutant, each takes less than a second. */
const maxMillis = 3_000

/** Tests that take seconds: large inputs, which take minutes in instrumented code, and waits in real time. */
const tooSlow =
  /is scrubbed in a moment$|^a huge message is cut$|^of another client too is closed|^1,000 calls against|: 503$/

const instrumented: Instrumented = {}
globalThis.__stryker__ = instrumented

interface Case {
  readonly id: string
  readonly file: string
  readonly test: Test
}

const runnerConfig = {
  root: process.cwd(),
  setupFiles: [],
  passWithNoTests: false,
  sequence: { seed: 1, hooks: "stack", setupFiles: "list" },
  maxConcurrency: 1,
  testTimeout: 4 * maxMillis,
  hookTimeout: 4 * maxMillis,
  retry: 0
} as const

/** Loads test files and what they import. Packages stay loaded. */
const load = async (files: ReadonlyArray<string>): Promise<ReadonlyArray<Case>> => {
  const loaded = await collectTests(
    files.map((file) => `${process.cwd()}/${file}`),
    { config: { ...runnerConfig, setupFiles: [] }, importFile: (path) => import(/* @vite-ignore */ path) }
  )
  const cases: Array<Case> = []
  for (const [n, file] of loaded.entries()) {
    if (file.result?.state === "fail") throw new Error(`${file.name}: ${file.result.errors?.[0]?.message}`)
    for (const hook of getHooks(file).beforeAll) await hook(file)
    for (const [index, test] of testsIn(file).entries()) {
      if (!tooSlow.test(test.name)) cases.push({ id: `${files[n]}#${index}`, file: file.filepath, test })
    }
  }
  return cases
}

const testsIn = (suite: Suite): ReadonlyArray<Test> =>
  suite.tasks.flatMap((task) =>
    task.mode !== "run" && task.mode !== "queued" ? [] : task.type === "test" ? [task] : testsIn(task)
  )

/** Runs one test and returns its failure, if any. */
const run = async ({ id, test }: Case): Promise<{ readonly message: string; readonly hangs: boolean } | undefined> => {
  const file: File = test.file
  instrumented.currentTestId = id
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), maxMillis)
  })
  const whole = async () => {
    for (const hook of getHooks(file).beforeEach) await hook(test.context, file)
    try {
      await getFn(test)()
    } finally {
      for (const hook of getHooks(file).afterEach) await hook(test.context, file)
    }
  }
  try {
    if ((await Promise.race([whole(), late])) === "late") return { message: "The test hangs", hangs: true }
    return undefined
  } catch (error) {
    return { message: String(error), hangs: false }
  } finally {
    clearTimeout(timer)
    // Effect's tests interrupt their fiber here. Vitest leaves the field out of its types.
    const finished: Test & { onFinished?: Array<(context: unknown) => unknown> } = test
    for (const finish of finished.onFinished ?? []) await finish(test.context)
    finished.onFinished = []
    instrumented.currentTestId = undefined
  }
}

/** Loaded without a mutant, by file. */
const loadedCases = new Map<string, ReadonlyArray<Case>>()

const unmutated = async (files: ReadonlyArray<string>): Promise<ReadonlyArray<Case>> => {
  const cases: Array<Case> = []
  for (const file of files) {
    const ofFile = loadedCases.get(file) ?? (await load([file]))
    loadedCases.set(file, ofFile)
    cases.push(...ofFile)
  }
  return cases
}

/** Whether no mutant has run in this process before. */
let isFresh = true

const dryRun = async (files: ReadonlyArray<string>) => {
  delete instrumented.mutantCoverage
  const tests = []
  for (const each of await unmutated(files)) {
    const start = performance.now()
    const failure = await run(each)
    tests.push({
      id: each.id,
      name: each.id,
      fileName: each.file,
      timeSpentMs: performance.now() - start,
      ...(failure === undefined
        ? { status: 0 }
        : { status: 1, failureMessage: `${each.test.name}: ${failure.message}` })
    })
  }
  return { status: "complete", tests, mutantCoverage: instrumented.mutantCoverage }
}

const mutantRun = async ({ files, hitLimit, mutant, tests }: MutantRun) => {
  const cases = await unmutated(files)
  instrumented.hitCount = 0
  instrumented.hitLimit = hitLimit
  const mayBeBroken = !isFresh
  isFresh = false
  let nrOfTests = 0
  try {
    instrumented.activeMutant = mutant
    let mutated = cases
    if (tests === undefined) {
      vi.resetModules()
      try {
        mutated = await load(files)
      } catch (error) {
        return { status: "killed", killedBy: [], failureMessage: String(error), nrOfTests }
      }
    }
    for (const [index, each] of mutated.entries()) {
      if (tests !== undefined && !tests.includes(each.id)) continue
      instrumented.activeMutant = mutant
      nrOfTests++
      const failure = await run(each)
      if (hitLimit !== undefined && instrumented.hitCount > hitLimit) return { status: "timeout", reason: "hit limit" }
      if (failure === undefined) continue
      // The failure counts if the same test succeeds without the mutant, or no earlier mutant can be its cause.
      instrumented.activeMutant = undefined
      const same = cases[index]
      if (mayBeBroken && (same === undefined || (await run(same)) !== undefined))
        return { status: "broken", test: each.test.name }
      if (failure.hangs) return { status: "timeout", reason: each.test.name }
      return { status: "killed", killedBy: [each.id], failureMessage: failure.message, nrOfTests }
    }
    return { status: "survived", nrOfTests }
  } finally {
    instrumented.activeMutant = undefined
  }
}

beforeAll(
  async () => {
    // The same cases for every mutant and in every process.
    FastCheck.configureGlobal({ seed: 1 })
    const channel = new BroadcastChannel("mutate")
    await new Promise<void>((resolve) => {
      channel.onmessage = async (event: unknown) => {
        const question = (event as { readonly data: Question }).data
        if (question.name === "end") return resolve()
        if (question.name !== "dryRun" && question.name !== "mutantRun") return
        const result = question.name === "dryRun" ? await dryRun(question.files) : await mutantRun(question)
        channel.postMessage({ name: "result", result })
      }
      channel.postMessage({ name: "ready" })
    })
    channel.close()
  },
  2 ** 31 - 1
)

it("has run the mutants", () => {})
