import { createServer } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Redacted } from "effect"
import { heapUsed } from "../../support/heap.js"
import { loopback } from "../../support/loopback.js"
import { session } from "../../support/script.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

/** In turn: an answer, a 503, a reset, and no answer, so that the caller gives up. */
const mixed = Effect.gen(function* () {
  let requests = 0
  let mixed = true
  const server = createServer((request, response) => {
    const turn = mixed ? requests++ % 8 : 0
    if (turn === 1) response.writeHead(503).end("busy")
    else if (turn === 3) request.socket.resetAndDestroy()
    else if (turn !== 5) session(request, response)
  })
  const at = yield* loopback(server)
  const mix = (on: boolean) => {
    mixed = on
  }
  return { ...at, baseUrl: `http://127.0.0.1:${at.port}`, mix }
})

const held = () => {
  const all = process.getActiveResourcesInfo()
  const of = (name: string) => all.filter((resource) => resource === name).length
  return { timers: of("Timeout"), sockets: of("TCPSocketWrap") + of("TLSWrap") }
}

const turn = Effect.async<ReturnType<typeof held>>((resume) => void setImmediate(() => resume(Effect.sync(held))))

describe("resources after many calls", () => {
  it.scopedLive(
    "3,000 calls, fine, failing, reset and interrupted, leave no socket, timer or listener",
    () =>
      Effect.gen(function* () {
        const server = yield* mixed
        const warnings: Array<string> = []
        const warn = (warning: Error) => warnings.push(warning.name)
        process.on("warning", warn)
        const before = held()
        const calls = (count: number) =>
          Effect.scoped(
            Effect.gen(function* () {
              const sessions = yield* Gr4vy.make({
                baseUrl: server.baseUrl,
                token: Redacted.make("token"),
                retry: RetryPolicy.make({ baseDelay: 1, maxDelay: 2 })
              })
              server.mix(true)
              yield* Effect.forEach(
                Array.from({ length: count }),
                () => Effect.ignore(Effect.timeout(sessions.get(id), 50)),
                { concurrency: 64, discard: true }
              )
              // Some connections are idle when the scope ends.
              server.mix(false)
              yield* Effect.all(
                Array.from({ length: 16 }, () => sessions.get(id)),
                { concurrency: "unbounded" }
              )
              assert.isAtLeast(server.open(), 16)
            })
          )
        yield* calls(500)
        const heap = heapUsed()
        yield* calls(2_500)
        // Idle connections would end by themselves after 4 s: they end with the scope.
        yield* Effect.timeout(server.quiet, "2 seconds")
        const grown = (heapUsed() - heap) / 2 ** 20
        process.off("warning", warn)
        // A socket that is closed is reported until the event loop has come round.
        const after = yield* Effect.repeat(turn, {
          until: (now) => now.sockets <= before.sockets && now.timers <= before.timers,
          times: 100
        })
        console.log(`left: ${JSON.stringify({ before, after, grown: `${grown.toFixed(1)} MiB`, open: server.open() })}`)
        assert.strictEqual(server.open(), 0)
        assert.isAtMost(after.timers, before.timers)
        assert.isAtMost(after.sockets, before.sockets)
        assert.deepStrictEqual(warnings, [])
        // Half of it is code that was not compiled before; 1.6 KB a call would be seen.
        assert.isBelow(grown, 4)
      }),
    60_000
  )
})
