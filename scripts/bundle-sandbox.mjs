// Bundles `gr4vy-sandbox` into one file, with everything it needs: the package's dependencies stay those of the client.
import { chmod } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const node = fileURLToPath(new URL("../packages/node/", import.meta.url))
const outfile = `${node}dist/bin/gr4vy-sandbox.js`

await build({
  entryPoints: [`${node}bin/gr4vy-sandbox.ts`],
  outfile,
  bundle: true,
  platform: "node",
  target: "node20.18",
  format: "esm",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "inline",
  logLevel: "warning",
  // Some CommonJS among the dependencies asks for Node's modules by `require`.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
  }
})
await chmod(outfile, 0o755)
