/**
 * A registry on loopback, as a process of its own: verdaccio, in front of the registry that npm is configured with. It
 * tells its address to the process that started it, and ends with it, after an hour at the latest.
 */
import { createRequire } from "node:module"
import { join } from "node:path"

const [tools = "", storage = "", upstream = ""] = process.argv.slice(2)

// Given as a value: the address of the upstream registry is in no file.
const config = {
  storage,
  self_path: join(storage, "config.yaml"),
  uplinks: { upstream: { url: upstream, timeout: "60s", maxage: "1h" } },
  packages: {
    "@effect-gr4vy/*": { access: "$all", publish: "$all" },
    "**": { access: "$all", proxy: "upstream" }
  },
  web: { enable: false },
  max_body_size: "50mb",
  log: { type: "stdout", format: "pretty", level: "error" }
}

const { runServer } = createRequire(join(tools, "package.json"))("verdaccio")
const server = await runServer(config)
server.listen(0, "127.0.0.1", () => process.send?.(`http://127.0.0.1:${server.address().port}`))

process.once("disconnect", () => process.exit())
setTimeout(() => process.exit(1), 60 * 60_000).unref()
