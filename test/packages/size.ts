/** `npm run size`: prints what the packages weigh in a bundle, and fails above the limits. */
import { browserClient, bundle, peers } from "./bundle.js"

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
    limit: 103_000
  },
  { what: "of that, core's own", code: browserClient, platform: "browser", external: peers, limit: 11_000 },
  {
    what: "the in-memory service, core's own",
    code: `export { CheckoutSessionsMemory } from "@effect-gr4vy/core"`,
    platform: "browser",
    external: peers,
    limit: 11_600
  },
  {
    what: "`CheckoutSessionId` alone, core's own",
    code: `export { CheckoutSessionId } from "@effect-gr4vy/core"`,
    platform: "browser",
    external: peers,
    limit: 1_100
  },
  {
    what: "`Gr4vy` on Node, core's and node's own",
    code: `export { Gr4vy } from "@effect-gr4vy/node"`,
    platform: "node",
    external: others,
    limit: 21_500
  },
  {
    what: "all of node, core's and node's own",
    code: `export * from "@effect-gr4vy/node"`,
    platform: "node",
    external: others,
    limit: 30_600
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

if (process.argv[1] === import.meta.filename) {
  const sizes = await measure()
  console.log(sizeTable(sizes))
  const excess = tooLarge(sizes)
  if (excess.length > 0) {
    console.error(`\nToo large. If that is meant, raise the limit in test/packages/size.ts.\n${excess.join("\n")}`)
    process.exitCode = 1
  }
}
