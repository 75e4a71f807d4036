// Effect's own diagnostics (floating effects, missing errors or services, and the like) over every project, as errors.
import { spawnSync } from "node:child_process"

const projects = ["packages/core", "packages/node", "examples", "test"]
let failed = false
for (const project of projects) {
  const { status } = spawnSync(
    "effect-language-service",
    [
      "diagnostics",
      "--project",
      `${project}/tsconfig.json`,
      "--severity",
      "error,warning",
      "--strict",
      "--format",
      "pretty"
    ],
    { stdio: "inherit", shell: process.platform === "win32" }
  )
  failed ||= status !== 0
}
process.exitCode = failed ? 1 : 0
