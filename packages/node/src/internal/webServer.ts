/**
 * A fetch-style handler on a `node:http` server.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Carries out one exchange; it may end the response itself, or destroy the socket. */
export type Exchange = (request: IncomingMessage, body: Buffer, response: ServerResponse) => Promise<void>

/** Listens until the scope ends, and yields the port. Connections that are still open then are cut. */
export const serve = (
  exchange: Exchange,
  options: { readonly host: string; readonly port: number }
): Effect.Effect<number, HttpServerError.ServeError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() =>
      createServer((request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("error", () => response.destroy())
        request.on("end", () => {
          exchange(request, Buffer.concat(chunks), response).catch(() => response.destroy())
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
      Effect.async<number, HttpServerError.ServeError>((resume) => {
        server.once("error", (cause) => resume(Effect.fail(new HttpServerError.ServeError({ cause }))))
        server.listen(options.port, options.host, () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : options.port))
        })
      })
    )
  )
