/**
 * Runs every query of the dashboard and every rule in a real Prometheus, against one process of each wiring. Each query
 * of the dashboard must find something in each wiring, and each rule must be healthy.
 *
 * npm run check:prometheus
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const docs = fileURLToPath(new URL("../../../docs/", import.meta.url))
const wirings = ["nodeSdk", "otlp", "plain", "promise"]

interface Dashboard {
  readonly panels: ReadonlyArray<{
    readonly title: string
    readonly targets: ReadonlyArray<{ readonly expr: string; readonly legendFormat: string }>
  }>
}

interface Vector {
  readonly status: string
  readonly error?: string
  readonly data: { readonly result: ReadonlyArray<{ readonly value: readonly [number, string] }> }
}

interface Rules {
  readonly data: {
    readonly groups: ReadonlyArray<{
      readonly rules: ReadonlyArray<{ readonly name: string; readonly health: string; readonly lastError?: string }>
    }>
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0))
    })
  })

const started: Array<ChildProcess> = []
const start = (command: string, ...args: ReadonlyArray<string>): void => {
  started.push(spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] }))
}

const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

const main = async (folder: string): Promise<ReadonlyArray<string>> => {
  const port = await freePort()
  const targets: Array<{ readonly job: string; readonly port: number }> = []
  for (const job of wirings) targets.push({ job, port: await freePort() })
  for (const { job, port } of targets) {
    start(process.execPath, fileURLToPath(new URL("wiring.js", import.meta.url)), job, String(port))
  }
  copyFileSync(`${docs}alerts.yml`, join(folder, "alerts.yml"))
  // JSON is YAML.
  writeFileSync(
    join(folder, "prometheus.yml"),
    JSON.stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: ["alerts.yml"],
      scrape_configs: targets.map(({ job, port }) => ({
        job_name: job,
        static_configs: [{ targets: [`127.0.0.1:${port}`] }]
      }))
    })
  )
  start(
    "prometheus",
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`
  )
  const api = async <A>(path: string): Promise<A> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)
    // Its API, as documented.
    return (await response.json()) as A
  }
  const found = async (query: string): Promise<number> => {
    const { data, error, status } = await api<Vector>(`query?query=${encodeURIComponent(query)}`)
    if (status !== "success") throw new Error(`${error}: ${query}`)
    return data.result.filter(({ value }) => value[1] !== "NaN").length
  }

  const { panels } = JSON.parse(readFileSync(`${docs}grafana-dashboard.json`, "utf8")) as Dashboard
  const queries = wirings.flatMap((job) =>
    panels.flatMap(({ targets, title }) =>
      targets.map(({ expr, legendFormat }) => ({
        name: `${job}: ${title} (${legendFormat})`,
        query: expr
          .replaceAll("$service", job)
          .replaceAll(/\$(?:instance|server)/g, ".*")
          .replaceAll("$interval", "30s")
      }))
    )
  )
  let missing = queries
  const end = Date.now() + 60_000
  while (missing.length > 0 && Date.now() < end) {
    await sleep(1_000)
    const still: Array<(typeof queries)[number]> = []
    for (const query of missing) {
      // Prometheus takes a moment to listen.
      const count = await found(query.query).catch((error) => {
        if (error instanceof TypeError) return 0
        throw error
      })
      if (count === 0) still.push(query)
    }
    missing = still
  }
  const rules = (await api<Rules>("rules")).data.groups.flatMap((group) => group.rules)
  console.log(
    `${queries.length} queries in ${wirings.length} wirings: ${queries.length - missing.length} found something. ${rules.length} rules.`
  )
  return [
    ...missing.map(({ name, query }) => `nothing for ${name}\n  ${query}`),
    ...rules.filter(({ health }) => health !== "ok").map(({ lastError, name }) => `${name}: ${lastError ?? "not run"}`)
  ]
}

if (spawnSync("prometheus", ["--version"]).status !== 0) {
  console.log("Skipped: Prometheus is not installed. On Debian: apt-get install prometheus.")
} else {
  const folder = mkdtempSync(join(tmpdir(), "gr4vy-prometheus-"))
  try {
    const problems = await main(folder)
    for (const problem of problems) console.error(problem)
    process.exitCode = problems.length === 0 ? 0 : 1
  } finally {
    for (const each of started) each.kill()
    await Promise.all(started.map((each) => each.exitCode ?? new Promise((resolve) => each.once("close", resolve))))
    rmSync(folder, { recursive: true })
  }
}
