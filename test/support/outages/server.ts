/**
 * A server, and the network before it, that does to each request what a case says, and keeps a ledger of what arrived.
 */
import { createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"
import { answer as session } from "../../bench/session.js"
import { type Loopback, loopback } from "../loopback.js"
import { number, token } from "../secrets.js"
import { type Drop, type Fate, now } from "./cases.js"

/** A request whose head has arrived. */
export interface Arrival {
  readonly call: string
  readonly key: string | undefined
  readonly at: number
  /** Whether the network had dropped its connection: then it has not reached the server. */
  readonly isDropped: boolean
  /** Whether its connection had carried a response before. */
  readonly isReused: boolean
  /** The status of the response, once it has begun. */
  status: number | undefined
  /** Whether the response told the client that the request had no effect. */
  isRefused: boolean
  /** When the last byte of a whole response was handed to the system. */
  answeredAt: number | undefined
  /** What is wrong with the request. */
  problem: string | undefined
}

export interface OutageServer extends Pick<Loopback, "open" | "quiet"> {
  readonly baseUrl: string
  readonly begin: (fates: ReadonlyArray<Fate>) => void
  readonly drop: (answer: Drop["answer"]) => void
  readonly closeIdle: () => void
  /** Reads what was left unread: only then does a closed connection show. */
  readonly end: () => void
  readonly arrivals: () => ReadonlyArray<Arrival>
  /** When a connection was closed or dropped by this side. */
  readonly cuts: () => ReadonlyArray<number>
}

const plain: Fate = { kind: "answer", status: 200, retryAfter: undefined, after: 0, inPieces: false, ending: "open" }

const reasons: Readonly<Record<number, string>> = { 200: "OK", 204: "No Content", 413: "Content Too Large" }

const response = (status: number, body: string, retryAfter?: string): string =>
  [
    `HTTP/1.1 ${status} ${reasons[status] ?? "Whatever"}`,
    ...(status === 204 ? [] : ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`]),
    ...(retryAfter === undefined ? [] : [`Retry-After: ${retryAfter}`]),
    "",
    body
  ].join("\r\n")

const refusal = JSON.stringify({
  type: "error",
  code: "concurrent_request",
  message: `You sent ${number} and Bearer ${token}`
})

/** The success of an operation, which names the call that it is for. */
const success = (method: string, path: string, call: string): string => {
  if (method === "DELETE" || path.endsWith("/fields")) return response(204, "")
  const own = { metadata: { ...session.metadata, call }, external_identifier: call }
  return response(200, JSON.stringify({ ...session, ...own, id: /sessions\/([\w-]+)/.exec(path)?.[1] ?? session.id }))
}

/** What is wrong with a whole request. */
const problemOf = (method: string, call: string, body: Buffer): string | undefined => {
  if (method === "GET" || method === "DELETE") return body.length === 0 ? undefined : "a body that nobody asked for"
  try {
    const found: unknown = JSON.parse(body.toString("utf8"))
    // The fields of a card have no name in them.
    return JSON.stringify(found).includes(`"${call}"`) || "payment_method" in Object(found)
      ? undefined
      : "the body of another call"
  } catch {
    return "a broken body"
  }
}

/** One connection, as the server has it. */
class Link {
  isDropped: Drop["answer"] | undefined = undefined
  private head = ""
  private body: Array<Buffer> = []
  private missing = 0
  private isAnswering = false
  private isUsed = false
  private current:
    | { readonly arrival: Arrival; readonly fate: Fate; readonly method: string; readonly path: string }
    | undefined

  constructor(
    readonly socket: Socket,
    private readonly ledger: Ledger
  ) {
    socket.on("data", (data) => this.receive(data))
  }

  get isIdle(): boolean {
    return this.current === undefined && this.head === "" && !this.isAnswering
  }

  end(ending: "end" | "reset"): void {
    this.ledger.cuts.push(now())
    if (ending === "end") this.socket.end()
    else this.socket.resetAndDestroy()
  }

  private receive(data: Buffer): void {
    if (this.isDropped !== undefined) {
      const head = data.toString("latin1")
      if (callIn(head) !== undefined) this.ledger.arrivals.push({ ...arrivalOf(head, this.isUsed), isDropped: true })
      if (this.isDropped === "reset") this.end("reset")
      return
    }
    if (this.current !== undefined) {
      this.receiveBody(data)
      return
    }
    this.head += data.toString("latin1")
    const end = this.head.indexOf("\r\n\r\n")
    if (end < 0) return
    const head = this.head.slice(0, end)
    const rest = data.subarray(data.length - (this.head.length - end - 4))
    this.head = ""
    this.body = []
    this.missing = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
    const [method = "", path = ""] = head.split(" ")
    const arrival = arrivalOf(head, this.isUsed)
    this.ledger.arrivals.push(arrival)
    // Only an upload that is still under way has an early response.
    const drawn = this.ledger.fates.findIndex(({ kind }) => kind !== "early" || this.missing >= 20_000)
    const [fate = plain] = drawn < 0 ? [] : this.ledger.fates.splice(drawn, 1)
    this.current = { arrival, fate, method, path }
    if (fate.kind === "early") this.refuseEarly(fate.rest)
    else if (fate.kind === "lost" && fate.at === "head") this.end(fate.ending)
    else this.receiveBody(rest)
  }

  private receiveBody(data: Buffer): void {
    const { current } = this
    if (current === undefined) return
    this.body.push(data)
    this.missing -= data.length
    if (this.missing > 0) return
    this.current = undefined
    const { arrival, fate, method, path } = current
    arrival.problem = problemOf(method, arrival.call, Buffer.concat(this.body))
    this.body = []
    if (fate.kind === "answer") this.answer(arrival, fate, method, path)
    else if (fate.kind === "lost") {
      if (fate.at === "response") {
        arrival.status = 200
        this.socket.write(success(method, path, arrival.call).slice(0, 300))
      }
      this.end(fate.ending)
    }
  }

  private refuseEarly(rest: "read" | "unread" | "end"): void {
    const arrival = this.current?.arrival
    if (arrival === undefined) return
    arrival.status = 413
    this.socket.write(response(413, refusal))
    if (rest === "unread" && !this.ledger.isOver) this.socket.pause()
    if (rest === "end") this.end("end")
  }

  private answer(
    arrival: Arrival,
    fate: Extract<Fate, { readonly kind: "answer" }>,
    method: string,
    path: string
  ): void {
    const { after, ending, inPieces, retryAfter, status } = fate
    const bytes = status === 200 ? success(method, path, arrival.call) : response(status, refusal, retryAfter)
    this.isAnswering = true
    const write = () => {
      if (this.socket.destroyed || this.isDropped !== undefined) return
      arrival.status = status
      arrival.isRefused = status === 429 || retryAfter !== undefined
      const done = (error?: Error | null) => {
        this.isAnswering = false
        this.isUsed = true
        if (ending !== "reset" && error == null) arrival.answeredAt = now()
        if (ending !== "open") this.end(ending)
      }
      if (!inPieces) {
        this.socket.write(bytes, done)
        return
      }
      const middle = Math.floor(bytes.length / 2)
      this.socket.write(bytes.slice(0, middle), () => setImmediate(() => this.socket.write(bytes.slice(middle), done)))
    }
    if (after === 0) write()
    else setTimeout(write, after)
  }
}

const callIn = (head: string): string | undefined => /\r\nx-gr4vy-merchant-account-id: (call-\d+)/i.exec(head)?.[1]

const arrivalOf = (head: string, isReused: boolean): Arrival => ({
  call: callIn(head) ?? "nobody's",
  key: /\r\nidempotency-key: *(\S+)/i.exec(head)?.[1],
  at: now(),
  isDropped: false,
  isReused,
  status: undefined,
  isRefused: false,
  answeredAt: undefined,
  problem: undefined
})

interface Ledger {
  fates: Array<Fate>
  arrivals: Array<Arrival>
  cuts: Array<number>
  /** Whether the client has ended. */
  isOver: boolean
}

export const outageServer: Effect.Effect<OutageServer, never, Scope.Scope> = Effect.suspend(() => {
  const ledger: Ledger = { fates: [], arrivals: [], cuts: [], isOver: false }
  const links = new Set<Link>()
  const server = createServer({ noDelay: true }, (socket) => {
    const link = new Link(socket, ledger)
    links.add(link)
    socket.on("close", () => links.delete(link))
  })
  return Effect.map(loopback(server), ({ open, port, quiet }) => ({
    baseUrl: `http://127.0.0.1:${port}`,
    open,
    quiet,
    begin: (fates) => {
      ledger.fates = [...fates]
      ledger.arrivals = []
      ledger.cuts = []
      ledger.isOver = false
    },
    drop: (answer) => {
      ledger.cuts.push(now())
      for (const link of links) link.isDropped = answer
    },
    closeIdle: () => {
      for (const link of links) if (link.isIdle) link.end("end")
    },
    end: () => {
      ledger.isOver = true
      for (const link of links) link.socket.resume()
    },
    arrivals: () => ledger.arrivals,
    cuts: () => ledger.cuts
  }))
})
