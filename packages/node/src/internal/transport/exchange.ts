/**
 * One request and its response over undici, within its limits.
 */
import type { Socket } from "node:net"
import type { TLSSocket } from "node:tls"
import { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import {
  disconnected,
  hostAndPort,
  isProtocolViolation,
  notConnected,
  protocolViolation,
  TransportFailure
} from "@effect-gr4vy/core/spi/TransportFailure"
import type * as Clock from "effect/Clock"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import type { Dispatcher } from "undici"
import { resumeWhereItBegan } from "../otel/context.js"
import { after, monotonicMillis } from "../pending.js"
import { NotReachable, type PlainHttp } from "./plainHttp.js"
import type { Awaiting } from "./skipContinue.js"
import {
  Body,
  type Exchange,
  encoded,
  hasBody,
  incomplete,
  isIdentity,
  isPlainTransfer,
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
  isSettled = false
  /** Whether the request went out and nothing usable came back: its connection may be dead. */
  isLost = false
  private status = 0
  private headers: Readonly<Record<string, string | Array<string> | undefined>> = {}
  private body: Body | undefined = undefined
  private deadline = 0
  private cancelTimer: () => void = constVoid
  private resume: (outcome: Outcome) => void = constVoid
  private controller: Controller | undefined = undefined

  constructor(
    private readonly request: WireRequest,
    private readonly clock: Clock.Clock,
    private readonly millis: number,
    private readonly limits: Limits,
    private readonly dispatch: (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => void,
    private readonly line: Line,
    private readonly notSent: (error: unknown, address: string | undefined) => TransportFailure = notConnected
  ) {}

  begin(resume: (outcome: Outcome) => void): void {
    const { body, headers, method, url } = this.request
    this.resume = resumeWhereItBegan(resume)
    this.deadline = monotonicMillis(this.clock) + this.millis
    this.cancelTimer = after(this.clock, this.millis, () => this.expire())
    this.state = "dispatched"
    this.dispatch({ method, path: url.slice(this.limits.origin.length), headers, body: body ?? null }, this)
  }

  cancel(): void {
    // A caller's own time limit tells as much about the connection as ours.
    const waited = monotonicMillis(this.clock) - (this.deadline - this.millis)
    if (!this.isSettled && this.state === "sent" && this.status === 0 && waited >= suspicious) this.isLost = true
    this.settle(undefined)
  }

  get received(): Received | undefined {
    const { peer, protocolVersion } = this.line
    const { headers, status } = this
    return status === 0 ? { status: undefined, peer } : { status, peer, protocolVersion, headers }
  }

  /** Whether the connection is free of this exchange. */
  get isClean(): boolean {
    const isUnread = this.status >= 400 && (this.request.body?.length ?? 0) > maxUnread
    return this.state === "new" || (this.isWhole && !isUnread)
  }

  /** Whether the whole response has been read. */
  get isWhole(): boolean {
    return this.state === "whole"
  }

  settle(outcome: Outcome | undefined): void {
    if (this.isSettled) return
    this.isSettled = true
    this.cancelTimer()
    this.body = undefined
    if (outcome !== undefined) this.resume(outcome)
  }

  /** Ends the request on the wire, if it is not over. */
  abort(): void {
    if (this.state === "sent") this.controller?.abort(notWritten)
    this.controller = undefined
  }

  /** The dispatcher threw instead of taking the request. */
  refused(error: unknown): void {
    const { limits, state } = this
    this.lose(state === "sent" ? disconnected(error) : this.notSent(error, hostAndPort(limits.origin)))
  }

  /** The socket failed. undici takes a reset for the end of a body without a length. */
  socketFailed(error: Error): void {
    if (this.state === "sent") this.lose(this.failureOf(error))
  }

  onRequestStart(controller: Controller): void {
    // An interceptor that retries or redirects: its first copy may have done its work.
    if (this.state === "sent") this.fail(sentAgain)
    // The connection may be made after the attempt's end, which its fiber may not know yet: the request is not written.
    if (!this.isSettled && monotonicMillis(this.clock) >= this.deadline) this.expire()
    if (this.isSettled) {
      controller.abort(notWritten)
      return
    }
    this.state = "sent"
    this.isAwaiting = true
    this.controller = controller
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: typeof this.headers): void {
    if (status >= 100 && status < 200) return
    if (status < 100) {
      this.fail(protocolViolation())
      return
    }
    this.status = status
    this.headers = headers
    const { maxResponseBytes } = this.limits
    const length = Number(headers["content-length"])
    if (!hasBody(this.request.method, status)) {
      // A 304 tells the length that a 200 would have, and undici would wait for as many bytes.
      if (length > 0 && this.request.method !== "HEAD") this.succeed("")
    } else if (!isPlainTransfer(headers["transfer-encoding"])) {
      this.fail(protocolViolation())
    } else if (length > maxResponseBytes) {
      this.fail(tooLarge(maxResponseBytes))
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.isSettled) return
    const { maxResponseBytes } = this.limits
    this.body ??= new Body(maxResponseBytes)
    if (!this.body.add(chunk)) this.fail(tooLarge(maxResponseBytes))
  }

  onResponseEnd(): void {
    if (this.isSettled) return
    this.state = "whole"
    const encoding = String(this.headers["content-encoding"] ?? "")
    const readable = isIdentity(encoding) || !hasBody(this.request.method, this.status)
    if (!readable && this.status < 300) {
      this.fail(encoded(encoding))
      return
    }
    // An error in an unrequested encoding still has a valid status.
    this.succeed(readable ? (this.body?.text ?? "") : "")
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.lose(this.failureOf(error))
  }

  private expire(): void {
    const { limits, line, millis, state } = this
    this.lose(
      state !== "sent" && line.peer === undefined
        ? timedOut(`No connection to ${hostAndPort(limits.origin)} within ${Math.round(millis)} ms.`, false)
        : incomplete(millis, state === "sent")
    )
  }

  private lose(failure: TransportFailure): void {
    if (this.isSettled) return
    this.isLost = this.state === "sent" && failure.reason !== "InvalidResponse"
    this.fail(failure)
  }

  private fail(failure: TransportFailure): void {
    if (this.isSettled) return
    this.settle(Exit.fail(this.status === 0 ? failure : failure.withRequestId(this.responseOf("").requestId)))
  }

  private succeed(text: string): void {
    this.settle(Exit.succeed(this.responseOf(text)))
  }

  private responseOf(text: string): BufferedResponse {
    return new BufferedResponse(this.request, this.status, this.headers, text, this.limits.requestIdNames)
  }

  private failureOf(error: Error): TransportFailure {
    if ("code" in error && (error.code === "UND_ERR_INVALID_ARG" || error.code === "UND_ERR_NOT_SUPPORTED")) {
      return invalidRequest
    }
    if (error instanceof NotReachable) return notReachable(this.limits.origin, error.plainHttp)
    if (this.state !== "sent") return this.notSent(error, hostAndPort(this.limits.origin))
    return isProtocolViolation(error, this.status !== 0)
      ? protocolViolation(error)
      : disconnected(error, hostAndPort(this.limits.origin))
  }
}

type Controller = Pick<Dispatcher.DispatchController, "abort">

const sentAgain = new TransportFailure({
  reason: "Disconnected",
  delivered: "unknown",
  resend: "never",
  message:
    "The dispatcher was about to send a second copy of the request, which was stopped. Whether the API acted on the first one is unknown. Give a dispatcher without retries and redirects."
})

/** Ends a request that undici would write now. */
const notWritten = new Error("The attempt has ended.")

const notReachable = (origin: string, plainHttp: PlainHttp): TransportFailure =>
  new TransportFailure({
    reason: "Connect",
    delivered: "no",
    resend: "never",
    message: `Nothing was sent: ${hostAndPort(origin)} has no ${plainHttp} address, and http: would send the token in plain text. Use https:.`
  })

/** How long a response is waited for, in milliseconds, before an interruption makes its connection suspect. */
const suspicious = 250

/** A server that refuses a larger upload may not have read it, and then closes its connection. */
const maxUnread = 16_384

const invalidRequest = new TransportFailure({
  reason: "InvalidRequest",
  delivered: "no",
  resend: "never",
  message: "Nothing was sent: the request has a method, path or header that HTTP does not allow."
})
