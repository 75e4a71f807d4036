import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "examples/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // What a passing test prints is nobody's business; a failing one shows all of it.
    silent: "passed-only",
    // Two processes at most, also on bigger machines: the tests share loopback and time their waits.
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: 2 } }
  }
})
