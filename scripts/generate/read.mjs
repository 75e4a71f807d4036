/**
 * The API's description and the overlay, as one list of models: what the printers need to know of each field, once.
 */
import { patterns } from "./overlay/patterns.mjs"

/** What cannot be generated, in one sentence that names the place. */
export class Unfit extends Error {}

export const camel = (name) => name.replace(/[-_]+([a-zA-Z0-9])/g, (_, letter) => letter.toUpperCase())

export const lowerFirst = (name) => name.charAt(0).toLowerCase() + name.slice(1)

const refName = (ref) => ref.replace("#/components/schemas/", "")

/** Reads `overlay.files`: a list of files, each with its models and sets in the order in which they are written. */
export const readModels = ({ description, overlay }) => {
  const schemas = description.components.schemas
  const known = new Map()
  const taken = new Map()

  const about = (schema) => overlay.models[schema] ?? {}

  const nameOf = (schema) => {
    const name = overlay.names[schema] ?? schema
    const other = Object.keys(overlay.names).find((each) => overlay.names[each] === name) ?? taken.get(name) ?? schema
    if (other !== schema) {
      throw new Unfit(`${schema} and ${other} are both called ${name}: give one of them another name in the overlay.`)
    }
    taken.set(name, schema)
    return name
  }

  const sourceOf = (schema) => {
    const source = schemas[about(schema).like ?? schema]
    if (source === undefined) throw new Unfit(`The description has no schema ${schema}, which the overlay names.`)
    return source
  }

  /** The type of a value: `{ kind, … }`. */
  const typeOf = (json, given, place) => {
    if (given.code !== undefined) return { kind: "code", code: given.code, plain: "string" }
    if (json.$ref !== undefined) {
      const target = read(refName(json.$ref))
      return { kind: target.kind === "enum" ? "enumRef" : "ref", target }
    }
    if (given.secret === true) {
      const [expected, limits] = inWords(given.pattern ?? json.pattern, place)
      return { kind: "secret", pattern: given.pattern ?? json.pattern, expected, limits }
    }
    if (given.duration !== undefined) {
      return { kind: "seconds", minimum: json.minimum, maximum: json.maximum, ...given.duration }
    }
    if (json.oneOf !== undefined && json.discriminator !== undefined) {
      const { mapping, propertyName } = json.discriminator
      const members = Object.entries(mapping).map(([value, ref]) => ({ value, target: read(refName(ref)) }))
      for (const { target } of members) target.tag = propertyName
      return { kind: "union", tag: propertyName, members }
    }
    if (json.const !== undefined) return { kind: given.isOpen ? "open" : "const", values: [json.const] }
    if (json.enum !== undefined) return { kind: "enum", values: json.enum }
    switch (json.type) {
      case "string":
        return textOf(json, given, place)
      case "integer":
        return integerOf(json, place)
      case "boolean":
        return { kind: "flag" }
      case "array":
        return { kind: "list", max: json.maxItems, item: typeOf(json.items, {}, `${place}[]`) }
      case "object":
        if (json.properties === undefined && json.additionalProperties?.type === "string") return { kind: "texts" }
    }
    throw new Unfit(`${place} has a construct that the generator does not know: ${JSON.stringify(json)}`)
  }

  const inWords = (pattern, place) => {
    const words = patterns[pattern]
    if (words === undefined)
      throw new Unfit(`${place} has the pattern ${pattern}, which overlay/patterns.mjs has no words for.`)
    return words
  }

  const textOf = (json, given, place) => {
    switch (json.format) {
      case "uuid":
        return { kind: "uuid" }
      case "date":
        return { kind: "date" }
      case "date-time":
        return { kind: given.localTime === true ? "localTime" : "instant" }
      case undefined:
        break
      default:
        throw new Unfit(`${place} has the format ${json.format}, which the generator does not know.`)
    }
    if (json.pattern !== undefined) {
      // The overlay's is narrower.
      const pattern = given.pattern ?? json.pattern
      const [expected, limits] = inWords(pattern, place)
      return { kind: "pattern", pattern, expected, limits }
    }
    return json.minLength === undefined && json.maxLength === undefined
      ? { kind: "anyText" }
      : { kind: "text", min: json.minLength ?? 0, max: json.maxLength }
  }

  const integerOf = ({ exclusiveMinimum, maximum, minimum = exclusiveMinimum + 1 }, place) => {
    if (maximum === undefined || Number.isNaN(minimum)) throw new Unfit(`${place} is an integer without limits.`)
    return minimum === 0 && maximum === 99_999_999
      ? { kind: "amount", minimum, maximum }
      : { kind: "integer", minimum, maximum }
  }

  const fieldOf = (schema, wire, json, isRequired, entry) => {
    const place = `${schema}.${wire}`
    const given = Array.isArray(entry) ? { text: entry[0], example: entry[1], more: entry[2] } : entry
    if (given?.text === undefined) throw new Unfit(`${place} has no text in the overlay.`)
    const members = json.anyOf ?? [json]
    const isNull = (member) => member.type === "null"
    const types = members.filter((member) => !isNull(member))
    if (types.length !== 1) throw new Unfit(`${place} is one of several types, which the generator does not know.`)
    const isDefault = json.default !== undefined && json.default !== null && json.const === undefined
    return {
      wire,
      name: camel(wire),
      ...given,
      type: typeOf(types[0], given, place),
      isOptional: !(given.required ?? isRequired),
      isNullable: given.required !== true && members.some(isNull),
      default: "default" in given || !isDefault ? undefined : json.default
    }
  }

  const fieldsOf = (schema) => {
    const { like, extends: base, fields: own = {} } = about(schema)
    const source = sourceOf(schema)
    if (source.allOf !== undefined) throw new Unfit(`${schema} has allOf, which the generator does not know.`)
    const texts = { ...(base === undefined ? {} : about(base).fields), ...own }
    const required = source.required ?? []
    for (const [wire, entry] of Object.entries(own)) {
      const isAdded = entry.schema !== undefined || entry.from !== undefined
      if (source.properties[wire] === undefined && !isAdded) {
        throw new Unfit(`${like ?? schema} has no property ${wire}, which the overlay describes.`)
      }
      if (source.properties[wire] !== undefined && entry.from !== undefined) {
        throw new Unfit(`${schema}.${wire} is in the description now: the overlay need not add it.`)
      }
    }
    const added = Object.fromEntries(
      Object.entries(own).flatMap(([wire, { from, schema: json }]) =>
        json !== undefined ? [[wire, json]] : from !== undefined ? [[wire, schemas[from].properties[wire]]] : []
      )
    )
    const properties = { ...source.properties, ...added }
    const names = Object.keys(properties).map(camel)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) throw new Unfit(`${schema} has two properties that are ${twice} in TypeScript.`)
    // A class shows its fields in the order of the overlay.
    const wires = about(schema).isClass === true ? Object.keys(own).filter((wire) => wire in properties) : []
    const ordered = new Set([...wires, ...Object.keys(properties)])
    return Array.from(ordered, (wire) => [wire, properties[wire]]).map(([wire, json]) => {
      const entry = texts[wire]
      const merged =
        base === undefined || own[wire] === undefined ? entry : { ...about(base).fields[wire], ...own[wire] }
      return fieldOf(schema, wire, json, required.includes(wire), merged)
    })
  }

  const read = (schema) => {
    const before = known.get(schema)
    if (before !== undefined) return before
    const source = sourceOf(schema)
    const { fields: _, ...given } = about(schema)
    const name = nameOf(schema)
    if (given.text === undefined) throw new Unfit(`${schema} has no text in the overlay.`)
    const model = { schema, name, ...given }
    known.set(schema, model)
    if (source.enum !== undefined) return Object.assign(model, { kind: "enum", values: source.enum })
    if (source.properties === undefined) {
      throw new Unfit(`${schema} is neither an object with properties nor a set of strings.`)
    }
    Object.assign(model, { kind: "model", fields: fieldsOf(schema) })
    if (given.extends !== undefined) {
      model.base = read(given.extends)
      model.base.isBase = true
    }
    return model
  }

  const targetsOf = (type) =>
    type.kind === "list"
      ? targetsOf(type.item)
      : type.kind === "union"
        ? type.members.map(({ target }) => target)
        : type.target === undefined
          ? []
          : [type.target]

  const reach = (model, direction) => {
    if (model[direction] === true) return
    model[direction] = true
    for (const field of model.fields ?? []) for (const target of targetsOf(field.type)) reach(target, direction)
  }

  const placed = new Set()
  const files = Object.entries(overlay.files).map(([name, { about: text, models: roots }]) => {
    const models = []
    const place = (model) => {
      if (placed.has(model)) return
      placed.add(model)
      if (model.base !== undefined) place(model.base)
      for (const field of model.fields ?? []) for (const target of targetsOf(field.type)) place(target)
      model.file = name
      models.push(model)
    }
    for (const root of roots) {
      const model = read(root)
      // What it refers to is reached through it.
      model.hasSchema = true
      place(model)
    }
    return { name, about: text, models }
  })
  for (const schema of Object.keys(overlay.models)) {
    if (!known.has(schema)) throw new Unfit(`The overlay describes ${schema}, which no file needs.`)
  }
  for (const schema of overlay.sent) reach(read(schema), "isSent")
  for (const schema of overlay.read) reach(read(schema), "isRead")
  for (const model of known.values()) {
    // A tag is what tells the members of a union apart, so that a request has to give it.
    for (const field of model.fields ?? []) if (field.wire === model.tag) field.isOptional = false
    model.output = model.isSent && model.isRead && model.kind === "model" ? `${model.name}Output` : model.name
  }
  return files
}
