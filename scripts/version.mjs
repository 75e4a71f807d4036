// Applies the changesets: new versions and changelogs. Run from the root of the repository.
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"

const read = (file) => JSON.parse(readFileSync(file, "utf8"))
const write = (file, json) => writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`)
const isOurs = ([, range]) => range.startsWith("workspace:")

// Changesets makes a major release of every package whose peer has a minor release. All our packages share one version,
// so that a peer among them is never out of step: changesets does not get to see these peers.
const manifests = readdirSync("packages")
  .map((name) => `packages/${name}/package.json`)
  .filter((file) => existsSync(file))
const peers = new Map(manifests.map((file) => [file, Object.entries(read(file).peerDependencies ?? {})]))
for (const [file, entries] of peers) {
  if (!entries.some(isOurs)) continue
  write(file, { ...read(file), peerDependencies: Object.fromEntries(entries.filter((entry) => !isOurs(entry))) })
}
const { status } = spawnSync(process.execPath, ["node_modules/@changesets/cli/bin.js", "version"], { stdio: "inherit" })
for (const [file, entries] of peers) {
  if (entries.some(isOurs)) write(file, { ...read(file), peerDependencies: Object.fromEntries(entries) })
}
if (status !== 0) process.exit(status ?? 1)

// The version that traces and tokens tell is a constant, so that nothing has to be read when the package is loaded.
const file = "packages/node/src/internal/version.ts"
const { version } = read("packages/node/package.json")
writeFileSync(file, readFileSync(file, "utf8").replace(/version = ".*"/, `version = "${version}"`))
