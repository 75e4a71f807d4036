/**
 * Anything that a server may send, from a whole answer down to bytes that are no HTTP: as values, so that a seed gives
 * the same case again and a failing one can be made smaller.
 */
import { FastCheck } from "effect"
import { code, grouped, number, token } from "../secrets.js"

/** What a server does to one request. */
export interface Answer {
  /** When it begins: once there is a connection, once the head of the request is there, or once all of it is. */
  readonly on: "connect" | "head" | "request"
  /** One character for each byte. */
  readonly bytes: string
  /** How many bytes go into one write. */
  readonly pieces: ReadonlyArray<number>
  /** Milliseconds between two writes; 0 is a turn of the event loop. */
  readonly pause: number
  /** What follows the last byte: nothing, a FIN, or a reset. */
  readonly ending: "open" | "end" | "reset"
}

export const operations = ["get", "add", "update", "updateFields", "delete", "once", "keyed"] as const
export type Operation = (typeof operations)[number]

export const policies = ["standard", "none", "at-least-once"] as const

/** Calls of one client, one after the other, and what their requests get; whatever follows gets a good answer. */
export interface Case {
  readonly calls: ReadonlyArray<Operation>
  readonly policy: (typeof policies)[number]
  readonly answers: ReadonlyArray<Answer>
}

/** Stands for the id that is asked for, in as many characters. */
export const idOfRequest = "iiiiiiii-iiii-iiii-iiii-iiiiiiiiiiii"

export const sessionOf = (id: string) =>
  `{"type":"checkout-session","id":"${id}","expires_at":"2099-01-01T00:00:00+00:00"}`

export const good = {
  session: `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${sessionOf(idOfRequest).length}\r\n\r\n${sessionOf(idOfRequest)}`,
  nothing: "HTTP/1.1 204 No Content\r\n\r\n"
}

/** What every client of a case takes at most, so that small bodies can be too large. */
export const maxResponseBytes = 2_000

type Any<A> = FastCheck.Arbitrary<A>

const { array, constant, constantFrom, integer, oneof, record, stringMatching, tuple } = FastCheck

const weighted = <A>(...choices: ReadonlyArray<readonly [weight: number, arbitrary: Any<A>]>): Any<A> =>
  oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })))

const byte = integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code))

const status: Any<string> = weighted(
  [8, constant("200")],
  [3, constantFrom("204", "201")],
  [5, constantFrom("400", "401", "404", "408", "409", "422", "425", "429", "500", "502", "503", "504")],
  [2, constantFrom("202", "205", "206", "301", "302", "304", "307", "418", "501", "599")],
  [1, integer({ min: 0, max: 1_100 }).map(String)],
  [1, constantFrom("099", "20", "2000", "abc", "-200", "", "101", "1e2")]
)

const statusLine: Any<string> = tuple(
  weighted(
    [24, constant("HTTP/1.1")],
    [2, constant("HTTP/1.0")],
    [1, constantFrom("HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/1.2", "HTTPS/1.1", "HTTP/1", "ICY")]
  ),
  status,
  weighted([8, constantFrom(" OK", " Whatever it is")], [2, constantFrom(" ", "", " \u00e9\u0001", " \u0000")])
).map(([version, code, reason]) => `${version} ${code}${reason}`)

const echo = `You sent Bearer ${token} and ${number} (${grouped}), ${code}`

const error = JSON.stringify({
  type: "error",
  code: `bad_${number}`,
  message: echo,
  details: [{ location: "body", pointer: `/payment_method/${number}`, message: echo }]
})

const spread = JSON.stringify({
  detail: [{ loc: ["body", ...(number.match(/.{4}/g) ?? [])], msg: `${number.split("").join(".")}`, type: token }]
})

const body: Any<string> = weighted(
  [10, constant(sessionOf(idOfRequest))],
  [3, constantFrom(error, spread, echo, `{"message":"${encodeURIComponent(grouped)} ${token}"}`)],
  [2, constantFrom("", "{}", "null", "[]", "<!doctype html><title>Bad gateway</title>", '{"type":"error"}')],
  [1, constant(sessionOf("00000000-0000-4000-8000-000000000001"))],
  [1, constantFrom(1_999, 2_000, 2_001, 9_000).map((size) => sessionOf(idOfRequest).padEnd(size))],
  [1, constantFrom(sessionOf("../../admin"), sessionOf(""), sessionOf(number), `{"id":7}`, "{".repeat(900))],
  [1, constantFrom('{"code":"concurrent_request","message":"later"}', `\u00ef\u00bb\u00bf${sessionOf(idOfRequest)}`)],
  [1, array(byte, { maxLength: 60 }).map((bytes) => bytes.join(""))]
)

const chunked = (body: string, sizes: ReadonlyArray<number>, extension: string, trailer: string): string => {
  let text = ""
  let at = 0
  for (let n = 0; at < body.length; n++) {
    const chunk = body.slice(at, at + (sizes[n % sizes.length] ?? body.length))
    text += `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`
    at += chunk.length
  }
  return `${text}0${extension}\r\n${trailer}\r\n`
}

interface Framed {
  readonly headers: ReadonlyArray<string>
  readonly body: string
}

const lengths = (...values: ReadonlyArray<string | number>) => values.map((value) => `Content-Length: ${value}`)

const framed: Any<Framed> = tuple(body, integer({ min: 1, max: 200 })).chain(([body, some]) =>
  weighted<Framed>(
    [10, constant({ headers: lengths(body.length), body })],
    [
      5,
      tuple(
        array(integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 4 }),
        weighted([6, constant("")], [1, constantFrom(";a=b", ' ; a="\r\n"', ";")]),
        weighted([6, constant("")], [1, constantFrom("X-Trailer: 1\r\n", "Content-Length: 7\r\n", "broken\r\n")])
      ).map(([sizes, extension, trailer]) => ({
        headers: ["Transfer-Encoding: chunked"],
        body: chunked(body, sizes, extension, trailer)
      }))
    ],
    [2, constant({ headers: [], body })],
    [2, constantFrom(-1, 1, some, -some).map((off) => ({ headers: lengths(Math.max(0, body.length + off)), body }))],
    [
      2,
      constantFrom(
        lengths(body.length, body.length),
        lengths(body.length, body.length + some),
        lengths(`${body.length}, ${body.length}`),
        lengths(`+${body.length}`),
        lengths(-body.length),
        lengths(`${body.length}abc`),
        lengths(`0x${body.length.toString(16)}`),
        lengths("99999999999999999999"),
        lengths(""),
        [...lengths(body.length), "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip"],
        ["Transfer-Encoding: chunked, gzip"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: identity", ...lengths(body.length)],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked"]
      ).map((headers) => ({ headers, body }))
    ]
  )
)

const header: Any<string> = weighted(
  [
    4,
    constantFrom(
      "Content-Type: application/json",
      "Content-Type: text/html",
      "Connection: close",
      "Connection: keep-alive",
      "Keep-Alive: timeout=1",
      "Keep-Alive: timeout=60",
      "Date: Wed, 25 Nov 2026 10:00:00 GMT",
      "Set-Cookie: a=b; Path=/"
    )
  ],
  [
    3,
    constantFrom("0", "1", "-5", "soon", "1e9", "99999999999999999999", "Wed, 25 Nov 2026 10:00:01 GMT").map(
      (value) => `Retry-After: ${value}`
    )
  ],
  [
    2,
    constantFrom("gzip", "br", "identity", "", "identity, identity", "x".repeat(50)).map(
      (_) => `Content-Encoding: ${_}`
    )
  ],
  [
    2,
    constantFrom(token, number, grouped, `Bearer ${token}`, "req-1", "x".repeat(200)).map((_) => `X-Request-Id: ${_}`)
  ],
  [
    1,
    constantFrom(
      "__proto__: x",
      "constructor: x",
      "Location: http://127.0.0.1:1/",
      "Upgrade: h2c",
      "Connection: upgrade"
    )
  ],
  [
    1,
    constantFrom(
      "no colon",
      ": no name",
      " Folded: x",
      "Space : x",
      "X: a\u0000b",
      "X: a\rb",
      "X: a\nb",
      "X\u00e9: \u00e9",
      `X: ${"y".repeat(15_000)}`,
      `X: ${"y".repeat(20_000)}`
    )
  ],
  [1, stringMatching(/^[A-Za-z-]{1,12}: [ -~]{0,20}$/)]
)

const interim = constantFrom(
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 102 Processing\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n",
  "HTTP/1.1 199 What\r\n\r\n"
)

const whole: Any<string> = tuple(
  weighted([12, constant("")], [2, interim], [1, array(interim, { maxLength: 4 }).map((all) => all.join(""))]),
  statusLine,
  array(header, { maxLength: 4 }),
  framed,
  weighted([20, constant("\r\n")], [1, constant("\n")])
).map(([before, line, headers, { body, headers: framing }, eol]) =>
  [before + line, ...headers, ...framing, "", body].join(eol)
)

const surplus: Any<string> = weighted(
  [16, constant("")],
  [1, constantFrom(good.session, good.nothing, "\r\n", "surplus", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")]
)

type Edit = (bytes: string) => string

const edit: Any<Edit> = tuple(
  FastCheck.double({ min: 0, max: 1, noNaN: true }),
  oneof(
    byte.map((byte) => (before: string, after: string) => before + byte + after.slice(1)),
    byte.map((byte) => (before: string, after: string) => before + byte + after),
    constant((before: string, after: string) => before + after.slice(1)),
    constant((before: string, after: string) => before + after.slice(0, 40) + after)
  )
).map(([where, apply]) => (bytes) => {
  const at = Math.floor(where * bytes.length)
  return apply(bytes.slice(0, at), bytes.slice(at))
})

const bytes: Any<string> = tuple(
  weighted(
    [20, tuple(whole, surplus).map(([answer, more]) => answer + more)],
    [1, array(byte, { maxLength: 200 }).map((bytes) => bytes.join(""))],
    [
      1,
      constantFrom(
        "SSH-2.0-OpenSSH_9.6\r\n",
        "\u0016\u0003\u0001\u0000\u0001",
        "\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        ""
      )
    ]
  ),
  weighted([8, constant([])], [1, array(edit, { minLength: 1, maxLength: 3 })]),
  // All of it, or up to any byte.
  weighted([7, constant(1)], [2, FastCheck.double({ min: 0, max: 1, noNaN: true })])
).map(([bytes, edits, part]) => {
  const edited = edits.reduce((bytes, apply) => apply(bytes), bytes)
  return edited.slice(0, Math.ceil(part * edited.length))
})

const delivery: Any<Pick<Answer, "pieces" | "pause">> = weighted(
  [6, constant({ pieces: [], pause: 0 })],
  [2, array(integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 }).map((pieces) => ({ pieces, pause: 0 }))],
  [1, array(integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }).map((pieces) => ({ pieces, pause: 1 }))],
  // A byte at a time, at once or for longer than anyone waits.
  [
    1,
    constantFrom(
      { pieces: new Array<number>(400).fill(1), pause: 0 },
      { pieces: new Array<number>(20).fill(1), pause: 30 }
    )
  ]
)

const answer: Any<Answer> = record({
  on: weighted<Answer["on"]>([20, constant("request")], [2, constant("head")], [1, constant("connect")]),
  bytes,
  delivery,
  ending: weighted<Answer["ending"]>([8, constant("open")], [6, constant("end")], [1, constant("reset")])
}).map(({ delivery, ...rest }) => ({ ...rest, ...delivery }))

export const anyCase: Any<Case> = record({
  calls: array(constantFrom(...operations), { minLength: 1, maxLength: 3 }),
  policy: weighted<Case["policy"]>([3, constant("standard")], [1, constantFrom("none", "at-least-once")]),
  answers: array(answer, { minLength: 1, maxLength: 3 })
})
