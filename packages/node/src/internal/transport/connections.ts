/**
 * The connections of undici's transport: a small set of `Client`s instead of undici's `Pool`, because a `Pool` cannot take
 * back a request that waits for a socket or for a connection.
 */
import type { Socket } from "node:net"
import { disconnected, TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import { buildConnector, Client, type Dispatcher } from "undici"
import { withoutInstrumentation } from "../otel/context.js"
import type { Pending } from "../pending.js"
import { type Limits, Line, UndiciExchange } from "./exchange.js"
import type { Lookup } from "./loopback.js"
import { Queue, Waiting } from "./queue.js"
import { skipContinue } from "./skipContinue.js"
import type { Caller, Lease, Transport, Usage, WireRequest } from "./transport.js"

export interface Options extends Limits {
  /** The maximum number of connections; further requests wait. */
  readonly connections: number
  /** Finds the addresses of a host; the system does by default. */
  readonly lookup?: Lookup | undefined
}

/**
 * Connections are kept for 4 s of idleness, or for what the server's `Keep-Alive` header grants less 2 s: below the 5 s
 * after which Node servers hang up (load balancers wait longer), because a request on a connection that the server is
 * just closing is lost with an unknown outcome. The connection used last is reused first, so spare ones run out.
 */
const keepAlive = { keepAliveTimeout: 4_000, keepAliveTimeoutThreshold: 2_000, keepAliveMaxTimeout: 600_000 }

/** The connections of one transport, and the calls that wait for one. */
export class Connections implements Transport {
  private readonly idle: Array<Connection> = []
  private readonly all = new Set<Connection>()
  private readonly queue = new Queue()
  private readonly connector: buildConnector.connector
  /** What waits for a turn of the event loop, since the last turn and since the one before it. */
  private resting: Array<() => void> = []
  private rested: Array<() => void> = []
  private closed = false

  constructor(private readonly options: Options) {
    // The request's time limit covers connecting, so there is no second timer.
    const { lookup } = options
    this.connector = buildConnector({
      timeout: 0,
      ...(lookup === undefined
        ? {}
        : {
            lookup: (hostname, { all }, callback) =>
              lookup(hostname, (error, addresses) => {
                const [first] = addresses
                if (all === true || first === undefined) callback(error, [...addresses])
                else callback(error, first.address, first.family)
              })
          })
    })
  }

  readonly usage = (): Usage => ({
    active: this.all.size - this.idle.length,
    // The server or undici may have closed some in the meantime.
    idle: this.idle.filter((connection) => connection.isOpen).length,
    pending: this.queue.size
  })

  readonly acquire = (): Connection | undefined => this.idle.pop() ?? this.open()

  readonly wait = (clock: Clock.Clock, millis: number): Pending<Lease, TransportFailure> =>
    new Waiting(this.queue, clock, millis)

  /** Takes a connection back for the call that has waited longest. */
  release(connection: Connection, reusable: boolean): void {
    if (this.closed) return
    if (!reusable) {
      this.all.delete(connection)
      connection.destroy()
    }
    const { first } = this.queue
    if (first === undefined) {
      if (reusable) this.idle.push(connection)
      return
    }
    const free = reusable ? connection : this.open()
    if (free !== undefined) first.settle(Exit.succeed(free))
  }

  /** Runs `f` once the event loop has gone round: one immediate for all that wait. */
  afterTurn(f: () => void): void {
    this.resting.push(f)
    if (this.resting.length + this.rested.length === 1) setImmediate(this.turn)
  }

  private readonly turn = (): void => {
    const rested = this.rested
    this.rested = this.resting
    this.resting = []
    for (const f of rested) f()
    if (this.rested.length + this.resting.length > 0) setImmediate(this.turn)
  }

  readonly close: Effect.Effect<void> = Effect.promise(() => {
    this.closed = true
    this.idle.length = 0
    this.queue.endAll(closed)
    return Promise.all(Array.from(this.all, (connection) => connection.close()))
  })

  private open(): Connection | undefined {
    if (this.closed || this.all.size >= this.options.connections) return undefined
    const connection = new Connection(this.options, this.connector, this)
    this.all.add(connection)
    return connection
  }
}

/** One connection, which carries one exchange at a time. */
class Connection implements Lease {
  private readonly client: Client
  private socket: Socket | undefined
  private readonly line = new Line()
  private exchange: UndiciExchange | undefined
  /** Whether it has been given back before. */
  private isUsed = false
  private held: (() => void) | undefined

  constructor(
    private readonly limits: Limits,
    connector: buildConnector.connector,
    private readonly connections: Connections
  ) {
    this.client = new Client(limits.origin, {
      ...keepAlive,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (connectOptions, callback) => {
        this.line.opened(undefined)
        // undici's connector returns its socket, which its type leaves out; a connection that is still being made can
        // be given up by no other means.
        const socket: unknown = connector(connectOptions, (...result) => {
          this.line.opened(result[1] ?? undefined)
          if (isSocket(result[1])) skipContinue(result[1], () => this.exchange)
          callback(...result)
        })
        this.socket = isSocket(socket) ? socket : undefined
      }
    })
  }

  readonly send = (request: WireRequest, { clock }: Caller, millis: number): UndiciExchange => {
    this.exchange = new UndiciExchange(request, clock, millis, this.limits, this.dispatch, this.line)
    return this.exchange
  }

  readonly release = (reusable: boolean): void => {
    const clean = this.exchange === undefined || this.held !== undefined || this.exchange.isClean
    this.isUsed = true
    this.exchange = undefined
    this.held = undefined
    this.connections.release(this, reusable && clean)
  }

  get isOpen(): boolean {
    return this.socket?.destroyed === false
  }

  destroy(): void {
    this.client.destroy(null, constVoid)
    this.socket?.destroy()
  }

  close(): Promise<void> {
    this.exchange?.settle(Exit.fail(disconnected()))
    this.socket?.destroy()
    return this.client.destroy()
  }

  // A server may close a connection without having said so. Its FIN can be read once the event loop has gone round: a
  // request that were written before would be lost, with an unknown outcome. By then the call also knows whether it was
  // interrupted while the connection was handed over. A request that may be sent again (RFC 9110, section 9.2.2) need not
  // wait: the extra turn would cost a tenth of a call.
  private readonly dispatch = (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void => {
    const dispatch = () => withoutInstrumentation(() => this.client.dispatch(options, handler), this.limits.counted)
    if (!this.isUsed || (options.method !== "POST" && options.method !== "PATCH")) {
      dispatch()
      return
    }
    this.held = dispatch
    this.connections.afterTurn(() => {
      if (this.held !== dispatch) return
      this.held = undefined
      dispatch()
    })
  }
}

const isSocket = (value: unknown): value is Socket => typeof value === "object" && value !== null && "destroy" in value

const closed = Exit.fail(
  new TransportFailure({
    reason: "Connect",
    delivered: "no",
    resend: "never",
    message:
      "The client is closed: its layer's scope has ended. Nothing was sent. Provide the layer to the whole program, or keep it in a ManagedRuntime."
  })
)
