// Bundles `gr4vy-sandbox` into one file with everything it needs, and collects the licence of every package that is in it.
import { chmod, readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { writeLicences } from "./licences.mjs"

const root = fileURLToPath(new URL("../packages/sandbox/", import.meta.url))
const outfile = join(root, "dist/bin/gr4vy-sandbox.js")
const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ["bin/gr4vy-sandbox.ts"],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20.18",
  format: "esm",
  define: { VERSION: JSON.stringify(version) },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  // Some CommonJS among the dependencies asks for Node's modules by `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
  }
})
await chmod(outfile, 0o755)

// The docs page is Swagger UI, which is a text in a module of the platform's: its licence is in no package of ours.
const [, swagger] = /PACKAGE_VERSION:\\?"([\d.]+)/.exec(await readFile(outfile, "utf8")) ?? []
const swaggerNotice = new URL(`licences/swagger-ui-${swagger}.txt`, import.meta.url)
await writeLicences(root, metafile, [`swagger-ui ${swagger} (Apache-2.0)\n\n${await readFile(swaggerNotice, "utf8")}`])
