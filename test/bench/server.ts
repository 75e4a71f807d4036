/**
 * The API as a benchmark needs it: the cheapest possible answer, in a process of its own, with trouble on request.
 */
import { createServer } from "node:http"
import { answer, bare, bareId, empty, emptyId, own } from "./session.js"

export type Trouble =
  /** Answers every request. */
  | { readonly kind: "none" }
  /** Answers 503 to a part of the requests. */
  | { readonly kind: "flaky"; readonly rate: number }
  /** Answers 503 to everything. */
  | { readonly kind: "down" }
  /** Answers 429 with `Retry-After: 1` beyond so many requests a second. */
  | { readonly kind: "limited"; readonly perSecond: number }

const real = JSON.stringify(answer)
const bodies: Readonly<Record<string, string>> = {
  [bareId]: JSON.stringify(bare),
  [emptyId]: JSON.stringify(empty),
  "1": JSON.stringify(own)
}
const bodyOf = (path: string): string => bodies[path.slice(path.lastIndexOf("/") + 1)] ?? real

const refusal = (status: number) =>
  JSON.stringify({ type: "error", code: "refused", status, message: "Refused", details: [] })

let trouble: Trouble = { kind: "none" }
let requests = 0
let second = 0
let inSecond = 0

const statusOf = (): number => {
  switch (trouble.kind) {
    case "none":
      return 200
    case "flaky":
      return Math.random() < trouble.rate ? 503 : 200
    case "down":
      return 503
    case "limited": {
      const now = Math.floor(Date.now() / 1000)
      if (now !== second) inSecond = 0
      second = now
      return ++inSecond > trouble.perSecond ? 429 : 200
    }
  }
}

const server = createServer((request, response) => {
  requests++
  request.resume()
  const usual = statusOf()
  const status = usual === 200 && request.method === "POST" ? 201 : usual
  const body = status < 300 ? bodyOf(request.url ?? "") : refusal(status)
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(status === 429 ? { "retry-after": "1" } : {})
  })
  response.end(body)
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.send?.(typeof address === "object" && address !== null ? address.port : 0)
})

process.on("message", (message: Trouble | "count") => {
  if (message === "count") {
    process.send?.(requests)
    requests = 0
  } else {
    trouble = message
    process.send?.("ok")
  }
})
process.on("disconnect", () => process.exit())
