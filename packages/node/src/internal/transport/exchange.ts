/**
 * One request and its response over undici, within its limits.
 */
import type { Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import {
  disconnected,
  isProtocolViolation,
  notConnected,
  protocolViolation,
  TransportFailure
} from "@effect-gr4vy/core/unstable/TransportFailure"
import type * as Clock from "effect/Clock"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import type { Dispatcher } from "undici"
import { resumeWhereItBegan } from "../otel/context.js"
import { after } from "../timer.js"
import type { Awaiting } from "./skipContinue.js"
import {
  Body,
  type Exchange,
  encoded,
  hasBody,
  isIdentity,
  type Peer,
  type Received,
  type Settings,
  timedOut,
  tooLarge,
  type WireRequest
} from "./transport.js"

export interface Limits extends Settings {
  /** Scheme, host and port; requests carry the path. */
  readonly origin: string
}

/** The addresses of a connection, kept because a closed socket loses them. */
export class Line {
  peer: Peer | undefined = undefined
  protocolVersion: string | undefined = undefined

  opened(socket: Socket | TLSSocket | undefined): void {
    const { remoteAddress: address, remotePort: port } = socket ?? {}
    this.peer = address === undefined || port === undefined ? undefined : { address, port }
    // undici does not expose the version of a response; over TLS both ends have agreed on one.
    this.protocolVersion =
      socket !== undefined && "alpnProtocol" in socket && socket.alpnProtocol === "http/1.1" ? "1.1" : undefined
  }
}

type Outcome = Exit.Exit<BufferedResponse, TransportFailure>

/** undici reports to it. It settles exactly once. */
export class UndiciExchange implements Exchange, Awaiting, Dispatcher.DispatchHandler {
  private state: "new" | "dispatched" | "sent" | "whole" = "new"
  isAwaiting = false
  private settled = false
  private status = 0
  private headers: Readonly<Record<string, string | Array<string> | undefined>> = {}
  private body: Body | undefined = undefined
  private cancelTimer: () => void = constVoid
  private resume: (outcome: Outcome) => void = constVoid

  constructor(
    private readonly request: WireRequest,
    private readonly clock: Clock.Clock,
    private readonly millis: number,
    private readonly limits: Limits,
    private readonly dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void,
    private readonly line: Line
  ) {}

  begin(resume: (outcome: Outcome) => void): void {
    const { body, headers, method, url } = this.request
    this.resume = resumeWhereItBegan(resume)
    this.cancelTimer = after(this.clock, this.millis, () =>
      this.settle(
        Exit.fail(timedOut(`No complete response within ${Math.round(this.millis)} ms.`, this.state === "sent"))
      )
    )
    this.state = "dispatched"
    this.dispatch({ method, path: url.slice(this.limits.origin.length), headers, body: body ?? null }, this)
  }

  cancel(): void {
    this.settle(undefined)
  }

  get received(): Received | undefined {
    const { peer, protocolVersion } = this.line
    const { headers, status } = this
    return status === 0 ? { status: undefined, peer } : { status, peer, protocolVersion, headers }
  }

  /** Whether the connection is free of this exchange. */
  get isClean(): boolean {
    return this.state === "new" || this.state === "whole"
  }

  settle(outcome: Outcome | undefined): void {
    if (this.settled) return
    this.settled = true
    this.cancelTimer()
    this.body = undefined
    if (outcome !== undefined) this.resume(outcome)
  }

  onRequestStart(): void {
    this.state = "sent"
    this.isAwaiting = true
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: typeof this.headers): void {
    if (status >= 100 && status < 200) {
      this.isAwaiting = true
      return
    }
    if (status < 100 || status > 599) {
      this.settle(Exit.fail(protocolViolation()))
      return
    }
    this.status = status
    this.headers = headers
    const { maxResponseBytes } = this.limits
    const length = Number(headers["content-length"])
    if (!hasBody(this.request.method, status)) {
      // A 304 tells the length that a 200 would have, and undici would wait for as many bytes.
      if (length > 0 && this.request.method !== "HEAD") this.succeed("")
    } else if (length > maxResponseBytes) {
      this.settle(Exit.fail(tooLarge(maxResponseBytes)))
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.settled) return
    const { maxResponseBytes } = this.limits
    this.body ??= new Body(maxResponseBytes)
    if (!this.body.add(chunk)) this.settle(Exit.fail(tooLarge(maxResponseBytes)))
  }

  onResponseEnd(): void {
    if (this.settled) return
    this.state = "whole"
    const encoding = String(this.headers["content-encoding"] ?? "")
    const readable = isIdentity(encoding) || !hasBody(this.request.method, this.status)
    if (!readable && this.status < 300) {
      this.settle(Exit.fail(encoded(encoding)))
      return
    }
    // An error in an unrequested encoding still has a valid status.
    this.succeed(readable ? (this.body?.text ?? "") : "")
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.settle(Exit.fail(this.failureOf(error)))
  }

  private succeed(text: string): void {
    this.settle(
      Exit.succeed(new BufferedResponse(this.request, this.status, this.headers, text, this.limits.requestIdNames))
    )
  }

  private failureOf(error: Error): TransportFailure {
    if ("code" in error && error.code === "UND_ERR_INVALID_ARG") return invalidRequest
    if (this.state !== "sent") return notConnected(error)
    return isProtocolViolation(error, this.status !== 0) ? protocolViolation(error) : disconnected(error)
  }
}

const invalidRequest = new TransportFailure({
  reason: "InvalidRequest",
  delivered: "no",
  resend: "never",
  message: "Nothing was sent: the request has a method, path or header that HTTP does not allow."
})
