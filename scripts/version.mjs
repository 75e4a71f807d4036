// The version that traces and tokens tell is a constant, so that nothing has to be read when the package is loaded.
import { readFileSync, writeFileSync } from "node:fs"

const { version } = JSON.parse(readFileSync("packages/node/package.json", "utf8"))
const file = "packages/node/src/internal/version.ts"
writeFileSync(file, readFileSync(file, "utf8").replace(/version = ".*"/, `version = "${version}"`))
