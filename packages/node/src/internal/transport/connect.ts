/**
 * Connects to whichever address of a host answers first (RFC 8305). Node's own choice gives up an address after 250 ms
 * and waits for the last one without end, so a slow address before a dead one is never reached.
 */
import { ADDRCONFIG, type LookupAddress, lookup } from "node:dns"
import { isIP, type Socket } from "node:net"
import { clearTimeout, setTimeout } from "node:timers"
import type { buildConnector } from "undici"
import { mayReach, NotReachable, type PlainHttp } from "./plainHttp.js"

/** Finds every address of a host. */
export type Lookup = (
  hostname: string,
  callback: (error: Error | null, addresses: ReadonlyArray<LookupAddress>) => void
) => void

/** A connection that is being made. */
export interface Connecting {
  readonly destroy: () => void
}

/** The head start of each address before the next one in milliseconds, as RFC 8305 recommends. */
const headStart = 250

const systemLookup: Lookup = (hostname, callback) =>
  lookup(hostname, { all: true, hints: process.platform === "win32" ? 0 : ADDRCONFIG }, callback)

/** Each address is connected to by `connector`, which completes the TLS handshake as well. */
export const connectFirst =
  (connector: buildConnector.connector, lookup: Lookup = systemLookup, plainHttp: PlainHttp = "loopback") =>
  (options: buildConnector.Options, callback: buildConnector.Callback): Connecting => {
    const race = new Race(connector, options, callback)
    const family = isIP(options.hostname)
    const found = (addresses: ReadonlyArray<LookupAddress>): void => {
      const allowed = options.protocol === "http:" ? addresses.filter(mayReach(plainHttp)) : addresses
      if (allowed.length > 0) race.begin(alternating(allowed))
      else race.end([new NotReachable(plainHttp), null])
    }
    if (family !== 0) found([{ address: options.hostname, family }])
    else lookup(options.hostname, (error, addresses) => (error === null ? found(addresses) : race.end([error, null])))
    return race
  }

class Race implements Connecting {
  private addresses: Array<string> = []
  private readonly sockets = new Set<Socket>()
  private nextTimer: NodeJS.Timeout | undefined
  private isOver = false

  constructor(
    private readonly connector: buildConnector.connector,
    private readonly options: buildConnector.Options,
    private readonly callback: buildConnector.Callback
  ) {}

  begin(addresses: ReadonlyArray<string>): void {
    this.addresses = [...addresses]
    if (!this.isOver) this.next()
  }

  end(result: Parameters<buildConnector.Callback>): void {
    if (this.isOver) return
    this.isOver = true
    clearTimeout(this.nextTimer)
    for (const socket of this.sockets) if (socket !== result[1]) socket.destroy()
    this.callback(...result)
  }

  readonly destroy = (): void => {
    this.isOver = true
    clearTimeout(this.nextTimer)
    for (const socket of this.sockets) socket.destroy()
  }

  private readonly next = (): void => {
    const hostname = this.addresses.shift()
    if (hostname === undefined) return
    // undici's connector returns its socket, which its type leaves out.
    const socket: unknown = this.connector({ ...this.options, hostname }, (...result) => {
      if (isSocket(socket)) this.sockets.delete(socket)
      if (result[0] === null || (this.addresses.length === 0 && this.sockets.size === 0) || !isUnreachable(result[0])) {
        this.end(result)
        return
      }
      clearTimeout(this.nextTimer)
      this.next()
    })
    if (isSocket(socket)) this.sockets.add(socket)
    if (this.addresses.length > 0) this.nextTimer = setTimeout(this.next, headStart)
  }
}

/** Whether another address of the host may do better. */
const isUnreachable = (error: Error): boolean => "syscall" in error && error.syscall === "connect"

/** The addresses in their order, but with the families by turns. */
const alternating = (addresses: ReadonlyArray<LookupAddress>): ReadonlyArray<string> => {
  const first = addresses.filter(({ family }) => family === addresses[0]?.family)
  const others = addresses.filter(({ family }) => family !== addresses[0]?.family)
  return addresses
    .flatMap((_, n) => [first[n], others[n]])
    .flatMap((address) => (address === undefined ? [] : [address.address]))
}

export const isSocket = (value: unknown): value is Socket =>
  typeof value === "object" && value !== null && "destroy" in value
