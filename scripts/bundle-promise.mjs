// Bundles `@effect-gr4vy/promise` into one file with everything but its two dependencies, and collects the licence of
// every package that is in it.
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = fileURLToPath(new URL("../packages/promise/", import.meta.url))

// undici costs a fifth of the import, and is needed by the first call alone. The module that imports it is loaded
// lazily, so that this `await` is none of the bundle's own: `require` takes no ES module that has one.
const lazyUndici = {
  name: "lazy-undici",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^undici$/ }, ({ kind }) =>
      kind === "import-statement" ? { path: "undici", namespace: "lazy" } : { path: "undici", external: true }
    )
    onLoad({ filter: /^undici$/, namespace: "lazy" }, () => ({
      contents: 'export const { buildConnector, Client } = await import("undici")'
    }))
  }
}

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ["src/index.ts"],
  outdir: "dist",
  bundle: true,
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

// Of what is in the output: a package that is only looked at on the way leaves nothing to license.
const inputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs))
const paths = inputs.filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && path.includes("node_modules/"))
const packages = new Set(paths.map(([path]) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)[0]))

const notices = await Promise.all(
  [...packages].map(async (directory) => {
    const folder = join(root, directory)
    const { license, name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
    const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice)/i.test(file)).sort()
    if (files.length === 0) throw new Error(`${name} has no licence in its package.`)
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")))
    return `${name} ${version} (${license})\n\n${texts.map((text) => text.trim()).join("\n\n")}\n`
  })
)
// pnpm adds the workspace's own licence to a package only where no file is named like one.
await copyFile(join(root, "../../LICENSE"), join(root, "LICENSE"))
const heading = "This package contains code of the packages below, each under its own licence.\n"
await writeFile(join(root, "THIRD-PARTY-LICENSES"), [heading, ...notices.sort()].join(`\n${"-".repeat(80)}\n\n`))
