/** The promise package as somebody gets it who installs nothing else. */
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect } from "effect"
import { makePromiseConsumer, readJson, root, run } from "./consumer.js"

let consumer: Awaited<ReturnType<typeof makePromiseConsumer>>
beforeAll(async () => {
  consumer = await makePromiseConsumer()
}, 120_000)
afterAll(() => rm(consumer.dir, { recursive: true, force: true }))

const bin = (name: string) => join(root, "node_modules/.bin", name)

const filesIn = async (dir: string) =>
  (await readdir(dir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

describe("the packed promise package", () => {
  it("is its code, its types, its README and the licences of all that is in it", async () => {
    const files = (await filesIn(consumer.installed)).map((file) => file.slice(consumer.installed.length + 1))
    assert.sameMembers(
      files.filter((file) => !file.endsWith(".d.ts") && !file.startsWith("dist/engine/")),
      ["dist/index.js", "dist/spi/bridge.js", "package.json", "README.md", "LICENSE", "THIRD-PARTY-LICENSES"]
    )
    const licences = await readFile(join(consumer.installed, "THIRD-PARTY-LICENSES"), "utf8")
    for (const name of ["effect", "@effect/platform", "@opentelemetry/api"]) {
      assert.match(licences, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((MIT|Apache-2\\.0)\\)$`, "m"))
    }
    assert.match(licences, /Copyright \(c\) 2023 Effectful Technologies Inc/)
  })

  it("depends on undici and jose alone, and comes without Effect and OpenTelemetry", async () => {
    const manifest = await readJson(join(consumer.installed, "package.json"))
    assert.sameMembers(Object.keys(Object(manifest["dependencies"])), ["jose", "undici"])
    assert.deepStrictEqual(manifest["peerDependenciesMeta"], { "@opentelemetry/api": { optional: true } })
    const modules = await readdir(join(consumer.dir, "node_modules"))
    assert.sameMembers(
      modules.filter((name) => !name.startsWith(".")),
      ["@effect-gr4vy", "jose", "undici"]
    )
  })

  it("takes less than 5 MB installed, with its dependencies", async () => {
    const files = await filesIn(join(consumer.dir, "node_modules"))
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
    assert.isBelow(
      sizes.reduce((sum, size) => sum + size, 0),
      5_000_000
    )
  })

  it("is clean for publint and attw", async () => {
    await run(root, bin("publint"), consumer.tarball, "--strict")
    await run(root, bin("attw"), consumer.tarball, "--profile", "esm-only")
  }, 120_000)

  it("has types that know nothing of Effect, and type-check where nothing else is installed", async () => {
    const declarations = (await filesIn(consumer.installed)).filter((file) => file.endsWith(".d.ts"))
    assert.isAbove(declarations.length, 2)
    for (const file of declarations) {
      const text = (await readFile(file, "utf8")).replaceAll("@effect-gr4vy/promise", "")
      assert.notMatch(text, /effect/i, file)
    }
    await writeFile(join(consumer.dir, "program.ts"), program)
    const options = ["--strict", "--skipLibCheck", "false", "--exactOptionalPropertyTypes", "--target", "es2022"]
    await run(consumer.dir, bin("tsc"), ...options, "--module", "nodenext", "program.ts")
  })

  it.scopedLive("runs, as an ES module and by require", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Sandbox.Sandbox
      const node = (...args: ReadonlyArray<string>) =>
        Effect.promise(() => run(consumer.dir, process.execPath, ...args, baseUrl))
      assert.strictEqual(yield* node("program.js"), "gone NotFound not_found\n")
      const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
      // Node can require ES modules from 20.19 on.
      if (major === 20 && minor < 19) return
      const script = `
        const { create, NotFound } = require("@effect-gr4vy/promise")
        const main = async () => {
          const gr4vy = await create({ baseUrl: process.argv[1], token: "any" })
          const { id } = await gr4vy.add()
          await gr4vy.delete(id)
          console.log(await gr4vy.get(id).catch((error) => error instanceof NotFound))
          await gr4vy.close()
        }
        main()`
      assert.strictEqual(yield* node("--input-type=commonjs", "-e", script), "true\n")
    }).pipe(Effect.provide(Sandbox.layer()))
  )
})

const program = `
import { type Api, type CheckoutSession, type Client, create, NotFound } from "@effect-gr4vy/promise"

declare const process: { readonly argv: ReadonlyArray<string> }

const life = async (gr4vy: Client): Promise<string> => {
  const session: CheckoutSession = await gr4vy.add({ amount: 1299, currency: "USD" })
  await gr4vy.updateFields(session.id, {
    paymentMethod: { method: "card", number: "4111111111111111", expirationDate: "11/29", securityCode: "123" }
  })
  const item = async (): Promise<Api.TransactionSummary | undefined> => {
    for await (const transaction of gr4vy.transactions.list({ createdAtGte: new Date(), limit: 50 })) return transaction
    return (await gr4vy.transactions.list()).items[0]
  }
  void item
  const expiresAt: Date = (await gr4vy.get(session.id, { signal: AbortSignal.timeout(5_000) })).expiresAt
  await gr4vy.delete(session.id)
  try {
    await gr4vy.get(session.id)
    return String(expiresAt)
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
    const name: "NotFound" = error.name
    const code: string | undefined = error.code
    return \`gone \${name} \${code}\`
  }
}

declare const console: { readonly log: (text: string) => void }

{
  await using gr4vy = await create({ baseUrl: process.argv[2] ?? "", token: "any" })
  console.log(await life(gr4vy))
}
`
