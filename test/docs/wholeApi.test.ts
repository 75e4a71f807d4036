/**
 * The page of the whole API lists every resource with its functions, and how each POST is retried.
 */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Api from "@effect-gr4vy/api"
import type { Endpoint } from "@effect-gr4vy/core"
import { listOf } from "@effect-gr4vy/core/spi/Serving"
import { Predicate } from "effect"

const page = readFileSync(new URL("../../docs/whole-api.md", import.meta.url), "utf8")

const resources = Object.entries(Api).flatMap(([name, value]) =>
  name !== "CheckoutSessions" && Predicate.isFunction(value) && Predicate.hasProperty(value, "endpoints")
    ? [{ name, endpoints: value.endpoints as Endpoint.Endpoints }]
    : []
)

const shown = ({ method, resend }: Endpoint.Any): string =>
  (method === "POST" || method === "PATCH") && resend !== "idempotent" ? ` (${resend})` : ""

describe("the page of the whole API", () => {
  it("has no resource that is gone", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
    assert.sameMembers(
      rows,
      resources.map(({ name }) => name)
    )
  })

  for (const { endpoints, name } of resources) {
    it(`lists the functions of ${name}`, () => {
      const row = new RegExp(`^\\| \`${name}\` \\| (.*) \\|$`, "m").exec(page)?.[1]?.split(", ") ?? []
      assert.sameMembers(
        row,
        listOf(endpoints).map(({ endpoint, path }) => `\`${path.join(".")}\`${shown(endpoint)}`)
      )
    })
  }
})
