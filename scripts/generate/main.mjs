// Writes the sources of the models: `npm run generate`. With `--check` nothing is written, and a difference is an error.
// `--root=…` is another copy of the repository's files.
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { Unfit } from "./read.mjs"
import { sourcesOf } from "./sources.mjs"

const repository = fileURLToPath(new URL("../../", import.meta.url))
const root = process.argv.find((argument) => argument.startsWith("--root="))?.slice("--root=".length) ?? repository
const isCheck = process.argv.includes("--check")

/** All sources as Biome formats them, in one run: a run for each file takes most of a minute. */
const formatted = (sources) => {
  const directory = mkdtempSync(join(tmpdir(), "generate-"))
  try {
    for (const [path, source] of sources) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), source)
    }
    const biome = join(repository, "node_modules/.bin/biome")
    execFileSync(biome, ["check", "--write", `--config-path=${repository}`, "--vcs-enabled=false", "."], {
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"]
    })
    return new Map(Array.from(sources.keys(), (path) => [path, readFileSync(join(directory, path), "utf8")]))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const contentOf = (path) => {
  try {
    return readFileSync(join(root, path), "utf8")
  } catch {
    return undefined
  }
}

const fail = (problem) => {
  process.stderr.write(`${problem}\n`)
  process.exitCode = 1
}

try {
  const description = JSON.parse(readFileSync(join(root, "packages/api/openapi.json"), "utf8"))
  const { directories, sources } = sourcesOf(description)
  const stale = []
  for (const [path, content] of formatted(sources)) {
    if (contentOf(path) === content) continue
    stale.push(path)
    if (isCheck) continue
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  // A model that is gone takes its file with it.
  for (const directory of directories.filter((directory) => existsSync(join(root, directory)))) {
    for (const name of readdirSync(join(root, directory))) {
      const path = relative(root, join(root, directory, name))
      if (sources.has(path)) continue
      stale.push(path)
      if (!isCheck) rmSync(join(root, path))
    }
  }
  if (isCheck && stale.length > 0) {
    fail(`${stale.join(", ")}: not as the generator writes it. Edit the overlay, then run \`npm run generate\`.`)
  } else if (!isCheck) {
    process.stdout.write(
      stale.length === 0 ? "Nothing changed.\n" : `${stale.map((path) => `Wrote ${path}`).join("\n")}\n`
    )
  }
} catch (error) {
  if (!(error instanceof Unfit)) throw error
  fail(error.message)
}
