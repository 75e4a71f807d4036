/** Prometheus' own tools, where they are installed: on Debian, `apt-get install prometheus`. */
import { spawnSync } from "node:child_process"

export const hasPromtool = spawnSync("promtool", ["--version"]).status === 0

/** Returns what promtool printed; throws that if it failed. */
export const promtool = (...args: ReadonlyArray<string>): string => {
  const { status, stderr, stdout } = spawnSync("promtool", args, { encoding: "utf8" })
  if (status !== 0) throw new Error(`promtool ${args.join(" ")}\n${stdout}${stderr}`)
  return stdout
}
