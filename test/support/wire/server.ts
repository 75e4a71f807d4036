/**
 * A server that does to each request what a case says, byte for byte, and keeps a ledger of it.
 */
import { createServer, type Socket } from "node:net"
import { Effect, type Scope } from "effect"
import { type Loopback, loopback } from "../loopback.js"
import { type Answer, good, idOfRequest } from "./answers.js"
import { type Reading, read } from "./reading.js"

/** A request that arrived, and what became of it. */
export interface Seen {
  /** The number of its call in the case. */
  readonly call: number
  readonly writing: Writing
  /** Whether its connection had something of another answer on it. */
  readonly disturbed: boolean
}

export interface WireServer extends Pick<Loopback, "open" | "quiet"> {
  readonly baseUrl: string
  /** Takes the next answers, of which `undefined` is a good one, and forgets what was. */
  readonly begin: (answers: ReadonlyArray<Answer | undefined>) => void
  /** The requests of a call, oldest first. */
  readonly seenOf: (call: number) => ReadonlyArray<Seen>
}

/** A session's id as a path has it, or one that the server makes. */
const idIn = (path: string) => /sessions\/([0-9a-f-]{36})/.exec(path)?.[1] ?? "7f1c8c1e-0000-4000-8000-00000000000a"

const goodAnswer = (head: string): Answer => ({
  on: "request",
  bytes: /^(DELETE|PUT \S+\/fields) ?/.test(head) ? good.nothing : good.session,
  pieces: [],
  pause: 0,
  ending: "open"
})

/** An answer on its way. */
class Writing {
  readonly #parts: Array<Buffer> = []
  /** What the server has done to the connection after it. */
  ending: Answer["ending"] = "open"

  constructor(
    readonly answer: Answer,
    private readonly socket: Socket
  ) {}

  get bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  get reading(): Reading {
    return read(this.bytes, this.ending)
  }

  /** Whether nothing of it can be taken for the answer to a later request. */
  get isOver(): boolean {
    const { reading } = this
    return reading.kind === "whole" && reading.persistent
  }

  begin(path: string): void {
    const bytes = Buffer.from(this.answer.bytes.replaceAll(idOfRequest, idIn(path)), "latin1")
    const pieces = this.answer.pieces.values()
    let at = 0
    const next = () => {
      if (this.socket.destroyed) return
      const part = bytes.subarray(at, at + (pieces.next().value ?? bytes.length))
      at += part.length
      if (part.length > 0) {
        this.#parts.push(part)
        this.socket.write(part)
      }
      if (at >= bytes.length) this.#end()
      else if (this.answer.pause === 0) setImmediate(next)
      else setTimeout(next, this.answer.pause)
    }
    next()
  }

  #end(): void {
    this.ending = this.answer.ending
    if (this.ending === "end") this.socket.end()
    else if (this.ending === "reset") this.socket.resetAndDestroy()
  }
}

export const wireServer: Effect.Effect<WireServer, never, Scope.Scope> = Effect.suspend(() => {
  let answers: Array<Answer | undefined> = []
  let seen: Array<Seen> = []

  const server = createServer({ noDelay: true }, (socket) => {
    let input = ""
    /** The answer to the request that is at the beginning of the input, or before it. */
    let latest: Writing | undefined
    let isAnswered = false
    const [first] = answers
    if (first?.on === "connect") {
      answers.shift()
      latest = new Writing(first, socket)
      latest.begin("")
    }
    const respond = (head: string, isWhole: boolean) => {
      const path = head.split(" ")[1] ?? ""
      let writing = latest
      const isEarly = writing !== undefined && !seen.some((request) => request.writing === writing)
      const disturbed = isEarly || writing?.isOver === false
      if (writing === undefined || !isEarly) {
        const answer = answers[0] ?? goodAnswer(head)
        if (answer.on === "request" && !isWhole) return
        answers.shift()
        writing = new Writing(answer, socket)
        writing.begin(path)
      }
      latest = writing
      isAnswered = true
      const call = Number(/\r\nx-gr4vy-merchant-account-id: call-(\d)/i.exec(head)?.[1])
      seen.push({ call, writing, disturbed })
    }
    socket.on("data", (data) => {
      input += data.toString("latin1")
      for (let end = input.indexOf("\r\n\r\n"); end >= 0; end = input.indexOf("\r\n\r\n")) {
        const head = input.slice(0, end)
        const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
        const isWhole = input.length >= end + 4 + length
        if (!isAnswered) respond(head, isWhole)
        if (!isWhole) return
        input = input.slice(end + 4 + length)
        isAnswered = false
      }
    })
  })

  return Effect.map(loopback(server), ({ open, port, quiet }) => ({
    baseUrl: `http://127.0.0.1:${port}`,
    open,
    quiet,
    begin: (next) => {
      answers = [...next]
      seen = []
    },
    seenOf: (n) => seen.filter((request) => request.call === n)
  }))
})
