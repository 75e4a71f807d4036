/**
 * An HTTP proxy on loopback that opens tunnels (`CONNECT`), and keeps what passes through them.
 */
import { createServer } from "node:http"
import { connect } from "node:net"
import type { Duplex } from "node:stream"
import { Effect } from "effect"
import { loopback } from "./loopback.js"

export interface ConnectProxy {
  readonly url: string
  /** The hosts and ports of the tunnels, oldest first. */
  readonly tunnels: ReadonlyArray<string>
  /** The `Proxy-Authorization` of each tunnel. */
  readonly credentials: ReadonlyArray<string | undefined>
  /** Everything that came from the client, as it is on the wire. */
  readonly seen: () => Buffer
}

/** `refuse` is the status that refuses the n-th tunnel; it is opened without one. */
export const connectProxy = (refuse: (n: number) => number | undefined = () => undefined) =>
  Effect.gen(function* () {
    const tunnels: Array<string> = []
    const credentials: Array<string | undefined> = []
    const seen: Array<Buffer> = []
    const sockets = new Set<Duplex>()
    const server = createServer((_, response) => response.writeHead(400).end())
    server.on("connect", ({ headers, url = "" }, client, head) => {
      tunnels.push(url)
      credentials.push(headers["proxy-authorization"])
      client.on("error", () => {})
      const status = refuse(tunnels.length)
      if (status !== undefined) {
        client.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\n\r\n`)
        return
      }
      const [host, port] = url.split(":")
      const upstream = connect(Number(port), host, () => {
        client.write("HTTP/1.1 200 Connection Established\r\n\r\n")
        upstream.write(head)
        client.on("data", (chunk: Buffer) => seen.push(chunk))
        client.pipe(upstream).pipe(client)
      })
      sockets.add(upstream)
      upstream.on("error", () => client.destroy())
      client.on("close", () => upstream.destroy())
    })
    const { port } = yield* loopback(server)
    yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => void socket.destroy())))
    const proxy: ConnectProxy = {
      url: `http://127.0.0.1:${port}`,
      tunnels,
      credentials,
      seen: () => Buffer.concat(seen)
    }
    return proxy
  })
