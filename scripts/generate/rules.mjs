/**
 * The texts of models and fields whose overlay has none: a short sentence made of the name and the type.
 */

const spelled = new Map(
  Object.entries({
    id: "ID",
    ids: "IDs",
    ip: "IP",
    url: "URL",
    pin: "PIN",
    bin: "BIN",
    avs: "AVS",
    cvv: "CVV",
    cvc: "CVC",
    iso: "ISO",
    eci: "ECI",
    cavv: "CAVV",
    xid: "XID",
    api: "API",
    sku: "SKU",
    upc: "UPC",
    cit: "customer-initiated",
    mit: "merchant-initiated",
    dpa: "DPA",
    src: "SRC",
    tin: "TIN",
    "3ds": "3-D Secure",
    iban: "IBAN",
    ach: "ACH",
    bacs: "BACS",
    sepa: "SEPA",
    pix: "PIX",
    upi: "UPI",
    pse: "PSE",
    sid: "SID",
    ui: "UI",
    gtin: "GTIN",
    os: "OS"
  })
)

/** `three_ds_configuration` and `ThreeDSConfiguration` are the words "3-D Secure configuration". */
export const wordsOf = (name) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toLowerCase()
    .split(/[-_]+/)
    .join(" ")
    .replace(/three (ds|d secure)/g, "3ds")
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => spelled.get(word) ?? word)
    .join(" ")

const article = (words) => (/^(?:[aeio]|u(?!ni|se|ti)|API|ACH|ID|IP|SKU|ISO|AVS|ECI)/.test(words) ? "an" : "a")

const typesOf = (json) => (json.anyOf ?? [json]).filter(({ type }) => type !== "null")

const isOf = (json, type) => typesOf(json).some((member) => member.type === type)

const participle = /(?:ed|sent|made|paid)$/

const flagText = (words) => {
  const parts = words.split(" ")
  const last = parts.at(-1)
  if (parts[0] === "is") return `Whether it is ${parts.slice(1).join(" ")}.`
  if (parts[0] === "has") return `Whether it has ${parts.slice(1).join(" ")}.`
  if (/^(?:supports|requires|uses|skip|cart)/.test(parts[0])) return `Whether it ${words}.`
  if (parts.length > 1 && participle.test(last)) return `Whether ${parts.slice(0, -1).join(" ")} is ${last}.`
  if (participle.test(last) || last === "active" || last === "live") return `Whether it is ${last}.`
  return `Whether "${words}" applies.`
}

/** The text of a property. */
export const textOf = (wire, json) => {
  const words = wordsOf(wire)
  const [first] = typesOf(json)
  if (first?.const !== undefined && wire === "type") return `Always \`${first.const}\`.`
  if (wire === "id") return "The ID."
  if (wire === "items") return "The items of the page."
  if (wire === "limit") return "The most items of a page."
  if (wire === "cursor") return "The cursor of the page, from the page before it."
  if (wire === "next_cursor") return "The cursor of the next page; absent on the last."
  if (wire === "previous_cursor") return "The cursor of the page before."
  if (wire === "metadata" && !isOf(json, "array")) return "Your own key-value pairs, unchanged."
  if (wire === "search" || wire.endsWith("_search")) return "A text to search for."
  if (isOf(json, "boolean")) return flagText(words)
  const range = /^(.*)_(lte|gte|eq)$/.exec(wire)
  if (range !== null) {
    const [, of, how] = range
    const bound = of.endsWith("_at") ? { lte: "at this time or before", gte: "at this time or after" } : undefined
    if (bound !== undefined) return `Only those that were ${wordsOf(of.replace(/_at$/, ""))} ${bound[how]}.`
    return `Only those whose ${wordsOf(of)} is ${{ lte: "at most this", gte: "at least this", eq: "exactly this" }[how]}.`
  }
  if (wire.endsWith("_at")) {
    const verb = wordsOf(wire.replace(/_at$/, ""))
    if (participle.test(verb)) return `The time at which it was ${verb}.`
    return verb.endsWith("s") ? `The time at which it ${verb}.` : `The time: ${verb}.`
  }
  if (wire.endsWith("_id")) return `The ID of the ${wordsOf(wire.replace(/_id$/, ""))}.`
  if (wire.endsWith("_ids")) return `The IDs of the ${wordsOf(wire.replace(/_ids$/, ""))}s.`
  if (wire === "external_identifier") return "Your own identifier."
  if (wire.endsWith("_external_identifier"))
    return `Your own identifier of the ${wordsOf(wire.replace(/_external_identifier$/, ""))}.`
  if (/(?:^|_)amount$/.test(wire) && isOf(json, "integer"))
    return `The ${words} in the smallest unit of the currency (cents).`
  if (wire.endsWith("_url")) return `The ${words}.`
  return `The ${words}.`
}

/** The text of a model, by the endings of its name. */
export const aboutModel = (name, json) => {
  if (json.enum !== undefined) return `The known values of ${article(wordsOf(name))} ${wordsOf(name)}.`
  const of = (ending) => wordsOf(name.slice(0, -ending.length))
  for (const [ending, sentence] of [
    ["Query", (words) => `The query of: ${words}.`],
    ["Headers", (words) => `The headers of: ${words}.`],
    ["Page", (words) => `One page of a list: ${words}.`],
    ["List", (words) => `A list: ${words}.`],
    ["Create", (words) => `The contents of a new ${words}.`],
    ["Update", (words) => `The changes to ${article(words)} ${words}; an absent property does not change.`],
    ["Summary", (words) => `The summary of ${article(words)} ${words}.`],
    ["Request", (words) => `The request of ${article(words)} ${words}.`],
    ["Options", (words) => `The options of ${words}.`]
  ]) {
    if (name.endsWith(ending) && name.length > ending.length) return sentence(of(ending))
  }
  const words = wordsOf(name)
  return `${article(words) === "an" ? "An" : "A"} ${words}.`
}

/** The name of a schema: a list is named after its items. */
export const nameOf = (schema, json) => {
  const item = json?.properties?.items?.items?.$ref
  if (item === undefined || schema.endsWith("Request")) return undefined
  const of = item.replace("#/components/schemas/", "")
  return `${of}${json.properties.next_cursor === undefined ? "List" : "Page"}`
}
