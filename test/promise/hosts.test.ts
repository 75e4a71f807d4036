/** The short form of `npm run test:runtimes`: the same programs, in this workspace and on this Node alone. */
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Effect } from "effect"
import { root, run } from "../packages/consumer.js"

const program = (name: string) => fileURLToPath(new URL(`../dist/runtimes/${name}.js`, import.meta.url))

describe("the promise package passes the checks of", () => {
  for (const name of ["main-promise", "main-effect4", "main-express"]) {
    it.scopedLive(name, () =>
      Effect.gen(function* () {
        const { baseUrl } = yield* Sandbox.Sandbox
        const output = yield* Effect.promise(() => run(root, process.execPath, program(name), baseUrl))
        assert.strictEqual(output, "[]\n")
      }).pipe(Effect.provide(Sandbox.layer()))
    )
  }
})
