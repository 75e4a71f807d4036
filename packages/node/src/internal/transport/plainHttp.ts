/**
 * The addresses that plain `http:` may reach: a request over it carries a token that everyone on the way can read.
 */
import type { LookupAddress } from "node:dns"
import { BlockList } from "node:net"
import type { Lookup } from "./connect.js"

/** This machine, or the addresses of private networks as well. */
export type PlainHttp = "loopback" | "private"

/** No address of the host is one that plain `http:` may reach, and another machine would get the token in plain text. */
export class NotReachable extends Error {
  constructor(readonly plainHttp: PlainHttp) {
    super()
  }
}

const loopback = new BlockList()
loopback.addSubnet("127.0.0.0", 8, "ipv4")
loopback.addAddress("::1", "ipv6")

// RFC 1918, RFC 6598 (the networks of some clusters), RFC 3927; RFC 4193 and link-local.
const privateNetworks = new BlockList()
privateNetworks.addSubnet("10.0.0.0", 8, "ipv4")
privateNetworks.addSubnet("172.16.0.0", 12, "ipv4")
privateNetworks.addSubnet("192.168.0.0", 16, "ipv4")
privateNetworks.addSubnet("100.64.0.0", 10, "ipv4")
privateNetworks.addSubnet("169.254.0.0", 16, "ipv4")
privateNetworks.addSubnet("fc00::", 7, "ipv6")
privateNetworks.addSubnet("fe80::", 10, "ipv6")

export const mayReach =
  (plainHttp: PlainHttp) =>
  ({ address, family }: LookupAddress): boolean => {
    const type = family === 6 ? "ipv6" : "ipv4"
    return loopback.check(address, type) || (plainHttp === "private" && privateNetworks.check(address, type))
  }

/** The addresses behind `localhost` and the names below it. DNS is not asked (RFC 6761, section 6.3). */
export const loopbackOnly: Lookup = (_, callback) => callback(null, addresses)

const addresses: ReadonlyArray<LookupAddress> = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 }
]
