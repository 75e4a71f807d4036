import { existsSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"

const root = join(dirname(fileURLToPath(import.meta.url)), "../..")
const read = (file: string) => readFileSync(join(root, file), "utf8")

interface Group {
  readonly mutate: ReadonlyArray<string>
  readonly testFiles: ReadonlyArray<string>
}

describe("npm run mutate", () => {
  it("builds what the tests need, and names modules and tests that exist; the page has each module", async () => {
    assert.match(JSON.parse(read("package.json")).scripts.mutate, /\bsetup\b.+\bbuild\b.+\bscripts\/mutate\.mjs$/)
    const program: { readonly groups: Readonly<Record<string, Group>>; readonly threshold: number } = await import(
      join(root, "scripts/mutate.mjs")
    )
    assert.strictEqual(program.threshold, 90)
    const page = read("docs/internal/mutation.md")
    for (const { mutate, testFiles } of Object.values(program.groups)) {
      for (const file of [...mutate, ...testFiles]) assert.isTrue(existsSync(join(root, file)), file)
      for (const file of mutate) assert.include(page, `\`${basename(file)}\``)
    }
  })
})
