import { existsSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { apiReport, reportFile } from "./apiReport.js"
import { published } from "./consumer.js"

describe("the API report", () => {
  it.each(published)(
    "of %s is what its public modules export",
    (name) => {
      const written = existsSync(reportFile(name)) ? readFileSync(reportFile(name), "utf8") : ""
      assert.strictEqual(
        apiReport(name),
        written,
        `The public surface of ${name} has changed. If that is meant: npm run api:report, and commit docs/api-report.`
      )
    },
    60_000
  )

  it.each(published)("of %s has no module that is spi or internal", (name) => {
    assert.notMatch(readFileSync(reportFile(name), "utf8"), /^## .*\/(spi|internal)\//m)
  })
})
