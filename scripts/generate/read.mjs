/**
 * The API's description and the overlay, as one list of models: what the printers need to know of each field, once.
 */
import { patterns } from "./overlay/patterns.mjs"

/** What cannot be generated, in one sentence that names the place. */
export class Unfit extends Error {}

export const camel = (name) => name.replace(/[-_]+([a-zA-Z0-9])/g, (_, letter) => letter.toUpperCase())

/** The TypeScript name of a property. */
export const propertyName = (wire) => camel(/^[A-Z0-9_]+$/.test(wire) ? wire.toLowerCase() : wire)

export const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

export const lowerFirst = (name) => name.charAt(0).toLowerCase() + name.slice(1)

const refName = (ref) => ref.replace("#/components/schemas/", "")

/**
 * Reads `overlay.files`: a list of files, each with its models and sets in the order in which they are written. `base` are
 * models of another package by their schemas, which are imported. An overlay with `rules` needs no texts of its own.
 */
export const readModels = ({ base = new Map(), description, overlay }) => {
  const schemas = { ...description.components.schemas, ...overlay.schemas }
  const known = new Map(base)
  const taken = new Map()

  const about = (schema) => overlay.models[schema] ?? {}

  const nameOf = (schema) => {
    const name = overlay.names[schema] ?? overlay.rules?.nameOf(schema, schemas[schema]) ?? schema
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
      const schema = refName(json.$ref)
      if (isFree(schemas[schema])) return { kind: "free" }
      const target = read(schema)
      return { kind: target.kind === "enum" ? "enumRef" : target.kind === "choice" ? "choiceRef" : "ref", target }
    }
    if (given.secret === true) return secretOf(json, given, place)
    if (given.duration !== undefined) {
      return { kind: "seconds", minimum: json.minimum, maximum: json.maximum, ...given.duration }
    }
    if (json.oneOf !== undefined && json.discriminator !== undefined) {
      const { mapping, propertyName } = json.discriminator
      const members = Object.entries(mapping).map(([value, ref]) => ({ value, target: read(refName(ref)) }))
      for (const { target } of members) target.tag = propertyName
      return { kind: "union", tag: propertyName, members }
    }
    if (json.anyOf !== undefined) return anyOf(json.anyOf, given, place)
    if (json.const !== undefined) return { kind: given.isOpen ? "open" : "const", values: [json.const] }
    if (json.enum !== undefined) return { kind: "enum", values: json.enum }
    switch (json.type) {
      case "string":
        return textOf(json, given, place)
      case "integer":
        return integerOf(json)
      case "number":
        return { kind: "number", minimum: json.minimum, maximum: json.maximum }
      case "boolean":
        return { kind: "flag" }
      case "array": {
        const { items, maxItems: max, minItems: min, uniqueItems: unique } = json
        return { kind: "list", max, min, unique, item: typeOf(items, {}, `${place}[]`) }
      }
      case "object":
        if (json.properties !== undefined || json.patternProperties !== undefined) break
        if (json.additionalProperties === true) return { kind: "free" }
        if (isPlainText(json.additionalProperties)) return { kind: "texts" }
        if (json.additionalProperties !== undefined) return recordOf(json, place)
    }
    if (Object.keys(json).length === 0) return { kind: "anything" }
    throw new Unfit(`${place} has a construct that the generator does not know: ${JSON.stringify(json)}`)
  }

  /** An object of which the description says nothing. */
  const isFree = (json) => json?.additionalProperties === true && Object.keys(json.properties ?? {}).length === 0

  const isPlainText = (json) =>
    json?.type === "string" &&
    ["pattern", "minLength", "maxLength", "format"].every((limit) => json[limit] === undefined)

  const recordOf = ({ additionalProperties: json, propertyNames }, place) => {
    const members = json.anyOf ?? [json]
    const isNullable = members.some(({ type }) => type === "null")
    const values = members.filter(({ type }) => type !== "null")
    const item = values.length === 1 ? typeOf(values[0], {}, `${place}{}`) : { kind: "anything" }
    const keys = propertyNames === undefined ? undefined : typeOf(propertyNames, {}, `${place}'s keys`)
    if (keys !== undefined && keys.kind !== "enumRef") throw new Unfit(`${place} has keys that are no set.`)
    return { kind: "record", item, isNullable, keys: keys?.target }
  }

  /** One of several types: of strings the widest, of literals a set, of models one of them. */
  const anyOf = (all, given, place) => {
    const members = all.filter(({ type }) => type !== "null")
    if (members.length === 1) return typeOf(members[0], given, place)
    if (members.every((member) => member.const !== undefined)) {
      return { kind: "enum", values: members.map((member) => member.const) }
    }
    if (members.every(({ type }) => type === "string")) {
      if (members.some(isPlainText)) return { kind: "anyText" }
      const texts = members.filter((member) => member.const === undefined)
      const isEmptyToo = members.some((member) => member.const === "")
      if (texts.length === 1 && isEmptyToo) return typeOf({ ...texts[0], minLength: 0 }, given, place)
    }
    if (members.every((member) => member.$ref !== undefined)) {
      // The first that fits is read. One that demands more tells more.
      const demands = ({ $ref }) => schemas[refName($ref)]?.required?.length ?? 0
      const targets = members
        .toSorted((one, other) => demands(other) - demands(one))
        .map(({ $ref }) => read(refName($ref)))
      return { kind: "anyOf", members: targets.map((target) => ({ target })), tag: tagOf(targets) }
    }
    throw new Unfit(`${place} is one of several types, which the generator does not know.`)
  }

  /** The property that says which of several models a value is. A request has to give it. */
  const tagOf = (targets) => {
    const isLiteral = ({ type }) => type.kind === "const" || type.kind === "enum"
    const [first] = targets
    const tag = first.fields?.find(
      (field) =>
        isLiteral(field) &&
        targets.every(({ fields }) => fields?.some((one) => one.wire === field.wire && isLiteral(one)))
    )?.wire
    if (tag !== undefined) for (const target of targets) target.tag = tag
    return tag
  }

  const secretOf = (json, given, place) => {
    const members = (json.anyOf ?? [json]).filter(({ type }) => type !== "null")
    const isObject = ({ type }) => type === "object"
    if (members.some(isObject)) return { kind: "secretValue", isString: !members.every(isObject) }
    const [{ maxLength: max, minLength: min }] = members
    const pattern = given.pattern ?? patternOf(members[0])
    if (pattern === undefined) return { kind: "secretText", min: min ?? 0, max }
    const [expected, limits] = inWords(pattern, place)
    return { kind: "secret", pattern, expected, limits }
  }

  /** A pattern with the lengths that the description gives beside it. */
  const patternOf = ({ maxLength, minLength, pattern }) =>
    minLength !== undefined && maxLength !== undefined && pattern?.endsWith("+$")
      ? pattern.replace(/\+\$$/, `{${minLength},${maxLength}}$`)
      : pattern

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
      case "color":
      case undefined:
        break
      default:
        throw new Unfit(`${place} has the format ${json.format}, which the generator does not know.`)
    }
    // The overlay's is narrower.
    const pattern = given.pattern ?? patternOf(json)
    if (pattern !== undefined) {
      const [expected, limits] = inWords(pattern, place)
      return { kind: "pattern", pattern, expected, limits }
    }
    return json.minLength === undefined && json.maxLength === undefined
      ? { kind: "anyText" }
      : { kind: "text", min: json.minLength ?? 0, max: json.maxLength }
  }

  const integerOf = ({ exclusiveMinimum, maximum, minimum = exclusiveMinimum + 1 }) => {
    if (maximum === undefined && Number.isNaN(minimum)) return { kind: "whole" }
    if (minimum === 0 && maximum === 99_999_999) return { kind: "amount", minimum, maximum }
    return { kind: "integer", minimum, maximum: maximum ?? Number.MAX_SAFE_INTEGER }
  }

  const fieldOf = (schema, wire, json, isRequired, entry) => {
    const place = `${schema}.${wire}`
    const written = Array.isArray(entry) ? { text: entry[0], example: entry[1], more: entry[2] } : entry
    const given = { ...overlay.rules?.aboutField(schema, wire, json), ...written }
    if (given.text === undefined) throw new Unfit(`${place} has no text in the overlay.`)
    const members = json.anyOf ?? [json]
    const isNull = (member) => member.type === "null"
    const isDefault = json.default !== undefined && json.default !== null && json.const === undefined
    const name = propertyName(wire)
    return {
      wire,
      name,
      isNamed: wire !== snake(name),
      ...given,
      type: typeOf(members.length === 1 ? members[0] : json, given, place),
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
    const names = Object.keys(properties).map(propertyName)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) throw new Unfit(`${schema} has two properties that are ${twice} in TypeScript.`)
    // A class shows its fields in the order of the overlay.
    const wires = about(schema).isClass === true ? Object.keys(own).filter((wire) => wire in properties) : []
    const ordered = new Set([...wires, ...Object.keys(properties)])
    // Where nothing but `null` may be sent or comes, there is nothing to name.
    const isNothing = (wire) => properties[wire].type === "null"
    return Array.from(ordered)
      .filter((wire) => !isNothing(wire))
      .map((wire) => {
        const json = properties[wire]
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
    given.text ??= overlay.rules?.aboutModel(name, source)
    if (given.text === undefined) throw new Unfit(`${schema} has no text in the overlay.`)
    const model = { schema, name, ...given }
    known.set(schema, model)
    if (source.anyOf !== undefined) {
      const type = typeOf(source, {}, schema)
      return Object.assign(model, { kind: "choice", type, fields: [{ type }] })
    }
    if (source.enum !== undefined) {
      return Object.assign(model, { kind: "enum", values: source.enum, hasValues: overlay.rules !== undefined })
    }
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
    type.kind === "list" || type.kind === "record"
      ? [...targetsOf(type.item), ...(type.keys === undefined ? [] : [type.keys])]
      : type.kind === "union" || type.kind === "anyOf"
        ? type.members.map(({ target }) => target)
        : type.target === undefined
          ? []
          : [type.target]

  const reach = (model, direction) => {
    if (model[direction] === true || isOfBase(model)) return
    model[direction] = true
    for (const field of model.fields ?? []) for (const target of targetsOf(field.type)) reach(target, direction)
  }

  const placed = new Set()
  const ofBase = new Set(base.values())
  const isOfBase = (model) => ofBase.has(model)
  const files = Object.entries(overlay.files).map(([name, { about: text, models: roots }]) => {
    const models = []
    const place = (model) => {
      if (placed.has(model) || isOfBase(model)) return
      placed.add(model)
      if (model.base !== undefined) place(model.base)
      for (const field of model.fields ?? []) for (const target of targetsOf(field.type)) place(target)
      model.file = name
      models.push(model)
    }
    for (const root of roots) {
      const model = read(root)
      // What it refers to is reached through it.
      model.hasSchema = overlay.hasSchema?.has(root) ?? true
      place(model)
    }
    return { name, about: text, models }
  })
  for (const schema of Object.keys(overlay.models)) {
    if (!known.has(schema)) throw new Unfit(`The overlay describes ${schema}, which no file needs.`)
  }
  overlay.rules?.check()
  for (const schema of overlay.sent) reach(read(schema), "isSent")
  for (const schema of overlay.read) reach(read(schema), "isRead")
  for (const model of known.values()) {
    if (isOfBase(model)) continue
    // A tag is what tells the members of a union apart, so that a request has to give it.
    for (const field of model.fields ?? []) if (field.wire === model.tag) field.isOptional = false
    model.output = model.isSent && model.isRead && model.kind !== "enum" ? `${model.name}Output` : model.name
  }
  return files
}
