// Makes one call and prints how much memory it took; run with --expose-gc.
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Logger, LogLevel, Redacted } from "effect"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const [, , baseUrl, warmUpUrl] = process.argv
const call = (url) =>
  Effect.scoped(
    Effect.flatMap(Gr4vy.make({ baseUrl: url, token: Redacted.make("token"), retry: RetryPolicy.none }), (sessions) =>
      Effect.either(sessions.get(id))
    )
    // The output of this program is its figures.
  ).pipe(Logger.withMinimumLogLevel(LogLevel.None))

// Code and buffers that any first call brings in are no part of what the answer costs.
for (let n = 0; n < 20; n++) await Effect.runPromise(call(warmUpUrl))
globalThis.gc()
const before = process.memoryUsage()
let [rss, external, heap] = [0, 0, 0]
const look = () => {
  // Only what is held counts: how much garbage V8 lets pile up before it collects differs between versions of Node (16 MiB
  // in Node 20, more than 50 in Node 24), and undici makes a Buffer of each chunk.
  globalThis.gc({ type: "minor" })
  const now = process.memoryUsage()
  rss = Math.max(rss, now.rss - before.rss)
  external = Math.max(external, now.external - before.external)
  heap = Math.max(heap, now.heapUsed - before.heapUsed)
}
const timer = setInterval(look, 1)
const { left } = await Effect.runPromise(call(baseUrl))
clearInterval(timer)
look()
console.log(JSON.stringify({ reason: left?.reason, delivered: left?.delivered, rss, external, heap }))
