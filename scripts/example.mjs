// Runs an example by its number, once everything is built: npm run example 02. An example is a file, or a directory with
// a main.ts.
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"

const [number, ...args] = process.argv.slice(2)
const examples = readdirSync("examples")
  .filter((name) => /^\d\d-/.test(name))
  .map((name) => (existsSync(`examples/${name}/main.ts`) ? `${name}/main.ts` : name))
  .filter((name) => name.endsWith(".ts"))
const file = number && examples.find((name) => name.startsWith(number.padStart(2, "0")))

if (!file) {
  console.error(`Which one? npm run example NUMBER\n\n${examples.join("\n")}`)
  process.exit(1)
}

if (!existsSync("examples/dist")) {
  console.error("The examples are not built yet. Run this first: npm run setup && npm run build")
  process.exit(1)
}

const command = file.endsWith(".test.ts")
  ? ["node_modules/vitest/vitest.mjs", "run", `examples/${file}`]
  : [`examples/dist/${file.replace(/ts$/, "js")}`]
process.exit(spawnSync(process.execPath, [...command, ...args], { stdio: "inherit" }).status ?? 1)
