/**
 * All generated files by their paths, as they are before they are formatted.
 */
import { coreFile } from "./core.mjs"
import { effect4File } from "./effect4.mjs"
import { checkOperations } from "./operations.mjs"
import * as sessions from "./overlay/sessions.mjs"
import { plainFile } from "./plain.mjs"
import { readModels } from "./read.mjs"

const models = "packages/core/src/models"

export const sourcesOf = (description, overlay = sessions) => {
  checkOperations(description)
  const files = readModels({ description, overlay })
  return {
    directories: [models],
    sources: new Map([
      ...files.map((file) => [`${models}/${file.name}.ts`, coreFile(file)]),
      ["packages/promise/src/sessions.ts", plainFile(files)],
      ["packages/effect4/src/sessions.ts", effect4File(files)]
    ])
  }
}
