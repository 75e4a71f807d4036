/** A server on loopback for programs of Effect 4: one handler per request, in order; the last one goes on. */
import { createServer } from "node:http"
import type { Socket } from "node:net"
import { Effect } from "effect4"
import type { Answer } from "../support/script.js"

export const serving = (...answers: ReadonlyArray<Answer>) =>
  Effect.acquireRelease(
    Effect.callback<{
      readonly baseUrl: string
      readonly requests: ReadonlyArray<Parameters<Answer>[0]>
      readonly bodies: ReadonlyArray<string>
      readonly sockets: ReadonlySet<Socket>
      /** Ends when no connection is open. */
      readonly quiet: Effect.Effect<void>
      /** Ends when there have been so many requests. */
      readonly asked: (count: number) => Effect.Effect<void>
      readonly stop: () => void
    }>((resume) => {
      const requests: Array<Parameters<Answer>[0]> = []
      const bodies: Array<string> = []
      const sockets = new Set<Socket>()
      let look = new Set<() => void>()
      const changed = () => {
        const looking = look
        look = new Set()
        for (const again of looking) again()
      }
      const until = (holds: () => boolean) =>
        Effect.callback<void>((done) => {
          const again = () => (holds() ? done(Effect.void) : void look.add(again))
          again()
        })
      const server = createServer((request, response) => {
        const answer = answers[Math.min(requests.push(request), answers.length) - 1]
        let body = ""
        request.setEncoding("utf8").on("data", (part) => {
          body += part
        })
        request.on("end", () => {
          bodies.push(body)
          answer?.(request, response)
        })
        changed()
      })
      server.on("connection", (socket) => {
        sockets.add(socket)
        socket.on("close", () => {
          sockets.delete(socket)
          changed()
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(
          Effect.succeed({
            baseUrl: `http://127.0.0.1:${port}`,
            requests,
            bodies,
            sockets,
            quiet: until(() => sockets.size === 0),
            asked: (count) => until(() => requests.length >= count),
            stop: () => {
              server.close()
              server.closeAllConnections()
            }
          })
        )
      })
    }),
    ({ stop }) => Effect.sync(stop)
  )
