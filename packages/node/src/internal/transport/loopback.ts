/**
 * The addresses behind `localhost` and the names below it. DNS is not asked (RFC 6761, section 6.3): a request over plain
 * `http:` carries a token, which must not leave this machine.
 */
import type { LookupAddress } from "node:dns"
import type { Lookup } from "./connect.js"

const addresses: ReadonlyArray<LookupAddress> = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 }
]

export const loopbackOnly: Lookup = (_, callback) => callback(null, addresses)
