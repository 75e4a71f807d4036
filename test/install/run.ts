/**
 * `npm run test:install`: publishes the packages to a registry on loopback, and runs every install line of the
 * documentation with every package manager in an empty folder, then the program that stands below the line. Writes the
 * result into `docs/installing.md`. `npm run test:install -- bun` tries one manager and writes nothing.
 */
import { type ChildProcess, execFile, fork } from "node:child_process"
import { generateKeyPairSync } from "node:crypto"
import { once } from "node:events"
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect } from "effect"
import ts from "typescript"
import { pack, readJson, root, run } from "../packages/consumer.js"
import { type InstallLine, installLines } from "./lines.js"
import { environment, fetchTools, type Manager, managers, tools } from "./managers.js"

const [readme] = installLines
if (readme?.program === undefined) throw new Error("The README has no install line with a program below it.")

const temp = await mkdtemp(join(tmpdir(), "effect-gr4vy-install-"))

const startRegistry = async (): Promise<{ readonly child: ChildProcess; readonly url: string }> => {
  const upstream = (await run(root, "npm", "config", "get", "registry")).trim()
  const cafile = (await run(root, "npm", "config", "get", "cafile")).trim()
  const storage = join(temp, "registry")
  await mkdir(storage)
  const child = fork(join(import.meta.dirname, "registry.js"), [tools, storage, upstream], {
    env: { ...process.env, ...(cafile === "null" ? {} : { NODE_EXTRA_CA_CERTS: cafile }) },
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })
  const [url] = await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => Promise.reject(new Error("The registry did not start.")))
  ])
  return { child, url: String(url) }
}

/** Runs a command as a new user; on failure the error says what it printed last. */
const command = async (
  cwd: string,
  env: Readonly<Record<string, string>>,
  [file = "", ...args]: ReadonlyArray<string>
): Promise<string> => {
  try {
    return (await promisify(execFile)(file, args, { cwd, env, timeout: 180_000, maxBuffer: 2 ** 26 })).stdout
  } catch (error) {
    const { killed, stderr, stdout } = Object(error)
    const output = `${stdout}${stderr}`.trim().split("\n").slice(-15).join("\n")
    throw new Error(`${args.slice(-12).join(" ")}${killed ? " (took too long)" : ""}\n${output}`)
  }
}

/** Publishes every package as it is, and the one with `version` instead of its own under the tag `next`. */
const publish = async (env: Readonly<Record<string, string>>) => {
  const tarballs = await pack(temp)
  for (const tarball of tarballs) {
    await command(temp, env, ["npm", "publish", tarball])
    const unpacked = await mkdtemp(join(temp, "next-"))
    await run(unpacked, "tar", "-xf", tarball, "--strip-components=1")
    const manifest = await readJson(join(unpacked, "package.json"))
    const [major, minor] = String(manifest["version"]).split(".").map(Number)
    const version = `${major}.${Number(minor) + 1}.0`
    const peers = Object.entries(Object(manifest["peerDependencies"])).map(([name, range]) =>
      name.startsWith("@effect-gr4vy/") ? [name, `~${version}`] : [name, range]
    )
    const next = { ...manifest, version, peerDependencies: Object.fromEntries(peers) }
    await writeFile(join(unpacked, "package.json"), JSON.stringify(next))
    await command(unpacked, env, ["npm", "publish", "--tag", "next"])
  }
}

const emptyFolder = async () => {
  const dir = await mkdtemp(join(temp, "folder-"))
  await writeFile(join(dir, "package.json"), JSON.stringify({ name: "empty", version: "1.0.0", private: true }))
  return dir
}

const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }

/** Runs a block of the documentation where it was installed: as a test if it is one. */
const runProgram = async (
  manager: Manager,
  dir: string,
  env: Readonly<Record<string, string>>,
  block: string
): Promise<string> => {
  const isTest = block.includes('from "@effect/vitest"')
  const file = isTest ? "program.test.mjs" : "program.mjs"
  await writeFile(join(dir, file), ts.transpileModule(block, { compilerOptions }).outputText)
  const [node = "", ...args] = manager.node
  const vitest = args.length > 0 ? [node, ...args.slice(0, -1), "vitest"] : [node, "node_modules/vitest/vitest.mjs"]
  return command(dir, env, isTest ? [...vitest, "run", file] : [node, ...args, file])
}

const privateKey = generateKeyPairSync("ec", { namedCurve: "secp521r1" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString()

/** The sandbox's address and a private key: all that the README's program needs. */
const withSandbox = <A>(use: (env: Readonly<Record<string, string>>) => Promise<A>): Promise<A> =>
  Effect.flatMap(Sandbox.Sandbox, ({ baseUrl }) =>
    Effect.promise(() => use({ GR4VY_BASE_URL: baseUrl, GR4VY_PRIVATE_KEY: privateKey }))
  ).pipe(Effect.provide(Sandbox.layer()), Effect.runPromise)

const failed: Array<string> = []

/** The word for a cell of the table. A failure is printed in full, and fails the run. */
const cell = async (what: string, attempt: () => Promise<string>): Promise<string> => {
  try {
    const verdict = await attempt()
    console.log(`${what}: ${verdict}`)
    return verdict
  } catch (error) {
    failed.push(what)
    console.log(`${what}: FAILS\n${String(error).replace(/^/gm, "  ")}`)
    return "**fails**"
  }
}

const isOurs = (line: InstallLine) => line.packages.some((name) => name.startsWith("@effect-gr4vy/"))

/** Runs the lines' installations, each once for all lines that install the same, and the program of every line. */
const tryLines = async (manager: Manager, env: Readonly<Record<string, string>>): Promise<ReadonlyArray<string>> => {
  const folders = new Map<string, Promise<string>>()
  const install = (packages: ReadonlyArray<string>, start: () => Promise<string>): Promise<string> => {
    const key = [...packages].sort().join(" ")
    const fresh = async () => {
      const dir = await start()
      await command(dir, env, [...manager.add, ...packages])
      return dir
    }
    const folder = folders.get(key) ?? fresh()
    folders.set(key, folder)
    return folder
  }
  // A companion is added to what the README installs.
  const companion = async () => {
    const dir = await mkdtemp(join(temp, "folder-"))
    await cp(await install(readme.packages, emptyFolder), dir, { recursive: true, verbatimSymlinks: true })
    return dir
  }
  const verdicts: Array<string> = []
  for (const line of installLines) {
    const what = `${manager.name}, ${line.file}: ${line.packages.join(" ")}`
    const verdict = await cell(what, async () => {
      const dir = await install(line.packages, isOurs(line) ? emptyFolder : companion)
      const program = line.program ?? readme.program ?? ""
      await withSandbox((sandbox) => runProgram(manager, dir, { ...env, ...sandbox }, program))
      return "works"
    })
    verdicts.push(verdict)
  }
  return verdicts
}

/** An upgrade of one package alone: it is refused, or leaves a program that works with one core. */
const tryUpgrade = (manager: Manager, env: Readonly<Record<string, string>>, name: string) =>
  cell(`${manager.name}, ${name}@next alone`, async () => {
    const dir = await emptyFolder()
    await command(dir, env, [...manager.add, ...readme.packages])
    await cp(join(root, "test/install/one-core.mjs"), join(dir, "one-core.mjs"))
    const oneCore = () =>
      withSandbox((sandbox) => command(dir, { ...env, ...sandbox }, [...manager.node, "one-core.mjs"]))
    await oneCore()
    const refusal = await command(dir, env, [...manager.add, `${name}@next`]).then(
      () => undefined,
      (error) => String(error)
    )
    await oneCore()
    if (refusal === undefined) return "one core"
    if (!/ERESOLVE|peer/i.test(refusal)) throw new Error(refusal)
    return "refused"
  })

const tryNpx = (env: Readonly<Record<string, string>>) =>
  cell("npx @effect-gr4vy/sandbox", async () => {
    const args = ["npx", "--yes", "@effect-gr4vy/sandbox", "--help"]
    const help = await command(await emptyFolder(), env, args)
    if (!help.includes("--fault")) throw new Error(help)
    return "works"
  })

const table = (first: string, versions: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>) =>
  [
    `| ${[first, ...versions].join(" | ")} |`,
    `|${"---|".repeat(versions.length + 1)}`,
    ...rows.map((row) => `| ${row.join(" | ")} |`)
  ].join("\n")

const [only] = process.argv.slice(2)
const chosen = managers.filter(({ name }) => only === undefined || name.startsWith(only))
await fetchTools()
const registry = await startRegistry()
try {
  const environmentOf = async (manager: Manager) => {
    const home = await mkdtemp(join(temp, "home-"))
    return { ...environment(home, registry.url), ...manager.env }
  }
  const [npm] = managers
  if (npm === undefined) throw new Error("npm comes first.")
  const npmEnvironment = await environmentOf(npm)
  await publish(npmEnvironment)

  const upgrades = ["@effect-gr4vy/core", "@effect-gr4vy/node"]
  const columns: Array<{ heading: string; lines: ReadonlyArray<string>; alone: ReadonlyArray<string> }> = []
  for (const manager of chosen) {
    const env = await environmentOf(manager)
    const version = (await command(temp, env, manager.version)).trim()
    const lines = await tryLines(manager, env)
    const alone: Array<string> = []
    for (const name of upgrades) alone.push(await tryUpgrade(manager, env, name))
    columns.push({ heading: `${manager.name} ${version}`, lines, alone })
  }
  await tryNpx(npmEnvironment)

  const headings = columns.map(({ heading }) => heading)
  const lineRows = installLines.map(({ file, packages }, i) => [
    `${file}: \`${packages.join(" ")}\``,
    ...columns.map(({ lines }) => lines[i] ?? "")
  ])
  const upgradeRows = upgrades.map((name, i) => [`\`${name}\``, ...columns.map(({ alone }) => alone[i] ?? "")])
  const [lines, alone] = [table("install line", headings, lineRows), table("upgraded alone", headings, upgradeRows)]
  console.log(`\n${lines}\n\n${alone}`)

  if (failed.length > 0) process.exitCode = 1
  else if (only === undefined) {
    const page = join(root, "docs/installing.md")
    const date = new Date().toISOString().slice(0, 10)
    const result = `On ${date}, Node ${process.versions.node}:\n\n${lines}\n\n${alone}\n`
    const [text] = (await readFile(page, "utf8")).split(/(?<=<!-- written by npm run test:install -->\n)/)
    await writeFile(page, `${text}\n${result}`)
  }
} finally {
  registry.child.disconnect()
  await rm(temp, { recursive: true, force: true })
}
