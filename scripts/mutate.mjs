// `npm run mutate`: mutation tests by Stryker and its runner for Vitest, one group of modules with its tests after the other,
// so that a mutant in code that runs when its module is loaded asks its own tests only. Ends with 1 below 90 %.
//
// `npm run mutate -- scrub codec` runs two groups, `-- retry --only retryBudget` one module; `--concurrency 1` leaves the
// other cores alone. Each group leaves reports/mutation-<group>.json with every mutant.
import { mkdirSync, writeFileSync } from "node:fs"
import { basename, relative } from "node:path"
import { parseArgs } from "node:util"

const core = (...names) => names.map((name) => `packages/core/src/${name}.ts`)
const node = (...names) => names.map((name) => `packages/node/src/${name}.ts`)
const tests = (...names) => names.map((name) => `test/${name}.test.ts`)

/** The lowest share of mutants that tests kill. */
export const threshold = 90

export const groups = {
  retry: {
    mutate: [
      ...core("spi/RetryAfter", "spi/TransportFailure"),
      ...node("RetryPolicy", "internal/call/retry", "internal/call/retryBudget")
    ],
    testFiles: tests(
      "core/retryAfter",
      "core/transportFailure",
      "node/resilience/policy",
      "node/resilience/budget",
      "node/resilience/retries",
      "node/resilience/timing"
    )
  },
  call: {
    mutate: node("internal/call/call", "internal/call/authorize", "internal/call/attempt"),
    testFiles: tests(
      "node/credentials/renewal",
      "node/resilience/beforeSend",
      "node/resilience/input",
      "node/resilience/interruption",
      "node/resilience/timing",
      "node/resilience/classes"
    )
  },
  scrub: {
    mutate: core(
      "internal/scrub/scrub",
      "internal/scrub/digits",
      "internal/scrub/literals",
      "internal/scrub/spellings",
      "internal/scrub/base64"
    ),
    testFiles: tests("core/scrub")
  },
  codec: {
    mutate: core(
      "internal/codec/codec",
      "internal/codec/compile",
      "internal/codec/struct",
      "internal/codec/json",
      "internal/codec/step",
      "internal/codec/sameType",
      "internal/codec/needsTime"
    ),
    testFiles: tests("core/codec", "core/json")
  },
  answers: {
    mutate: core("internal/encodeRequest", "internal/decodeSuccess", "internal/decodeError", "internal/body"),
    testFiles: tests("core/endpoint", "core/errors", "node/resilience/errorBodies", "node/resilience/ownSchemas")
  },
  // A process of its own, which Stryker tells its mutant in the environment.
  generator: {
    mutate: ["core", "main", "operations", "plain", "read", "sources", "types", "words"].map(
      (name) => `scripts/generate/${name}.mjs`
    ),
    testFiles: [],
    testRunner: "command",
    coverageAnalysis: "off",
    commandRunner: {
      command: "node scripts/generate/main.mjs --check && npx vitest run test/packages/generate.test.ts"
    }
  }
}

const percent = (part, whole) => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`

/** What became of the mutants of each module. */
const tableOf = (results) => {
  const modules = new Map()
  for (const { fileName, status } of results) {
    const count = modules.get(fileName) ?? { killed: 0, hangs: 0, survived: 0 }
    modules.set(fileName, count)
    if (status === "Killed") count.killed++
    else if (status === "Timeout") count.hangs++
    else if (status === "Survived" || status === "NoCoverage") count.survived++
  }
  const row = (name, { hangs, killed, survived }) =>
    `| ${name} | ${killed + hangs + survived} | ${killed} | ${hangs} | ${survived} | ${percent(killed + hangs, killed + hangs + survived)} |`
  const sum = { killed: 0, hangs: 0, survived: 0 }
  for (const count of modules.values()) for (const key of Object.keys(sum)) sum[key] += count[key]
  const rows = Array.from(modules, ([file, count]) => row(`\`${basename(file)}\``, count))
  return {
    share: (100 * (sum.killed + sum.hangs)) / Math.max(1, sum.killed + sum.hangs + sum.survived),
    text: [
      "| module | mutants | killed | hangs | survived | killed, hangs included |",
      "|---|---:|---:|---:|---:|---:|",
      ...rows,
      row("all", sum)
    ].join("\n")
  }
}

const main = async () => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { concurrency: { type: "string", default: "2" }, only: { type: "string", default: "" } }
  })
  // Late, because a test imports the groups.
  const { Stryker } = await import("@stryker-mutator/core")
  const names = positionals.length === 0 ? Object.keys(groups) : positionals
  const all = []
  mkdirSync("reports", { recursive: true })
  for (const name of names) {
    const group = groups[name]
    if (group === undefined) throw new Error(`There is no group ${name}, only ${Object.keys(groups).join(", ")}.`)
    process.stdout.write(`${name}\n`)
    const mutate = group.mutate.filter((file) => basename(file).startsWith(values.only))
    const concurrency = Number(values.concurrency)
    const { testFiles, ...options } = group
    // The runner of commands refuses the option.
    const chosen = testFiles.length === 0 ? {} : { testFiles }
    const results = await new Stryker({ ...options, ...chosen, mutate, concurrency }).runMutationTest()
    writeFileSync(`reports/mutation-${name}.json`, JSON.stringify(results, null, 2))
    for (const { fileName, location, mutatorName, replacement, status } of results) {
      if (status !== "Survived" && status !== "NoCoverage") continue
      const { column, line } = location.start
      process.stdout.write(
        `${relative(".", fileName)}:${line}:${column} ${mutatorName}: ${replacement.slice(0, 120)}\n`
      )
    }
    process.stdout.write(`\n${tableOf(results).text}\n\n`)
    all.push(...results)
  }
  const { share, text } = tableOf(all)
  process.stdout.write(`${text}\n`)
  process.exitCode = share < threshold ? 1 : 0
}

if (import.meta.url === new URL(`file://${process.argv[1]}`).href) await main()
