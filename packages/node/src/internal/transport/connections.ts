/**
 * The connections of undici's transport: a small set of `Client`s instead of undici's `Pool`, because a `Pool` cannot take
 * back a request that waits for a socket or for a connection.
 */
import type { Socket } from "node:net"
import { disconnected, type TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import type * as Scope from "effect/Scope"
// Bun has a module of its own under the name alone, which lacks these.
import { buildConnector, Client, type Dispatcher } from "undici/index.js"
import { withoutInstrumentation } from "../otel/context.js"
import { monotonicMillis, type Pending } from "../pending.js"
import { type Connecting, connectFirst, type Lookup } from "./connect.js"
import { type Limits, Line, UndiciExchange } from "./exchange.js"
import type { PlainHttp } from "./plainHttp.js"
import { closed, Queue, Waiting } from "./queue.js"
import { skipContinue } from "./skipContinue.js"
import type { Caller, Lease, Transport, Usage, WireRequest } from "./transport.js"
import { Turns, withRealImmediate } from "./turns.js"

export interface Options extends Limits {
  /** The maximum number of connections; further requests wait. */
  readonly connections: number
  /** How long a connection is used for new requests, in milliseconds. */
  readonly maxConnectionAge: number
  /** Finds the addresses of a host; the system does by default. */
  readonly lookup?: Lookup | undefined
  /** The addresses that an `http:` origin may have; those of this machine by default. */
  readonly plainHttp?: PlainHttp | undefined
}

/** The connections of one transport, which close with the scope. */
export const make = (options: Options): Effect.Effect<Transport, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Connections(options)),
    (connections) => connections.close
  )

/**
 * Connections are kept for 4 s of idleness, or for what the server's `Keep-Alive` header grants less 2 s: below the 5 s
 * after which Node servers hang up (load balancers wait longer), because a request on a connection that the server is
 * just closing is lost with an unknown outcome. The connection used last is reused first, so spare ones run out.
 */
export const keepAlive = { keepAliveTimeout: 4_000, keepAliveTimeoutThreshold: 2_000, keepAliveMaxTimeout: 600_000 }

/** The connections of one transport, and the calls that wait for one. */
export class Connections implements Transport {
  private readonly idle: Array<Connection> = []
  private readonly all = new Set<Connection>()
  private readonly queue = new Queue()
  /** The number of times that a used connection was found dead. */
  losses = 0
  readonly turns = new Turns()
  private closed = false
  readonly connect: (options: buildConnector.Options, callback: buildConnector.Callback) => Connecting

  constructor(private readonly options: Options) {
    // The request's time limit covers connecting, so there is no second timer.
    this.connect = connectFirst(buildConnector({ timeout: 0 }), options.lookup, options.plainHttp)
  }

  readonly usage = (): Usage => ({
    active: this.all.size - this.idle.length,
    // The server or undici may have closed some in the meantime.
    idle: this.idle.filter((connection) => connection.isOpen).length,
    pending: this.queue.size
  })

  readonly acquire = (): Connection | undefined => {
    for (let connection = this.idle.pop(); connection !== undefined; connection = this.idle.pop()) {
      if (connection.isGood) return connection
      this.remove(connection)
    }
    return this.open()
  }

  readonly wait = (clock: Clock.Clock, millis: number): Pending<Lease, TransportFailure> =>
    new Waiting(this.queue, clock, millis)

  /** Takes a connection back for the call that has waited longest. */
  release(connection: Connection, reusable: boolean): void {
    if (this.closed) return
    if (!reusable) this.remove(connection)
    const { first } = this.queue
    if (first === undefined) {
      if (reusable) this.idle.push(connection)
      return
    }
    const free = reusable ? connection : this.open()
    if (free !== undefined) first.settle(Exit.succeed(free))
  }

  /**
   * A proxy or a network that has dropped one idle connection has dropped the others as well: those that have carried no
   * response since are not used again.
   */
  distrust(): void {
    this.losses++
    for (const connection of this.idle.splice(0)) this.remove(connection)
  }

  readonly close: Effect.Effect<void> = Effect.promise(() => {
    this.closed = true
    this.idle.length = 0
    this.queue.endAll(closed)
    return Promise.all(Array.from(this.all, (connection) => connection.close()))
  })

  private open(): Connection | undefined {
    if (this.closed || this.all.size >= this.options.connections) return undefined
    const connection = new Connection(this.options, this)
    this.all.add(connection)
    return connection
  }

  private remove(connection: Connection): void {
    this.all.delete(connection)
    connection.destroy()
  }
}

/** One connection, which carries one exchange at a time. */
class Connection implements Lease {
  private readonly client: Client
  private connecting: Connecting | undefined
  private socket: Socket | undefined
  private readonly line = new Line()
  private exchange: UndiciExchange | undefined
  private clock: Clock.Clock | undefined
  /** Whether it has carried a response. */
  private isUsed = false
  private openedAt = 0
  /** The losses that were known when it was last found alive. */
  private losses = 0
  private held: (() => void) | undefined

  constructor(
    private readonly options: Options,
    private readonly connections: Connections
  ) {
    this.client = new Client(options.origin, {
      ...keepAlive,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (connectOptions, callback) => {
        this.line.opened(undefined)
        this.connecting = connections.connect(connectOptions, (...result) => {
          if (result[0] === null) this.opened(result[1])
          callback(...result)
        })
      }
    })
  }

  readonly send = (request: WireRequest, { clock }: Caller, millis: number): UndiciExchange => {
    this.clock = clock
    this.exchange = new UndiciExchange(
      request,
      clock,
      millis,
      this.options,
      (options, handler) => this.dispatch(request, options, handler),
      this.line
    )
    return this.exchange
  }

  readonly release = (reusable: boolean): void => {
    const { connections, exchange, held, isUsed } = this
    this.exchange = undefined
    this.held = undefined
    if (exchange?.isWhole === true) {
      this.isUsed = true
      this.losses = connections.losses
    }
    if (exchange?.isLost === true && isUsed) connections.distrust()
    const isClean = exchange === undefined || held !== undefined || exchange.isClean
    connections.release(this, reusable && isClean && this.isGood)
  }

  get isOpen(): boolean {
    return this.socket?.destroyed === false
  }

  /** Whether a request may be sent on it. */
  get isGood(): boolean {
    const { clock, connections, losses, openedAt, options, socket } = this
    // It connects with its first request.
    if (socket === undefined || clock === undefined) return true
    return (
      losses === connections.losses &&
      monotonicMillis(clock) - openedAt < options.maxConnectionAge &&
      // A response may come before the request is out, and the next request would wait behind the rest of it.
      socket.writableLength === 0
    )
  }

  destroy(): void {
    this.client.destroy(null, constVoid)
    this.connecting?.destroy()
    this.socket?.destroy()
  }

  /** Ends with the socket: undici's own promise needs a `queueMicrotask` that no test has replaced. */
  close(): Promise<void> {
    this.exchange?.settle(Exit.fail(disconnected()))
    const { socket } = this
    const closed =
      socket === undefined || socket.closed
        ? Promise.resolve()
        : new Promise<void>((resolve) => void socket.once("close", () => resolve()))
    this.destroy()
    return closed
  }

  private opened(socket: Socket): void {
    this.socket = socket
    this.line.opened(socket)
    this.isUsed = false
    this.losses = this.connections.losses
    this.openedAt = this.clock === undefined ? 0 : monotonicMillis(this.clock)
    // Before undici's own listener, which takes a reset for the end of a body without a length.
    socket.on("error", (error) => this.exchange?.socketFailed(error))
    skipContinue(socket, () => this.exchange)
  }

  // A server may close a connection without having said so. Its FIN can be read once the event loop has gone round: a
  // request written before then is lost, with an unknown outcome. By then the call also knows whether it was interrupted
  // while the connection was handed over. A request that is repeatable anyway does not wait.
  private dispatch(
    { isRepeatable }: WireRequest,
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler
  ): void {
    const { exchange } = this
    const dispatch = () =>
      withRealImmediate(() =>
        withoutInstrumentation(() => this.client.dispatch(options, handler), this.options.counted)
      )
    if (!this.isUsed || isRepeatable) {
      dispatch()
      return
    }
    this.held = dispatch
    this.connections.turns.after(() => {
      if (this.held !== dispatch || exchange?.isSettled !== false) return
      this.held = undefined
      dispatch()
    })
  }
}
