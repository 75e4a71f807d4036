/** The package for Effect 4 as somebody gets it: beside Effect 4 and nothing else, and beside Effect 3. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { makeEffect4Consumer, readJson, root, run } from "./consumer.js"

let consumer: Awaited<ReturnType<typeof makeEffect4Consumer>>
beforeAll(async () => {
  consumer = await makeEffect4Consumer({ effect3: "npm:effect@3.22.4" })
}, 240_000)
afterAll(() => rm(consumer.dir, { recursive: true, force: true }))

const bin = (name: string) => join(root, "node_modules/.bin", name)

const program = `
import { CheckoutSessions, NotFound } from "@effect-gr4vy/effect4"
import { Effect } from "effect"

const program: Effect.Effect<string> = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const { id } = yield* Effect.orDie(sessions.add({ amount: 1299, currency: "EUR" }))
  yield* Effect.orDie(sessions.delete(id))
  return yield* sessions.get(id).pipe(
    Effect.map(() => "still there"),
    Effect.catchTag("NotFound", (error: NotFound) => Effect.succeed(error._tag)),
    Effect.orDie
  )
}).pipe(Effect.provide(CheckoutSessions.layerMemory()))

console.log(await Effect.runPromise(program))
`

describe("the packed package for Effect 4", () => {
  it("depends on the promise package alone, which brings no Effect 3", async () => {
    const manifest = await readJson(join(consumer.installed, "package.json"))
    assert.deepStrictEqual(Object.keys(Object(manifest["dependencies"])), ["@effect-gr4vy/promise"])
    const lock = await readJson(join(consumer.dir, "package-lock.json"))
    const effects = Object.entries(Object(lock["packages"]))
      .filter(([path]) => /(^|\/)effect$/.test(path))
      .map(([, found]) => String(Object(found).version))
    assert.lengthOf(effects, 1)
    assert.match(effects[0] ?? "", /^4\./)
  })

  it("has types that need no Effect 3, and type-checks with its peer alone", async () => {
    const declarations = (await readdir(join(consumer.installed, "dist"))).filter((file) => file.endsWith(".d.ts"))
    assert.isAbove(declarations.length, 5)
    for (const file of declarations) {
      assert.notMatch(await readFile(join(consumer.installed, "dist", file), "utf8"), /effect3|@effect\/platform/)
    }
    await writeFile(join(consumer.dir, "program.ts"), program)
    const options = ["--strict", "--skipLibCheck", "--exactOptionalPropertyTypes", "--target", "es2022"]
    await run(consumer.dir, bin("tsc"), ...options, "--module", "nodenext", "program.ts")
  }, 120_000)

  it("runs, and beside Effect 3 in one process", async () => {
    assert.strictEqual(await run(consumer.dir, process.execPath, "program.js"), "NotFound\n")
    await writeFile(
      join(consumer.dir, "both.js"),
      'import { Effect } from "effect3"\nawait import("./program.js")\nconsole.log(Effect.runSync(Effect.succeed(3)))\n'
    )
    assert.strictEqual(await run(consumer.dir, process.execPath, "both.js"), "NotFound\n3\n")
  })

  it("costs no more than 1.6 times the import of Effect 4 alone", async () => {
    const millis = async (...specifiers: ReadonlyArray<string>) => {
      const imports = specifiers.map((specifier) => `await import("${specifier}");`).join(" ")
      // The processor's time: a machine's other work does not count.
      const script = `${imports} const { system, user } = process.cpuUsage(); console.log((system + user) / 1000)`
      const all: Array<number> = []
      for (let n = 0; n < 5; n++) {
        all.push(Number(await run(consumer.dir, process.execPath, "--input-type=module", "-e", script)))
      }
      return Math.min(...all)
    }
    const alone = await millis("effect")
    const ours = await millis("effect", "@effect-gr4vy/effect4")
    assert.isAtMost(ours / alone, 1.6, `${ours} ms, Effect 4 alone ${alone} ms`)
  }, 120_000)

  it("is clean for publint and attw", async () => {
    await run(root, bin("publint"), consumer.tarball, "--strict")
    await run(root, bin("attw"), consumer.tarball, "--profile", "esm-only")
  }, 120_000)
})
