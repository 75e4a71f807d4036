import { defineConfig } from "vitest/config"
import sources from "./vitest.config.js"

// For `npm run mutate`: Stryker's runner wants one project.
export default defineConfig({
  resolve: { alias: sources.resolve?.alias ?? [] },
  test: {
    include: ["test/**/*.test.ts"],
    // Stryker ends what hangs. The first run is of instrumented code, maybe on a busy machine.
    testTimeout: 600_000,
    silent: true,
    setupFiles: ["test/support/seeded.ts"]
  }
})
