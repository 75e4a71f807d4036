/**
 * undici as the carrier of one request at a time per connection: a response is yielded only when its whole body has
 * arrived, within the size cap and the time limit; a request that is interrupted leaves nothing behind.
 *
 * It keeps its own small set of `Client`s instead of undici's `Pool`, because a `Pool` cannot take back a request that
 * waits for a socket or for a connection.
 *
 * @since 0.1.0
 */

import type { Socket } from "node:net"
import {
  disconnected,
  isProtocolViolation,
  notConnected,
  protocolViolation,
  TransportFailure
} from "@effect-gr4vy/core/TransportFailure"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import type * as Scope from "effect/Scope"
import { buildConnector, Client, type Dispatcher } from "undici"
import { BufferedResponse } from "./internal/BufferedResponse.js"
import { resumeWhereItBegan, withoutInstrumentation } from "./internal/otelContext.js"
import { after } from "./internal/timer.js"
import {
  type Exchange as Begun,
  encoded,
  type Outcome,
  type Transport,
  timedOut,
  tooLarge
} from "./internal/transport.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** Scheme, host and port; requests carry the path. */
  readonly origin: string
  /** The largest response body in bytes. */
  readonly maxResponseBytes: number
  /** How many connections there may be at a time; further requests wait. */
  readonly connections: number
}

/**
 * Connections are kept for 4 s of idleness, or for what the server's `Keep-Alive` header grants less 2 s: below the 5 s
 * after which Node servers hang up (load balancers wait longer), because a request on a connection that the server is
 * just closing is lost with an unknown outcome. The connection used last is reused first, so spare ones run out.
 */
const keepAlive = { keepAliveTimeout: 4_000, keepAliveTimeoutThreshold: 2_000, keepAliveMaxTimeout: 600_000 }

/**
 * The transport; its connections close with the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Transport, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Connections(options)),
      (connections) => connections.close
    ),
    (connections): Transport =>
      (begin) =>
        // What `Effect.async` does with a canceller, without a gap between the beginning and the canceller, and for less.
        Effect.uninterruptibleMask((restore) => {
          const exchange = new Exchange(begin(), options, connections)
          return Effect.matchCauseEffect(restore(exchange.outcome), {
            onFailure: (cause) => {
              exchange.interrupt()
              return Effect.failCause(cause)
            },
            onSuccess: Effect.succeed
          })
        })
  )

/** The connections of one transport, and the exchanges that wait for one. */
class Connections {
  private readonly idle: Array<Connection> = []
  private readonly all = new Set<Connection>()
  private readonly waiting = new Set<Exchange>()
  private readonly connector: buildConnector.connector
  private closed = false

  constructor(private readonly options: Options) {
    // The time limit of the request covers connecting: no second timer.
    this.connector = buildConnector({ timeout: 0 })
  }

  submit(exchange: Exchange): void {
    if (this.closed) {
      exchange.settle(Exit.fail(closedFailure), false)
      return
    }
    const connection = this.idle.pop() ?? this.open()
    if (connection === undefined) this.waiting.add(exchange)
    else connection.carry(exchange)
  }

  withdraw(exchange: Exchange): void {
    this.waiting.delete(exchange)
  }

  /** Takes a connection back: for reuse, or to be destroyed because something may still be on it. */
  release(connection: Connection, reusable: boolean): void {
    connection.exchange = undefined
    if (!reusable) {
      this.all.delete(connection)
      connection.destroy()
    }
    const next = this.waiting.values().next()
    if (next.done !== true) {
      this.waiting.delete(next.value)
      if (reusable) connection.carry(next.value)
      else this.submit(next.value)
    } else if (reusable) {
      this.idle.push(connection)
    }
  }

  readonly close: Effect.Effect<void> = Effect.promise(() => {
    this.closed = true
    for (const exchange of this.waiting) exchange.settle(Exit.fail(closedFailure), false)
    this.waiting.clear()
    return Promise.all(Array.from(this.all, (connection) => connection.close()))
  })

  private open(): Connection | undefined {
    if (this.all.size >= this.options.connections) return undefined
    const connection = new Connection(this.options.origin, this.connector)
    this.all.add(connection)
    return connection
  }
}

/** One connection, which carries one exchange at a time. */
class Connection {
  private readonly client: Client
  private socket: Socket | undefined
  exchange: Exchange | undefined

  constructor(origin: string, connector: buildConnector.connector) {
    this.client = new Client(origin, {
      ...keepAlive,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (connectOptions, callback) => {
        // undici's connector returns its socket, which its type leaves out; a connection that is still being made can
        // be given up by no other means.
        const socket: unknown = connector(connectOptions, callback)
        this.socket = isSocket(socket) ? socket : undefined
      }
    })
  }

  carry(exchange: Exchange): void {
    this.exchange = exchange
    exchange.connection = this
    withoutInstrumentation(() => this.client.dispatch(exchange.dispatchOptions, exchange))
  }

  destroy(): void {
    this.client.destroy(null, constVoid)
    this.socket?.destroy()
  }

  close(): Promise<void> {
    this.exchange?.settle(Exit.fail(disconnected()), false)
    this.socket?.destroy()
    return this.client.destroy()
  }
}

/** One request and its answer: undici reports to it, and it settles exactly once. */
class Exchange implements Dispatcher.DispatchHandler {
  connection: Connection | undefined
  private cancelTimer: () => void = constVoid
  private sent = false
  private settled = false
  private status = 0
  private headers: Readonly<Record<string, string | Array<string> | undefined>> = {}
  private chunks: Array<Buffer> = []
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
    this.chunks = []
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

const textOf = (chunks: ReadonlyArray<Buffer>): string => {
  const [first, ...rest] = chunks
  if (first === undefined) return ""
  return (rest.length === 0 ? first : Buffer.concat(chunks)).toString("utf8")
}

const isSocket = (value: unknown): value is Socket => typeof value === "object" && value !== null && "destroy" in value

const closedFailure = new TransportFailure({
  reason: "Connect",
  delivered: "no",
  resend: "never",
  message: "The client is closed: its layer's scope has ended. Nothing was sent."
})

const invalidRequest = new TransportFailure({
  reason: "InvalidRequest",
  delivered: "no",
  resend: "never",
  message: "Nothing was sent: the request has a method, path or header that HTTP does not allow."
})
