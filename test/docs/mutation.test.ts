import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"

const root = join(dirname(fileURLToPath(import.meta.url)), "../..")
const read = (file: string) => readFileSync(join(root, file), "utf8")

interface Config {
  readonly mutate: ReadonlyArray<string>
  readonly testFiles: ReadonlyArray<string>
  readonly thresholds: { readonly break: number }
}

describe("npm run mutate", () => {
  const config: Config = JSON.parse(read("stryker.config.json"))

  it("runs Stryker, which fails below 90 %", () => {
    assert.match(JSON.parse(read("package.json")).scripts.mutate, /\bstryker run$/)
    assert.strictEqual(config.thresholds.break, 90)
  })

  it("names modules and tests that exist, and the page has each module", () => {
    const page = read("docs/internal/mutation.md")
    for (const file of [...config.mutate, ...config.testFiles]) assert.isTrue(existsSync(join(root, file)), file)
    for (const file of config.mutate) assert.include(page, file.replace(/^packages\/(.+)\/src\/(?:.+\/)?(.+)$/, "`$2`"))
  })
})
