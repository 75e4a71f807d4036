/** The page for who comes from the vendor's SDK, against the vendor's SDK. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { create } from "@effect-gr4vy/promise"
import { Gr4vy } from "@gr4vy/sdk"
import { Effect } from "effect"

/** The names of all functions inside a client of the vendor's, whose groups are getters. */
const vendorNames = (value: object, within: ReadonlyArray<string> = []): ReadonlyArray<string> => {
  const found: Array<string> = []
  const { prototype } = Object
  for (let at = value; at !== null && at !== prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { get, value: own }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name.startsWith("_") || name === "constructor") continue
      if (typeof own === "function") found.push([...within, name].join("."))
      if (get !== undefined && within.length < 4)
        found.push(...vendorNames(Reflect.get(value, name), [...within, name]))
    }
  }
  return found
}

const ourNames = (value: object, within: ReadonlyArray<string> = []): ReadonlyArray<string> =>
  Object.entries(value).flatMap(([name, each]) =>
    typeof each === "function" ? [[...within, name].join(".")] : ourNames(each, [...within, name])
  )

const page = readFileSync(new URL("../../docs/coming-from-gr4vy-sdk.md", import.meta.url), "utf8")
const rows = Array.from(page.matchAll(/^\| `(checkoutSessions\.\w+)` \| `(\w+)` \|$/gm), ([, theirs, ours]) => [
  theirs,
  ours
])

describe("the page for who comes from the vendor's SDK", () => {
  it.live("names every operation that is called otherwise here", () =>
    Effect.gen(function* () {
      const client = yield* Effect.promise(() => create({ baseUrl: "http://127.0.0.1:1", token: "any" }))
      const theirs = vendorNames(new Gr4vy({ id: "plantly", server: "sandbox", bearerAuth: "any" }))
      const ours = new Set(ourNames(client))
      yield* Effect.promise(client.close)
      assert.lengthOf(theirs, 102)
      assert.sameMembers(
        theirs.filter((name) => !ours.has(name)),
        rows.map(([name]) => name)
      )
      for (const [, name = ""] of rows) assert.isTrue(ours.has(name), name)
    })
  )

  it("is about the installed version", () => {
    const manifest = JSON.parse(
      readFileSync(new URL("../node_modules/@gr4vy/sdk/package.json", import.meta.url), "utf8")
    )
    assert.include(page, `\`@gr4vy/sdk\` ${manifest.version}`)
  })
})
