import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const packages = fileURLToPath(new URL("packages", import.meta.url))

/** Tests that change their process, or watch all of it. All others share one: it loads every module once. */
const alone = [
  "test/node/telemetry/*.test.ts",
  "test/node/tenants/*.test.ts",
  "test/node/resilience/{leaks,memory}.test.ts",
  "test/sandbox/tracing.test.ts",
  "examples/*.test.ts"
]

export default defineConfig({
  resolve: {
    // Tests run over the sources, so that an edit shows without a build. What is tested as it is packed is started as a
    // process of its own, or is the bundle of the promise package.
    alias: [
      { find: /^@effect-gr4vy\/(api|core|node|sandbox)$/, replacement: `${packages}/$1/src/index.ts` },
      { find: /^@effect-gr4vy\/(api|core|node|sandbox)\/(.+)$/, replacement: `${packages}/$1/src/$2.ts` },
      {
        find: /^(?:\.\.\/)+packages\/(api|core|node|sandbox)\/dist\/(.+)\.js$/,
        replacement: `${packages}/$1/src/$2.ts`
      }
    ]
  },
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // What a passing test prints is nobody's business; a failing one shows all of it.
    silent: "passed-only",
    // Two processes at most, also on bigger machines: the tests share loopback and time their waits.
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...alone],
          poolOptions: { forks: { isolate: false } }
        }
      },
      { extends: true, test: { name: "alone", include: alone } }
    ]
  }
})
