/**
 * One request through three processes, as one trace: storefront (Express, OpenTelemetry's SDK) → checkout (Effect,
 * `@effect/opentelemetry`) → gr4vy (the sandbox, Effect's OTLP exporter). Draws the waterfall here, writes it as an SVG,
 * and ends.
 *
 * npm run example 11 [trace.svg]
 */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { drawTrace } from "./support/drawTrace.js"
import { drawTraceSvg } from "./support/drawTraceSvg.js"
import { fromOtlp, type OtlpTraces, type TraceSpan } from "./support/trace.js"

const processes = join(import.meta.dirname, "11-microservices")

export const microservices = async (file: string): Promise<ReadonlyArray<TraceSpan>> => {
  const collector = await collect()
  const children: Array<ChildProcess> = []
  /** Starts a process and returns the address that it announces. */
  const start = async (name: string, env: Record<string, string>, execArgv: ReadonlyArray<string> = []) => {
    const child = fork(join(processes, `${name}.js`), {
      execArgv: [...execArgv],
      env: { ...process.env, ...env, OTEL_SERVICE_NAME: name, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
    })
    children.push(child)
    const [address] = await Promise.race([
      once(child, "message"),
      once(child, "exit").then(([code]) => Promise.reject(new Error(`${name} ended with ${code} before it was ready`)))
    ])
    return String(address)
  }

  try {
    const gr4vy = await start("gr4vy", {})
    const checkout = await start("checkout", { GR4VY_BASE_URL: gr4vy, GR4VY_TOKEN: "sandbox-token" })
    const preload = pathToFileURL(join(processes, "storefront-tracing.js")).href
    const storefront = await start("storefront", { CHECKOUT_URL: checkout }, ["--import", preload])

    const response = await fetch(`${storefront}/pay`, { method: "POST" })
    console.log(`POST /pay  ${response.status}  ${await response.text()}\n`)
  } finally {
    // Each process exports its remaining spans before it ends.
    await Promise.all(children.map((child) => (child.kill("SIGTERM") ? once(child, "exit") : undefined)))
    collector.close()
  }

  console.log(drawTrace(collector.spans))
  await writeFile(file, drawTraceSvg("POST /pay, through three processes", collector.spans))
  console.log(`\nthe same as a picture: ${pathToFileURL(file).href}`)
  return collector.spans
}

/** A minimal receiver of OTLP/JSON. */
const collect = async () => {
  const spans: Array<TraceSpan> = []
  const server = createServer(async (request, response) => {
    const chunks: Array<Buffer> = []
    for await (const chunk of request) chunks.push(chunk)
    if (request.url === "/v1/traces") {
      const body: OtlpTraces = JSON.parse(Buffer.concat(chunks).toString("utf8"))
      spans.push(...fromOtlp(body))
    }
    response.writeHead(200, { "content-type": "application/json" }).end("{}")
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, spans, close: () => server.close() }
}

if (process.argv[1] === import.meta.filename) {
  await microservices(process.argv[2] ?? join(tmpdir(), "effect-gr4vy-trace.svg"))
}
