import { createServer, type ServerResponse } from "node:http"
import { assert } from "@effect/vitest"
import { Deferred, Effect } from "effect"

/**
 * A server on loopback that keeps its first request waiting until the test answers it, and tells when that has come and
 * when its socket is gone.
 */
export const slowServer = Effect.gen(function* () {
  const asked = yield* Deferred.make<ServerResponse>()
  const hungUp = yield* Deferred.make<void>()
  const server = createServer((request, response) => {
    request.socket.once("close", () => Deferred.unsafeDone(hungUp, Effect.void))
    Deferred.unsafeDone(asked, Effect.succeed(response))
  })
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const address = server.address()
  assert(typeof address === "object" && address !== null)
  return {
    baseUrl: `http://127.0.0.1:${address.port}`,
    /** The answer to give, once the first request has come. */
    asked: Deferred.await(asked),
    hungUp: Deferred.await(hungUp)
  }
})
