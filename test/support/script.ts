/**
 * A server on loopback whose answers are a script: one handler per request, in order; the last one goes on.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Effect } from "effect"

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface Script {
  readonly baseUrl: string
  /** What has come in so far, oldest first. */
  readonly requests: ReadonlyArray<IncomingMessage>
}

export const script = (...answers: ReadonlyArray<Answer>) =>
  Effect.acquireRelease(
    Effect.async<{ readonly script: Script; readonly stop: () => void }>((resume) => {
      const requests: Array<IncomingMessage> = []
      const server = createServer((request, response) => {
        requests.push(request)
        request.resume()
        answers[Math.min(requests.length, answers.length) - 1]?.(request, response)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        const stop = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ script: { baseUrl: `http://127.0.0.1:${port}`, requests }, stop }))
      })
    }),
    ({ stop }) => Effect.sync(stop)
  ).pipe(Effect.map((_) => _.script))

/** The session that scripts answer with. */
export const sessionId = "9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51"

export const sessionJson = JSON.stringify({
  type: "checkout-session",
  id: sessionId,
  expires_at: "2099-01-01T00:00:00+00:00"
})

export const session: Answer = (_, response) => {
  response.writeHead(200, { "content-type": "application/json" }).end(sessionJson)
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_, response) => {
    response.writeHead(code, { "content-type": "application/json", ...headers }).end("{}")
  }

/** Promises more than it sends, then hangs up. */
export const droppedMidBody: Answer = (_, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
  response.write(sessionJson.slice(0, 10), () => response.destroy())
}

export const silent: Answer = () => {}

/** Answers with this body, whatever it is. */
export const reply =
  (code: number, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_, response) => {
    response.writeHead(code, headers).end(body)
  }
