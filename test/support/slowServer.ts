import type { ServerResponse } from "node:http"
import { Deferred, Effect } from "effect"
import { script } from "./script.js"

/** A server that keeps its first request waiting until the test answers it. */
export const slowServer = Effect.gen(function* () {
  const asked = yield* Deferred.make<ServerResponse>()
  const hungUp = yield* Deferred.make<void>()
  const { baseUrl } = yield* script((request, response) => {
    request.socket.once("close", () => Deferred.unsafeDone(hungUp, Effect.void))
    Deferred.unsafeDone(asked, Effect.succeed(response))
  })
  return {
    baseUrl,
    /** The answer to give, once the request has come. */
    asked: Deferred.await(asked),
    /** Ends when the request's socket is gone. */
    hungUp: Deferred.await(hungUp)
  }
})
