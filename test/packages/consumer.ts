/** A project outside the workspace that has installed the packed tarballs, as a user would. */
import { execFile } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { cp, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

/** The repository's root, from the sources as well as from the build. */
export const root = fileURLToPath(
  new URL(import.meta.url.includes("/test/dist/") ? "../../../" : "../../", import.meta.url)
)

/** The folders of `packages/` with a manifest: every one of them is published. */
export const published: ReadonlyArray<string> = readdirSync(join(root, "packages")).filter((name) =>
  existsSync(join(root, "packages", name, "package.json"))
)

/** The packages for Effect 3. The others are a bundle and its face for Effect 4, which nobody installs beside them. */
export const names: ReadonlyArray<string> = published.filter((name) => name !== "promise" && name !== "effect4")

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

/** Packs packages into a folder, with the versions in place of `workspace:`, and returns the tarballs. */
export const pack = async (dir: string, names = published): Promise<ReadonlyArray<string>> => {
  const { packageManager } = await readJson(join(root, "package.json"))
  const filters = names.map((name) => `--filter=./packages/${name}`)
  await run(root, "npx", "--yes", String(packageManager), "-r", ...filters, "pack", "--pack-destination", dir)
  return (await readdir(dir)).filter((file) => file.endsWith(".tgz")).map((file) => join(dir, file))
}

export interface Consumer {
  readonly dir: string
  /** Where a package was installed. */
  readonly installed: (name: string) => string
  readonly tarballs: ReadonlyArray<string>
}

const packageName = (tarball: string) =>
  basename(tarball).replace(/^effect-gr4vy-(\w+)-.*$/, (_, name) => `@effect-gr4vy/${name}`)

/** The peers of our packages, in the versions that the packages are developed with. */
const developedWith = async (): Promise<Readonly<Record<string, string>>> => {
  const { devDependencies, peerDependencies } = await readJson(join(root, "packages/node/package.json"))
  return Object.fromEntries(Object.keys(Object(peerDependencies)).map((name) => [name, Object(devDependencies)[name]]))
}

const install = async (dir: string, manifest: object, ...flags: ReadonlyArray<string>) => {
  const consumer = { name: "consumer", version: "0.0.0", private: true, type: "module", ...manifest }
  await writeFile(join(dir, "package.json"), JSON.stringify(consumer))
  await run(dir, "npm", "install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", ...flags)
}

/** Packs the promise package, and installs it where there is nothing else but `dependencies`. */
export const makePromiseConsumer = async (dependencies: Readonly<Record<string, string>> = {}) => {
  const dir = await mkdtemp(join(tmpdir(), "effect-gr4vy-promise-"))
  const [tarball = ""] = await pack(dir, ["promise"])
  await install(dir, { dependencies: { "@effect-gr4vy/promise": `file:${basename(tarball)}`, ...dependencies } })
  return { dir, tarball, installed: join(dir, "node_modules/@effect-gr4vy/promise") }
}

/** Packs the package for Effect 4, and installs it and the promise package beside Effect 4 and `dependencies`. */
export const makeEffect4Consumer = async (dependencies: Readonly<Record<string, string>> = {}) => {
  const dir = await mkdtemp(join(tmpdir(), "effect-gr4vy-effect4-"))
  const tarballs = await pack(dir, ["promise", "effect4"])
  const { devDependencies } = await readJson(join(root, "packages/effect4/package.json"))
  const ours = Object.fromEntries(tarballs.map((file) => [packageName(file), `file:${basename(file)}`]))
  await install(dir, { dependencies: { ...ours, effect: Object(devDependencies)["effect"], ...dependencies } })
  const tarball = tarballs.find((file) => packageName(file).endsWith("effect4")) ?? ""
  return { dir, tarball, installed: join(dir, "node_modules/@effect-gr4vy/effect4") }
}

/** Packs the packages for Effect 3, and installs them beside the given dependencies: their peers as developed with, by default. */
export const makeConsumer = async (
  others?: Readonly<Record<string, string>>,
  ...flags: ReadonlyArray<string>
): Promise<Consumer> => {
  const dir = await mkdtemp(join(tmpdir(), "effect-gr4vy-consumer-"))
  const tarballs = await pack(dir, names)
  const { devDependencies: tools } = await readJson(join(root, "package.json"))
  const dependencies = {
    ...(others ?? (await developedWith())),
    ...Object.fromEntries(tarballs.map((file) => [packageName(file), `file:${basename(file)}`]))
  }
  const devDependencies = { "@types/node": Object(tools)["@types/node"] }
  await install(dir, { dependencies, devDependencies }, ...flags)
  return { dir, tarballs, installed: (name) => join(dir, "node_modules/@effect-gr4vy", name) }
}

/** The public modules of a package, as somebody imports them. */
export const subpaths = async (consumer: Consumer, name: string): Promise<ReadonlyArray<string>> =>
  (await readdir(join(consumer.installed(name), "dist")))
    .filter((file) => file.endsWith(".js"))
    .map((file) => `@effect-gr4vy/${name}/${file.slice(0, -3)}`)

/** Writes what a user might: a program, the READMEs' programs, and an import of every module. Returns the files. */
export const writeSources = async (consumer: Consumer): Promise<ReadonlyArray<string>> => {
  const programs = join(root, "test/packages/consumer")
  await cp(programs, consumer.dir, { recursive: true })
  for (const name of names) {
    const readme = await readFile(join(consumer.installed(name), "README.md"), "utf8")
    const [block] = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code)
    await writeFile(join(consumer.dir, `readme-${name}.ts`), block ?? "")
    const everything = (await subpaths(consumer, name)).map((subpath, i) => `export * as m${i} from "${subpath}"`)
    await writeFile(join(consumer.dir, `everything-${name}.ts`), everything.join("\n"))
  }
  return [...(await readdir(programs)), ...names.flatMap((name) => [`readme-${name}.ts`, `everything-${name}.ts`])]
}

/** Type-checks everything that is imported, Effect's declarations included, and compiles into `out/`. */
export const compile = (consumer: Consumer, files: ReadonlyArray<string>): Promise<string> => {
  const strict = ["--strict", "--skipLibCheck", "false", "--exactOptionalPropertyTypes", "--target", "es2022"]
  const options = [...strict, "--module", "nodenext", "--types", "node", "--outDir", "out"]
  return run(consumer.dir, join(root, "node_modules/.bin/tsc"), ...options, ...files)
}
