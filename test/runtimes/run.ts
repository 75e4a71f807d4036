/**
 * `npm run test:runtimes`: gets the runtimes, runs the acceptance program on each from the packed tarballs, and writes
 * `docs/runtimes.md`.
 */
import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect } from "effect"
import { build } from "esbuild"
import { makeConsumer, makePromiseConsumer, readJson, root, run } from "../packages/consumer.js"
import { importTimes, measure, sizeTable } from "../packages/size.js"
import { faults, names } from "./acceptance.js"

if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
  throw new Error("The packages with the runtimes' binaries that are named here are those for Linux on x64 and arm64.")
}
const x64 = process.arch === "x64"

// Binaries straight from the packages that hold them: the usual ones fetch theirs with a script on installation.
const packages = {
  node20: `npm:node-linux-${process.arch}@20.20.2`,
  node22: `npm:node-linux-${process.arch}@22.23.3`,
  node24: `npm:node-linux-${process.arch}@24.21.0`,
  node26: `npm:node-linux-${process.arch}@26.12.1`,
  bun: `npm:@oven/bun-linux-${x64 ? "x64" : "aarch64"}@1.4.5`,
  deno: `npm:@deno/linux-${process.arch}-glibc@2.9.6`,
  workerd: `npm:@cloudflare/workerd-linux-${x64 ? "64" : "arm64"}@1.20261117.1`
}

const cache = join(root, "node_modules/.cache/runtimes")

const fetchRuntimes = async () => {
  await mkdir(cache, { recursive: true })
  await writeFile(join(cache, "package.json"), JSON.stringify({ private: true, dependencies: packages }))
  await run(cache, "npm", "install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
}

const binary = (name: keyof typeof packages, ...path: ReadonlyArray<string>) =>
  join(cache, "node_modules", name, ...path)

/** A copy of the compiled programs where only the tarballs are installed. */
const prepare = async (dir: string) => {
  const compiled = join(root, "test/dist/runtimes")
  for (const file of (await readdir(compiled)).filter((name) => name.endsWith(".js"))) {
    await cp(join(compiled, file), join(dir, file))
  }
}

/** The worker as one file. */
const bundleWorker = (dir: string) =>
  build({
    entryPoints: [join(dir, "main-worker.js")],
    outfile: join(dir, "worker.js"),
    bundle: true,
    format: "esm",
    platform: "browser",
    logLevel: "warning"
  })

const workerConfig = (baseUrl: string) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [
  (name = "main", worker = (
    compatibilityDate = "2026-11-01",
    modules = [(name = "worker", esModule = embed "worker.js")],
    bindings = [(name = "BASE_URL", text = "${baseUrl}")]
  )),
  (name = "internet", network = (allow = ["local", "private"]))
]);`

interface Subject {
  readonly runtime: string
  readonly what: string
  readonly version: (dir: string) => Promise<string>
  readonly start: (dir: string, baseUrl: string) => Promise<string>
  /** Whether it is the promise package, which is installed in a folder of its own and asks for no faults. */
  readonly promise?: boolean
}

const throughCore = "core over the runtime's `fetch`"
const throughNode = "node's whole pipeline"

const promisePrograms = {
  "main-promise.js": "promise, and by `require`",
  "main-effect4.js": "promise in Effect 4",
  "main-express.js": "promise in Express"
}

const node = (name: "node20" | "node22" | "node24" | "node26"): ReadonlyArray<Subject> => {
  const file = binary(name, "bin/node")
  const common = { runtime: "Node", version: (dir: string) => run(dir, file, "--version") }
  return [
    { ...common, what: throughCore, start: (dir, baseUrl) => run(dir, file, "main-core.js", baseUrl) },
    { ...common, what: throughNode, start: (dir, baseUrl) => run(dir, file, "main-node.js", baseUrl) },
    ...Object.entries(promisePrograms).map(([program, what]) => ({
      ...common,
      what,
      promise: true,
      start: (dir: string, baseUrl: string) => run(dir, file, program, baseUrl)
    }))
  ]
}

const bun = (program: string, what: string, promise = false): ReadonlyArray<Subject> => [
  {
    runtime: "Bun",
    what,
    promise,
    version: (dir) => run(dir, binary("bun", "bin/bun"), "--version"),
    start: (dir, baseUrl) => run(dir, binary("bun", "bin/bun"), "run", program, baseUrl)
  }
]

const subjects: ReadonlyArray<Subject> = [
  ...node("node20"),
  ...node("node22"),
  ...node("node24"),
  ...node("node26"),
  ...bun("main-core.js", throughCore),
  ...bun("main-node.js", throughNode),
  ...bun("main-promise.js", promisePrograms["main-promise.js"], true),
  {
    runtime: "Deno",
    what: throughCore,
    version: async (dir) => (await run(dir, binary("deno", "deno"), "--version")).split(" ")[1] ?? "",
    start: (dir, baseUrl) =>
      run(dir, binary("deno", "deno"), "run", "--node-modules-dir=manual", "--allow-all", "main-core.js", baseUrl)
  },
  {
    runtime: "workerd",
    what: throughCore,
    version: async (dir) => (await run(dir, binary("workerd", "bin/workerd"), "--version")).replace("workerd ", ""),
    start: async (dir, baseUrl) => {
      await writeFile(join(dir, "worker.capnp"), workerConfig(baseUrl))
      return run(dir, binary("workerd", "bin/workerd"), "test", "worker.capnp")
    }
  }
]

/** The checks that failed, each against a sandbox of its own. */
const attempt = (subject: Subject, dir: string): Promise<ReadonlyArray<string>> =>
  Effect.flatMap(Sandbox.Sandbox, ({ baseUrl }) => Effect.promise(() => subject.start(dir, baseUrl))).pipe(
    Effect.map((output): ReadonlyArray<string> => JSON.parse(output.trim().split("\n").at(-1) ?? "")),
    Effect.catchAllDefect((defect) => Effect.succeed([String(defect)])),
    Effect.provide(Sandbox.layer(subject.promise ? {} : { faults })),
    Effect.runPromise
  )

const document = (rows: ReadonlyArray<string>, bundle: string, date: string) => `# Runtimes

The same program ran on each of these, on ${date}, from the packed tarballs and against the sandbox. This page is written by
\`npm run test:runtimes\`, which gets the runtimes from the npm registry.

| runtime | version | what ran | checks |
|---|---|---|---|
${rows.join("\n")}

| Node | its end of life | in CI |
|---|---|---|
| 26 (active LTS) | April 2029 | yes |
| 24 | April 2028 | yes |
| 22 | April 2027 | yes |
| 20 | April 2026, over | yes; a minor release may drop it |

The checks: ${names.join("; ")}. Node's pipeline also retries, and signs its tokens. The promise package is installed alone, beside
\`effect\` 4 and \`express\`: a session's life as an ES module and by \`require\`; an interrupted fiber, or a buyer who leaves,
ends the request on the wire; errors are caught by tag and by class; 50 fibers at a time.

${bundle}
`

await fetchRuntimes()
const consumer = await makeConsumer()
await prepare(consumer.dir)
await bundleWorker(consumer.dir)
const { dependencies } = await readJson(join(root, "test/package.json"))
const { effect4, express } = Object(dependencies)
const alone = await makePromiseConsumer({ effect4, express })
await prepare(alone.dir)
const rows: Array<string> = []
for (const subject of subjects) {
  const { dir } = subject.promise ? alone : consumer
  const version = (await subject.version(dir)).trim().replace(/^v/, "")
  const failed = await attempt(subject, dir)
  const verdict = failed.length === 0 ? "all pass" : `${failed.length} fail`
  rows.push(`| ${subject.runtime} | ${version} | ${subject.what} | ${verdict} |`)
  console.log([subject.runtime.padEnd(8), version.padEnd(11), subject.what.padEnd(31), verdict].join("  "))
  for (const failure of failed) console.log(`  ${failure}`)
  if (failed.length > 0) process.exitCode = 1
}
for (const { dir } of [consumer, alone]) await rm(dir, { recursive: true, force: true })
if (process.exitCode === undefined) {
  const measured = `${sizeTable(await measure())}\n\n${await importTimes()}`
  await writeFile(join(root, "docs/runtimes.md"), document(rows, measured, new Date().toISOString().slice(0, 10)))
}
