import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const packages = fileURLToPath(new URL("packages", import.meta.url))

// For `npm run mutate`: the tests import the mutated sources instead of the build.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@effect-gr4vy\/(core|node|sandbox)$/, replacement: `${packages}/$1/src/index.ts` },
      { find: /^@effect-gr4vy\/(core|node|sandbox)\/(.+)$/, replacement: `${packages}/$1/src/$2.ts` },
      { find: /^(?:\.\.\/)+packages\/(core|node|sandbox)\/dist\/(.+)\.js$/, replacement: `${packages}/$1/src/$2.ts` }
    ]
  },
  test: {
    include: ["test/mutate/worker.ts"],
    pool: "threads",
    isolate: false,
    reporters: [],
    silent: true
  }
})
