/** `npm run size`: prints what the packages weigh in a bundle, what importing costs, and fails above the limits. */
import { readdir, stat } from "node:fs/promises"
import { browserClient, bundle, peers } from "./bundle.js"
import { root, run } from "./consumer.js"

interface Subject {
  readonly what: string
  readonly code: string
  readonly platform: "browser" | "node"
  readonly external: ReadonlyArray<string>
  /** Bytes after gzip: a tenth above what it was when this was written. */
  readonly limit: number
}

const others = [...peers, "@opentelemetry/api", "undici", "jose"]

export const subjects: ReadonlyArray<Subject> = [
  {
    what: "core's client over `fetch`, `effect` and `@effect/platform` included",
    code: browserClient,
    platform: "browser",
    external: [],
    limit: 128_000
  },
  { what: "of that, core's own", code: browserClient, platform: "browser", external: peers, limit: 43_500 },
  {
    what: "the in-memory service, core's own",
    code: `export { CheckoutSessionsMemory } from "@effect-gr4vy/core"`,
    platform: "browser",
    external: peers,
    limit: 44_500
  },
  {
    what: "`CheckoutSessionId` alone, core's own",
    code: `export { CheckoutSessionId } from "@effect-gr4vy/core"`,
    platform: "browser",
    external: peers,
    limit: 7_500
  },
  {
    what: "`Gr4vy` on Node, core's and node's own",
    code: `export { Gr4vy } from "@effect-gr4vy/node"`,
    platform: "node",
    external: others,
    limit: 67_500
  },
  {
    what: "all of node, core's and node's own",
    code: `export * from "@effect-gr4vy/node"`,
    platform: "node",
    external: others,
    limit: 70_500
  }
]

export interface Size {
  readonly what: string
  readonly minified: number
  readonly gzipped: number
  readonly limit: number
}

export const measure = (): Promise<ReadonlyArray<Size>> =>
  Promise.all(
    subjects.map(async ({ code, external, limit, platform, what }) => {
      const { gzipped, minified } = await bundle(code, { platform, external })
      return { what, minified, gzipped, limit }
    })
  )

const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`

/** The sizes as a Markdown table. */
export const sizeTable = (sizes: ReadonlyArray<Size>): string =>
  [
    "| in a bundle (esbuild) | minified | gzip | gzip limit |",
    "|---|---|---|---|",
    ...sizes.map(
      ({ gzipped, limit, minified, what }) =>
        `| ${what} | ${kilobytes(minified)} | ${kilobytes(gzipped)} | ${kilobytes(limit)} |`
    )
  ].join("\n")

export const tooLarge = (sizes: ReadonlyArray<Size>): ReadonlyArray<string> =>
  sizes
    .filter(({ gzipped, limit }) => gzipped > limit)
    .map(({ gzipped, limit, what }) => `${what}: ${gzipped} bytes after gzip, the limit is ${limit}`)

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
  const engine = await readdir(`${root}/packages/promise/dist/engine`)
  const files = ["index.js", ...engine.map((file) => `engine/${file}`)]
  const stats = await Promise.all(files.map((file) => stat(`${root}/packages/promise/dist/${file}`)))
  const size = stats.reduce((sum, { size }) => sum + size, 0)
  const table = [
    `The bundle of \`@effect-gr4vy/promise\` is ${(size / 1000).toFixed(0)} kB.`,
    "",
    `| import in Node ${process.versions.node}, best of 10 | time | share of \`@gr4vy/sdk\` |`,
    "|---|---|---|",
    ...Array.from(
      best,
      ([specifier, millis]) => `| \`${specifier}\` | ${millis.toFixed(0)} ms | ${(millis / vendor).toFixed(2)} |`
    )
  ].join("\n")
  if (!(share <= maxImportShare)) throw new Error(`The promise package is too slow to import.\n${table}`)
  return table
}

if (process.argv[1] === import.meta.filename) {
  const sizes = await measure()
  console.log(`${sizeTable(sizes)}\n\n${await importTimes()}`)
  const excess = tooLarge(sizes)
  if (excess.length > 0) {
    console.error(`\nToo large. If that is meant, raise the limit in test/packages/size.ts.\n${excess.join("\n")}`)
    process.exitCode = 1
  }
}
