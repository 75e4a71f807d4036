import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { build } from "esbuild"

const program = `
  import { CheckoutSessions, CheckoutSessionsMemory, Credentials, Gr4vyHttpClient } from "@effect-gr4vy/core"
  import { FetchHttpClient } from "@effect/platform"
  import { Effect, Layer, Redacted } from "effect"

  const Sessions = CheckoutSessions.layer.pipe(
    Layer.provide(Gr4vyHttpClient.layer({ id: "plantly" })),
    Layer.provide([FetchHttpClient.layer, Credentials.layerToken(Redacted.make("any"))])
  )
  export const main = CheckoutSessions.pipe(Effect.flatMap((sessions) => sessions.add()), Effect.provide(Sessions))
`

describe("core with FetchHttpClient, bundled for a browser", () => {
  it.live("has nothing of Node in it, and no server", () =>
    Effect.gen(function* () {
      const { metafile, warnings } = yield* Effect.promise(() =>
        build({
          stdin: { contents: program, resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
          bundle: true,
          format: "esm",
          platform: "browser",
          metafile: true,
          minify: true,
          write: false,
          logLevel: "silent"
        })
      )
      assert.deepStrictEqual(warnings, [])
      const [output] = Object.values(metafile.outputs)
      assert(output !== undefined)
      assert.deepStrictEqual(output.imports, [])

      const modules = Object.entries(output.inputs).flatMap(([path, { bytesInOutput }]) =>
        bytesInOutput > 0 ? [path] : []
      )
      assert(modules.some((path) => path.includes("CheckoutSessions.js")))
      const strangers = modules.filter((path) =>
        /undici|platform-node|opentelemetry|jose|HttpApi|HttpServer/.test(path)
      )
      assert.deepStrictEqual(strangers, [])
    })
  )
})
