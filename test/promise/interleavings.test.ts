/**
 * Calls, signals and `close` in an order that a seed decides: each begins after some turns of the microtask queue or of
 * the event loop, and the server answers in an order of its own.
 */
import { createServer } from "node:http"
import { setImmediate } from "node:timers/promises"
import { assert, describe, it } from "@effect/vitest"
import { create, RequestFailed } from "@effect-gr4vy/promise"
import { Effect } from "effect"
import { loopback } from "../support/loopback.js"
import { random } from "../support/permuting.js"

const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"

/** Deletes nothing, each time a little later or earlier. */
const shuffling = Effect.gen(function* () {
  const state = { next: random(0), arrived: 0 }
  const server = createServer((_, response) => {
    state.arrived++
    const turns = async () => {
      for (let n = Math.floor(state.next() * 6); n > 0; n--) await setImmediate()
      response.writeHead(204).end()
    }
    void turns()
  })
  return { ...(yield* loopback(server)), state }
})

const seeds = Array.from({ length: 60 }, (_, seed) => seed)

const closedWhile = async (port: number, next: () => number) => {
  const client = await create({ baseUrl: `http://127.0.0.1:${port}`, token: "any", connections: 3, retry: "none" })
  const aLittle = async () => {
    for (let n = Math.floor(next() * 8); n > 0; n--) await (next() < 0.5 ? undefined : setImmediate())
  }
  let closing: Promise<void> | undefined
  let isClosed = false
  const calls = Array.from({ length: 14 }, async () => {
    await aLittle()
    const controller = new AbortController()
    const isAborted = next() < 0.3
    const afterClose = closing !== undefined
    const call = client.delete(id, isAborted ? { signal: controller.signal } : {})
    if (isAborted) void aLittle().then(() => controller.abort("enough"))
    const end = await call.then(
      () => "deleted",
      (error: unknown) => (error instanceof RequestFailed ? error.message : String(error))
    )
    return { afterClose, isAborted, end, endedFirst: !isClosed }
  })
  const close = async () => {
    for (let n = 0; n < 3; n++) await aLittle()
    closing = client.close()
    await closing
    isClosed = true
  }
  const [all] = await Promise.all([Promise.all(calls), close()])
  await client.close()
  return all
}

describe("in whatever order calls begin, are aborted and the client is closed", () => {
  it.scopedLive(
    "calls that began earlier end with their own outcome before close does, and later ones are refused",
    () =>
      Effect.gen(function* () {
        const { open, port, quiet, state } = yield* shuffling
        let [refused, deleted, aborted] = [0, 0, 0]
        for (const seed of seeds) {
          state.next = random(seed)
          state.arrived = 0
          const all = yield* Effect.promise(() => closedWhile(port, random(seed + 1_000)))
          for (const { afterClose, end, endedFirst, isAborted } of all) {
            const where = `seed ${seed}: ${end}`
            if (afterClose) {
              refused++
              assert.include(end, "closed", where)
            } else {
              if (end === "deleted") deleted++
              else aborted++
              assert(end === "deleted" || (isAborted && end === "enough"), where)
              assert.isTrue(endedFirst, where)
            }
          }
          assert.isAtMost(state.arrived, all.filter(({ afterClose }) => !afterClose).length, `seed ${seed}`)
          yield* Effect.timeout(quiet, "2 seconds")
          assert.strictEqual(open(), 0)
        }
        // Every kind of ending occurred.
        assert.isAbove(Math.min(refused, deleted, aborted), 20)
      })
  )
})
