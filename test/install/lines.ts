/** The install lines of the documentation, each with the program that stands below it. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { published, root } from "../packages/consumer.js"

export interface InstallLine {
  readonly file: string
  /** What is installed, flags included: the line without `npm install`. */
  readonly packages: ReadonlyArray<string>
  /** The first TypeScript block between this line and the next. */
  readonly program: string | undefined
}

const files = [
  "README.md",
  ...published.map((name) => `packages/${name}/README.md`),
  "examples/README.md",
  ...readdirSync(join(root, "docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`)
]

const fence = /^```(sh|ts)\n(.*?)^```$/gms

const linesOf = (file: string): ReadonlyArray<InstallLine> => {
  const found: Array<InstallLine> = []
  for (const [, language, code = ""] of readFileSync(join(root, file), "utf8").matchAll(fence)) {
    const last = found.at(-1)
    if (language === "ts") {
      if (last !== undefined && last.program === undefined) found.splice(-1, 1, { ...last, program: code })
      continue
    }
    for (const line of code.split("\n")) {
      const [, packages] = /^npm (?:install|i|add) (.+)$/.exec(line.trim()) ?? []
      if (packages !== undefined) found.push({ file, packages: packages.split(" "), program: undefined })
    }
  }
  return found
}

export const installLines: ReadonlyArray<InstallLine> = files.flatMap(linesOf)
