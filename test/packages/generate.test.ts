/** The generator: what it writes is what is checked in, a field is written once, and what it does not know is an error. */
import { spawnSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import {
  CheckoutSession,
  CheckoutSessionCreate,
  CheckoutSessionSecureFieldsUpdate,
  CheckoutSessionUpdate
} from "@effect-gr4vy/core"
import { Option, type Schema, SchemaAST } from "effect"

const root = fileURLToPath(new URL("../..", import.meta.url))

const generated = [
  "packages/api/openapi.json",
  "packages/core/src/models",
  "packages/promise/src/sessions.ts",
  "packages/effect4/src/sessions.ts",
  "packages/promise/src/api",
  "packages/promise/src/internal/operations.ts",
  "packages/api/src"
]

/** Runs the generator over a copy of the repository's files, after a change. */
const generate = (change: (edit: (path: string, f: (content: string) => string) => void) => void, check: boolean) => {
  const copy = mkdtempSync(join(tmpdir(), "generate-"))
  try {
    for (const path of generated) cpSync(join(root, path), join(copy, path), { recursive: true })
    change((path, f) => writeFileSync(join(copy, path), f(readFileSync(join(copy, path), "utf8"))))
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      [join(root, "scripts/generate/main.mjs"), `--root=${copy}`, ...(check ? ["--check"] : [])],
      { encoding: "utf8" }
    )
    const contentOf = (path: string) => readFileSync(join(copy, path), "utf8")
    return { status, stderr, stdout, models: contentOf(cartItems), plain: contentOf(generated[2] ?? "") }
  } finally {
    rmSync(copy, { recursive: true })
  }
}

const cartItems = "packages/core/src/models/CartItem.ts"

interface Description {
  readonly paths: Record<string, Record<string, Record<string, unknown>>>
  readonly components: {
    readonly schemas: Record<string, { readonly properties: Record<string, unknown>; enum?: ReadonlyArray<string> }>
  }
}

const describedOtherwise = (change: (description: Description) => void) =>
  generate(
    (edit) =>
      edit("packages/api/openapi.json", (content) => {
        const description: Description = JSON.parse(content)
        change(description)
        return JSON.stringify(description)
      }),
    true
  )

const itemOf = ({ components }: Description) => {
  const item = components.schemas["CartItem"]
  assert(item !== undefined)
  return item.properties
}

describe("the generator", () => {
  it("writes what is checked in", () => {
    const { status, stderr } = generate(() => {}, true)
    assert.strictEqual(stderr, "")
    assert.strictEqual(status, 0)
  })

  it("refuses a generated file that was edited, and names it", () => {
    for (const path of [cartItems, "packages/promise/src/sessions.ts"]) {
      const { status, stderr } = generate(
        (edit) => edit(path, (text) => text.replace("readonly brand?", "brand?")),
        true
      )
      assert.strictEqual(status, 1)
      assert.strictEqual(
        stderr,
        `${path}: not as the generator writes it. Edit the overlay, then run \`npm run generate\`.\n`
      )
    }
  })

  it("writes a changed limit of one field to its type's text and to its schema, in both packages", () => {
    const { models, plain, status } = generate(
      (edit) =>
        edit("packages/api/openapi.json", (content) => {
          const description: Description = JSON.parse(content)
          itemOf(description)["brand"] = { type: "string", minLength: 2, maxLength: 77 }
          return JSON.stringify(description)
        }),
      false
    )
    assert.strictEqual(status, 0)
    assert.include(models, 'The brand of the product, 2–77 characters, e.g. `"Acme"`.')
    assert.include(models, "readonly brand?: string | undefined")
    assert.include(models, 'brand: optional(text(2, 77, "The brand of the product.", "Acme"))')
    assert.include(plain, 'The brand of the product, 2–77 characters, e.g. `"Acme"`.')
    assert.include(plain, "readonly brand?: string | undefined")
  })

  for (const [what, change, sentence] of [
    [
      "a new property without a text",
      (description) => {
        itemOf(description)["weight"] = { type: "integer", minimum: 0, maximum: 9 }
      },
      "CartItem.weight has no text in the overlay."
    ],
    [
      "a property that is gone",
      (description) => {
        delete itemOf(description)["brand"]
      },
      "CartItem has no property brand, which the overlay describes."
    ],
    [
      "an unknown construct",
      (description) => {
        itemOf(description)["brand"] = { type: "object", patternProperties: {} }
      },
      'CartItem.brand has a construct that the generator does not know: {"type":"object","patternProperties":{}}'
    ],
    [
      "an unknown format",
      (description) => {
        itemOf(description)["brand"] = { type: "string", format: "ipv4" }
      },
      "CartItem.brand has the format ipv4, which the generator does not know."
    ],
    [
      "a pattern without words",
      (description) => {
        itemOf(description)["brand"] = { type: "string", pattern: "^x$" }
      },
      "CartItem.brand has the pattern ^x$, which overlay/patterns.mjs has no words for."
    ],
    [
      "several types at once",
      (description) => {
        itemOf(description)["brand"] = { anyOf: [{ type: "string" }, { type: "integer" }] }
      },
      "CartItem.brand is one of several types, which the generator does not know."
    ],
    [
      "a POST without a resend class",
      ({ paths }) => {
        paths["/money"] = { post: { operationId: "create_money" } }
      },
      "create_money (POST /money) has no resend class: add it to overlay/resend.mjs, as once if in doubt."
    ],
    [
      "a class for an operation that is gone",
      ({ paths }) => {
        delete paths["/payouts"]
      },
      "overlay/resend.mjs classes create_payout, which the description does not have."
    ],
    [
      "a key where the overlay has a class",
      ({ paths }) => {
        const post = paths["/payouts"]?.["post"]
        assert(post !== undefined)
        post["parameters"] = [{ in: "header", name: "Idempotency-Key" }]
      },
      "create_payout declares idempotency-key, so overlay/resend.mjs must not class it as once."
    ],
    [
      "two schemas of one name",
      (description) => {
        itemOf(description)["brand"] = { $ref: "#/components/schemas/Buyer" }
      },
      "Buyer and GuestBuyer are both called Buyer: give one of them another name in the overlay."
    ],
    [
      "two properties of one name",
      (description) => {
        itemOf(description)["tax-exempt"] = { type: "boolean" }
      },
      "CartItem has two properties that are taxExempt in TypeScript."
    ]
  ] as ReadonlyArray<readonly [string, (description: Description) => void, string]>) {
    it(`refuses ${what}`, () => {
      const { status, stderr } = describedOtherwise(change)
      assert.strictEqual(stderr, `${sentence}\n`)
      assert.strictEqual(status, 1)
    })
  }
})

interface Names {
  readonly wire: ReadonlyArray<string>
  readonly ours: ReadonlyArray<string>
}

/** The names of every struct inside a schema, on both sides, by the struct's own name. */
const structsIn = (schema: Schema.Schema.All): Map<string, Names> => {
  const found = new Map<string, Names>()
  const seen = new Set<SchemaAST.AST>()
  const walk = (ast: SchemaAST.AST): void => {
    if (seen.has(ast)) return
    seen.add(ast)
    const name = Option.getOrUndefined(SchemaAST.getIdentifierAnnotation(ast))
    switch (ast._tag) {
      case "Suspend":
        walk(ast.f())
        break
      case "Refinement":
        walk(ast.from)
        break
      case "Union":
        for (const type of ast.types) walk(type)
        break
      case "TupleType":
        for (const { type } of ast.rest) walk(type)
        break
      case "TypeLiteral":
        if (name !== undefined) found.set(name, { wire: propertiesOf(ast), ours: propertiesOf(ast) })
        for (const { type } of ast.propertySignatures) walk(type)
        break
      case "Transformation":
        if (name !== undefined && ast.to._tag === "TypeLiteral") {
          found.set(name, { wire: propertiesOf(ast.from), ours: propertiesOf(ast.to) })
        }
        walk(ast.from)
        break
    }
  }
  walk(schema.ast)
  return found
}

const propertiesOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  ast._tag === "TypeLiteral" ? ast.propertySignatures.map(({ name }) => String(name)) : []

const camel = (wire: string) => wire.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

const description: Description = JSON.parse(readFileSync(join(root, "packages/api/openapi.json"), "utf8"))

const inTheDescription: Record<string, string> = {
  Buyer: "GuestBuyer",
  ShippingDetails: "ShippingDetailsCreate",
  CardRequest: "CheckoutSessionCardPaymentMethod",
  ClickToPayRequest: "CheckoutSessionClickToPayPaymentMethod",
  StoredPaymentMethodRequest: "CheckoutSessionIdPaymentMethod",
  CheckoutSessionSecureFieldsUpdate: "CheckoutSessionSecureFields",
  CheckoutSessionCreate: "CheckoutSessionUpdate"
}

const ofTheOrder = [
  ...["Address", "Airline", "AirlineLeg", "AirlinePassenger", "BillingDetails", "Buyer", "CartItem"],
  ...["ShippingDetails", "TaxId"]
]

describe("a schema has every property of the description, under both names, at every depth:", () => {
  for (const [what, schema, names] of [
    ["a new session", CheckoutSessionCreate, ["CheckoutSessionCreate", ...ofTheOrder]],
    ["a changed session", CheckoutSessionUpdate, ["CheckoutSessionUpdate", ...ofTheOrder]],
    [
      "secure fields",
      CheckoutSessionSecureFieldsUpdate,
      ["CardRequest", "CheckoutSessionSecureFieldsUpdate", "ClickToPayRequest", "StoredPaymentMethodRequest"]
    ],
    [
      "a session that is read",
      CheckoutSession,
      [...ofTheOrder, "CheckoutSessionPaymentMethod", "CheckoutSessionPaymentMethodDetails"]
    ]
  ] as const) {
    it(what, () => {
      const found = structsIn(schema)
      assert.sameMembers([...found.keys()], [...names])
      for (const [name, { ours, wire }] of found) {
        assert.deepStrictEqual([...ours], wire.map(camel), name)
        const described = description.components.schemas[inTheDescription[name] ?? name]
        assert(described !== undefined, name)
        assert.includeMembers([...wire], Object.keys(described.properties), name)
      }
    })
  }

  it("the class of a session", () => {
    const described = description.components.schemas["CheckoutSession"]
    assert(described !== undefined)
    assert.includeMembers(Object.keys(CheckoutSession.fields), Object.keys(described.properties).map(camel))
  })
})
