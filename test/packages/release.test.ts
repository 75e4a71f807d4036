import { execFileSync } from "node:child_process"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
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

describe("a tarball of a release", () => {
  it("says where its source is, and has the changelog, the licence and what a coding agent needs", async () => {
    const dir = await mkdtemp(join(tmpdir(), "effect-gr4vy-tarballs-"))
    try {
      const environment = { env: { ...process.env, GITHUB_REPOSITORY: "owner/name" } }
      execFileSync(process.execPath, ["scripts/pack.mjs", dir], { ...environment, cwd: root })
      const tarballs = await readdir(dir)
      assert.lengthOf(tarballs, published.length)
      for (const tarball of tarballs) {
        const to = join(dir, "extracted", tarball)
        await mkdir(to, { recursive: true })
        await run(dir, "tar", "-xzf", tarball, "-C", to)
        const manifest = await readJson(join(to, "package/package.json"))
        const name = String(manifest["name"]).replace("@effect-gr4vy/", "")
        assert.deepInclude(manifest, {
          homepage: "https://github.com/owner/name#readme",
          bugs: "https://github.com/owner/name/issues",
          repository: { type: "git", url: "git+https://github.com/owner/name.git", directory: `packages/${name}` }
        })
        assert.notInclude(JSON.stringify(manifest["peerDependencies"] ?? {}), "workspace:")
        const files = await readdir(join(to, "package"))
        assert.includeMembers(files, ["AGENTS.md", "CHANGELOG.md", "LICENSE", "README.md", "dist"], name)
        assert.isAtMost((await readFile(join(to, "package/AGENTS.md"))).length, 6 * 1024)
      }
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
  }, 120_000)
})

describe("the workflows", () => {
  const workflow = (name: string) => readFile(join(root, ".github/workflows", name), "utf8")

  it.each(["ci.yml", "release.yml"])("pin every action of %s by its commit", async (name) => {
    const used = Array.from((await workflow(name)).matchAll(/uses: (\S+)/g), ([, action = ""]) => action)
    assert.isAbove(used.length, 0)
    for (const action of used) assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
  })

  it("publish from a job that has neither a checkout nor a dependency, and from no other one", async () => {
    const [before = "", publish = ""] = (await workflow("release.yml")).split(/^ {2}publish:$/m)
    assert.match(publish, /npm publish "\$tarball"/)
    assert.notMatch(publish, /checkout|npm (?:ci|install|run)|npx/)
    assert.notMatch(before, /NPM_TOKEN|id-token|npm publish/)
  })
})
