import { defineConfig } from "vitest/config"

/** Tests that change nothing in their process and watch nothing of it: one loads all modules for all of them. */
const shared = [
  "test/core/*.test.ts",
  "test/node/config.test.ts",
  "test/node/resilience/!(interruption|leaks|memory|secrets|tls).test.ts"
]

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // What a passing test prints is nobody's business; a failing one shows all of it.
    silent: "passed-only",
    // Two processes at most, also on bigger machines: the tests share loopback and time their waits.
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } },
    projects: [
      { extends: true, test: { name: "shared", include: shared, poolOptions: { forks: { isolate: false } } } },
      {
        extends: true,
        test: {
          name: "alone",
          include: ["test/**/*.test.ts", "examples/*.test.ts"],
          exclude: ["**/node_modules/**", ...shared]
        }
      }
    ]
  }
})
