/**
 * `npm run test:floor`: installs the lowest version of every range in the packages' manifests, type-checks every module
 * there, and runs the acceptance program. Other versions can be tried: `npm run test:floor -- effect@3.19.0`.
 */
import { cp, readdir, rm } from "node:fs/promises"
import { join } from "node:path"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect } from "effect"
import { compile, makeConsumer, names, readJson, root, run, writeSources } from "../packages/consumer.js"
import { faults } from "../runtimes/acceptance.js"

/** The lowest version of each range that is not about a package of ours. */
const floor = async (): Promise<Readonly<Record<string, string>>> => {
  const versions: Record<string, string> = {}
  for (const name of names) {
    const { dependencies, peerDependencies } = await readJson(join(root, "packages", name, "package.json"))
    for (const [dependency, range] of Object.entries({ ...Object(dependencies), ...Object(peerDependencies) })) {
      if (dependency.startsWith("@effect-gr4vy/")) continue
      const lowest = /^[\^~](\d+\.\d+\.\d+)( \|\||$)/.exec(String(range))?.[1]
      if (lowest === undefined) throw new Error(`${name}: the range ${dependency} ${range} does not begin with ^1.2.3.`)
      if ((versions[dependency] ?? lowest) !== lowest) throw new Error(`${dependency} has two floors.`)
      versions[dependency] = lowest
    }
  }
  return versions
}

const asked = process.argv.slice(2).map((argument) => /^(.+)@(.+)$/.exec(argument)?.slice(1) ?? [argument, ""])
const versions = { ...(await floor()), ...Object.fromEntries(asked) }
// Versions that are being tried may be outside the ranges.
const consumer = await makeConsumer(versions, ...(asked.length > 0 ? ["--legacy-peer-deps"] : []))
try {
  for (const [name, version] of Object.entries(versions)) {
    const installed = await readJson(join(consumer.dir, "node_modules", name, "package.json"))
    if (installed["version"] !== version) throw new Error(`${name} is ${installed["version"]}, not ${version}.`)
    console.log(`${name} ${version}`)
  }
  await compile(consumer, await writeSources(consumer))
  console.log("every module type-checks")
  const compiled = join(root, "test/dist/runtimes")
  for (const file of (await readdir(compiled)).filter((name) => name.endsWith(".js"))) {
    await cp(join(compiled, file), join(consumer.dir, file))
  }
  for (const program of ["main-core.js", "main-node.js"]) {
    const output = await Effect.flatMap(Sandbox.Sandbox, ({ baseUrl }) =>
      Effect.promise(() => run(consumer.dir, process.execPath, program, baseUrl))
    ).pipe(Effect.provide(Sandbox.layer({ faults })), Effect.runPromise)
    const failed: ReadonlyArray<string> = JSON.parse(output.trim().split("\n").at(-1) ?? "")
    if (failed.length > 0) throw new Error(`${program}: ${failed.join("\n")}`)
    console.log(`${program} passes`)
  }
} finally {
  await rm(consumer.dir, { recursive: true, force: true })
}
