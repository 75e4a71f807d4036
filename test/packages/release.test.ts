import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { published, readJson, root, run } from "./consumer.js"

/** What `npm run release:version` reads and writes, copied. */
const copyOfTheRepository = async () => {
  const dir = await mkdtemp(join(tmpdir(), "effect-gr4vy-release-"))
  const files = ["package.json", "pnpm-workspace.yaml", "scripts/version.mjs", "packages/node/src/internal/version.ts"]
  for (const file of [...files, ...published.map((name) => `packages/${name}/package.json`)]) {
    await cp(join(root, file), join(dir, file))
  }
  await cp(join(root, ".changeset/config.json"), join(dir, ".changeset/config.json"))
  await symlink(join(root, "node_modules"), join(dir, "node_modules"))
  return dir
}

const next = (version: string, change: "patch" | "minor") => {
  const [major, minor, patch] = version.split(".").map(Number)
  return change === "patch" ? `${major}.${minor}.${Number(patch) + 1}` : `${major}.${Number(minor) + 1}.0`
}

describe("a release", () => {
  it.each(["patch", "minor"] as const)(
    "with a %s change of core gives every package the same next version",
    async (change) => {
      const dir = await copyOfTheRepository()
      try {
        const manifest = (name: string) => readJson(join(dir, "packages", name, "package.json"))
        const before = await manifest("node")
        await writeFile(join(dir, ".changeset/a-change.md"), `---\n"@effect-gr4vy/core": ${change}\n---\n\nA change.\n`)
        await run(dir, process.execPath, "scripts/version.mjs")
        const expected = next(String(before["version"]), change)
        for (const name of published) assert.strictEqual((await manifest(name))["version"], expected, name)
        assert.deepStrictEqual((await manifest("node"))["peerDependencies"], before["peerDependencies"])
        const constant = await readFile(join(dir, "packages/node/src/internal/version.ts"), "utf8")
        assert.include(constant, `version = "${expected}"`)
      } finally {
        await rm(dir, { recursive: true, force: true })
      }
    },
    60_000
  )
})
