/**
 * Whatever bytes a server sends, a call ends in its time, says truly what happened, shows no secret, repeats nothing that
 * must not be repeated and leaves nothing behind. `npm run soak` tries many more cases.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { batch } from "../../support/wire/batch.js"
import { read } from "../../support/wire/reading.js"

describe("whatever bytes a server sends", () => {
  it.scopedLive(
    "every call of 300 cases keeps what it promises",
    () =>
      Effect.gen(function* () {
        const { failures, outcomes } = yield* batch({ seed: 1, cases: 300, concurrency: 12 })
        assert.strictEqual(JSON.stringify(failures, null, 2), "[]")
        // The cases are of many kinds, or they would prove little.
        assert.isAbove(Object.keys(outcomes).length, 15)
        assert.isAbove(outcomes["success"] ?? 0, 50)
      }),
    120_000
  )
})

describe("the reader that calls are held against", () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
  const rows = [
    [`${head}hello`, "whole"],
    [`${head}hell`, "cut"],
    ["HTTP/1.1 20", "cut"],
    ["HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No\r\n\r\n", "whole"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "whole"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "cut"],
    ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello", "odd"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "odd"],
    ["SSH-2.0-OpenSSH_9.6\r\n", "odd"]
  ] as const
  it.each(rows)("finds that %j is %s", (bytes, kind) => {
    assert.strictEqual(read(Buffer.from(bytes, "latin1"), "open").kind, kind)
  })
})
