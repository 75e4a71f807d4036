import { execFile } from "node:child_process"
import { createServer, type ServerResponse } from "node:http"
import { fileURLToPath } from "node:url"
import { createGzip } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { loopback } from "../../support/loopback.js"
import { session } from "../../support/script.js"

const MiB = 2 ** 20
const zeros = Buffer.alloc(MiB)

/** Writes `count` MiB, as fast as they are taken. */
const pour = (count: number, into: NodeJS.WritableStream) => {
  let left = count
  const more = () => {
    while (left > 0) {
      left--
      if (!into.write(zeros)) return void into.once("drain", more)
    }
    into.end()
  }
  more()
}

/** 300 MiB of zeros: 300 KB on the wire. */
const bomb = Effect.async<Buffer>((resume) => {
  const gzip = createGzip()
  const chunks: Array<Buffer> = []
  gzip.on("data", (chunk: Buffer) => chunks.push(chunk))
  gzip.on("end", () => resume(Effect.succeed(Buffer.concat(chunks))))
  pour(300, gzip)
})

const Outcome = Schema.parseJson(
  Schema.Struct({
    reason: Schema.String,
    delivered: Schema.String,
    rss: Schema.Number,
    /** What was held on the heap at most. */
    heap: Schema.Number,
    external: Schema.Number
  })
)

/** A call of a process of its own to a server that answers so, beside what it cost. */
const cost = (answer: (response: ServerResponse) => void) =>
  Effect.gen(function* () {
    const { port } = yield* loopback(
      createServer((request, response) =>
        request.url?.startsWith("/fine") ? session(request, response) : answer(response)
      )
    )
    const client = fileURLToPath(new URL("../../support/memory/client.mjs", import.meta.url))
    const at = `http://127.0.0.1:${port}`
    const out = yield* Effect.async<string>((resume) => {
      execFile(process.execPath, ["--expose-gc", client, at, `${at}/fine`], (error, stdout) =>
        resume(error === null ? Effect.succeed(stdout) : Effect.die(error))
      )
    })
    return yield* Schema.decode(Outcome)(out)
  }).pipe(
    Effect.scoped,
    // The pages of a process grow and shrink for many reasons: what it takes is what it takes when it takes least.
    Effect.repeat({ until: isModest, times: 2 })
  )

const isModest = ({ external, rss }: typeof Outcome.Type) => Math.max(external, rss) < 8 * MiB

const modest = (what: string, outcome: typeof Outcome.Type) => {
  const of = (bytes: number) => `${(bytes / MiB).toFixed(1)} MiB`
  assert.isTrue(isModest(outcome), `${what}: rss ${of(outcome.rss)}, external ${of(outcome.external)}`)
}

describe("the client limits the memory of a response", () => {
  it.scopedLive("300 MiB in 300 KB of gzip are not unpacked", () =>
    Effect.gen(function* () {
      const body = yield* bomb
      const outcome = yield* cost((response) => response.writeHead(200, { "content-encoding": "gzip" }).end(body))
      assert.deepInclude(outcome, { reason: "InvalidResponse", delivered: "yes" })
      modest("a gzip bomb", outcome)
    })
  )

  it.live.each([
    ["declared", { "content-length": String(64 * MiB) }],
    ["undeclared", {}]
  ] as const)("64 MiB, %s, are not read to their end", ([name, headers]) =>
    Effect.gen(function* () {
      const outcome = yield* cost((response) => {
        response.writeHead(200, { "content-type": "application/json", ...headers })
        pour(64, response)
      })
      assert.deepInclude(outcome, { reason: "ResponseTooLarge", delivered: "yes" })
      modest(`64 MiB, ${name}`, outcome)
    }).pipe(Effect.scoped)
  )

  it.live("a megabyte in chunks of one byte takes no more than one that comes whole", () =>
    Effect.gen(function* () {
      const chunks = Buffer.from("1\r\n \r\n".repeat(1_000_000))
      const outcome = yield* cost((response) => {
        response.socket?.end(
          Buffer.concat([
            Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            chunks,
            Buffer.from("0\r\n\r\n")
          ])
        )
      })
      assert.deepInclude(outcome, { reason: "InvalidResponse", delivered: "yes" })
      console.log(`one-byte chunks: rss ${outcome.rss / MiB} MiB, heap ${outcome.heap / MiB} MiB`)
      assert.isBelow(outcome.heap, 4 * MiB)
    }).pipe(Effect.scoped)
  )
})
