import type { Server, Socket } from "node:net"
import { Effect } from "effect"

export interface Loopback {
  readonly port: number
  /** How many connections are open. */
  readonly open: () => number
  /** How many connections there ever were. */
  readonly accepted: () => number
  /** Ends with the time at which no connection is open any more. */
  readonly quiet: Effect.Effect<number>
}

/** Any server of Node's, listening on loopback for as long as the scope lives, which counts its connections. */
export const loopback = (server: Server) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<Loopback & { readonly stop: () => void }>((resume) => {
        const sockets = new Set<Socket>()
        const waiting = new Set<() => void>()
        let accepted = 0
        server.on("connection", (socket) => {
          accepted++
          sockets.add(socket)
          socket.on("error", () => {})
          socket.on("close", () => {
            sockets.delete(socket)
            if (sockets.size === 0) for (const tell of waiting) tell()
          })
        })
        const quiet = Effect.async<number>((done) => {
          const tell = () => {
            waiting.delete(tell)
            done(Effect.succeed(performance.now()))
          }
          if (sockets.size === 0) tell()
          else waiting.add(tell)
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const stop = () => {
            server.close()
            for (const socket of sockets) socket.destroy()
          }
          const port = typeof address === "object" && address !== null ? address.port : 0
          resume(Effect.succeed({ port, open: () => sockets.size, accepted: () => accepted, quiet, stop }))
        })
      }),
      ({ stop }) => Effect.sync(stop)
    ),
    (server): Loopback => server
  )
