/**
 * Takes a `100 Continue` that nobody asked for out of what a socket reads: undici's parser refuses it, and a client must
 * be able to skip it (RFC 9110, section 15.2).
 */
import type { Socket } from "node:net"

const interim = Buffer.from("HTTP/1.1 1")
const interimDigit = interim.length - 1
const unasked = Buffer.from("HTTP/1.1 100")
const end = "\r\n\r\n"

/** undici refuses a longer head. */
const maxHead = 16_384

/** Whoever waits for a response. */
export interface Awaiting {
  /** Whether its request is out, and its response has not begun. */
  isAwaiting: boolean
}

export const skipContinue = (socket: Socket, current: () => Awaiting | undefined): void => {
  const read = socket.read.bind(socket)
  let held: Buffer | undefined
  socket.read = (size?: number) => {
    const chunk: Buffer | null = read(size)
    const awaiting = current()
    if (chunk === null || awaiting?.isAwaiting !== true) return chunk
    // Nearly every chunk: the digit after `HTTP/1.1 ` is that of a final response.
    if (held === undefined && chunk.length > interimDigit && chunk[interimDigit] !== interim[interimDigit]) {
      awaiting.isAwaiting = false
      return chunk
    }
    let bytes = held === undefined ? chunk : Buffer.concat([held, chunk])
    held = undefined
    // Other interim responses may stand before it.
    const kept: Array<Buffer> = []
    while (agree(bytes, interim)) {
      const headEnd = bytes.indexOf(end)
      if (headEnd < 0 && bytes.length <= maxHead) {
        held = bytes
        return kept.length === 0 ? null : Buffer.concat(kept)
      }
      if (headEnd < 0) break
      const head = bytes.subarray(0, headEnd + end.length)
      if (!agree(head, unasked)) kept.push(head)
      bytes = bytes.subarray(head.length)
    }
    if (bytes.length > 0) awaiting.isAwaiting = false
    else if (kept.length === 0) return null
    return kept.length === 0 ? bytes : Buffer.concat([...kept, bytes])
  }
}

/** Whether these bytes begin like that, as far as they go. */
const agree = (bytes: Buffer, like: Buffer): boolean => {
  const length = Math.min(bytes.length, like.length)
  return length > 0 && bytes.subarray(0, length).equals(like.subarray(0, length))
}
