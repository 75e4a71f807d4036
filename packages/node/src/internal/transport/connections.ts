/**
 * The connections of undici's transport: a small set of `Client`s instead of undici's `Pool`, because a `Pool` cannot take
 * back a request that waits for a socket or for a connection.
 */
import type { Socket } from "node:net"
import { disconnected, TransportFailure } from "@effect-gr4vy/core/unstable/TransportFailure"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import { buildConnector, Client } from "undici"
import { withoutInstrumentation } from "../otel/context.js"
import { goesToMeter } from "../otel/metric.js"
import type { Exchange } from "./exchange.js"
import type { Options } from "./undici.js"

/**
 * Connections are kept for 4 s of idleness, or for what the server's `Keep-Alive` header grants less 2 s: below the 5 s
 * after which Node servers hang up (load balancers wait longer), because a request on a connection that the server is
 * just closing is lost with an unknown outcome. The connection used last is reused first, so spare ones run out.
 */
const keepAlive = { keepAliveTimeout: 4_000, keepAliveTimeoutThreshold: 2_000, keepAliveMaxTimeout: 600_000 }

/** The connections of one transport, and the exchanges that wait for one. */
export class Connections {
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
export class Connection {
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
    withoutInstrumentation(() => this.client.dispatch(exchange.dispatchOptions, exchange), goesToMeter("auto"))
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

const isSocket = (value: unknown): value is Socket => typeof value === "object" && value !== null && "destroy" in value

const closedFailure = new TransportFailure({
  reason: "Connect",
  delivered: "no",
  resend: "never",
  message: "The client is closed: its layer's scope has ended. Nothing was sent."
})
