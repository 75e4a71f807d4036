/** A project outside the workspace that has installed the packed tarballs, as a user would. */
import { execFile } from "node:child_process"
import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

/** The repository's root, from the sources as well as from the build. */
export const root = fileURLToPath(
  new URL(import.meta.url.includes("/test/dist/") ? "../../../" : "../../", import.meta.url)
)

export const names = ["core", "node"] as const

export const readJson = async (file: string): Promise<Readonly<Record<string, unknown>>> =>
  JSON.parse(await readFile(file, "utf8"))

/** Runs a command; on failure the error shows what it printed. */
export const run = async (cwd: string, file: string, ...args: ReadonlyArray<string>): Promise<string> => {
  try {
    return (await promisify(execFile)(file, args, { cwd, maxBuffer: 2 ** 26 })).stdout
  } catch (error) {
    const { stderr, stdout } = Object(error)
    throw new Error(`${basename(file)} ${args.join(" ")}\n${stdout}${stderr}`)
  }
}

export interface Consumer {
  readonly dir: string
  /** Where a package was installed. */
  readonly installed: (name: (typeof names)[number]) => string
  readonly tarballs: ReadonlyArray<string>
}

const packageName = (tarball: string) =>
  basename(tarball).replace(/^effect-gr4vy-(\w+)-.*$/, (_, name) => `@effect-gr4vy/${name}`)

const pack = async (dir: string, names: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  const { packageManager } = await readJson(join(root, "package.json"))
  const filters = names.map((name) => `--filter=./packages/${name}`)
  await run(root, "npx", "--yes", String(packageManager), "-r", ...filters, "pack", "--pack-destination", dir)
  return (await readdir(dir)).filter((file) => file.endsWith(".tgz")).map((file) => join(dir, file))
}

const install = async (dir: string, manifest: object) => {
  const consumer = { name: "consumer", version: "0.0.0", private: true, type: "module", ...manifest }
  await writeFile(join(dir, "package.json"), JSON.stringify(consumer))
  await run(dir, "npm", "install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
}

/** Packs the promise package, and installs it where there is nothing else but `dependencies`. */
export const makePromiseConsumer = async (dependencies: Readonly<Record<string, string>> = {}) => {
  const dir = await mkdtemp(join(tmpdir(), "effect-gr4vy-promise-"))
  const [tarball = ""] = await pack(dir, ["promise"])
  await install(dir, { dependencies: { "@effect-gr4vy/promise": `file:${basename(tarball)}`, ...dependencies } })
  return { dir, tarball, installed: join(dir, "node_modules/@effect-gr4vy/promise") }
}

/** Packs both packages for Effect, and installs them with the peers that they are developed with. */
export const makeConsumer = async (): Promise<Consumer> => {
  const dir = await mkdtemp(join(tmpdir(), "effect-gr4vy-consumer-"))
  const tarballs = await pack(dir, names)
  const { devDependencies, peerDependencies } = await readJson(join(root, "packages/node/package.json"))
  const { devDependencies: tools } = await readJson(join(root, "package.json"))
  await install(dir, {
    dependencies: {
      ...Object.fromEntries(tarballs.map((file) => [packageName(file), `file:${basename(file)}`])),
      ...Object.fromEntries(Object.keys(Object(peerDependencies)).map((name) => [name, Object(devDependencies)[name]]))
    },
    devDependencies: { "@types/node": Object(tools)["@types/node"] }
  })
  return { dir, tarballs, installed: (name) => join(dir, "node_modules/@effect-gr4vy", name) }
}
