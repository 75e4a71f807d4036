import { assert, describe, it } from "@effect/vitest"
import { browserClient, bundle, peers } from "./bundle.js"
import { measure, tooLarge } from "./size.js"

/** The packages that end up in a bundle; our own modules one by one. */
const contentsOf = (parts: Readonly<Record<string, number>>): Array<string> => [
  ...new Set(
    Object.entries(parts)
      .filter(([path, bytes]) => bytes > 0 && !path.startsWith("<"))
      .map(([path]) =>
        path.replace(/^.*node_modules\/((@[^/]+\/)?[^/]+)\/.*$/, "$1").replace(/^(\.\.\/)*packages\//, "")
      )
  )
]

describe("a bundle", () => {
  it("of core's client is made for the browser from Effect's packages alone", async () => {
    // A `node:` import would not resolve here: esbuild refuses it on this platform.
    const { parts } = await bundle(browserClient, { platform: "browser" })
    const packages = contentsOf(parts).filter((name) => !name.startsWith("core/"))
    assert.includeMembers(["effect", "@effect/platform", "find-my-way-ts", "multipasta"], packages)
  })

  it("is no larger than its limit", async () => {
    assert.deepStrictEqual(tooLarge(await measure()), [])
  })

  it.each([
    ["CheckoutSessionId", "core", ["core/dist/internal/checkoutSessionId.js", "core/dist/internal/explain.js"]],
    ["Credentials", "core", ["core/dist/Credentials.js", "core/dist/Errors.js", "core/dist/internal/status.js"]],
    ["RetryPolicy", "node", ["node/dist/RetryPolicy.js", "core/dist/spi/Names.js"]]
  ])("that imports only %s drops the rest of %s", async (name, from, expected) => {
    const { parts } = await bundle(`export { ${name} } from "@effect-gr4vy/${from}"`, {
      platform: "node",
      external: [...peers, "@opentelemetry/api"]
    })
    const contents = contentsOf(parts)
    assert.include(contents, expected[0])
    assert.includeMembers(expected, contents)
  })
})
