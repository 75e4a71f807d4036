import { createServer, type Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Duration, Effect, Fiber, Redacted } from "effect"
import { faultServer } from "../../support/FaultServer.js"
import { millisToClose, soon, until } from "../../support/interrupting.js"
import * as Script from "../../support/script.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const token = Redacted.make("token")

/** Accepts connections and never says a word: a TLS handshake never ends. */
const mute = Effect.acquireRelease(
  Effect.async<{ readonly port: number; readonly sockets: Set<Socket>; readonly stop: () => void }>((resume) => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
      socket.resume()
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(
        Effect.succeed({
          port: typeof address === "object" && address !== null ? address.port : 0,
          sockets,
          stop: () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          }
        })
      )
    })
  }),
  ({ stop }) => Effect.sync(stop)
)

describe("interrupting a call closes its socket at once", () => {
  it.live.each(["no answer at all", "a byte every 50 ms", "a body that stalls"] as const)(
    "while waiting: %s",
    (scenario) =>
      Effect.gen(function* () {
        const server = yield* faultServer(scenario)
        const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token })
        const fiber = yield* Effect.fork(sessions.get(id))
        yield* until(() => server.requests() === 1)
        assert.isBelow(yield* millisToClose(fiber, () => server.open() === 0), soon)
      }).pipe(Effect.scoped)
  )

  it.live("while connecting", () =>
    Effect.gen(function* () {
      const { port, sockets } = yield* mute
      const sessions = yield* Gr4vy.make({ baseUrl: `https://127.0.0.1:${port}`, token })
      const fiber = yield* Effect.fork(sessions.get(id))
      yield* until(() => sockets.size === 1)
      assert.isBelow(yield* millisToClose(fiber, () => sockets.size === 0), soon)
    }).pipe(Effect.scoped)
  )

  it.live("while waiting for a connection: the request is never sent, and the next one is", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(Script.silent, Script.session)
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token, connections: 1 })
      const first = yield* Effect.fork(sessions.get(id))
      yield* until(() => server.requests.length === 1)
      const second = yield* Effect.fork(sessions.get(id))
      yield* Effect.yieldNow()
      const began = performance.now()
      yield* Fiber.interrupt(second)
      assert.isBelow(performance.now() - began, soon)
      yield* Fiber.interrupt(first)
      yield* sessions.get(id)
      assert.lengthOf(server.requests, 2)
    }).pipe(Effect.scoped)
  )

  it.live("while waiting to retry", () =>
    Effect.gen(function* () {
      const server = yield* Script.script(Script.status(503, { "retry-after": "20" }))
      const sessions = yield* Gr4vy.make({ baseUrl: server.baseUrl, token })
      const fiber = yield* Effect.fork(sessions.get(id))
      yield* until(() => server.requests.length === 1)
      const began = performance.now()
      yield* Fiber.interrupt(fiber)
      assert.isBelow(performance.now() - began, soon)
      assert.lengthOf(server.requests, 1)
    }).pipe(Effect.scoped)
  )
})

describe("nothing is left", () => {
  it.live(
    "of 3,000 mixed calls, fine, faulty and interrupted, once the scope is closed",
    () =>
      Effect.gen(function* () {
        const warnings: Array<Error> = []
        const onWarning = (warning: Error) => void warnings.push(warning)
        process.on("warning", onWarning)
        const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length
        const sockets = () =>
          process.getActiveResourcesInfo().filter((name) => /^T(CPSocket|LS)Wrap$/.test(name)).length
        const before = { timers: timers(), sockets: sockets() }
        yield* Effect.gen(function* () {
          const fine = yield* Script.script(Script.session)
          const broken = yield* Script.script(
            ...Array.from(
              { length: 50 },
              (_, i) => [Script.status(503), Script.droppedMidBody, Script.session][i % 3] ?? Script.session
            )
          )
          const slow = yield* Script.script(Script.silent)
          const [a, b, c] = yield* Effect.all(
            [fine, broken, slow].map(({ baseUrl }) => Gr4vy.make({ baseUrl, token })).map(Effect.orDie)
          )
          if (a === undefined || b === undefined || c === undefined) return yield* Effect.dieMessage("three clients")
          yield* Effect.forEach(
            Array.from({ length: 3000 }),
            (_, i): Effect.Effect<unknown, unknown> =>
              i % 3 === 0
                ? a.get(id)
                : i % 3 === 1
                  ? Effect.exit(b.delete(id))
                  : Effect.timeoutOption(Effect.exit(c.get(id)), Duration.millis(5)),
            { concurrency: 64, discard: true }
          )
        }).pipe(Effect.scoped)
        yield* until(() => sockets() <= before.sockets)
        assert.isAtMost(sockets(), before.sockets)
        assert.isAtMost(timers(), before.timers + 1)
        assert.deepStrictEqual(warnings, [])
        process.off("warning", onWarning)
      }),
    60_000
  )
})
