// Packs every package for a release: node scripts/pack.mjs DESTINATION. Each tarball also gets AGENTS.md, the changelog, and
// where its source is: provenance is accepted only for packages that name the repository they were built from, which is
// known where the release runs.
import { spawnSync } from "node:child_process"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const [given] = process.argv.slice(2)
if (given === undefined) throw new Error("Give the folder for the tarballs: node scripts/pack.mjs DESTINATION")
const repository = process.env.GITHUB_REPOSITORY
if (repository === undefined) throw new Error("GITHUB_REPOSITORY is not set, e.g. to owner/name.")

const run = (cwd, command, ...args) => {
  const { status } = spawnSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] })
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}.`)
}

const destination = resolve(given)
mkdirSync(destination, { recursive: true })
const { packageManager } = JSON.parse(readFileSync("package.json", "utf8"))
const url = `https://github.com/${repository}`

for (const name of readdirSync("packages").filter((name) => existsSync(`packages/${name}/package.json`))) {
  const directory = `packages/${name}`
  const work = mkdtempSync(join(tmpdir(), "effect-gr4vy-pack-"))
  // pnpm turns workspace: into a version.
  run(directory, "npx", "--yes", packageManager, "pack", "--pack-destination", work)
  const [tarball] = readdirSync(work)
  run(work, "tar", "-xzf", tarball)
  const folder = join(work, "package")
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  writeFileSync(
    join(folder, "package.json"),
    `${JSON.stringify(
      {
        ...manifest,
        homepage: `${url}#readme`,
        bugs: `${url}/issues`,
        repository: { type: "git", url: `git+${url}.git`, directory },
        files: [...manifest.files, "AGENTS.md", "CHANGELOG.md"]
      },
      null,
      2
    )}\n`
  )
  copyFileSync("docs/AGENTS.md", join(folder, "AGENTS.md"))
  const changelog = `${directory}/CHANGELOG.md`
  copyFileSync(existsSync(changelog) ? changelog : "CHANGELOG.md", join(folder, "CHANGELOG.md"))
  run(folder, "npm", "pack", "--ignore-scripts", "--pack-destination", destination)
  rmSync(work, { recursive: true })
}
