/** A server in a thread of its own, which answers while this thread is blocked. */
import { Worker } from "node:worker_threads"
import { Effect, type Scope } from "effect"
import { sessionJson } from "./script.js"

const source = `
const { createServer } = require("node:http")
const { parentPort, workerData } = require("node:worker_threads")
const server = createServer((request, response) => {
  request.resume()
  parentPort.postMessage({ request: request.url })
  setTimeout(() => response.writeHead(200, { "content-type": "application/json" }).end(workerData.body), workerData.after)
})
server.listen(0, "127.0.0.1", () => parentPort.postMessage({ port: server.address().port }))
`

export interface ThreadServer {
  readonly port: number
  readonly baseUrl: string
  /** Called when this thread learns of a request. */
  readonly onRequest: (f: (url: string) => void) => void
}

/** Answers each request with a session, `after` milliseconds. */
export const threadServer = (after: number): Effect.Effect<ThreadServer, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<ThreadServer & { readonly stop: () => Promise<number> }>((resume) => {
        const worker = new Worker(source, { eval: true, workerData: { after, body: sessionJson } })
        let tell = (_: string): void => {}
        worker.on("message", (message: { readonly port?: number; readonly request?: string }) => {
          if (message.request !== undefined) tell(message.request)
          const { port } = message
          if (port === undefined) return
          resume(
            Effect.succeed({
              port,
              baseUrl: `http://127.0.0.1:${port}`,
              onRequest: (f) => {
                tell = f
              },
              stop: () => worker.terminate()
            })
          )
        })
      }),
      ({ stop }) => Effect.promise(stop)
    ),
    (server): ThreadServer => server
  )

/** Blocks this thread. */
export const block = (millis: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis)
}
