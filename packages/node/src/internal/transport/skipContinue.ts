/**
 * Takes a `100 Continue` that nobody asked for out of what a socket reads: undici's parser refuses it, and a client must
 * be able to skip it (RFC 9110, section 15.2).
 */
import type { Socket } from "node:net"

const start = Buffer.from("HTTP/1.1 100")
const end = "\r\n\r\n"

/** A longer head is no mere 100: undici refuses it then. */
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
    let bytes = held === undefined ? chunk : Buffer.concat([held, chunk])
    held = undefined
    while (startsContinue(bytes)) {
      const headEnd = bytes.indexOf(end)
      if (headEnd < 0 && bytes.length <= maxHead) {
        held = bytes
        return null
      }
      if (headEnd < 0) break
      bytes = bytes.subarray(headEnd + end.length)
    }
    if (bytes.length === 0) return null
    awaiting.isAwaiting = false
    return bytes
  }
}

/** Whether these bytes are the beginning of a 100, as far as they go. */
const startsContinue = (bytes: Buffer): boolean => {
  const length = Math.min(bytes.length, start.length)
  return length > 0 && bytes.subarray(0, length).equals(start.subarray(0, length))
}
