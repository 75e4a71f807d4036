/** Prints what core costs in a browser, and the promise package in Node: `npm run size`. Fails where it is too much. */
import { stat } from "node:fs/promises"
import { browserClient, bundle, peers } from "./bundle.js"
import { root, run } from "./consumer.js"

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

/** The most that importing the promise package may cost, as a share of what importing the vendor's SDK does. */
const maxImportShare = 0.3

const importMillis = async (specifier: string): Promise<number> => {
  const script = `const t = performance.now(); await import("${specifier}"); console.log(performance.now() - t)`
  return Number(await run(`${root}/test`, process.execPath, "--input-type=module", "-e", script))
}

/** Import times, the best of ten in processes of their own, taken in turns; an error where the share is too large. */
export const importTimes = async (): Promise<string> => {
  const specifiers = ["@effect-gr4vy/promise", "@effect-gr4vy/node", "@gr4vy/sdk"]
  const best = new Map<string, number>()
  for (let n = 0; n < 10; n++) {
    for (const specifier of specifiers) {
      best.set(specifier, Math.min(best.get(specifier) ?? Number.POSITIVE_INFINITY, await importMillis(specifier)))
    }
  }
  const vendor = best.get("@gr4vy/sdk") ?? Number.NaN
  const share = (best.get("@effect-gr4vy/promise") ?? Number.NaN) / vendor
  const { size } = await stat(`${root}/packages/promise/dist/index.js`)
  const rows = [...best].map(
    ([specifier, millis]) => `| \`${specifier}\` | ${millis.toFixed(0)} ms | ${(millis / vendor).toFixed(2)} |`
  )
  const table = [
    `The bundle of \`@effect-gr4vy/promise\` is ${(size / 1000).toFixed(0)} kB.`,
    "",
    `| import in Node ${process.versions.node}, best of 10 | time | share of \`@gr4vy/sdk\` |`,
    "|---|---|---|",
    ...rows
  ].join("\n")
  if (!(share <= maxImportShare)) throw new Error(`The promise package is too slow to import.\n${table}`)
  return table
}

if (process.argv[1] === import.meta.filename) console.log(`${await sizes()}\n\n${await importTimes()}`)
