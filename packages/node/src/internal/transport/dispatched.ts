/**
 * A transport over a dispatcher of undici: a proxy, a private certificate authority, a client certificate, a mock. Its
 * sockets are the dispatcher's own; limits, time limits and the rule of one copy are enforced here.
 */
import { disconnected, notConnected, TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import type * as Clock from "effect/Clock"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { EnvHttpProxyAgent, type Dispatcher as UndiciDispatcher } from "undici/index.js"
import type { Dispatcher } from "../options.js"
import { withoutInstrumentation } from "../otel/context.js"
import type { Pending } from "../pending.js"
import { keepAlive } from "./connections.js"
import { type Limits, Line, UndiciExchange } from "./exchange.js"
import { closed, Queue, Waiting } from "./queue.js"
import type { Caller, Lease, Transport, WireRequest } from "./transport.js"
import { Turns, withRealImmediate } from "./turns.js"

export interface Options extends Limits {
  /** The maximum number of requests at a time; further requests wait. */
  readonly connections: number
}

/** A transport over a dispatcher of the program's, which stays open when the scope ends. */
export const make = (dispatcher: Dispatcher, options: Options): Effect.Effect<Transport, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Dispatched(dispatcher, options)),
    (dispatched) => Effect.sync(() => dispatched.close())
  )

/** A transport through the proxy that the environment's variables name. It closes with the scope. */
export const makeFromEnvironment = (
  options: Options
): Effect.Effect<Transport, ConfigError.ConfigError, Scope.Scope> => {
  const { connections } = options
  const agent = Effect.try({
    try: () => new EnvHttpProxyAgent({ ...keepAlive, connections, pipelining: 1, connect: { timeout: 0 } }),
    // undici's own message quotes the URL, which may contain a password.
    catch: () =>
      ConfigError.InvalidData(
        ["dispatcher"],
        "HTTPS_PROXY or HTTP_PROXY is not the URL of a proxy, e.g. http://proxy.internal:3128."
      )
  })
  return Effect.flatMap(
    Effect.acquireRelease(agent, (agent) => Effect.promise(() => agent.destroy())),
    (agent) => make(agent, options)
  )
}

class Dispatched implements Transport {
  private readonly queue = new Queue()
  private readonly leases = new Set<DispatcherLease>()
  private readonly turns = new Turns()

  constructor(
    private readonly dispatcher: Dispatcher,
    readonly options: Options
  ) {}

  readonly acquire = (): DispatcherLease | undefined => {
    if (this.queue.end !== undefined || this.leases.size >= this.options.connections) return undefined
    const lease = new DispatcherLease(this)
    this.leases.add(lease)
    return lease
  }

  readonly wait = (clock: Clock.Clock, millis: number): Pending<Lease, TransportFailure> =>
    new Waiting(this.queue, clock, millis)

  release(lease: DispatcherLease): void {
    this.leases.delete(lease)
    const { first } = this.queue
    const free = first === undefined ? undefined : this.acquire()
    if (free !== undefined) first?.settle(Exit.succeed(free))
  }

  // A server's FIN can be read once the event loop has gone round, so that the dispatcher does not write on a connection
  // that is gone. A request that is repeatable does not wait.
  dispatch({ isRepeatable }: WireRequest, options: UndiciDispatcher.DispatchOptions, exchange: UndiciExchange): void {
    const dispatch = () => {
      if (exchange.isSettled) return
      try {
        // The limits of the client and of the endpoint rule, in place of undici's 300 s.
        const unlimited = { headersTimeout: 0, bodyTimeout: 0, origin: this.options.origin, ...options }
        withRealImmediate(() =>
          withoutInstrumentation(() => this.dispatcher.dispatch(unlimited, exchange), this.options.counted)
        )
      } catch (error) {
        exchange.refused(error)
      }
    }
    if (isRepeatable) dispatch()
    else this.turns.after(dispatch)
  }

  close(): void {
    this.queue.endAll(closed)
    for (const lease of this.leases) lease.close()
  }
}

/** The room for one request at a time. */
class DispatcherLease implements Lease {
  private exchange: UndiciExchange | undefined = undefined

  constructor(private readonly owner: Dispatched) {}

  readonly send = (request: WireRequest, { clock }: Caller, millis: number): UndiciExchange => {
    const exchange: UndiciExchange = new UndiciExchange(
      request,
      clock,
      millis,
      this.owner.options,
      (options) => this.owner.dispatch(request, options, exchange),
      new Line(),
      notCarried
    )
    this.exchange = exchange
    return exchange
  }

  readonly release = (): void => {
    this.exchange?.abort()
    this.owner.release(this)
  }

  close(): void {
    this.exchange?.settle(Exit.fail(disconnected()))
    this.exchange?.abort()
  }
}

/** The dispatcher did not write the request. */
const notCarried = (error: unknown, address: string | undefined): TransportFailure => {
  const { code, delivered, message, reason, resend } = notConnected(error, address)
  const why = (message: string, resend: "safe" | "never") =>
    new TransportFailure({ reason, delivered, resend, code, message: `Nothing was sent: ${message}` })
  switch (code) {
    case "UND_MOCK_ERR_MOCK_NOT_MATCHED":
      return why("no intercept of the MockAgent matches the request.", "never")
    case "UND_ERR_CLOSED":
    case "UND_ERR_DESTROYED":
      return why("the dispatcher is closed. Close it after the layer's scope.", "never")
    case "UND_ERR_INVALID_ARG":
      return why("the dispatcher did not take it. It must be one of undici 7 or later.", "never")
  }
  // undici has no code for this.
  const status = error instanceof Error ? /^Proxy response \((\d{3})\)/.exec(error.message)?.[1] : undefined
  if (status !== undefined) {
    return why(
      `the proxy answered ${status} instead of opening a tunnel to ${address}. Check the proxy's credentials and rules.`,
      status.startsWith("5") ? "safe" : "never"
    )
  }
  return new TransportFailure({
    reason,
    delivered,
    resend,
    code,
    message: `${message} The requests go through the dispatcher: check its proxy, too.`
  })
}
