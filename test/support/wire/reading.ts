/**
 * What a client has to make of a server's bytes, by the letter of RFC 9112 and with no code of the client's own.
 */

export type Reading =
  /** A response, read to its end. */
  | {
      readonly kind: "whole"
      readonly status: number
      readonly headers: ReadonlyMap<string, string>
      readonly body: Buffer
      /** Whether nothing follows it, and the connection goes on. */
      readonly persistent: boolean
    }
  /** The beginning of one. */
  | { readonly kind: "cut"; readonly status: number | undefined; readonly headers: ReadonlyMap<string, string> }
  /** It breaks the grammar, or clients may differ over it. */
  | { readonly kind: "odd" }

const odd: Reading = { kind: "odd" }
const none: ReadonlyMap<string, string> = new Map()

// The line that has not ended may be cut anywhere.
const beginsWell = /^(H(T(T(P(\/(1(\.(1( (\d(\d(\d( [\t -~\u0080-\u00ff]*\r?)?)?)?)?)?)?)?)?)?)?)?)?)?$/
const statusLine = /^HTTP\/1\.1 (\d{3}) [\t -~\u0080-\u00ff]*$/
const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\u0080-\u00ff]*?)[ \t]*$/
const partOfField = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+(:[\t -~\u0080-\u00ff]*)?)?\r?$/

/**
 * Whether a line is a plain length, or the one coding that everyone knows. The last line may be cut. A length that no 64
 * bits hold may be refused at the digit that is too many, and one without digits at the end of its line.
 */
const isUsualLength = (line: string, n: number, all: ReadonlyArray<string>): boolean => {
  const value = /^[a-z-]+:[ \t]*(.*?)\r?$/i.exec(line)?.[1]
  const isCut = n === all.length - 1 && !line.endsWith("\r")
  return value === undefined || (value === "" ? isCut : /^\d{1,18}$/.test(value) || "chunked".startsWith(value))
}

/** Node's limit is 16 KiB, and what counts towards it is nobody's standard. */
const maxHead = 14_000

/** Reads the response at the beginning of a stream, which may have ended in good order or been reset. */
export const read = (bytes: Buffer, ending: "open" | "end" | "reset"): Reading => {
  const text = bytes.toString("latin1")
  let start = 0
  for (;;) {
    const end = text.indexOf("\r\n\r\n", start)
    const lines = (end < 0 ? text.slice(start) : text.slice(start, end)).split("\r\n")
    if ((end < 0 ? text.length : end) - start > maxHead) return odd
    const last = end < 0 ? lines.pop() : undefined
    const [first, ...fields] = lines
    if (first === undefined)
      return beginsWell.test(last ?? "") ? { kind: "cut", status: undefined, headers: none } : odd
    const code = statusLine.exec(first)?.[1]
    if (code === undefined) return odd
    const status = Number(code)
    const headers = new Map<string, string>()
    const values = new Map<string, number>()
    for (const line of fields) {
      const [, name, value] = field.exec(line) ?? []
      if (name === undefined || value === undefined) return odd
      const key = name.toLowerCase()
      values.set(key, (values.get(key) ?? 0) + 1)
      headers.set(key, headers.has(key) ? `${headers.get(key)}, ${value}` : value)
    }
    if (last !== undefined) {
      // A parser may refuse a second length, or one that is no number, as soon as it sees it.
      const all = [...fields, last]
      const isLength = (line: string) => /^(content-length|transfer-encoding)/i.test(line)
      const isPlain =
        all.filter(isLength).length < 2 && all.every((line, n) => !isLength(line) || isUsualLength(line, n, all))
      return isPlain && partOfField.test(last) && status !== 101 ? { kind: "cut", status: undefined, headers } : odd
    }
    if (status < 100 || status === 101) return odd
    if (status < 200) {
      // A length that an interim response has no use for.
      if (headers.has("content-length") || headers.has("transfer-encoding")) return odd
      start = end + 4
      continue
    }
    if (/upgrade/i.test(headers.get("connection") ?? "") || headers.has("upgrade")) return odd
    return readBody(text, end + 4, status, headers, values, ending)
  }
}

const readBody = (
  text: string,
  start: number,
  status: number,
  headers: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, number>,
  ending: "open" | "end" | "reset"
): Reading => {
  const cut: Reading = { kind: "cut", status, headers }
  const whole = (body: string, end: number, persistent = true): Reading => ({
    kind: "whole",
    status,
    headers,
    body: Buffer.from(body, "latin1"),
    persistent:
      persistent && ending === "open" && end === text.length && !/close/i.test(headers.get("connection") ?? "")
  })
  const coding = headers.get("transfer-encoding")
  const length = headers.get("content-length")
  const isPlain =
    coding === undefined && (length === undefined || (values.get("content-length") === 1 && /^\d{1,12}$/.test(length)))
  // Some clients take what follows for a body, others for another response.
  if (status === 204 || status === 304) return isPlain && start === text.length ? whole("", start) : odd
  if (coding !== undefined) {
    return coding.toLowerCase() === "chunked" && length === undefined ? readChunks(text, start, cut, whole) : odd
  }
  if (!isPlain) return odd
  if (length === undefined) return ending === "end" ? whole(text.slice(start), text.length, false) : cut
  const end = start + Number(length)
  return end <= text.length ? whole(text.slice(start, end), end) : cut
}

const readChunks = (
  text: string,
  start: number,
  cut: Reading,
  whole: (body: string, end: number) => Reading
): Reading => {
  let body = ""
  let at = start
  for (;;) {
    const end = text.indexOf("\r\n", at)
    const size = text.slice(at, end < 0 ? undefined : end)
    if (end < 0) return /^[0-9a-f]{0,6}\r?$/i.test(size) ? cut : odd
    if (!/^[0-9a-f]{1,6}$/i.test(size)) return odd
    const length = Number.parseInt(size, 16)
    at = end + 2
    if (length === 0) {
      const rest = text.slice(at)
      return rest.startsWith("\r\n") ? whole(body, at + 2) : rest === "" || rest === "\r" ? cut : odd
    }
    body += text.slice(at, at + length)
    at += length
    if (at >= text.length) return cut
    const after = text.slice(at, at + 2)
    if (after === "\r") return cut
    if (after !== "\r\n") return odd
    at += 2
  }
}
