/**
 * The resources of the API: which operations a resource has, how they are nested, and which models they need, as an overlay
 * for `readModels`.
 */
import { operationsOf, resendOf } from "./operations.mjs"
import { camel, Unfit } from "./read.mjs"
import * as rules from "./rules.mjs"

const prefix = "#/components/schemas/"

export const pascal = (name) => {
  const words = camel(name)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const contentOf = (part) => part?.content?.["application/json"]?.schema

/** All operations of the resources that are generated. */
export const readOperations = (description, overlay) => {
  const places = new Map()
  return operationsOf(description).flatMap(({ method, operation, path }) => {
    const id = operation.operationId
    const [group, last] = overlay.hidden[id] ?? [operation["x-group"], operation["x-name"]]
    if (group === undefined) {
      if (operation["x-hidden"] === true) return []
      throw new Unfit(`${id} (${method.toUpperCase()} ${path}) has no x-group: give it one in overlay/api.mjs.`)
    }
    const [resource, ...inner] = group.split(".")
    if (overlay.ofCore.includes(resource)) return []
    const names = [...inner, last].map(camel)
    const name = [pascal(resource), ...names].join(".")
    const other = places.get(name)
    if (other !== undefined) throw new Unfit(`${other} and ${id} are both ${name}: rename one in overlay/api.mjs.`)
    places.set(name, id)
    return [{ ...partsOf(method, path, operation, overlay, name), id, resource: pascal(resource), names, name }]
  })
}

const partsOf = (method, path, operation, overlay, name) => {
  const id = operation.operationId
  const parameters = operation.parameters ?? []
  const params = parameters.filter((each) => each.in === "path")
  const [[status, success] = [], ...others] = Object.entries(operation.responses).filter(([each]) =>
    each.startsWith("2")
  )
  const type = name.split(".").map(pascal).join("")
  const query = objectOf(parameters.filter((each) => each.in === "query"))
  const headers = headersOf(
    parameters.filter(({ in: place, name: header }) => place === "header" && !ownHeaders.includes(header)),
    overlay.headers[id] ?? {},
    id
  )
  return {
    method,
    path: path.replace(/\{([^}]+)\}/g, (_, param) => `{${camel(param)}}`),
    wirePath: path,
    params: params.map(({ name: param, schema }) => ({ name: camel(param), wire: param, schema })),
    query: query && { name: `${type}Query`, json: query },
    headers: headers && { name: `${type}Headers`, json: headers },
    payload: bodyOf(contentOf(operation.requestBody), overlay.bodies[id], id),
    isPayloadOptional: operation.requestBody?.required !== true,
    success: bodyOf(contentOf(success), overlay.answers[id], id),
    status: Number(status),
    isSuccessOptional: others.length > 0,
    resend: resendOf(method, path, operation),
    scope: operation["x-scopes"]?.[0],
    isGuided: overlay.guidedKeys.includes(id)
  }
}

/** The client sends these. */
const ownHeaders = ["x-gr4vy-merchant-account-id", "idempotency-key"]

const objectOf = (parameters) =>
  parameters.length === 0
    ? undefined
    : {
        type: "object",
        properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, withoutNull(schema)])),
        required: parameters.filter(({ required }) => required).map(({ name }) => name)
      }

/** In a query nothing is `null`: it is absent. */
const withoutNull = (json) => {
  const members = (json.anyOf ?? [json]).filter(({ type }) => type !== "null")
  const [only] = members
  return members.length === 1
    ? { ...only, ...(json.default == null ? {} : { default: json.default }) }
    : { anyOf: members }
}

const headersOf = (parameters, given, id) => {
  const unknown = parameters.find(({ name }) => given[name] === undefined)
  if (unknown !== undefined)
    throw new Unfit(`${id} has the header ${unknown.name}, which overlay/api.mjs does not describe.`)
  if (Object.keys(given).length === 0) return undefined
  return { type: "object", properties: given }
}

/** A body: of a schema under its name, of several under one of ours, of any JSON. */
const bodyOf = (json, name, id) => {
  if (json === undefined) return undefined
  const members = (json.anyOf ?? [json]).filter(({ type }) => type !== "null")
  const [only] = members
  if (members.length === 1 && only.$ref !== undefined) return { schema: only.$ref.slice(prefix.length) }
  if (members.length === 1 && only.type === "object" && only.additionalProperties === true) return { kind: "free" }
  if (members.length === 1 && Object.keys(only).length === 0) return { kind: "anything" }
  if (name === undefined) throw new Unfit(`${id} has a body of several models: name it in overlay/api.mjs.`)
  return { schema: name, json: { anyOf: members } }
}

/** What `readModels` needs for the models of these operations. `base` has the schemas that core has. */
export const overlayOf = (description, operations, api, base) => {
  const schemas = { ...description.components.schemas }
  const extra = {}
  for (const { headers, payload, query, success } of operations) {
    for (const part of [query, headers]) if (part) extra[part.name] = part.json
    for (const part of [payload, success]) if (part?.json) extra[part.schema] = part.json
  }
  const twice = Object.keys(extra).find((name) => schemas[name] !== undefined)
  if (twice !== undefined)
    throw new Unfit(`${twice} is a schema of the description: name it otherwise in overlay/api.mjs.`)
  Object.assign(schemas, extra)

  const isFree = (name) =>
    schemas[name]?.additionalProperties === true && Object.keys(schemas[name].properties ?? {}).length === 0
  const schemaOf = (body) => (body?.schema === undefined || isFree(body.schema) ? [] : [body.schema])
  const sentOf = ({ headers, payload, query }) => [
    ...(query ? [query.name] : []),
    ...(headers ? [headers.name] : []),
    ...schemaOf(payload)
  ]
  const users = new Map()
  const use = (schema, resource) => {
    if (base.has(schema) || isFree(schema)) return
    const known = users.get(schema) ?? new Set()
    if (known.has(resource)) return
    users.set(schema, known.add(resource))
    for (const inner of refsOf(schemas[schema])) use(inner, resource)
  }
  for (const operation of operations) {
    for (const schema of [...sentOf(operation), ...schemaOf(operation.success)]) use(schema, operation.resource)
  }
  const shared = [...users].filter(([, resources]) => resources.size > 1).map(([schema]) => schema)
  const roots = (resource) =>
    operations
      .filter((operation) => operation.resource === resource)
      .flatMap((operation) => [...sentOf(operation), ...schemaOf(operation.success)])
  const resources = [...new Set(operations.map(({ resource }) => resource))]
  const read = operations.flatMap(({ success }) => schemaOf(success))
  const items = read.flatMap((schema) => {
    const item = schemas[schema].properties?.items?.items?.$ref?.slice(prefix.length)
    return item === undefined || base.has(item) ? [] : [item]
  })
  const sent = operations.flatMap(sentOf)
  const secrets = new Set(api.secrets)
  return {
    free: new Set(Object.keys(schemas).filter(isFree)),
    files: {
      ...Object.fromEntries(
        Object.entries(api.shared).map(([file, { about, roots: own = shared }]) => [file, { about, models: own }])
      ),
      ...Object.fromEntries(
        resources.map((resource) => [
          resource,
          {
            about: `The models of \`${resource}\`.`,
            models: [...new Set([...roots(resource), ...itemsOf(roots(resource), schemas, base)])]
          }
        ])
      )
    },
    schemas: extra,
    hasSchema: new Set([...sent, ...read, ...items]),
    names: api.names,
    models: api.models,
    sent,
    read,
    rules: {
      nameOf: rules.nameOf,
      aboutModel: rules.aboutModel,
      aboutField: (schema, wire, json) => {
        const isSecret = secrets.delete(`${schema}.${wire}`) || api.secrets.includes(`${schema}.${wire}`)
        return {
          text: json.text ?? rules.textOf(wire, json),
          ...(isSecret ? { secret: true } : {}),
          ...(schema.endsWith("Query") && extra[schema] ? { isWritten: true } : {})
        }
      },
      /** A secret that no model has is a mistake of somebody. */
      check: () => {
        const [unused] = secrets
        if (unused !== undefined) throw new Unfit(`overlay/api.mjs makes ${unused} a secret, which no operation has.`)
      }
    }
  }
}

const itemsOf = (roots, schemas, base) =>
  roots.flatMap((schema) => {
    const item = schemas[schema].properties?.items?.items?.$ref?.slice(prefix.length)
    return item === undefined || base.has(item) ? [] : [item]
  })

const refsOf = (json) =>
  Array.isArray(json)
    ? json.flatMap(refsOf)
    : typeof json === "object" && json !== null
      ? [
          ...(typeof json.$ref === "string" ? [json.$ref.slice(prefix.length)] : []),
          ...Object.values(json).flatMap(refsOf)
        ]
      : []
