/** Runs checks one after the other, and prints the names of those that failed: what `run.ts` reads. */
import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"

export const runChecks = async (checks: Readonly<Record<string, () => Promise<void>>>): Promise<void> => {
  const failed: Array<string> = []
  for (const [name, check] of Object.entries(checks)) {
    await check().catch((error: unknown) => failed.push(`${name}: ${error}`))
  }
  console.log(JSON.stringify(failed))
}

/** An API that never answers: tells when it was asked, and when its caller has hung up. */
export const silentApi = async () => {
  const server = createServer()
  const asked: Promise<ReadonlyArray<IncomingMessage>> = once(server, "request")
  // Sooner than the client would give up by itself.
  const hungUp = asked.then(
    ([request]) => request && once(request.socket, "close", { signal: AbortSignal.timeout(5_000) })
  )
  await once(server.listen(0, "127.0.0.1"), "listening")
  // It listens on a port, so that its address is none of a pipe.
  const { port } = server.address() as AddressInfo
  return { baseUrl: `http://127.0.0.1:${port}`, asked, hungUp, close: () => void server.close() }
}
