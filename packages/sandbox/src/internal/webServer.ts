/**
 * A `node:http` server that lives as long as its scope, and reads each request's body before anything else.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { cannotListen, type StartError } from "./startError.js"

/**
 * Carries out one exchange; it may end the response itself, or destroy the socket. `body` is absent where it was larger
 * than allowed.
 */
export type Exchange = (request: IncomingMessage, body: Buffer | undefined, response: ServerResponse) => Promise<void>

/** Listens until the scope ends, and yields the port. Connections that are still open then are closed. */
export const serve = (
  exchange: Exchange,
  options: { readonly host: string; readonly port: number; readonly maxBodyBytes: number }
): Effect.Effect<number, StartError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      createServer((request, response) => {
        let chunks: Array<Buffer> = []
        let size = 0
        request.on("data", (chunk: Buffer) => {
          size += chunk.length
          // The rest is still read: a client whose connection closes while it sends would not see the response.
          if (size > options.maxBodyBytes) chunks = []
          else chunks.push(chunk)
        })
        request.on("error", () => response.destroy())
        request.on("end", () => {
          const body = size > options.maxBodyBytes ? undefined : Buffer.concat(chunks)
          exchange(request, body, response).catch(() => response.destroy())
        })
      })
    ),
    (server) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(
    Effect.flatMap((server) =>
      Effect.async<number, StartError>((resume) => {
        server.once("error", (cause) => resume(Effect.fail(cannotListen(cause, options))))
        server.listen(options.port, options.host, () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : options.port))
        })
      })
    )
  )
