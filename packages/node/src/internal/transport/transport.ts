/**
 * What the pipeline asks of a carrier of requests. It knows nothing of tokens, retries or spans.
 */
import type { HttpMethod } from "@effect/platform/HttpMethod"
import type { BufferedResponse } from "@effect-gr4vy/core/unstable/Response"
import { TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import type * as Clock from "effect/Clock"
import type { Pending } from "../pending.js"

export interface Transport {
  /** Takes a connection that is free now. */
  readonly acquire: () => Lease | undefined
  /** Waits for a free connection for up to `millis`, first come, first served. */
  readonly wait: (clock: Clock.Clock, millis: number) => Pending<Lease, TransportFailure>
  /** Absent where the carrier does not tell. */
  readonly usage?: () => Usage
}

/** What every carrier is told. */
export interface Settings {
  /** The largest response body in bytes. */
  readonly maxResponseBytes: number
  /** The names of headers that may have a request's id, first match wins. */
  readonly requestIdNames: ReadonlyArray<string>
  /** Whether requests are counted by this library, so that nobody else may count them. */
  readonly counted: () => boolean
}

/** The use of one connection for one request. */
export interface Lease {
  /** Sends a request when the outcome is run; ends after `millis`, whatever the server does. */
  readonly send: (request: WireRequest, clock: Clock.Clock, millis: number) => Exchange
  /** Gives the connection back; it is destroyed if it is not `reusable`, or if something may still be on it. */
  readonly release: (reusable: boolean) => void
}

/** One request and its whole response, within the size cap and the time limit. */
export interface Exchange extends Pending<BufferedResponse, TransportFailure> {
  /** What has arrived so far. */
  readonly received: Received | undefined
}

/** A request as it goes on the wire: at its address, with every header. */
export class WireRequest {
  constructor(
    readonly method: HttpMethod,
    /** Scheme, host, path and query. */
    readonly url: string,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: Uint8Array | undefined
  ) {}
}

/** The beginning of an exchange, also of one that never came to its end. */
export interface Received {
  /** Absent while no response has begun. */
  readonly status: number | undefined
  /** `1.1`; absent where the carrier does not tell. */
  readonly protocolVersion?: string | undefined
  /** The other end of the connection; absent where the carrier does not tell. */
  readonly peer?: Peer | undefined
}

export interface Peer {
  readonly address: string
  readonly port: number
}

/** The connections of a carrier at the moment. */
export interface Usage {
  /** Those that carry a request. */
  readonly active: number
  /** Those that are open without one. */
  readonly idle: number
  /** The calls that wait for one. */
  readonly pending: number
}

/** The body of a response as it arrives, within the cap. */
export class Body {
  private bytes: Buffer | undefined = undefined
  private size = 0

  constructor(private readonly maxBytes: number) {}

  /** Adds a chunk; `false` when the body is too large with it. */
  add(chunk: Buffer): boolean {
    const size = this.size + chunk.length
    if (size > this.maxBytes) return false
    if (this.bytes === undefined) {
      this.bytes = chunk
    } else {
      if (size > this.bytes.length) this.bytes = this.grown(this.bytes, size)
      this.bytes.set(chunk, this.size)
    }
    this.size = size
    return true
  }

  get text(): string {
    return this.bytes === undefined ? "" : this.bytes.toString("utf8", 0, this.size)
  }

  // One buffer that doubles: a chunk may be a single byte, and an object for each byte would take 100 times the body.
  private grown(bytes: Buffer, size: number): Buffer {
    const larger = Buffer.allocUnsafe(Math.min(this.maxBytes, Math.max(2 * size, 1024)))
    larger.set(bytes)
    return larger
  }
}

/** Whether a `Content-Encoding` leaves a body as it is. */
export const isIdentity = (encoding: string): boolean =>
  encoding.split(",").every((coding) => /^(identity)?$/i.test(coding.trim()))

/** Whether a response with this status has a body, whatever its headers say (RFC 9110, section 6.4.1). */
export const hasBody = (method: HttpMethod, status: number): boolean =>
  method !== "HEAD" && status !== 204 && status !== 304

export const timedOut = (message: string, sent: boolean): TransportFailure =>
  new TransportFailure({
    reason: "Timeout",
    delivered: sent ? "unknown" : "no",
    resend: sent ? "idempotent" : "safe",
    message: sent
      ? `${message} Whether the API acted on the request is unknown.`
      : `${message} The request was not sent.`
  })

export const tooLarge = (maxBytes: number): TransportFailure =>
  new TransportFailure({
    reason: "ResponseTooLarge",
    delivered: "yes",
    resend: "never",
    message: `The answer is larger than ${maxBytes} bytes, and was not read to its end. Check the base URL, or raise maxResponseBytes.`
  })

export const encoded = (encoding: string): TransportFailure =>
  new TransportFailure({
    reason: "InvalidResponse",
    delivered: "yes",
    resend: "never",
    message: `The answer came with ${/^[\w, -]{1,40}$/.test(encoding) ? `Content-Encoding "${encoding}"` : "a Content-Encoding"}, though only "identity" was asked for. Check what stands between you and the API.`
  })
