/**
 * What an editor shows of a model: asked of TypeScript's language service, over the sources, and over the declarations of
 * core that users install. Comments of a source are not always in its declarations.
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import ts from "typescript"

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "")

interface Json {
  readonly type?: string
  readonly anyOf?: ReadonlyArray<Json>
  readonly items?: Json
  readonly maxLength?: number
  readonly maximum?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly properties?: Readonly<Record<string, Json>>
}

const description: { readonly components: { readonly schemas: Readonly<Record<string, Json>> } } = JSON.parse(
  readFileSync(`${root}/packages/api/openapi.json`, "utf8")
)

/** Each model, the schema of the description that it comes from, and the module of core that has it. */
const models = [
  ["CartItem", "CartItem", "CartItem"],
  ["Address", "Address", "Buyer"],
  ["TaxId", "TaxId", "Buyer"],
  ["ShippingDetails", "ShippingDetailsCreate", "Buyer"],
  ["BillingDetails", "BillingDetails", "Buyer"],
  ["Buyer", "GuestBuyer", "Buyer"],
  ["AirlineLeg", "AirlineLeg", "Airline"],
  ["AirlinePassenger", "AirlinePassenger", "Airline"],
  ["Airline", "Airline", "Airline"],
  ["CardRequest", "CheckoutSessionCardPaymentMethod", "SecureFields"],
  ["ClickToPayRequest", "CheckoutSessionClickToPayPaymentMethod", "SecureFields"],
  ["StoredPaymentMethodRequest", "CheckoutSessionIdPaymentMethod", "SecureFields"],
  ["CheckoutSessionSecureFieldsUpdate", "CheckoutSessionSecureFields", "SecureFields"],
  ["CheckoutSessionPaymentMethodDetails", "CheckoutSessionPaymentMethodDetails", "CheckoutSession"],
  ["CheckoutSessionPaymentMethod", "CheckoutSessionPaymentMethod", "CheckoutSession"],
  ["CheckoutSessionCreate", "CheckoutSessionUpdate", "CheckoutSession"],
  ["CheckoutSessionUpdate", "CheckoutSessionUpdate", "CheckoutSession"],
  ["CheckoutSession", "CheckoutSession", "CheckoutSession"]
] as const

/** Models of both directions: a response has their second form. */
const both: ReadonlyArray<string> = [
  "CartItem",
  "Address",
  "TaxId",
  "ShippingDetails",
  "BillingDetails",
  "Buyer",
  "AirlineLeg",
  "AirlinePassenger",
  "Airline"
]

const answersOnly: ReadonlyArray<string> = [
  "CheckoutSessionPaymentMethodDetails",
  "CheckoutSessionPaymentMethod",
  "CheckoutSession"
]

const camel = (wire: string) => wire.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const packages = {
  core: (module: string) => `@effect-gr4vy/core/${module}`,
  "core's declarations": (module: string) => `core-declarations/${module}`,
  promise: () => "@effect-gr4vy/promise"
}

const shapes = models.flatMap(([name, schema, module]) => [
  { name, schema, module, isAnswer: answersOnly.includes(name) },
  ...(both.includes(name) ? [{ name: `${name}Output`, schema, module, isAnswer: true }] : [])
])

const propertiesOf = (schema: string) => Object.entries(description.components.schemas[schema]?.properties ?? {})

/** A program that touches every field of every model. */
const programOf = (from: (module: string) => string) =>
  shapes
    .flatMap(({ module, name, schema }) => [
      `import { ${name} } from "${from(module)}"`,
      `declare const a${name}: ${name}`,
      ...propertiesOf(schema).map(([wire]) => `a${name}.${camel(wire)}`)
    ])
    .join("\n")

const languageService = (files: ReadonlyMap<string, string>) =>
  ts.createLanguageService({
    getCompilationSettings: () => ({
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      types: [],
      paths: {
        "@effect-gr4vy/core/*": [`${root}/packages/core/src/*.ts`],
        "core-declarations/*": [`${root}/packages/core/dist/*.d.ts`],
        "@effect-gr4vy/promise": [`${root}/packages/promise/src/index.ts`]
      }
    }),
    getScriptFileNames: () => [...files.keys()],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const text = files.get(name) ?? ts.sys.readFile(name)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => files.has(name) || ts.sys.fileExists(name),
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories
  })

const file = (name: string) => `${root}/test/hovers.${name.replace(/\W+/g, "-")}.ts`
const files = new Map(Object.entries(packages).map(([name, from]) => [file(name), programOf(from)]))
const service = languageService(files)

/** The hover over the last name of `code`, in the first line that is `code` and `rest`. */
const hover = (name: string, code: string, rest = "") => {
  const at = `\n${files.get(file(name))}\n`.indexOf(`\n${code}${rest}\n`)
  assert.isAtLeast(at, 0, code)
  const info = service.getQuickInfoAtPosition(file(name), at + code.length - 1)
  return {
    shown: ts.displayPartsToString(info?.displayParts),
    text: ts.displayPartsToString(info?.documentation)
  }
}

const typesIn = ({ anyOf, ...json }: Json): ReadonlyArray<Json> =>
  (anyOf ?? [json]).filter(({ type }) => type !== "null")

/** The numbers that a hover has to name. */
const limitsIn = (json: Json): ReadonlyArray<number> =>
  typesIn(json).flatMap(({ items, maxItems, maxLength, maximum }) => [
    ...[maxItems, maxLength, maximum].filter((limit) => limit !== undefined),
    ...(items === undefined ? [] : limitsIn(items))
  ])

const isScalar = (json: Json): boolean =>
  typesIn(json).every(({ items, type }) =>
    type === "array" ? items !== undefined && isScalar(items) : type === "string" || type === "integer"
  )

// Their limit is a pattern of our own, or is said in other units.
const inOtherWords = ["expirationDate", "number", "securityCode", "expiresIn"]

for (const name of Object.keys(packages)) {
  describe(`an editor over ${name}`, () => {
    it("finds every field of every model", () => {
      const problems = service
        .getSemanticDiagnostics(file(name))
        .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))
      assert.deepStrictEqual(problems, [])
      // The first question reads the types of Effect.
    }, 60_000)

    for (const { isAnswer, name: model, schema } of shapes) {
      it(`shows a short type, limits and an example of each field of ${model}`, () => {
        for (const [wire, json] of propertiesOf(schema)) {
          const field = camel(wire)
          const { shown, text } = hover(name, `a${model}.${field}`)
          assert.isBelow(shown.length, 200, shown)
          assert.match(text, /^[A-Z].*\.$/s, `${model}.${field}`)
          if (!isAnswer && !inOtherWords.includes(field)) {
            for (const limit of limitsIn(json)) {
              assert.include(text.replaceAll(",", ""), String(limit), `${model}.${field}`)
            }
          }
          if (isScalar(json) && !text.startsWith("Always") && wire !== "id") {
            assert.match(text, /e\.g\. `/, `${model}.${field}`)
          }
        }
      })
    }
  })

  for (const [field, type] of [
    ["buyer", "buyer?: BuyerOutput"],
    ["cartItems", "cartItems?: readonly CartItemOutput[]"],
    ["airline", "airline?: AirlineOutput"],
    ["paymentMethod", "paymentMethod?: CheckoutSessionPaymentMethod"]
  ] as const) {
    it(`names the type of a session's ${field} in ${name}`, () => {
      const { shown } = hover(name, `aCheckoutSession.${field}`)
      assert.include(shown.replace("ReadonlyArray<CartItemOutput>", "readonly CartItemOutput[]"), type)
    })
  }
}

it("a model's name shows its text", () => {
  for (const [model] of models) {
    const { shown, text } = hover("promise", `declare const a${model}: ${model}`)
    assert.isBelow(shown.length, 200, shown)
    assert.match(text, /^[A-Z]/, model)
  }
})

describe.each(["core", "core's declarations"] as const)("an imported name of %s", (name) => {
  it("shows short types, the model's text and what its schema is", () => {
    for (const [model, , module] of models) {
      const { shown, text } = hover(name, `import { ${model}`, ` } from "${packages[name](module)}"`)
      assert.isBelow(shown.length, 250, shown)
      assert.notMatch(shown, /\w_\w/, model)
      assert.match(text, /^[A-Z].*\.$/s, model)
      if (shown.includes("const ")) {
        assert.include(shown, `Model<${model}, ${model}Encoded>`)
        assert.include(text, `\nThe value \`${model}\` is its schema`)
      }
    }
  })
})
