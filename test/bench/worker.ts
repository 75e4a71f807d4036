/**
 * One client in a process of its own, so that no client pays for another's garbage: does what the benchmark tells it.
 */
import { type Case, clients, type Task } from "./cases.js"

export type Order =
  | { readonly kind: "cpu"; readonly calls: number; readonly inFlight: number }
  | { readonly kind: "heap"; readonly calls: number; readonly inFlight: number }
  | { readonly kind: "trouble"; readonly inFlight: number; readonly calls?: number; readonly millis?: number }

export interface Trouble {
  readonly calls: number
  readonly succeeded: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
}

const [, , name = "", baseUrl = "", task = ""] = process.argv
const make = clients[name]
if (make === undefined) throw new Error(`No client is called "${name}"`)
// The benchmark's own words.
const client: Case = await make(baseUrl, task as Task)

const repeat = async (inFlight: number, go: () => boolean, one: () => Promise<unknown>) => {
  await Promise.all(Array.from({ length: inFlight }, () => loop(go, one)))
}

const loop = async (go: () => boolean, one: () => Promise<unknown>) => {
  while (go()) await one()
}

const countdown = (calls: number) => {
  let left = calls
  return () => left-- > 0
}

const cpu = async ({ calls, inFlight }: { readonly calls: number; readonly inFlight: number }) => {
  const before = process.cpuUsage()
  const go = countdown(calls)
  await Promise.all(Array.from({ length: inFlight }, () => (client.loop ?? ((go) => loop(go, client.call)))(go)))
  const { system, user } = process.cpuUsage(before)
  return (user + system) / calls
}

/** The growth of the heap in bytes. */
const heap = async (order: { readonly calls: number; readonly inFlight: number }) => {
  const used = () => {
    globalThis.gc?.()
    globalThis.gc?.()
    return process.memoryUsage().heapUsed
  }
  const before = used()
  await cpu(order)
  return used() - before
}

const trouble = async (order: Extract<Order, { kind: "trouble" }>): Promise<Trouble> => {
  const began = performance.now()
  const times: Array<number> = []
  let succeeded = 0
  const left = countdown(order.calls ?? Number.POSITIVE_INFINITY)
  await repeat(
    order.inFlight,
    () => left() && performance.now() - began < (order.millis ?? Number.POSITIVE_INFINITY),
    async () => {
      const start = performance.now()
      await client.call().then(
        () => void succeeded++,
        () => {}
      )
      times.push(performance.now() - start)
    }
  )
  times.sort((a, b) => a - b)
  const at = (q: number) => times[Math.min(times.length - 1, Math.floor(times.length * q))] ?? 0
  return { calls: times.length, succeeded, seconds: (performance.now() - began) / 1000, p50: at(0.5), p99: at(0.99) }
}

process.on("message", async (order: Order) => {
  const result = await (order.kind === "cpu" ? cpu(order) : order.kind === "heap" ? heap(order) : trouble(order))
  process.send?.(result)
})
process.on("disconnect", () => process.exit())
process.send?.("ready")
