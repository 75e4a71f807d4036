// Bundles `@effect-gr4vy/promise` with everything but its two dependencies, and collects the licence of every package that
// is in it. The package and its bridge share the files of `dist/engine`.
import { rm } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { writeLicences } from "./licences.mjs"

const root = fileURLToPath(new URL("../packages/promise/", import.meta.url))

// undici costs a fifth of the import, and is needed by the first call alone. The module that imports it is loaded
// lazily, so that this `await` is none of the bundle's own: `require` takes no ES module that has one.
const lazyUndici = {
  name: "lazy-undici",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^undici\/index\.js$/ }, ({ kind, path }) =>
      kind === "import-statement" ? { path, namespace: "lazy" } : { path, external: true }
    )
    onLoad({ filter: /.*/, namespace: "lazy" }, ({ path }) => ({
      contents: `export const { buildConnector, Client, EnvHttpProxyAgent } = await import("${path}")`
    }))
  }
}

// A file's name has a hash of its content, so that those of an earlier build would stay.
await rm(`${root}dist/engine`, { recursive: true, force: true })

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ["src/index.ts", "src/spi/bridge.ts"],
  outdir: "dist",
  bundle: true,
  // A resource of the API is a file that is loaded when it is first called.
  splitting: true,
  chunkNames: "engine/[hash]",
  platform: "node",
  target: "node20.18",
  format: "esm",
  external: ["jose"],
  plugins: [lazyUndici],
  // OpenTelemetry's API is in the bundle: it finds the process's SDK in a global registry, whichever copy registered it,
  // so that it may be there or not. As ES modules, so that only what is used is.
  conditions: ["module"],
  // Names stay as they are, for stack traces; lines stay short, because Node prints the line of an uncaught error.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 120,
  legalComments: "none",
  metafile: true,
  logLevel: "warning"
})

await writeLicences(root, metafile)
