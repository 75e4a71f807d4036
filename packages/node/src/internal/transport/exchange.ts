/**
 * One request and its answer over undici, within its limits.
 */

import { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import {
  disconnected,
  isProtocolViolation,
  notConnected,
  protocolViolation,
  TransportFailure
} from "@effect-gr4vy/core/unstable/TransportFailure"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import type { Dispatcher } from "undici"
import { resumeWhereItBegan } from "../otel/context.js"
import { after } from "../timer.js"
import type { Connection, Connections } from "./connections.js"
import { type Begun, encoded, type Outcome, timedOut, tooLarge } from "./transport.js"
import type { Options } from "./undici.js"

/** What undici reports to. It settles exactly once. */
export class Exchange implements Dispatcher.DispatchHandler {
  connection: Connection | undefined
  private cancelTimer: () => void = constVoid
  private sent = false
  private settled = false
  private status = 0
  private headers: Readonly<Record<string, string | Array<string> | undefined>> = {}
  private chunks: Array<Buffer> | undefined = undefined
  private size = 0
  private resume: (outcome: Outcome) => void = constVoid

  constructor(
    private readonly begun: Begun,
    private readonly options: Options,
    private readonly connections: Connections
  ) {}

  /** Begins the exchange, and waits for its end. */
  readonly outcome: Effect.Effect<BufferedResponse, TransportFailure> = Effect.async((resume) => {
    const { clock, millis } = this.begun
    this.resume = resumeWhereItBegan(resume)
    this.cancelTimer = after(clock, millis, () => {
      this.settle(Exit.fail(timedOut(`No whole answer within ${Math.round(millis)} ms.`, this.sent)), false)
    })
    this.connections.submit(this)
  })

  get dispatchOptions(): Dispatcher.DispatchOptions {
    const { asked, headers, url } = this.begun.request
    return {
      method: asked.method,
      path: url.slice(this.options.origin.length),
      headers,
      body: asked.body._tag === "Uint8Array" ? asked.body.body : null
    }
  }

  onRequestStart(): void {
    this.sent = true
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: typeof this.headers): void {
    if (status < 200) return
    this.status = status
    this.headers = headers
    if (Number(headers["content-length"]) > this.options.maxResponseBytes) {
      this.settle(Exit.fail(tooLarge(this.options.maxResponseBytes)), false)
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) return
    this.size += chunk.length
    if (this.size > this.options.maxResponseBytes) {
      this.settle(Exit.fail(tooLarge(this.options.maxResponseBytes)), false)
    } else {
      this.chunks ??= []
      this.chunks.push(chunk)
    }
  }

  onResponseEnd(): void {
    const encoding = String(this.headers["content-encoding"] ?? "identity")
    const readable = encoding.toLowerCase() === "identity"
    if (!readable && this.status < 300) {
      this.settle(Exit.fail(encoded(encoding)), true)
      return
    }
    // Of an error in an encoding nobody asked for, the status still counts.
    const body = readable ? textOf(this.chunks) : ""
    this.settle(Exit.succeed(new BufferedResponse(this.begun.request, this.status, this.headers, body)), true)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.settle(Exit.fail(this.failureOf(error)), false)
  }

  interrupt(): void {
    this.settle(undefined, false)
  }

  /** Ends the exchange, once; `reusable` tells whether the connection is as good as before. */
  settle(outcome: Outcome | undefined, reusable: boolean): void {
    if (this.settled) return
    this.settled = true
    this.cancelTimer()
    this.chunks = undefined
    if (this.connection === undefined) this.connections.withdraw(this)
    else this.connections.release(this.connection, reusable)
    this.begun.onEnd(outcome, this.status === 0 ? undefined : { status: this.status, protocolVersion: "1.1" })
    if (outcome !== undefined) this.resume(outcome)
  }

  private failureOf(error: Error): TransportFailure {
    if ("code" in error && error.code === "UND_ERR_INVALID_ARG") return invalidRequest
    if (!this.sent) return notConnected(error)
    return isProtocolViolation(error) ? protocolViolation(error) : disconnected(error)
  }
}

const textOf = (chunks: ReadonlyArray<Buffer> = []): string => {
  const [first, ...rest] = chunks
  if (first === undefined) return ""
  return (rest.length === 0 ? first : Buffer.concat(chunks)).toString("utf8")
}

const invalidRequest = new TransportFailure({
  reason: "InvalidRequest",
  delivered: "no",
  resend: "never",
  message: "Nothing was sent: the request has a method, path or header that HTTP does not allow."
})
