/**
 * 200,000 calls of the promise package, each to a path with another id, then 2,000 clients that are opened and closed. With
 * a meter provider, because it keeps a series for each set of attributes. Fails if the heap grows or a series has an id.
 *
 * npm run soak:calls
 */
import { createServer } from "node:http"
import { create } from "@effect-gr4vy/promise"
import * as Otel from "@opentelemetry/api"
import { MeterProvider } from "@opentelemetry/sdk-metrics"
import { Effect } from "effect"
import { heapUsed } from "../support/heap.js"
import { collect, durations, Reader } from "../support/metrics.js"

const calls = 200_000
const clients = 2_000
const maxGrowthMiB = 4

const reader = new Reader()
Otel.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))

const server = createServer((request, response) => {
  request.resume()
  response.writeHead(204).end()
})
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
const address = server.address()
const baseUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`

const series = async (): Promise<number> => {
  const scopes = await Effect.runPromise(collect(reader))
  return durations(scopes, "gr4vy.client.call.duration").reduce((sum, { points }) => sum + points.length, 0)
}

const mebibytes = (): number => heapUsed() / 2 ** 20

const report = (label: string, heap: number, count: number): void =>
  console.log(`${label.padEnd(24)} ${heap.toFixed(1).padStart(6)} MiB  ${count} series`)

let id = 0
const client = await create({ baseUrl, token: "token" })
const some = async (count: number): Promise<void> => {
  const end = id + count
  const worker = async (): Promise<void> => {
    while (id < end) await client.request("GET", `/transactions/tx-${(id++).toString(36)}`)
  }
  await Promise.all(Array.from({ length: 32 }, worker))
}

const opened = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) {
    const one = await create({ baseUrl, token: "token" })
    await one.request("GET", "/transactions/tx-1")
    await one.close()
  }
}

const problems: Array<string> = []
const grown = (what: string, from: number, to: number): void => {
  if (to - from > maxGrowthMiB) problems.push(`${what}: the heap has grown by ${(to - from).toFixed(1)} MiB`)
}

await some(calls / 10)
const start = mebibytes()
report(`${id} calls`, start, await series())
for (let quarter = 0; quarter < 4; quarter++) {
  await some(calls / 4)
  report(`${id} calls`, mebibytes(), await series())
}
grown("calls", start, mebibytes())
await client.close()

await opened(clients / 10)
const before = mebibytes()
report(`${clients / 10} clients`, before, await series())
await opened(clients)
report(`${clients + clients / 10} clients`, mebibytes(), await series())
grown("clients", before, mebibytes())

if ((await series()) !== 1) problems.push("there is more than one series for one template")
server.close()
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
