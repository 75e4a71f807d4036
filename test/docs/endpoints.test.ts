import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

describe("the guide of own endpoints", () => {
  it.each([
    "examples/16-own-endpoints/disputes.ts",
    "examples/16-own-endpoints/smallDisputes.ts",
    "examples/16-own-endpoints.test.ts"
  ])("shows %s word for word", (file) => {
    assert.include(read("docs/endpoints.md"), `\`\`\`ts\n${read(file)}\`\`\``)
  })
})
