/** The promise package in plain code: as an ES module, and by `require` where Node can. */
import { deepStrictEqual, ok } from "node:assert/strict"
import { createRequire } from "node:module"
import * as promise from "@effect-gr4vy/promise"
import { runChecks } from "./checks.js"

const baseUrl = process.argv[2] ?? ""

const life = async ({ create, NotFound }: typeof promise) => {
  const gr4vy = await create({ baseUrl, token: "any" })
  try {
    const { id } = await gr4vy.add()
    await gr4vy.updateFields(id, {
      paymentMethod: { method: "card", number: "4111111111111111", expirationDate: "11/29", securityCode: "123" }
    })
    ok((await gr4vy.get(id)).expiresAt.getTime() - Date.now() <= 5 * 60_000)
    await gr4vy.delete(id)
    const gone: unknown = await gr4vy.get(id).catch((error: unknown) => error)
    ok(gone instanceof NotFound)
    deepStrictEqual([gone.name, gone.status, gone.code], ["NotFound", 404, "not_found"])
  } finally {
    await gr4vy.close()
  }
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

await runChecks({
  "create, fill, get, delete, get": () => life(promise),
  ...(major > 20 || minor >= 19
    ? { "the same by require": () => life(createRequire(import.meta.url)("@effect-gr4vy/promise")) }
    : {})
})
