/** Prints what core costs in a browser: `npm run size`. */
import { browserClient, bundle, peers } from "./bundle.js"

/** @returns the rows of a Markdown table */
export const sizes = async (): Promise<string> => {
  const rows: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    ["core's client over `fetch`, `effect` and `@effect/platform` included", browserClient, []],
    ["of that, core's own", browserClient, peers],
    ["the in-memory service, core's own", `export { CheckoutSessionsMemory } from "@effect-gr4vy/core"`, peers],
    ["`CheckoutSessionId` alone, core's own", `export { CheckoutSessionId } from "@effect-gr4vy/core"`, peers]
  ]
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`
  const lines = await Promise.all(
    rows.map(async ([what, code, external]) => {
      const { gzipped, minified } = await bundle(code, { platform: "browser", external })
      return `| ${what} | ${kilobytes(minified)} | ${kilobytes(gzipped)} |`
    })
  )
  return ["| in a browser bundle (esbuild) | minified | gzip |", "|---|---|---|", ...lines].join("\n")
}

if (process.argv[1] === import.meta.filename) console.log(await sizes())
