/** The package managers, each as a new user runs it: fresh caches, our registry, nothing configured. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { root, run } from "../packages/consumer.js"

if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) {
  throw new Error("The packages with the binaries of pnpm and bun are named here for Linux on x64 and arm64.")
}

// Binaries from the packages that hold them: pnpm's and bun's own packages fetch them with a script.
const packages = {
  verdaccio: "6.8.0",
  pnpm: `npm:@pnpm/exe.linux-${process.arch}@12.21.0`,
  yarn: "1.22.22",
  berry: "npm:@yarnpkg/cli-dist@4.18.1",
  bun: `npm:@oven/bun-linux-${process.arch === "x64" ? "x64" : "aarch64"}@1.4.5`
}

export const tools = join(root, "node_modules/.cache/install")

export const fetchTools = async (): Promise<void> => {
  await mkdir(tools, { recursive: true })
  // Something in verdaccio asks for the tag `cjs` of node-fetch, which not every mirror of the registry has.
  const overrides = { "node-fetch": "2.7.0" }
  await writeFile(join(tools, "package.json"), JSON.stringify({ private: true, dependencies: packages, overrides }))
  await run(tools, "npm", "install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
}

export interface Manager {
  readonly name: string
  readonly add: ReadonlyArray<string>
  /** What stands for `node`: a plug'n'play installation has no `node_modules`. */
  readonly node: ReadonlyArray<string>
  readonly version: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

const tool = (...path: ReadonlyArray<string>) => join(tools, "node_modules", ...path)
const node = process.execPath
const yarn = [node, tool("yarn/bin/yarn.js")]
const berry = [node, tool("berry/bin/yarn.js")]
const pnpm = [tool("pnpm/pnpm")]

export const managers: ReadonlyArray<Manager> = [
  { name: "npm", add: ["npm", "install"], node: [node], version: ["npm", "--version"] },
  { name: "pnpm", add: [...pnpm, "add", "--ignore-scripts"], node: [node], version: [...pnpm, "--version"] },
  { name: "yarn classic", add: [...yarn, "add", "--non-interactive"], node: [node], version: [...yarn, "--version"] },
  {
    name: "yarn, node_modules",
    add: [...berry, "add"],
    node: [node],
    version: [...berry, "--version"],
    env: { YARN_NODE_LINKER: "node-modules" }
  },
  { name: "yarn, plug'n'play", add: [...berry, "add"], node: [...berry, "node"], version: [...berry, "--version"] },
  { name: "bun", add: [tool("bun/bin/bun"), "add"], node: [node], version: [tool("bun/bin/bun"), "--version"] }
]

/** The environment of a new user whose registry is ours. Their caches are in `home`. */
export const environment = (home: string, registry: string): Readonly<Record<string, string>> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: home,
  CI: "true",
  npm_config_registry: `${registry}/`,
  pnpm_config_registry: `${registry}/`,
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_update_notifier: "false",
  // Publishing asks for a token, whatever it is.
  [`npm_config_//${new URL(registry).host}/:_authToken`]: "any",
  BUN_CONFIG_REGISTRY: `${registry}/`,
  YARN_NPM_REGISTRY_SERVER: registry,
  YARN_UNSAFE_HTTP_WHITELIST: "127.0.0.1",
  YARN_ENABLE_TELEMETRY: "false",
  YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
  // The packages were published a moment ago.
  YARN_NPM_MINIMAL_AGE_GATE: "0",
  pnpm_config_minimum_release_age: "0"
})
