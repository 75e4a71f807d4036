/**
 * A server that breaks the rules: raw sockets, one scenario a line.
 */
import { createServer, type Socket } from "node:net"
import { gzipSync } from "node:zlib"
import { Effect } from "effect"

const session =
  '{"type":"checkout-session","id":"9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51","expires_at":"2099-01-01T00:00:00Z"}'
const head = (...headers: ReadonlyArray<string>) => ["HTTP/1.1 200 OK", ...headers, "", ""].join("\r\n")
const json = "Content-Type: application/json"
const sized = (body: string | Buffer) => `Content-Length: ${Buffer.byteLength(body)}`
const whole = (body: string) => head(json, sized(body)) + body
const gzipped = gzipSync(session)

const dribble = (socket: Socket) => {
  socket.write(head(json, sized(session)))
  let sent = 0
  const timer = setInterval(() => {
    if (sent < session.length) socket.write(session.charAt(sent++))
  }, 50)
  socket.on("close", () => clearInterval(timer))
}

const flood = (socket: Socket) => {
  socket.write(head(json, "Transfer-Encoding: chunked"))
  const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`
  const more = () => {
    while (!socket.destroyed && socket.write(chunk)) {}
  }
  socket.on("drain", more)
  more()
}

/** What happens on the socket once a request has arrived. */
export const scenarios = {
  "a whole answer": (socket: Socket) => socket.write(whole(session)),
  "reset before an answer": (socket: Socket) => socket.resetAndDestroy(),
  "end before an answer": (socket: Socket) => socket.end(),
  "reset mid-body": (socket: Socket) =>
    socket.write(head(json, sized(session)) + session.slice(0, 9), () => socket.resetAndDestroy()),
  "a body shorter than its Content-Length": (socket: Socket) => socket.end(head(json, "Content-Length: 500") + session),
  "a body shorter than its Content-Length, before a close that was announced": (socket: Socket) =>
    socket.end(head(json, "Connection: close", "Content-Length: 500") + session),
  "a chunked body without its end": (socket: Socket) =>
    socket.end(`${head(json, "Transfer-Encoding: chunked")}5\r\n{"typ`),
  "no answer at all": () => {},
  "a body that stalls": (socket: Socket) => socket.write(head(json, sized(session)) + session.slice(0, 9)),
  "a byte every 50 ms": dribble,
  "a malformed chunk": (socket: Socket) =>
    socket.end(`${head(json, "Transfer-Encoding: chunked")}ZZ\r\n${session}\r\n0\r\n\r\n`),
  "a Content-Length that is no number": (socket: Socket) => socket.end(head(json, "Content-Length: -4") + session),
  "two Content-Lengths": (socket: Socket) => socket.end(head(json, "Content-Length: 5", "Content-Length: 9") + session),
  "a header of 64 KB": (socket: Socket) =>
    socket.end(head(json, `X-Long: ${"a".repeat(65_536)}`, sized(session)) + session),
  "an answer that is not HTTP": (socket: Socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"),
  "an upgrade nobody asked for": (socket: Socket) =>
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
  "early hints before the answer": (socket: Socket) =>
    socket.write(`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${whole(session)}`),
  "broken JSON": (socket: Socket) => socket.write(whole('{"type":"checkout-session","id"')),
  HTML: (socket: Socket) => socket.write(whole("<!doctype html><title>Welcome</title>")),
  "an empty body": (socket: Socket) => socket.write(whole("")),
  null: (socket: Socket) => socket.write(whole("null")),
  "a wrong shape": (socket: Socket) => socket.write(whole('{"id":7,"expires_at":"tomorrow"}')),
  "a gzipped body": (socket: Socket) => {
    socket.write(head(json, "Content-Encoding: gzip", sized(gzipped)))
    socket.write(gzipped)
  },
  "a body over the cap, declared": (socket: Socket) => socket.write(`${head(json, "Content-Length: 99999999")}{`),
  "a body over the cap, undeclared": flood,
  "a redirect": (socket: Socket) =>
    socket.write("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n")
} satisfies Record<string, (socket: Socket) => unknown>

export type Scenario = keyof typeof scenarios

export const scenarioNames = Object.keys(scenarios).filter((name): name is Scenario => name in scenarios)

export interface FaultServer {
  readonly baseUrl: string
  /** How many requests have come in. */
  readonly requests: () => number
  /** How many connections are open. */
  readonly open: () => number
}

/** A server of one scenario, for as long as the scope lives. */
export const faultServer = (scenario: Scenario) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<FaultServer & { readonly stop: () => void }>((resume) => {
        let requests = 0
        const sockets = new Set<Socket>()
        const server = createServer((socket) => {
          sockets.add(socket)
          socket.on("close", () => sockets.delete(socket))
          socket.on("error", () => {})
          socket.on("data", (data) => {
            // A request of ours fits into one packet; the body of a PUT may come in a second.
            if (!/^(GET|POST|PUT|DELETE) /.test(data.toString("latin1"))) return
            requests++
            scenarios[scenario](socket)
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(
            Effect.succeed({
              baseUrl: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
              requests: () => requests,
              open: () => sockets.size,
              stop: () => {
                server.close()
                for (const socket of sockets) socket.destroy()
              }
            })
          )
        })
      }),
      ({ stop }) => Effect.sync(stop)
    ),
    (server): FaultServer => server
  )
