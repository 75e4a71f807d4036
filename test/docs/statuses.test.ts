/**
 * The HTTP guide, the promise guide and the examples give each error the same HTTP status. The code of the guides runs here.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as Core from "@effect-gr4vy/core"
import { statusOf } from "@effect-gr4vy/examples/support/statusOf"
import * as Plain from "@effect-gr4vy/promise"
import * as Effect from "effect"
import ts from "typescript"

const page = (name: string) => readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), "utf8")

/** The exports of the block of a page that has `export const statusOf`. */
const codeOf = (name: string) => {
  const block = page(name)
    .split("```")
    .find((part) => part.startsWith("ts\n") && part.includes("export const statusOf"))
    ?.slice(3)
  const { outputText } = ts.transpileModule(block ?? "", { compilerOptions: { module: ts.ModuleKind.CommonJS } })
  const exports = {}
  const modules: Readonly<Record<string, unknown>> = {
    "@effect-gr4vy/promise": Plain,
    "@effect-gr4vy/core": Core,
    effect: Effect
  }
  new Function("exports", "require", outputText)(
    exports,
    (id: string) => modules[id] ?? createRequire(import.meta.url)(id)
  )
  // What the guides export.
  return exports as { readonly statusOf: (error: unknown) => number; readonly headersOf: (error: unknown) => object }
}

const reasons = Core.RequestFailedReason.literals
const statuses = [300, 304, 400, 403, 408, 409, 418, 422, 425, 429, 500, 501, 502, 503, 504]

/** Each error as both packages have it. */
const errors = [
  { name: "NotFound", core: new Core.NotFound({ message: "" }), plain: new Plain.NotFound({ message: "" }) },
  {
    name: "Unauthorized",
    core: new Core.Unauthorized({ message: "" }),
    plain: new Plain.Unauthorized({ message: "" })
  },
  ...statuses.map((status) => ({
    name: `Generic ${status}`,
    core: new Core.Generic({ status, message: "", retryAfter: Effect.Duration.millis(1500) }),
    plain: new Plain.Generic({ status, message: "", retryAfter: 1500 })
  })),
  ...reasons.map((reason) => {
    const fields = { reason, delivered: "unknown", attempts: 1, message: "" } as const
    return { name: reason, core: new Core.RequestFailed(fields), plain: new Plain.RequestFailed(fields) }
  })
]

describe("the statuses of errors", () => {
  it("are the same in both guides and in the examples", () => {
    const [http, promise] = [codeOf("http-service.md"), codeOf("promise.md")]
    for (const { core, name, plain } of errors) {
      assert.strictEqual(promise.statusOf(plain), http.statusOf(core), name)
      assert.strictEqual(statusOf(core), http.statusOf(core), name)
      assert.deepStrictEqual(promise.headersOf(plain), http.headersOf(core), name)
    }
    assert.throws(() => promise.statusOf(new Error("another")), "another")
  })
})
