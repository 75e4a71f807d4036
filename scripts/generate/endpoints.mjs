/**
 * The source of a resource: a class with its endpoints, nested as the description groups them.
 */
import { headline } from "./core.mjs"
import { camel, Unfit } from "./read.mjs"
import { wordsOf } from "./rules.mjs"
import { valuesOf } from "./types.mjs"
import { commentOf, tags } from "./words.mjs"

/** `models` are all models by their schemas, `own` those of the resource's own file, `free` the objects without a description. */
export const resourceFile = (resource, operations, { free, models, own }, texts) => {
  const imports = new Map()
  const core = new Set()
  const internal = new Set()
  const modelOf = (schema) => {
    const model = models.get(schema)
    const names = imports.get(model.file) ?? new Set()
    imports.set(model.file, names.add(model.name))
    return model.name
  }
  const bodyOf = (body, isOptional) => {
    if (body.kind === undefined && !models.has(body.schema) && !free.has(body.schema)) {
      throw new Unfit(`${body.schema} is a body, and core's: take it out of what core shares, in overlay/sessions.mjs.`)
    }
    const schema = models.has(body.schema) ? modelOf(body.schema) : undefined
    const code = schema ?? use(internal, body.kind === "anything" ? "anyJson" : "anyObject")
    return isOptional || body.kind === "anything" ? `Endpoint.optional(${code})` : code
  }
  const paramsOf = (params) =>
    `{ ${params.map(({ name, schema }) => `${name}: ${use(internal, schema.format === "uuid" ? "uuid" : "segment")}`).join(", ")} }`

  const endpointOf = (operation) => {
    const { headers, method, name, params, path, payload, query, resend, scope, success } = operation
    const options = []
    if (params.length > 0) options.push(`params: ${paramsOf(params)}`)
    if (query) options.push(`query: ${modelOf(query.name)}`)
    if (headers) options.push(`headers: ${modelOf(headers.name)}`)
    if (payload) options.push(`payload: ${bodyOf(payload, operation.isPayloadOptional)}`)
    if (success) options.push(`success: ${bodyOf(success, operation.isSuccessOptional)}`)
    if (operation.status !== (success === undefined ? 204 : method === "post" ? 201 : 200)) {
      options.push(`status: ${operation.status}`)
    }
    if (params.length > 0) options.push(`errors: [${use(core, "NotFound")}]`)
    if (method === "post" || method === "patch") options.push(`resend: ${JSON.stringify(resend)}`)
    if (scope !== undefined) options.push(`scope: ${JSON.stringify(scope)}`)
    const belonging = belongingParam(operation, models, texts)
    const [param] = params
    if (texts.belongsTo.includes(operation.id)) {
      options.push(`belongs: (answer, { ${param.name} }) => ${use(internal, "isOf")}(answer, ${param.name})`)
    } else if (belonging !== undefined) {
      options.push(`belongs: ({ id }, { ${belonging} }) => ${use(internal, "isSame")}(id, ${belonging})`)
    }
    options.push(`docs: { identifier: ${JSON.stringify(operation.id)} }`)
    return `Endpoint.${method}(${JSON.stringify(name)}, ${JSON.stringify(path)}, { ${options.join(", ")} })`
  }

  const printed = (nested) =>
    Object.entries(nested)
      .map(([name, inner]) =>
        inner.operation === undefined
          ? `${name}: {\n${printed(inner.nested)}}`
          : `${commentOf(aboutOperation(inner.operation, texts), "  ")}${name}: ${endpointOf(inner.operation)}`
      )
      .join(",\n")
  const body = printed(nestedOf(operations))

  const sorted = [...imports].sort(([one], [other]) => (one < other ? -1 : 1))
  const lines = [
    'import * as Endpoint from "@effect-gr4vy/core/Endpoint"',
    ...(core.size > 0 ? [`import { ${[...core].join(", ")} } from "@effect-gr4vy/core/Errors"`] : []),
    ...(internal.size > 0 ? [`import { ${[...internal].sort().join(", ")} } from "./internal/parts.js"`] : []),
    ...sorted.map(([file, names]) => `import { ${[...names].sort().join(", ")} } from "./models/${file}.js"`)
  ]
  const words = wordsOf(resource)
  return [
    commentOf([`The ${words} of the API, as endpoints.`, headline, ["@since 0.1.0"]]),
    `${lines.join("\n")}\n\n`,
    own.length > 0 ? `${exportsOf(own, resource)}\n` : "",
    commentOf([
      texts.resources[resource] ?? `The ${words} of the API.`,
      "`endpoints` has the endpoints, `layer` is the service over a `Gr4vyHttpClient`, `fake` is one for tests.",
      tags("services")
    ]),
    `export class ${resource} extends Endpoint.Service<${resource}>()("@effect-gr4vy/api/${resource}", {\n${body}\n}) {}\n`
  ].join("")
}

const use = (names, name) => {
  names.add(name)
  return name
}

/** The names of a file of models that users need: no declarations. */
export const exportsOf = (models, file) => {
  const values = models.flatMap((model) => [
    ...(model.hasSchema && model.kind !== "enum" ? [model.name] : []),
    ...(model.hasValues ? [valuesOf(model)] : [])
  ])
  const types = models.flatMap((model) => [
    ...(model.hasSchema && model.kind !== "enum"
      ? []
      : [model.isSent || model.kind === "enum" ? model.name : undefined]),
    ...(model.isRead && model.kind !== "enum" && (model.output !== model.name || !model.hasSchema)
      ? [model.output]
      : [])
  ])
  const list = (names) => [...new Set(names.filter((name) => name !== undefined))].sort().join(", ")
  const lines = []
  if (types.some((name) => name !== undefined))
    lines.push(`export type { ${list(types)} } from "./models/${file}.js"\n`)
  if (values.length > 0) lines.push(`export { ${list(values)} } from "./models/${file}.js"\n`)
  return lines.join("")
}

/** Operations nested as the description groups them. */
export const nestedOf = (operations) => {
  const root = {}
  for (const operation of operations) {
    const names = [...operation.names]
    const last = names.pop()
    let at = root
    for (const name of names) {
      at[name] ??= { nested: {} }
      if (at[name].nested === undefined)
        throw new Unfit(`${operation.name} is inside an operation: rename one of them.`)
      at = at[name].nested
    }
    if (at[last] !== undefined) throw new Unfit(`${operation.name} is an operation and a group: rename one of them.`)
    at[last] = { operation }
  }
  return root
}

/** The parameter that is the id of the answer. */
const belongingParam = ({ id, params, success, wirePath }, models, { belongs }) => {
  const model = models.get(success?.schema)
  const last = params.at(-1)
  if (last === undefined || !model?.fields?.some(({ wire }) => wire === "id")) return undefined
  return wirePath.endsWith(`{${last.wire}}`) || belongs.includes(id) ? last.name : undefined
}

const singular = (words) => (/details$/.test(words) ? words : words.replace(/ies$/, "y").replace(/(?<!s)s$/, ""))

const article = (words) => (/^(?:[aeiou]|API)/.test(words) ? "an" : "a")

const verbs = {
  list: (nouns) => `Lists the ${nouns}`,
  create: (_, noun) => `Creates ${article(noun)} ${noun}`,
  get: (_, noun) => `Gets ${article(noun)} ${noun}`,
  update: (_, noun) => `Changes ${article(noun)} ${noun}`,
  delete: (_, noun) => `Deletes ${article(noun)} ${noun}`
}

/** What an operation does, and what surprises about sending it twice. */
export const aboutOperation = ({ id, isGuided, method, names, params, resend, resource, wirePath }, texts) => {
  const last = names.at(-1)
  const group = names.length > 1 ? names.at(-2) : resource
  const nouns = wordsOf(group)
  const given = texts.operations[id] ?? verbs[last]?.(nouns, singular(nouns))
  if (given === undefined) {
    throw new Unfit(
      `${id} (${resource}.${names.join(".")}) needs a text in overlay/api.mjs: no rule has one for ${last}.`
    )
  }
  const ofItself = last === "list" || last === "create" ? params.length : params.length - 1
  const owner = params[ofItself - 1]
  const ownerWords = owner && names.length > 1 ? wordsOf(camel(owner.wire.replace(/_id$/, ""))) : undefined
  const of =
    texts.operations[id] === undefined && ownerWords !== undefined ? ` of ${article(ownerWords)} ${ownerWords}` : ""
  const sentences = [`${given}${of}: \`${method.toUpperCase()} ${wirePath}\`.`, resendText[resend]?.(isGuided)]
  return [sentences.filter(Boolean).join(" ")]
}

const resendText = {
  keyed: (isGuided) =>
    isGuided
      ? "Retried under its key."
      : "Retried under its key; only the API's description promises that the key is honoured, not Gr4vy's guides.",
  create: () => "A second copy creates a second session, which expires by itself.",
  once: () => "Never retried once it may have arrived."
}

/** The layer of all resources. */
export const apiFile = (resources) =>
  [
    commentOf(["All resources of the API as one layer.", headline, ["@since 0.1.0"]]),
    'import { CheckoutSessions } from "@effect-gr4vy/core/CheckoutSessions"\n',
    'import type { Gr4vyHttpClient } from "@effect-gr4vy/core/Gr4vyHttpClient"\n',
    'import * as Layer from "effect/Layer"\n',
    ...resources.map((resource) => `import { ${resource} } from "./${resource}.js"\n`),
    "\n",
    commentOf(["Every resource of the API.", tags("models")]),
    `export type Api = CheckoutSessions | ${resources.join(" | ")}\n\n`,
    commentOf([
      "Every resource over one `Gr4vyHttpClient`. A program that needs a few of them imports less with their own layers.",
      tags("layers")
    ]),
    `export const layer: Layer.Layer<Api, never, Gr4vyHttpClient> = Layer.mergeAll(CheckoutSessions.layer, ${resources
      .map((resource) => `${resource}.layer`)
      .join(", ")})\n`
  ].join("")
