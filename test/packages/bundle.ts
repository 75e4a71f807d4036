/** Bundles of the packages as a bundler of the user's makes them, and what each is made of. */
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { root } from "./consumer.js"

export interface Bundle {
  readonly minified: number
  readonly gzipped: number
  /** Bytes that each source file has in the bundle, by its path. */
  readonly parts: Readonly<Record<string, number>>
}

/** What a page needs to talk to the API. */
export const browserClient = `
  export { FetchHttpClient } from "@effect/platform"
  export { CheckoutSessions, Credentials, Gr4vyHttpClient } from "@effect-gr4vy/core"`

export const peers = ["effect", "@effect/platform"]

export const bundle = async (
  code: string,
  options: { readonly platform: "browser" | "node"; readonly external?: ReadonlyArray<string> }
): Promise<Bundle> => {
  const { metafile, outputFiles } = await build({
    stdin: { contents: code, resolveDir: `${root}/test`, loader: "ts" },
    platform: options.platform,
    external: [...(options.external ?? [])],
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    metafile: true,
    write: false,
    logLevel: "silent"
  })
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
  const contents = outputFiles[0]?.contents ?? new Uint8Array()
  return {
    minified: contents.length,
    gzipped: gzipSync(contents, { level: 9 }).length,
    parts: Object.fromEntries(inputs.map(([path, { bytesInOutput }]) => [path, bytesInOutput]))
  }
}
