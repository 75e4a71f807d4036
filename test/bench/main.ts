/**
 * `npm run bench`: what a call costs, beside others, and how they fare under trouble. Prints each table as soon as it is
 * measured, and writes docs/internal/benchmark.md and docs/internal/benchmark.svg at the end. `--rounds 3 --calls 5000` is a shorter run;
 * `npm run bench -- --quick` takes a minute or two, with fewer clients and calls, and writes nothing.
 *
 * Every client runs in a process of its own, the server in another. The clients take turns, many times, and the median
 * counts, so that a machine that changes its speed changes it for all.
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { arch, cpus, platform, release } from "node:os"
import { fileURLToPath } from "node:url"
import { connections, type Task } from "./cases.js"
import { chart } from "./chart.js"
import type { Trouble as ServerTrouble } from "./server.js"
import type { Order, Trouble } from "./worker.js"

const quick = process.argv.includes("--quick")
const numberAfter = (flag: string): number | undefined => {
  const index = process.argv.indexOf(flag)
  return index < 0 ? undefined : Number(process.argv[index + 1])
}
const rounds = numberAfter("--rounds") ?? (quick ? 3 : 7)
const calls = numberAfter("--calls") ?? (quick ? 2_000 : 20_000)
const warmUp = quick ? 4_000 : 10_000

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const docs = (file: string) => fileURLToPath(new URL(`../../../docs/${file}`, import.meta.url))

const ask = async <A>(child: ChildProcess, message: object | string): Promise<A> => {
  child.send(message)
  const [answer] = await once(child, "message")
  return answer
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const log = (line: string) => process.stderr.write(`${line}\n`)

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n")

const micros = (value: number | undefined) => (value === undefined ? "–" : value.toFixed(0))
const millis = (value: number) => (value < 10 ? value.toFixed(1) : value.toFixed(0))
const percent = (value: number) => `${(value * 100).toFixed(1)} %`

const version = (name: string): string => {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
  return JSON.parse(readFileSync(file, "utf8")).version
}

/** The report so far: every part is printed as soon as it is measured. */
const parts: Array<string> = []
const print = (part: string): void => {
  parts.push(part)
  process.stdout.write(`${part}\n\n`)
}

const start = async (name: string, baseUrl: string, task: Task): Promise<ChildProcess> => {
  const child = fork(here("worker.js"), [name, baseUrl, task], { execArgv: ["--expose-gc"] })
  await once(child, "message")
  return child
}

const server = fork(here("server.js"))
const [port] = await once(server, "message")
const baseUrl = `http://127.0.0.1:${port}`

// --- CPU of one call -------------------------------------------------------------------------------------------------

/** Medians in microseconds. The clients take turns. */
const cpuOf = async (task: Task, inFlight: number, who: ReadonlyArray<string>, rounds: number, calls: number) => {
  const children = new Map<string, ChildProcess>()
  for (const name of who) children.set(name, await start(name, baseUrl, task))
  const order: Order = { kind: "cpu", calls, inFlight }
  for (const child of children.values()) await ask(child, { ...order, calls: warmUp })
  const figures = new Map<string, Array<number>>(who.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, child] of children) figures.get(name)?.push(await ask<number>(child, order))
    log(`  ${task}, ${inFlight} in flight, round ${round + 1} of ${rounds}`)
  }
  for (const child of children.values()) child.kill()
  return new Map([...figures].map(([name, values]) => [name, median(values)]))
}

const compared = (figures: ReadonlyMap<string, number>): string => {
  const bare = figures.get("undici") ?? Number.NaN
  const vendor = figures.get("@gr4vy/sdk") ?? Number.NaN
  return table(
    ["client", "µs", "× undici", "× @gr4vy/sdk"],
    [...figures].map(([name, value]) => [
      name,
      micros(value),
      (value / bare).toFixed(2),
      Number.isNaN(vendor) ? "–" : (value / vendor).toFixed(2)
    ])
  )
}

print(`# What a call costs

Measured by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "CPU"}, ${platform()} ${release()} ${arch()};
effect ${version("effect")}, undici ${version("undici")}, openapi-fetch ${version("openapi-fetch")}, @gr4vy/sdk ${version("@gr4vy/sdk")}, @opentelemetry/sdk-trace-node ${version("@opentelemetry/sdk-trace-node")}.

A call goes to a server in another process on loopback. Every client runs in a process of its own; the clients take
turns, and the median of ${rounds} rounds of ${calls.toLocaleString("en")} calls counts. A real session has a cart of three, a buyer with two addresses,
metadata and a stored card: 2.5 kB.

![CPU per call](benchmark.svg)`)

log("CPU of one call")
const others = quick ? ["undici", "@gr4vy/sdk"] : ["undici", "fetch", "openapi-fetch", "@gr4vy/sdk", "Effect by hand"]
const get = await cpuOf(
  "get",
  32,
  quick
    ? [...others, "effect-gr4vy", "effect-gr4vy, traced", "undici, traced"]
    : [
        ...others,
        "effect-gr4vy",
        "effect-gr4vy, runPromise",
        "effect-gr4vy, private key",
        "effect-gr4vy, promise",
        "effect-gr4vy, traced",
        "undici, traced"
      ],
  rounds,
  calls
)
print(`## \`get\` of a real session, 32 in flight

${compared(get)}

"undici" is a bare \`Pool.request\` and \`JSON.parse\`: no schema, no limit, no retry, no span. "Effect by hand" is
\`HttpApiClient\` over undici with \`retryTransient\`, \`Effect.timeout\` and \`withSpan\`. "effect-gr4vy" has everything on:
token, retry loop, budget, attempt limit, deadline, telemetry, decoding. Both are called in running Effect programs, 32 of
them; "runPromise" starts a program for every call instead, as an outsider would. "traced" adds OpenTelemetry's SDK with both spans
and an exporter that drops them, and "undici, traced" is the bare request with the same two spans and headers, made by
hand. The vendor's SDK got a ready token.`)

const add = await cpuOf("add", 32, [...others, "effect-gr4vy", "effect-gr4vy, promise"], rounds, calls)
print(`## \`add\` of a real session, 32 in flight

${compared(add)}

"undici" is \`JSON.stringify\`, a bare request and \`JSON.parse\`. "effect-gr4vy" checks every limit of the API and renames
every property on the way out.`)

const smaller: ReadonlyArray<readonly [Task, string]> = [
  ["getBare", "a session without contents"],
  ["getEmpty", "a session whose contents are all `null`"],
  ["own", "a user's own endpoint with 20 fields"]
]
const few = new Map<Task, Map<string, number>>()
for (const [task] of smaller) few.set(task, await cpuOf(task, 32, ["undici", "effect-gr4vy"], rounds, calls))
print(`## \`get\` of something smaller, 32 in flight

${table(
  ["response", "undici", "effect-gr4vy", "× undici"],
  smaller.map(([task, title]) => {
    const bare = few.get(task)?.get("undici") ?? Number.NaN
    const own = few.get(task)?.get("effect-gr4vy") ?? Number.NaN
    return [title, micros(bare), micros(own), (own / bare).toFixed(2)]
  })
)}`)

log("CPU of one call by calls in flight")
const widths = quick ? [32, 1024] : [1, 32, 256, 1024]
const scaled = quick ? ["undici", "effect-gr4vy"] : ["undici", "@gr4vy/sdk", "effect-gr4vy"]
const scale = new Map<number, Map<string, number>>()
for (const width of widths) scale.set(width, await cpuOf("get", width, scaled, 3, Math.max(calls, 5 * width)))

const growth = (name: string): number => {
  const at = (width: number) => scale.get(width)?.get(name) ?? Number.NaN
  return at(1024) / at(32)
}
print(`## \`get\` of a real session in µs, by calls in flight

${table(
  ["client", ...widths.map(String)],
  scaled.map((name) => [name, ...widths.map((width) => micros(scale.get(width)?.get(name)))])
)}

From 32 to 1,024 calls in flight the cost grows ${growth("undici").toFixed(2)} times for undici, ${growth("effect-gr4vy").toFixed(2)} times for
effect-gr4vy, whose calls wait for one of its ${connections} connections.`)

log("heap")
const worker = await start("effect-gr4vy", baseUrl, "get")
// The engine goes on compiling, and learning, for longer than the figures of a call need.
await ask(worker, { kind: "cpu", calls: quick ? 10_000 : 80_000, inFlight: 32 } satisfies Order)
const heap = await ask<number>(worker, { kind: "heap", calls: quick ? 10_000 : 100_000, inFlight: 32 } satisfies Order)
worker.kill()

// --- start-up --------------------------------------------------------------------------------------------------------

log("import")
const importOnce = (specifier: string): number =>
  Number(
    execFileSync(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `const t = performance.now(); await import("${specifier}"); console.log(performance.now() - t)`
      ],
      { cwd: here("."), encoding: "utf8" }
    )
  )
const specifiers = ["@effect-gr4vy/node", "@gr4vy/sdk", "undici"]
const imports = new Map<string, Array<number>>(specifiers.map((specifier) => [specifier, []]))
for (let round = 0; round < (quick ? 1 : 15); round++) {
  for (const specifier of specifiers) imports.get(specifier)?.push(importOnce(specifier))
}
const importMillis = (specifier: string) => median(imports.get(specifier) ?? [])

// --- minting ---------------------------------------------------------------------------------------------------------

log("minting")
const { mintCosts } = await import("./minting.js")
const minting = await mintCosts(quick ? 50 : 300)

print(`## Start-up and memory

${table(
  ["figure", "effect-gr4vy", "@gr4vy/sdk"],
  [
    ["import, ms (median)", millis(importMillis("@effect-gr4vy/node")), millis(importMillis("@gr4vy/sdk"))],
    ["minting a token, CPU µs", micros(minting.ours), micros(minting.vendor)],
    [`heap growth over ${(quick ? 10_000 : 100_000).toLocaleString("en")} calls, KiB`, (heap / 1024).toFixed(0), "–"]
  ]
)}

(\`undici\` alone imports in ${millis(importMillis("undici"))} ms.) A token is minted once in its life, not once a call.`)

// --- trouble ---------------------------------------------------------------------------------------------------------

const troubled = quick ? ["effect-gr4vy"] : ["@gr4vy/sdk", "Effect by hand", "effect-gr4vy"]

interface Outcome extends Trouble {
  readonly wire: number
}

const underTrouble = async (
  name: string,
  order: Extract<Order, { kind: "trouble" }>,
  script: ReadonlyArray<readonly [trouble: ServerTrouble, atMillis: number]>
): Promise<Outcome> => {
  await ask(server, { kind: "none" })
  const child = await start(name, baseUrl, "get")
  await ask(child, { kind: "cpu", calls: 2_000, inFlight: 32 } satisfies Order)
  await ask(server, "count")
  const timers = script.map(([trouble, at]) => setTimeout(() => server.send(trouble), at))
  const result = await ask<Trouble>(child, order)
  for (const timer of timers) clearTimeout(timer)
  child.kill()
  server.removeAllListeners("message")
  const wire = await new Promise<number>((resolve) => {
    // The answers to the script's messages may still be on their way.
    server.on("message", (message) => {
      if (typeof message === "number") resolve(message)
    })
    server.send("count")
  })
  server.removeAllListeners("message")
  return { ...result, wire }
}

const scenarios: ReadonlyArray<{
  readonly title: string
  readonly order: Extract<Order, { kind: "trouble" }>
  readonly script: ReadonlyArray<readonly [ServerTrouble, number]>
}> = [
  {
    title: "503 for 20 % of the requests; 4,000 calls, 32 in flight",
    order: { kind: "trouble", inFlight: 32, calls: quick ? 400 : 4_000 },
    script: [[{ kind: "flaky", rate: 0.2 }, 0]]
  },
  {
    title: "nothing but 503 for 10 seconds of 14; 32 in flight",
    order: { kind: "trouble", inFlight: 32, millis: quick ? 3_000 : 14_000 },
    script: quick
      ? [
          [{ kind: "down" }, 500],
          [{ kind: "none" }, 2_500]
        ]
      : [
          [{ kind: "down" }, 2_000],
          [{ kind: "none" }, 12_000]
        ]
  },
  {
    title: "429 with Retry-After beyond 50 requests a second; 150 calls, 32 in flight",
    order: { kind: "trouble", inFlight: 32, calls: 150 },
    script: [[{ kind: "limited", perSecond: 50 }, 0]]
  }
]

print("## Under trouble")
for (const { order, script, title } of scenarios) {
  log(title)
  const outcomes: Array<readonly [string, Outcome]> = []
  for (const name of troubled) outcomes.push([name, await underTrouble(name, order, script)])
  print(
    `### ${title}\n\n${table(
      ["client", "calls", "succeeded", "goodput/s", "p50 ms", "p99 ms", "requests per call"],
      outcomes.map(([name, outcome]) => [
        name,
        String(outcome.calls),
        percent(outcome.succeeded / outcome.calls),
        (outcome.succeeded / outcome.seconds).toFixed(0),
        millis(outcome.p50),
        millis(outcome.p99),
        (outcome.wire / outcome.calls).toFixed(2)
      ])
    )}`
  )
}
server.kill()

// --- report ----------------------------------------------------------------------------------------------------------

if (!quick) {
  writeFileSync(docs("internal/benchmark.md"), `${parts.join("\n\n")}\n`)
  writeFileSync(docs("internal/benchmark.svg"), chart([...get]))
}
process.exit()
