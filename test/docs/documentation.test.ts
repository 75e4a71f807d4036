/**
 * Every TypeScript block of the documentation, and every example in a docstring, compiles as it stands; every link leads
 * somewhere.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import ts from "typescript"
import { installLines } from "../install/lines.js"

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "../..")

interface Block {
  /** Where it stands, as `file:line`. */
  readonly place: string
  readonly code: string
}

const files = readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .filter((file) => !/(^|\/)(node_modules|dist|\.git|\.stryker-tmp|api|api-report)\//.test(file))

const sources = files.filter((file) => /\.md$/.test(file) || /^packages\/(core|node|promise)\/src\/.*\.ts$/.test(file))

const blocksOf = (file: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let open: { readonly line: number; readonly lines: Array<string> } | undefined
  readFileSync(join(root, file), "utf8")
    .split("\n")
    .forEach((raw, index) => {
      const line = file.endsWith(".ts") ? raw.replace(/^\s*\* ?/, "") : raw
      if (open === undefined && /^\s*```(ts|typescript)\s*$/.test(line)) open = { line: index + 1, lines: [] }
      else if (open !== undefined && /^\s*```\s*$/.test(line)) {
        blocks.push({ place: `${file}:${open.line}`, code: open.lines.join("\n") })
        open = undefined
      } else open?.lines.push(line)
    })
  return blocks
}

// A block that shows an example's file is compiled there, with its imports.
const compiled = new Set(
  files
    .filter((file) => /^examples\/.*\.ts$/.test(file))
    .map((file) => readFileSync(join(root, file), "utf8").trimEnd())
)

// Here Effect 4 has another name, beside Effect 3.
const named = ({ code, place }: Block): Block => ({
  place,
  code: code.includes("@effect-gr4vy/effect4") ? code.replace(/from "effect(?=["/])/g, 'from "effect4') : code
})

const blocks = sources
  .flatMap(blocksOf)
  .filter(({ code }) => !compiled.has(code))
  .map(named)

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (file: string): ReadonlySet<string> =>
  new Set(
    Array.from(readFileSync(join(root, file), "utf8").matchAll(/^#+ (.+)$/gm), ([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-")
    )
  )

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: true,
  noEmit: true,
  types: ["node"]
}

// The blocks are files of this folder that exist in memory alone, so that they see the packages as a user does.
const compile = (blocks: ReadonlyArray<Block>): ReadonlyMap<string, string> => {
  const virtual = new Map(blocks.map((block, index) => [join(here, `block-${index}.mts`), block]))
  const host = ts.createCompilerHost(options)
  const { fileExists, getSourceFile, readFile } = host
  host.fileExists = (name) => virtual.has(name) || fileExists(name)
  host.readFile = (name) => virtual.get(name)?.code ?? readFile(name)
  host.getSourceFile = (name, ...rest) => {
    const block = virtual.get(name)
    return block === undefined
      ? getSourceFile(name, ...rest)
      : ts.createSourceFile(name, block.code, ts.ScriptTarget.ES2022, true)
  }
  const program = ts.createProgram([...virtual.keys()], options, host)
  const problems = new Map<string, string>()
  for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
    const block = diagnostic.file === undefined ? undefined : virtual.get(diagnostic.file.fileName)
    const place = block?.place ?? diagnostic.file?.fileName ?? "options"
    problems.set(
      place,
      `${problems.get(place) ?? ""}${ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n")}\n`
    )
  }
  return problems
}

describe("documentation", () => {
  it("compiles, block by block", { timeout: 120_000 }, () => {
    assert.isAbove(blocks.length, 15)
    const problems = compile(blocks)
    assert.strictEqual([...problems].map(([place, problem]) => `${place}\n${problem}`).join("\n"), "")
  })

  it("links to files that are there", () => {
    const broken = sources.flatMap((file) =>
      file.endsWith(".md")
        ? Array.from(
            readFileSync(join(root, file), "utf8").matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g),
            ([, target]) => target ?? ""
          )
            .filter((target) => !existsSync(join(root, dirname(file), target)))
            .map((target) => `${file} → ${target}`)
        : []
    )
    assert.deepStrictEqual(broken, [])
  })

  it("links to headings that are there", () => {
    const broken = sources.flatMap((file) =>
      file.endsWith(".md")
        ? Array.from(
            readFileSync(join(root, file), "utf8").matchAll(/\]\((?!https?:)([^)#\s]*\.md|)#([^)\s]+)\)/g),
            ([, target = "", anchor = ""]) => ({ target: join(dirname(file), target), anchor, own: target === "" })
          )
            .filter(({ anchor, own, target }) => !anchorsOf(own ? file : target).has(anchor))
            .map(({ anchor, target }) => `${file} → ${target}#${anchor}`)
        : []
    )
    assert.deepStrictEqual(broken, [])
  })

  it("names a version for every package that an install line adds to ours", () => {
    assert.isAbove(installLines.length, 5)
    const open = installLines.flatMap(({ file, packages }) =>
      packages.filter((name) => !/^(-|@effect-gr4vy\/)|.@\d/.test(name)).map((name) => `${file}: ${name}`)
    )
    assert.deepStrictEqual(open, [])
  })

  it("has a row in the README for each package", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8")
    const names = readdirSync(join(root, "packages"))
      .map((folder) => join(root, "packages", folder, "package.json"))
      .filter((file) => existsSync(file))
      .map((file): string => JSON.parse(readFileSync(file, "utf8")).name)
    assert.isAbove(names.length, 3)
    assert.deepStrictEqual(
      names.filter((name) => !readme.includes(`\n| \`${name}\` |`)),
      []
    )
  })

  it("says the size of the promise package's bundle, to a twentieth", () => {
    const dist = join(root, "packages/promise/dist")
    const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".js"))
    const built = files.reduce((sum, file) => sum + statSync(join(dist, file)).size, 0) / 1000
    for (const [file, said] of [
      ["docs/promise.md", /bundle is about (\d+) kB/],
      ["docs/runtimes.md", /bundle of `@effect-gr4vy\/promise` is (\d+) kB/]
    ] as const) {
      const [, kilobytes] = said.exec(readFileSync(join(root, file), "utf8")) ?? []
      assert.approximately(Number(kilobytes), built, built / 20, file)
    }
  })

  it("is compiled by this test: a block with an error is found", () => {
    const problems = compile([{ place: "a:1", code: "const a: number = 'text'" }])
    assert.include(problems.get("a:1") ?? "", "not assignable")
  })
})
