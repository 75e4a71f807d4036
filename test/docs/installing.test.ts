/** The packages that docs/installing.md packs for a project can be installed next to the versions in its line. */
import { readdirSync, readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"

const root = new URL("../../", import.meta.url)
const read = (file: string) => readFileSync(new URL(file, root), "utf8")

interface Manifest {
  readonly name: string
  readonly peerDependencies?: Readonly<Record<string, string>>
}

it("packs only packages for the Effect that it installs", () => {
  const page = read("docs/installing.md")
  const pack = /^npx pnpm\S* .* pack .*$/m.exec(page)?.[0] ?? ""
  const filters = Array.from(pack.matchAll(/--filter "([^"]+)"/g), ([, filter = ""]) => filter)
  assert.include(filters, "./packages/*")
  const [, major = ""] = /npm install \.\/\*\.tgz effect@(\d+)/.exec(page) ?? []
  const others = readdirSync(new URL("packages/", root))
    // A manifest of this repository has a name, and may have peers.
    .map((folder): Manifest => JSON.parse(read(`packages/${folder}/package.json`)))
    .filter(({ name }) => !filters.includes(`!${name}`))
    .filter(({ peerDependencies = {} }) => !(peerDependencies["effect"] ?? `^${major}.`).startsWith(`^${major}.`))
    .map(({ name }) => name)
  assert.deepStrictEqual(others, [])
})
