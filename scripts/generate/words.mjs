/**
 * The texts of generated sources: a field's hover is its text, its limits and an example in one sentence, then the rest.
 */

const thousands = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",")

/** The limits of a value in a request, as part of a sentence. */
const limitsOf = (type) => {
  switch (type.kind) {
    case "text":
      return type.max === undefined
        ? `at least ${type.min} character${type.min === 1 ? "" : "s"}`
        : type.min === type.max
          ? `${type.max} characters`
          : `${type.min}–${type.max} characters`
    case "amount":
      return `${thousands(type.minimum)}–${thousands(type.maximum)}`
    case "integer":
      return `a whole number from ${thousands(type.minimum)} to ${thousands(type.maximum)}`
    case "secretText":
      return type.max === undefined && type.min === 0 ? undefined : limitsOf({ ...type, kind: "text" })
    case "whole":
      return "a whole number"
    case "uuid":
      return "a UUID"
    case "localTime":
      return "with its offset (RFC 3339)"
    case "date":
      return "as `YYYY-MM-DD`"
    case "pattern":
    case "secret":
    case "seconds":
      return type.limits
    case "list": {
      const each = limitsOf(type.item)
      const count =
        type.max === undefined
          ? type.min && `at least ${type.min}`
          : type.min
            ? `${type.min}–${type.max}`
            : `up to ${type.max}`
      return [count, type.unique && "each once", each && `each ${each}`].filter(Boolean).join(", ")
    }
    default:
      return undefined
  }
}

/** An example as one writes it in code. */
const exampleOf = ({ example, hoverExample = example, type }, isPlain) => {
  if (hoverExample === undefined || type.kind === "const" || type.kind === "flag") return undefined
  const code = typeof hoverExample === "object" ? literalOf(hoverExample) : JSON.stringify(hoverExample)
  return type.kind === "secret" && !isPlain ? `Redacted.make(${code})` : code
}

/** A value as source: `{ order_id: "4711" }`, `["drinks"]`. */
export const literalOf = (value) =>
  Array.isArray(value)
    ? `[${value.map(literalOf).join(", ")}]`
    : typeof value === "object" && value !== null
      ? `{ ${Object.entries(value)
          .map(([key, part]) => `${/^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key)}: ${literalOf(part)}`)
          .join(", ")} }`
      : JSON.stringify(value)

/** `isAnswer`: a response has no limits, and its sets are open. */
export const hoverOf = (field, { isAnswer, isPlain }) => {
  const { more, text, type } = field
  const limits = isAnswer
    ? type.kind === "localTime" || type.kind === "date"
      ? limitsOf(type)
      : undefined
    : limitsOf(type)
  const example = exampleOf(field, isPlain)
  const isOpen = isAnswer && (type.kind === "enum" || type.kind === "enumRef" || type.kind === "open")
  return [
    `${text.replace(/\.$/, "")}${limits ? `, ${limits}` : ""}${example ? `, e.g. \`${example}\`` : ""}${isOpen ? "; an open set" : ""}.`,
    ...(isAnswer || field.default === undefined ? [] : [`The API's default is \`${JSON.stringify(field.default)}\`.`]),
    ...(more === undefined ? [] : [more])
  ].join(" ")
}

/** The width of a line of a comment without its indentation. */
const width = 114

/** A JSDoc block; a paragraph is wrapped, an example is left as it is. */
export const commentOf = (paragraphs, indent = "") => {
  const lines = paragraphs.flatMap((paragraph, index) => [
    ...(index === 0 ? [] : [""]),
    ...(Array.isArray(paragraph) ? paragraph : wrap(paragraph, width - indent.length))
  ])
  return lines.length === 1
    ? `${indent}/** ${lines[0]} */\n`
    : `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`
}

const wrap = (text, most) => {
  const lines = [""]
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1]
    if (last !== "" && last.length + word.length + 1 > most) lines.push(word)
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`
  }
  return lines
}

/** A text of several lines from the overlay, without the overlay's own indentation. */
export const dedent = (text) => {
  const lines = text.replace(/^\n/, "").split("\n")
  const margin = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)))
  return lines.map((line) => line.slice(margin).trimEnd())
}

export const tags = (category) => ["@since 0.1.0", `@category ${category}`]

/** What a model is for people: text, more, example. */
export const aboutModel = (model, from) => [
  [model.text, model.more].filter(Boolean).join(" "),
  ...(model.moreInCode === undefined ? [] : paragraphsOf(model.moreInCode)),
  ...(model.example === undefined || from === undefined ? [] : [exampleBlock(model, from)]),
  tags("models")
]

const paragraphsOf = (text) =>
  dedent(text)
    .join("\n")
    .split("\n\n")
    .map((paragraph) => paragraph.replaceAll("\n", " "))

const exampleBlock = (model, { isPlain, module }) => {
  const code = dedent(model.example)
  const usesRedacted = code.some((line) => line.includes("Redacted."))
  return [
    "@example",
    "```ts",
    `import type { ${model.name} } from "${module}"`,
    ...(usesRedacted && !isPlain ? ['import { Redacted } from "effect"'] : []),
    "",
    ...(isPlain ? code.map((line) => line.replace(/Redacted\.make\(([^)]*)\)/, "$1")) : code),
    "```"
  ]
}
