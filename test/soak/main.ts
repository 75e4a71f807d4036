/**
 * `npm run soak`: 100,000 generated cases over the wire, 2,000 outages, then twenty minutes of mixed traffic through one
 * client. Writes docs/internal/soak.md and ends with 1 where a promise was broken. Everything runs on loopback; the client of an
 * outage has a process of its own.
 *
 * `-- --cases 2000 --outages 50 --minutes 1 --seed 7` is a shorter one; `-- --seed 7 --only 12` runs one case, and makes it
 * smaller where it fails; `-- --seed 7 --outage 12` runs one outage.
 */
import { writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { inspect, parseArgs } from "node:util"
import { Effect } from "effect"
import { type Result as Outages, outages } from "../support/outages/run.js"
import { batch, type Failure, only } from "../support/wire/batch.js"
import { growthOf, type Life, life, maxGrowthMiB } from "./life.js"

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    outages: { type: "string", default: "2000" },
    minutes: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    outage: { type: "string" }
  }
})
const [cases, minutes, seed] = [Number(values.cases), Number(values.minutes), Number(values.seed)]
const outageCases = Number(values.outages)
const concurrency = 12
const casesOfABatch = 1_000

const log = (line: string) => process.stderr.write(`${line}\n`)

/** What nobody caught. */
const uncaught = new Set<string>()
process.on("unhandledRejection", (reason) => uncaught.add(`unhandled rejection: ${reason}`))
process.on("uncaughtException", (error) => uncaught.add(`uncaught exception: ${error}`))
process.on("warning", (warning) => uncaught.add(`warning: ${warning.name}`))

interface Wire {
  calls: number
  requests: number
  seconds: number
  readonly outcomes: Record<string, number>
  readonly failures: Array<Failure>
}

const overTheWire = Effect.gen(function* () {
  const wire: Wire = { calls: 0, requests: 0, seconds: 0, outcomes: {}, failures: [] }
  const began = performance.now()
  for (let done = 0, n = 0; done < cases; done += casesOfABatch, n++) {
    const size = Math.min(casesOfABatch, cases - done)
    const result = yield* Effect.scoped(batch({ seed: seed + n, cases: size, concurrency }))
    wire.calls += result.calls
    wire.requests += result.requests
    for (const [name, count] of Object.entries(result.outcomes)) {
      wire.outcomes[name] = (wire.outcomes[name] ?? 0) + count
    }
    wire.failures.push(...result.failures)
    for (const { command, problems } of result.failures) log(`${command}\n  ${problems.join("\n  ")}`)
    log(`${done + size} of ${cases} cases, ${wire.failures.length} failed`)
  }
  wire.seconds = Math.round((performance.now() - began) / 1_000)
  return wire
})

interface Troubled extends Outages {
  readonly seconds: number
}

const inTrouble = Effect.gen(function* () {
  const began = performance.now()
  const result = yield* Effect.scoped(
    outages({ seed, cases: outageCases, concurrency: 4, onCase: (done) => done % 100 === 0 && log(`${done} outages`) })
  )
  for (const { command, problems } of result.failures) log(`${command}\n  ${problems.join("\n  ")}`)
  return { ...result, seconds: Math.round((performance.now() - began) / 1_000) }
})

const number = (value: number) => value.toLocaleString("en-US")

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string | number>>) =>
  [head, head.map((_, n) => (n === 0 ? "---" : "---:")), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")

/** The statuses of errors by their first digit: there are too many for a page. */
const grouped = (outcomes: Readonly<Record<string, number>>): ReadonlyArray<readonly [name: string, count: number]> => {
  const groups: Record<string, number> = {}
  for (const [name, count] of Object.entries(outcomes)) {
    const group = name
      .replace(/^Generic (\d)\d\d$/, "`Generic` with a $1xx")
      .replace(/^(Unauth\w+|NotF\w+) \d+$/, "`$1`")
    const named = group.replace(/^(\w+), (no|unknown|yes)$/, '`RequestFailed`: `$1`, `delivered: "$2"`')
    groups[named] = (groups[named] ?? 0) + count
  }
  return Object.entries(groups).sort(([, one], [, other]) => other - one)
}

const classes = ["once", "create", "keyed", "idempotent"]

/** How many calls ended how, with a column for each class. */
const byClass = (outcomes: Outages["outcomes"]): string => {
  const columns = classes.map((resend) => new Map(grouped(outcomes[resend] ?? {})))
  const names = new Set(columns.flatMap((column) => [...column.keys()]))
  const rows = Array.from(names, (name) => [name, ...columns.map((column) => column.get(name) ?? 0)] as const)
  const sum = ([, ...counts]: (typeof rows)[number]) => counts.reduce((one, other) => one + other, 0)
  return table(
    ["outcome", ...classes.map((resend) => `\`${resend}\``)],
    rows.sort((one, other) => sum(other) - sum(one)).map(([name, ...counts]) => [name, ...counts.map(number)])
  )
}

const failed = (failures: ReadonlyArray<{ readonly command: string; readonly problems: ReadonlyArray<string> }>) =>
  failures.length === 0
    ? ""
    : `\n${failures.map(({ command, problems }) => `- \`${command}\`: ${problems[0]?.slice(0, 200)}`).join("\n")}\n`

const page = (wire: Wire, troubled: Troubled, lived: Life) => `# The soak

The last run of \`npm run soak\`, which writes this page: ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? "unknown"},
\`--cases ${cases} --outages ${outageCases} --minutes ${minutes} --seed ${seed}\`${cases < 100_000 || outageCases < 2_000 || minutes < 20 ? ". This was a short run: the full one has 100,000 cases, 2,000 outages and 20 minutes" : ""}.

## Over the wire

A case is a client of one to three calls and a server that sends generated bytes: status lines, headers, duplicates, lengths,
chunks, encodings, interim and surplus responses, edited at any byte, cut at any byte, in pieces of any size, before or after
the request, closed or reset. Each call is held against the server's own ledger and a reader of HTTP that shares no code with
the client: it ends in its time, its outcome and its \`delivered\` are true, its error and its logs show neither card nor token,
no request follows where a second one is unsafe or pointless, and no socket is left.

Where clients may differ (HTTP/1.0, two equal lengths) a call only has to end in its time, without a secret, and with nothing
repeated that must not be.

${number(cases)} cases, ${number(wire.calls)} calls and ${number(wire.requests)} requests in ${number(wire.seconds)} s: **${number(wire.failures.length)} cases failed**.

${table(
  ["outcome", "calls"],
  grouped(wire.outcomes).map(([name, count]) => [name, number(count)])
)}
${failed(wire.failures)}
## Outages

A case is a client in a process of its own with 6 to 24 calls, and what goes wrong around it: its event loop stalls for up to
0.5 s while it connects, after it has written, or at any time; the process is frozen with \`SIGSTOP\` for up to 1.2 s; the network
drops all connections, silently or with a reset; the server closes idle ones, refuses an upload with a 413 before its end, is
late, resets, or answers with an error. Calls are of every resend class, with sessions and payments of 2.5 kB and uploads of
20 kB to 3 MB. Fibers run under Effect's scheduler, one over \`setImmediate\`, one over \`setTimeout\`, or in any order. An attempt
has 300 ms, a call 900.

The server counts the requests that reach it. A \`once\` or \`create\` call has at most one that was not refused, a \`keyed\` one
has one key, and none has more than three. \`delivered: "no"\` means that nothing was written, \`"yes"\` that the server
has answered, and \`"unknown"\` without a request that a connection was closed at that time. A response that had arrived
before the limit is never lost to it, and once one dropped connection was found dead no other one gets a request.

${number(outageCases)} outages, ${number(troubled.calls)} calls and ${number(troubled.arrivals)} requests in ${number(troubled.seconds)} s, with ${number(troubled.stalls)} stalls, ${number(troubled.freezes)} freezes, ${number(troubled.dropped)} requests into dropped
connections and ${number(troubled.early)} early responses: **${number(troubled.failures.length)} cases failed**.

${byClass(troubled.outcomes)}
${failed(troubled.failures)}
## Long life

One client with tokens that last 30 seconds and 8 connections, 32 calls at a time; of ten responses nine are good, and one is
like those above; of twenty calls one is interrupted. The heap is read after a collection, the sockets at the server.

${number(lived.calls)} calls in ${minutes} min, ${number(lived.succeeded)} succeeded, ${number(lived.interrupted)} had to end within 20 ms. From the second quarter to the last the heap has
grown by ${growthOf(lived.samples).toFixed(1)} MiB (${maxGrowthMiB} are allowed), and ${lived.problems.length === 0 ? "**nothing was left** when the client was closed" : `**${lived.problems.length} promises were broken**: ${lived.problems.slice(0, 5).join("; ")}`}.

${table(
  ["seconds", "heap, MiB", "sockets"],
  lived.samples.map(({ heapMiB, seconds, sockets }) => [number(seconds), heapMiB.toFixed(1), sockets])
)}

A failing case prints its command, e.g. \`npm run soak -- --seed 7 --only 12\`, which makes it as small as it can.
`

const soak = Effect.gen(function* () {
  const wire = yield* overTheWire
  const troubled = yield* inTrouble
  const lived = yield* life({ seed, minutes, log })
  // A socket that was closed tells so a little later.
  yield* Effect.sleep("1 seconds")
  const left = process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap" || name === "Timeout")
  const problems = [...lived.problems, ...uncaught, ...(left.length > 1 ? [`left: ${left.join(", ")}`] : [])]
  writeFileSync(
    fileURLToPath(new URL("../../../docs/internal/soak.md", import.meta.url)),
    page(wire, troubled, { ...lived, problems })
  )
  for (const problem of problems) log(problem)
  return wire.failures.length === 0 && troubled.failures.length === 0 && problems.length === 0
})

const one = (index: number) =>
  Effect.scoped(
    Effect.map(only(seed, index), (failure) => {
      log(
        failure === undefined
          ? "keeps its promises"
          : inspect(failure, { depth: null, maxArrayLength: 12, breakLength: 120 })
      )
      return failure === undefined && uncaught.size === 0
    })
  )

/** Its timing is not repeatable, so one run proves little. */
const oneOutage = (index: number) =>
  Effect.scoped(
    Effect.map(outages({ seed, cases: 1, concurrency: 1, only: index }), ({ failures }) => {
      log(failures.length === 0 ? "keeps its promises" : inspect(failures, { depth: null, breakLength: 120 }))
      return failures.length === 0 && uncaught.size === 0
    })
  )

const chosen =
  values.only !== undefined
    ? one(Number(values.only))
    : values.outage !== undefined
      ? oneOutage(Number(values.outage))
      : soak
const isFine = await Effect.runPromise(chosen)
process.exitCode = isFine ? 0 : 1
