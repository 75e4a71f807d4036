/**
 * The interface between the pipeline and a transport. A transport knows nothing of tokens, retries or spans.
 */
import type { HttpMethod } from "@effect/platform/HttpMethod"
import type { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import type * as Clock from "effect/Clock"
import type * as Fiber from "effect/Fiber"
import type { Pending } from "../pending.js"

export interface Transport {
  /** Takes a connection that is free now. */
  readonly acquire: () => Lease | undefined
  /** Waits for a free connection for up to `millis`, first come, first served. */
  readonly wait: (clock: Clock.Clock, millis: number) => Pending<Lease, TransportFailure>
  /** Absent if the transport does not know. */
  readonly usage?: () => Usage
}

/** The settings of every transport. */
export interface Settings {
  /** The largest response body in bytes. */
  readonly maxResponseBytes: number
  /** The names of headers that may contain a request's id; the first match wins. */
  readonly requestIdNames: ReadonlyArray<string>
  /** Whether requests are counted by this library, so that nobody else may count them. */
  readonly counted: () => boolean
}

/** The use of one connection for one request. */
export interface Lease {
  /** Sends a request once the exchange begins; it ends after `millis`, whatever the server does. */
  readonly send: (request: WireRequest, caller: Caller, millis: number) => Exchange
  /** Gives the connection back; it is destroyed if it is not `reusable`, or if something may still be on it. */
  readonly release: (reusable: boolean) => void
}

/** The fiber that a request is sent for, and its clock. */
export interface Caller {
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  readonly clock: Clock.Clock
}

/** One request and its whole response, within the size cap and the time limit. */
export interface Exchange extends Pending<BufferedResponse, TransportFailure> {
  /** What has arrived so far. */
  readonly received: Received | undefined
}

/** A request as it is sent, with its URL and every header. */
export class WireRequest {
  constructor(
    readonly method: HttpMethod,
    /** Scheme, host, path and query. */
    readonly url: string,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: Uint8Array | undefined,
    /** What no server may say back, besides the token. */
    readonly secrets: (() => ReadonlyArray<string>) | undefined,
    /** Whether a second copy changes nothing: no care is needed to lose none. */
    readonly isRepeatable: boolean
  ) {}
}

/** The beginning of an exchange, also of one that never came to its end. */
export interface Received {
  /** Absent while no response has begun. */
  readonly status: number | undefined
  /** `1.1`; absent if the transport does not know. */
  readonly protocolVersion?: string | undefined
  /** The headers of the response. */
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string> | undefined>> | undefined
  /** The other end of the connection; absent if the transport does not know. */
  readonly peer?: Peer | undefined
}

export interface Peer {
  readonly address: string
  readonly port: number
}

/** The current connections of a transport. */
export interface Usage {
  /** Connections with a request. */
  readonly active: number
  /** Open connections without a request. */
  readonly idle: number
  /** Calls that wait for a connection. */
  readonly pending: number
}

/** The body of a response as it arrives, within the size limit. */
export class Body {
  private bytes: Buffer | undefined = undefined
  private size = 0

  constructor(private readonly maxBytes: number) {}

  /** Adds a chunk; returns `false` if the body is then too large. */
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

/** The time limit of an exchange has passed. */
export const incomplete = (millis: number, sent: boolean): TransportFailure =>
  timedOut(`No complete response within ${Math.round(millis)} ms.`, sent)

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
    message: `The response is larger than ${maxBytes} bytes and was not read completely. Check the base URL, or raise maxResponseBytes.`
  })

/** Whether the body is framed as HTTP/1.1 knows it: any other transfer coding would be passed on as if it were the body. */
export const isPlainTransfer = (coding: string | ReadonlyArray<string> | undefined): boolean =>
  coding === undefined || (typeof coding === "string" && coding.trim().toLowerCase() === "chunked")

export const encoded = (encoding: string): TransportFailure =>
  new TransportFailure({
    reason: "InvalidResponse",
    delivered: "yes",
    resend: "never",
    message: `The response has ${codings.has(encoding.toLowerCase()) ? `Content-Encoding "${encoding}"` : "a Content-Encoding"}, although only "identity" was requested. Check any proxy between you and the API.`
  })

/** Those that are registered: any other text may be something that the server got. */
const codings = new Set(["br", "compress", "deflate", "gzip", "x-compress", "x-gzip", "zstd"])
