import { existsSync } from "node:fs"
import { readdir, readFile, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as ts from "typescript"
import { type Consumer, compile, makeConsumer, names, readJson, root, run, subpaths, writeSources } from "./consumer.js"

let consumer: Consumer
let sources: ReadonlyArray<string>
beforeAll(async () => {
  consumer = await makeConsumer()
  sources = await writeSources(consumer)
}, 120_000)
afterAll(() => rm(consumer.dir, { recursive: true, force: true }))

const filesOf = async (name: string) =>
  (await readdir(consumer.installed(name), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(consumer.installed(name).length + 1))

const formatHost: ts.FormatDiagnosticsHost = {
  getCanonicalFileName: (name) => name,
  getCurrentDirectory: () => consumer.dir,
  getNewLine: () => "\n"
}

const bin = (name: string) => join(root, "node_modules/.bin", name)

const node = (...args: ReadonlyArray<string>) => run(consumer.dir, process.execPath, ...args)

describe("a packed package", () => {
  it.each(names)("%s has its README, its licence, and no file of the build's own", async (name) => {
    const files = await filesOf(name)
    for (const file of ["README.md", "LICENSE", "package.json", "dist/index.js", "dist/index.d.ts", "src/index.ts"]) {
      assert.include(files, file)
    }
    // A package with a bundle in it has the licences of the bundle's code.
    assert.strictEqual(files.includes("THIRD-PARTY-LICENSES"), name === "sandbox")
    assert.deepStrictEqual(
      files.filter(
        (file) =>
          !/^(README\.md|LICENSE|THIRD-PARTY-LICENSES|package\.json|dist\/.+\.(js|d\.ts|map)|src\/.+\.ts)$/.test(file)
      ),
      []
    )
  })

  it.each(names)("%s has maps that lead to the sources it carries", async (name) => {
    const maps = (await filesOf(name)).filter((file) => file.endsWith(".map"))
    assert.isAbove(maps.length, 10)
    for (const map of maps.map((file) => join(consumer.installed(name), file))) {
      const { sources } = await readJson(map)
      assert.isTrue(Array.isArray(sources) && sources.length > 0, map)
      for (const source of Object.values(Object(sources))) {
        assert.isTrue(existsSync(join(dirname(map), String(source))), `${map} → ${source}`)
      }
    }
  })

  it("has the dependencies it was given, and no others", async () => {
    const core = await readJson(join(consumer.installed("core"), "package.json"))
    const node = await readJson(join(consumer.installed("node"), "package.json"))
    const sandbox = await readJson(join(consumer.installed("sandbox"), "package.json"))
    assert.isUndefined(core["dependencies"])
    assert.sameMembers(Object.keys(Object(core["peerDependencies"])), ["effect", "@effect/platform"])
    assert.sameMembers(Object.keys(Object(node["dependencies"])), ["jose", "undici"])
    assert.sameMembers(Object.keys(Object(node["peerDependencies"])), [
      "@effect-gr4vy/core",
      "effect",
      "@effect/platform",
      "@opentelemetry/api"
    ])
    assert.sameMembers(Object.keys(Object(sandbox["dependencies"])), ["@effect-gr4vy/api", "jose"])
    assert.sameMembers(Object.keys(Object(sandbox["peerDependencies"])), [
      "@effect-gr4vy/core",
      "effect",
      "@effect/platform"
    ])
  })

  it.each(["node", "sandbox"])(
    "of %s accepts core as a peer from its own version on, within its minor",
    async (name) => {
      const { peerDependencies, version } = await readJson(join(consumer.installed(name), "package.json"))
      assert.strictEqual(Object(peerDependencies)["@effect-gr4vy/core"], `~${version}`)
    }
  )

  it("of the sandbox has the licence of every package in its command", async () => {
    const licences = await readFile(join(consumer.installed("sandbox"), "THIRD-PARTY-LICENSES"), "utf8")
    for (const name of ["effect", "@effect/platform", "@effect/platform-node", "jose"]) {
      assert.match(licences, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(MIT\\)$`, "m"))
    }
    assert.match(licences, /Copyright \(c\) 2023 Effectful Technologies Inc/)
    // The docs page, which is a text in a module of the platform's.
    assert.match(licences, /^swagger-ui \d+\.\d+\.\d+ \(Apache-2\.0\)$/m)
  })

  it("of the sandbox has a command that runs by itself", async () => {
    const help = await node("node_modules/.bin/gr4vy-sandbox", "--help")
    assert.include(help, "--fault")
  })

  it("has the same version in its traces and tokens as in its package.json", async () => {
    const { version } = await readJson(join(consumer.installed("node"), "package.json"))
    const own = await import(join(consumer.installed("node"), "dist/internal/version.js"))
    assert.strictEqual(own.version, version)
  })

  it("runs nothing when it is installed, nor does the workspace", async () => {
    const ours = ["package.json", "examples/package.json", "test/package.json"].map((file) => join(root, file))
    const packed = ["@effect-gr4vy/core", "@effect-gr4vy/node", "@effect-gr4vy/sandbox", "undici", "jose"].map((name) =>
      join(consumer.dir, "node_modules", name, "package.json")
    )
    for (const manifest of [...ours, ...packed]) {
      const scripts = Object(await readJson(manifest))["scripts"] ?? {}
      // `prepare` runs in a clone, not where a tarball is installed.
      const hooks = ["preinstall", "install", "postinstall", ...(ours.includes(manifest) ? ["prepare"] : [])]
      assert.deepStrictEqual(
        Object.keys(scripts).filter((script) => hooks.includes(script)),
        [],
        manifest
      )
    }
  })

  it("is clean for publint", async () => {
    for (const tarball of consumer.tarballs) await run(root, bin("publint"), tarball, "--strict")
  })

  it("has types that agree with its code, for attw", async () => {
    for (const name of names) {
      const tarball = consumer.tarballs.find((file) => file.includes(`gr4vy-${name}-`)) ?? ""
      const entrypoints = [
        ".",
        ...(await subpaths(consumer, name)).map((subpath) => subpath.split("/").slice(2).join("/"))
      ]
      await run(root, bin("attw"), tarball, "--profile", "esm-only", "--entrypoints", ...entrypoints)
    }
  }, 120_000)
})

describe("in a project outside the workspace", () => {
  it("type-checks with skipLibCheck off, and runs a program", async () => {
    await compile(consumer, sources)
    const outcome = { type: "checkout-session", gone: "NotFound", requests: 5 }
    assert.deepStrictEqual(JSON.parse(await node("out/program.js")), outcome)
    assert.match(await node("out/readme-sandbox.js"), /checkout-session[\s\S]*could not be found/)
  }, 120_000)

  const bundler = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }

  it.each<[string, RegExp, ts.CompilerOptions]>([
    ["in a bundler, without exactOptionalPropertyTypes", /./, { ...bundler, types: ["node"] }],
    ["core in a browser, without Node's types", /-core/, { ...bundler, types: [], exactOptionalPropertyTypes: true }]
  ])(
    "our declarations type-check %s",
    (_, files, options) => {
      const program = ts.createProgram(
        sources.filter((file) => files.test(file)).map((file) => join(consumer.dir, file)),
        { ...options, strict: true, skipLibCheck: false, noEmit: true, target: ts.ScriptTarget.ES2022 }
      )
      // Effect's own declarations are the first test's business: they are what takes long.
      const theirs = /node_modules\/(?!@effect-gr4vy\/)/
      const checked = program.getSourceFiles().filter(({ fileName }) => !theirs.test(fileName))
      assert.isAbove(checked.length, 12)
      const problems = checked.flatMap((file) => [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file)
      ])
      assert.strictEqual(ts.formatDiagnostics([...program.getGlobalDiagnostics(), ...problems], formatHost), "")
    },
    120_000
  )

  it("every public module can be imported, an internal one cannot", async () => {
    const open = (await Promise.all(names.map((name) => subpaths(consumer, name)))).flat()
    const closed = (await Promise.all(names.map(filesOf))).flatMap((files, i) =>
      files
        .filter((file) => /^dist\/internal\/.*\.js$/.test(file))
        .map((file) => `@effect-gr4vy/${names[i]}/${file.slice("dist/".length, -3)}`)
    )
    assert.isAbove(closed.length, 10)
    const script = `
      const codes = {}
      for (const name of process.argv.slice(1)) codes[name] = await import(name).then(() => "open", (error) => error.code)
      console.log(JSON.stringify(codes))`
    const codes = JSON.parse(await node("--input-type=module", "-e", script, ...open, ...closed))
    assert.deepStrictEqual(
      codes,
      Object.fromEntries([
        ...open.map((name) => [name, "open"]),
        ...closed.map((name) => [name, "ERR_PACKAGE_PATH_NOT_EXPORTED"])
      ])
    )
  })
})
