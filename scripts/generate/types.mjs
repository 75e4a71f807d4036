/**
 * The TypeScript types of models: an interface for requests, one for responses. `isPlain` is the promise package, without
 * the types of Effect. `typeOf` is the type of a kind where a package has its own;
 * `isWhole` is a package without classes.
 */
import { lowerFirst } from "./read.mjs"
import { aboutModel, commentOf, hoverOf, tags } from "./words.mjs"

const union = (values) => values.map((value) => JSON.stringify(value)).join(" | ")

const anyObject = "Readonly<Record<string, unknown>>"

const open = (known) => `${known} | (string & {})`

export const typeOf = (type, side) => {
  const { isAnswer, isPlain, use } = side
  const own = side.typeOf?.(type)
  if (own !== undefined) return own
  switch (type.kind) {
    case "flag":
      return "boolean"
    case "amount":
    case "integer":
    case "number":
    case "whole":
      return "number"
    case "anything":
      return "unknown"
    case "free":
      return anyObject
    case "record": {
      const item = typeOf(type.item, side)
      if (type.keys !== undefined && !isAnswer) {
        return `{ readonly [Key in ${use(type.keys, type.keys.name)}]?: ${item}${type.isNullable ? " | null" : ""} }`
      }
      return `Readonly<Record<string, ${item}${type.isNullable && !isAnswer ? " | null" : ""}>>`
    }
    case "texts":
      return "Readonly<Record<string, string>>"
    case "secretValue": {
      const value = type.isString ? `string | ${anyObject}` : anyObject
      return isPlain ? value : use("Redacted", `Redacted.Redacted<${value}>`)
    }
    case "secret":
    case "secretText":
      return isPlain ? "string" : use("Redacted", "Redacted.Redacted<string>")
    case "seconds":
      return isPlain ? use("plainDuration", "Duration") : use("Duration", "Duration.DurationInput")
    case "instant":
      return isPlain ? "Date" : use("DateTime", "DateTime.Utc")
    case "code":
      return isPlain ? type.plain : use(type.code, type.code)
    case "const":
      return isAnswer && side.isOpen ? open(union(type.values)) : union(type.values)
    case "enum":
      return isAnswer ? open(union(type.values)) : union(type.values)
    case "open":
      return open(union(type.values))
    case "enumRef":
      return isAnswer ? open(use(type.target, type.target.name)) : use(type.target, type.target.name)
    case "choiceRef":
    case "ref": {
      const name = isAnswer ? type.target.output : type.target.name
      return use(type.target, name)
    }
    case "list": {
      const item = typeOf(type.item, side)
      return `ReadonlyArray<${item}>`
    }
    case "anyOf":
      return [
        ...type.members.map(({ target }) => use(target, isAnswer ? target.output : target.name)),
        ...(isAnswer && type.isClosed !== true ? [anyObject] : [])
      ].join(" | ")
    case "union":
      return type.members.map(({ target }) => use(target, isAnswer ? target.output : target.name)).join(" | ")
    default:
      return "string"
  }
}

/** A name as a key of an object. */
export const keyOf = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name))

/** The list of a set's values. */
export const valuesOf = (model) => `${lowerFirst(model.name)}Values`

const isAbsent = (field, { isAnswer }) =>
  field.isClosed !== true && (field.isOptional || (isAnswer && field.isNullable))

const propertyOf = (field, side) => {
  const type = typeOf(field.type, side)
  const isOptional = isAbsent(field, side)
  const full = side.isAnswer
    ? type
    : `${type}${field.isNullable ? " | null" : ""}${isOptional && !field.isGiven ? " | undefined" : ""}`
  return `${commentOf([hoverOf(field, side)], "  ")}  readonly ${keyOf(field.name)}${isOptional ? "?" : ""}: ${full}\n`
}

const interfaceOf = (name, fields, side, base) =>
  `export interface ${name}${base === undefined ? "" : ` extends ${base}`} {\n${fields.map((field) => propertyOf(field, side)).join("")}}\n`

/** The fields that an interface has beyond its base, or otherwise than its base. */
const own = (model, side) => {
  if (model.base === undefined) return model.fields
  const inherited = new Map(model.base.fields.map((field) => [field.name, propertyOf(field, side)]))
  return model.fields.filter((field) => inherited.get(field.name) !== propertyOf(field, side))
}

export const typesOf = (model, side) => {
  const module = { module: side.module, isPlain: side.isPlain }
  const sides = { ...side, isAnswer: false }
  if (model.kind === "choice") {
    const isAnswer = model.isRead === true && model.isSent !== true
    const type = typeOf({ ...model.type, isClosed: true }, { ...side, isAnswer })
    return `${commentOf(aboutModel(model))}export type ${model.name} = ${type}\n`
  }
  if (model.kind === "enum" && side.listsValues) {
    return [
      commentOf([`The values of {@link ${model.name}} that this version knows.`, tags("models")]),
      `export const ${valuesOf(model)} = ${JSON.stringify(model.values)} as const\n\n`,
      commentOf(aboutModel(model)),
      `export type ${model.name} = (typeof ${valuesOf(model)})[number]\n`
    ].join("")
  }
  if (model.kind === "enum") {
    return `${commentOf(aboutModel(model))}export type ${model.name} = ${union(model.values)}\n`
  }
  const parts = []
  if (model.isSent) {
    if (model.never !== undefined) parts.push(neverTogether(model, sides, module))
    else
      parts.push(
        commentOf(aboutModel(model, module)),
        interfaceOf(model.name, own(model, sides), sides, model.base?.name)
      )
  }
  if (model.isRead && (side.isPlain || side.isWhole || model.isClass !== true)) {
    const answer = { ...side, isAnswer: true }
    const about = model.isSent
      ? [
          `${model.text.replace(/\.$/, "")}, as a response has it: no limits, no \`null\`, and sets that are open.`,
          tags("models")
        ]
      : aboutModel(model, module)
    parts.push(`${model.isSent ? "\n" : ""}${commentOf(about)}`, interfaceOf(model.output, model.fields, answer))
  }
  return parts.join("")
}

/** A type for each of the fields that never come together. */
const neverTogether = (model, side, module) => {
  const { common, members, together } = model.never
  const shared = model.fields.filter(({ wire }) => !together.includes(wire))
  const apart = together.map((wire) => model.fields.find((field) => field.wire === wire))
  const each = members.map(({ name, text }, index) => {
    const properties = apart.map((field) =>
      field.wire === together[index] ? propertyOf(field, side) : `  readonly ${field.name}?: never\n`
    )
    return `${commentOf([text, tags("models")])}export interface ${name} extends ${common.name} {\n${properties.join("")}}\n`
  })
  return [
    `${commentOf([common.text])}${interfaceOf(common.name, shared, side).replace("export ", "")}`,
    ...each,
    `${commentOf(aboutModel(model, module))}export type ${model.name} = ${members.map(({ name }) => name).join(" | ")}\n`
  ].join("\n")
}
