// The licence of a package, and of every other package whose code is in its bundle.
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"

/** Writes `LICENSE` and `THIRD-PARTY-LICENSES` into the package at `root`, whose bundle has this metafile of esbuild; `others` are
 * the notices of code that esbuild does not know of. */
export const writeLicences = async (root, { outputs }, others = []) => {
  // Of what is in the output: a package that is only looked at on the way leaves nothing to license.
  const inputs = Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs))
  const paths = inputs.filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && path.includes("node_modules/"))
  const packages = new Set(paths.map(([path]) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)[0]))

  const notices = await Promise.all(
    [...packages].map(async (directory) => {
      const folder = join(root, directory)
      const { license, name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
      const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice)/i.test(file)).sort()
      if (files.length === 0) throw new Error(`${name} has no licence in its package.`)
      const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "utf8")))
      return `${name} ${version} (${license})\n\n${texts.map((text) => text.trim()).join("\n\n")}\n`
    })
  )
  // pnpm adds the workspace's own licence to a package only where no file is named like one.
  await copyFile(join(root, "../../LICENSE"), join(root, "LICENSE"))
  const heading = "This package contains code of the packages below, each under its own licence.\n"
  await writeFile(
    join(root, "THIRD-PARTY-LICENSES"),
    [heading, ...[...notices, ...others].sort()].join(`\n${"-".repeat(80)}\n\n`)
  )
}
