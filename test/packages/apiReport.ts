/**
 * `npm run api:report`: writes what the public modules of each package export into `docs/api-report`, as declared, in
 * alphabetical order and without comments, so that a change of the public surface is seen in review. `spi/` and
 * `internal/` are not public.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import ts from "typescript"
import { published, root } from "./consumer.js"

/** The declaration files of a package's public modules, by the name they are imported by. */
const publicModules = (name: string): ReadonlyMap<string, string> => {
  const dir = join(root, "packages", name)
  const { exports } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"))
  const modules = new Map<string, string>()
  for (const [subpath, target] of Object.entries(exports)) {
    const types: unknown = Object(target).types
    if (typeof types !== "string" || subpath.startsWith("./spi/")) continue
    const [before = "", after] = types.split("*")
    const found = after === undefined ? [""] : readdirSync(join(dir, before)).filter((file) => file.endsWith(after))
    for (const file of found) {
      const stem = file.slice(0, file.length - (after ?? "").length)
      // The index stands for itself, as `.`.
      if (stem !== "index")
        modules.set(subpath.replace("*", stem), join(dir, before + (after === undefined ? "" : file)))
    }
  }
  return modules
}

const printer = ts.createPrinter({ removeComments: true })

/** The exports of one module; a declaration that another public module has is named, not repeated. */
const moduleReport = (checker: ts.TypeChecker, file: ts.SourceFile, isPublic: (file: string) => boolean): string => {
  const print = (node: ts.Node) => printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())
  const symbol = checker.getSymbolAtLocation(file)
  const entries: Array<readonly [string, string]> = []
  const seen = new Set<ts.Node>()
  const declared = (declaration: ts.Declaration): ts.Node =>
    ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  for (const exported of symbol === undefined ? [] : checker.getExportsOfModule(symbol)) {
    const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    for (const declaration of target.declarations ?? []) {
      const from = declaration.getSourceFile()
      const module = `"./${relative(join(file.fileName, ".."), from.fileName).replace(/\.d\.ts$/, ".js")}"`
      const node = declared(declaration)
      if (ts.isSourceFile(declaration)) entries.push([exported.name, `export * as ${exported.name} from ${module}`])
      else if (from !== file && isPublic(from.fileName)) {
        entries.push([exported.name, `export { ${exported.name} } from ${module}`])
      } else if (!seen.has(node)) {
        entries.push([exported.name, print(node)])
        seen.add(node)
        // A class extends a constant that has its fields and is not exported.
        const base = ts.isClassDeclaration(node) ? node.heritageClauses?.[0]?.types[0]?.expression : undefined
        const constant = base && checker.getSymbolAtLocation(base)?.valueDeclaration
        if (constant?.getSourceFile() === from) {
          entries.push([exported.name, print(declared(constant))])
          seen.add(declared(constant))
        }
      }
    }
  }
  // Types of the module's own that its exports refer to.
  for (const statement of file.statements) {
    const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)
    if (isType && !seen.has(statement)) entries.push([statement.name.text, print(statement)])
  }
  const texts = entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, text]) => text)
  return [...new Set(texts)].join("\n")
}

/** The report of a package, from its build. */
export const apiReport = (name: string): string => {
  const modules = publicModules(name)
  const program = ts.createProgram([...modules.values()], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    skipLibCheck: true,
    types: []
  })
  const checker = program.getTypeChecker()
  const index = modules.get(".")
  const files = new Set([...modules.values()].filter((file) => file !== index))
  const sections = [...modules].map(([subpath, path]) => {
    const file = program.getSourceFile(path)
    if (file === undefined) throw new Error(`${path} is missing: npm run build.`)
    const title = `@effect-gr4vy/${name}${subpath.slice(1)}`
    return `## ${title}\n\n\`\`\`ts\n${moduleReport(checker, file, (other) => files.has(other))}\n\`\`\`\n`
  })
  const intro = "Written by `npm run api:report`; compared by the tests. Public modules only."
  return `# API report: @effect-gr4vy/${name}\n\n${intro}\n\n${sections.join("\n")}`
}

export const reportFile = (name: string): string => join(root, "docs/api-report", `${name}.md`)

if (process.argv[1] === import.meta.filename) {
  mkdirSync(join(root, "docs/api-report"), { recursive: true })
  for (const name of published) writeFileSync(reportFile(name), apiReport(name))
}
