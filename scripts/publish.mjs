// Publishes what is not on the registry yet. Provenance is accepted only for packages that name the repository they were
// built from, which is known where the release runs.
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"

const repository = process.env.GITHUB_REPOSITORY
if (repository === undefined) throw new Error("GITHUB_REPOSITORY is not set: releases are published by the workflow.")

for (const name of readdirSync("packages")) {
  const directory = `packages/${name}`
  const file = `${directory}/package.json`
  if (!existsSync(file)) continue
  const url = `git+https://github.com/${repository}.git`
  const manifest = { ...JSON.parse(readFileSync(file, "utf8")), repository: { type: "git", url, directory } }
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
}
// Through npx, so that changesets finds the pnpm it publishes with: it is what turns workspace: into a version.
const command = ["--yes", "--package=pnpm@10.34.9", "-c", "changeset publish"]
process.exitCode = spawnSync("npx", command, { stdio: "inherit" }).status ?? 1
