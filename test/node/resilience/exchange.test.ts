/**
 * One exchange by what undici reports of it: every order of events ends in one outcome, and tells whether the connection
 * is free of it.
 */
import { assert, describe, it } from "@effect/vitest"
import type { BufferedResponse } from "@effect-gr4vy/core/spi/Response"
import type { TransportFailure } from "@effect-gr4vy/core/spi/TransportFailure"
import { type Clock, Effect, Exit, Fiber } from "effect"
import type { Dispatcher } from "undici"
import { Line, UndiciExchange } from "../../../packages/node/dist/internal/transport/exchange.js"
import { handClock } from "../../support/handClock.js"

const origin = "https://api.plantly.gr4vy.app"
const maxResponseBytes = 10

const exchangeOf = (options: {
  readonly method?: "GET" | "HEAD"
  readonly body?: Uint8Array
  readonly clock?: Clock.Clock
  readonly line?: Line
}) => {
  const dispatched: Array<Dispatcher.DispatchOptions> = []
  const exchange = new UndiciExchange(
    {
      method: options.method ?? "GET",
      url: `${origin}/a?b=c`,
      headers: { accept: "text/plain" },
      body: options.body,
      secrets: undefined,
      isRepeatable: true
    },
    options.clock ?? handClock().clock,
    4.6,
    { origin, maxResponseBytes, requestIdNames: ["x-request-id"], counted: () => false },
    (dispatch) => dispatched.push(dispatch),
    options.line ?? new Line()
  )
  return { dispatched, exchange }
}

/** Tells whether undici was told to write nothing. */
const abortable = () => {
  const state = { aborted: false }
  return {
    state,
    abort: () => {
      state.aborted = true
    }
  }
}

// The exchange uses nothing of it after the request's start.
const controller = {} as Dispatcher.DispatchController
type Event = (exchange: UndiciExchange) => void
const sent: Event = (exchange) => exchange.onRequestStart(abortable())
const end: Event = (exchange) => exchange.onResponseEnd()
const head =
  (status: number, headers: Record<string, string | Array<string>> = {}): Event =>
  (exchange) =>
    exchange.onResponseStart(controller, status, headers)
const data =
  (text: string): Event =>
  (exchange) =>
    exchange.onResponseData(controller, Buffer.from(text))
const error =
  (code?: string): Event =>
  (exchange) =>
    exchange.onResponseError(controller, Object.assign(new Error("secret"), code === undefined ? {} : { code }))

const socketError: Event = (exchange) =>
  exchange.socketFailed(Object.assign(new Error("secret"), { code: "ECONNRESET" }))

/** With its message, which a spread leaves out. */
const plain = (failure: TransportFailure) => ({ ...failure, message: failure.message })

const outcomeOf = (exchange: UndiciExchange) =>
  Effect.async<BufferedResponse, TransportFailure>((resume) => exchange.begin(resume))

/** The outcome after these events: a status and a text, some of a failure's fields, or nothing yet. */
const outcomeAfter = (exchange: UndiciExchange, events: ReadonlyArray<Event>): Effect.Effect<unknown> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(outcomeOf(exchange))
    yield* Effect.yieldNow()
    for (const event of events) event(exchange)
    yield* Effect.repeatN(Effect.yieldNow(), 5)
    const exit = fiber.unsafePoll()
    if (exit === null) return "pending"
    if (Exit.isSuccess(exit)) return [exit.value.status, yield* Effect.orDie(exit.value.text)]
    return exit.cause._tag === "Fail" ? plain(exit.cause.error) : assert.fail(String(exit.cause))
  })

const tooLarge = { reason: "ResponseTooLarge", delivered: "yes", resend: "never" }
const encoded = { reason: "InvalidResponse", delivered: "yes", resend: "never" }
const violation = { reason: "InvalidResponse", delivered: "unknown", resend: "never" }
const lost = { reason: "Disconnected", delivered: "unknown", resend: "idempotent" }
const gzip = { "content-encoding": "gzip" }
const length = (bytes: number) => ({ "content-length": String(bytes) })

interface Row {
  readonly method?: "HEAD"
  readonly outcome: object | "pending"
  /** Whether the whole response has been read, or nothing was begun. */
  readonly isClean?: boolean
  readonly status?: number
}

const table: Readonly<Record<string, readonly [events: ReadonlyArray<Event>, row: Row]>> = {
  "a whole response": [
    [sent, head(200), data("fi"), data("ne"), end],
    { outcome: [200, "fine"], isClean: true, status: 200 }
  ],
  "a response without a body": [[sent, head(200), end], { outcome: [200, ""], isClean: true, status: 200 }],
  "a request that is on its way": [[], { outcome: "pending" }],
  "a request that was sent": [[sent], { outcome: "pending" }],
  "a head": [[sent, head(200)], { outcome: "pending", status: 200 }],
  "interim responses": [
    [sent, head(100), head(103), head(199), head(599), end],
    { outcome: [599, ""], isClean: true, status: 599 }
  ],
  "a status below 100": [[sent, head(99)], { outcome: violation }],
  "a status above 599": [[sent, head(999), data("x"), end], { outcome: [999, "x"], isClean: true, status: 999 }],
  "a transfer coding besides chunked": [
    [sent, head(200, { "transfer-encoding": "gzip, chunked" }), data("x"), end],
    { outcome: violation, status: 200 }
  ],
  "a transfer coding that is given twice": [
    [sent, head(200, { "transfer-encoding": ["chunked", "chunked"] })],
    { outcome: violation, status: 200 }
  ],
  "a chunked body": [
    [sent, head(200, { "transfer-encoding": "Chunked" }), data("x"), end],
    { outcome: [200, "x"], isClean: true, status: 200 }
  ],
  "a socket that fails before the request is out": [[socketError], { outcome: "pending" }],
  "a socket that fails in a body, whatever undici makes of it": [
    [sent, head(200), data("12"), socketError, end],
    { outcome: lost, status: 200 }
  ],
  "a socket that fails after the end": [
    [sent, head(200), data("x"), end, socketError],
    { outcome: [200, "x"], isClean: true, status: 200 }
  ],
  "a declared length at the cap": [[sent, head(200, length(10))], { outcome: "pending", status: 200 }],
  "a declared length above the cap": [[sent, head(200, length(11))], { outcome: tooLarge, status: 200 }],
  "a body at the cap": [
    [sent, head(200), data("01234"), data("56789"), end],
    { outcome: [200, "0123456789"], isClean: true, status: 200 }
  ],
  "a body above the cap, and what follows": [
    [sent, head(200), data("01234567890"), data("1"), end],
    { outcome: tooLarge, status: 200 }
  ],
  "a 304 that tells a length": [[sent, head(304, length(5))], { outcome: [304, ""], status: 304 }],
  "a 304 that tells a length above the cap": [[sent, head(304, length(11))], { outcome: [304, ""], status: 304 }],
  "a 304 without a length": [[sent, head(304)], { outcome: "pending", status: 304 }],
  "a 304 of length 0": [[sent, head(304, length(0)), end], { outcome: [304, ""], isClean: true, status: 304 }],
  "a 304 of length 0, before its end": [[sent, head(304, length(0))], { outcome: "pending", status: 304 }],
  "the head for a HEAD": [[sent, head(200, length(11))], { method: "HEAD", outcome: "pending", status: 200 }],
  "the end for a HEAD": [
    [sent, head(200, length(11)), end],
    { method: "HEAD", outcome: [200, ""], isClean: true, status: 200 }
  ],
  "another encoding": [[sent, head(200, gzip), data("x"), end], { outcome: encoded, isClean: true, status: 200 }],
  "another encoding of the last success": [
    [sent, head(299, gzip), end],
    { outcome: encoded, isClean: true, status: 299 }
  ],
  "another encoding of a redirect": [
    [sent, head(300, gzip), data("x"), end],
    { outcome: [300, ""], isClean: true, status: 300 }
  ],
  "an error in plain text": [
    [sent, head(404, { "content-encoding": "identity" }), data("x"), end],
    { outcome: [404, "x"], isClean: true, status: 404 }
  ],
  "a request that HTTP does not allow": [
    [error("UND_ERR_INVALID_ARG")],
    {
      outcome: {
        reason: "InvalidRequest",
        delivered: "no",
        resend: "never",
        message: "Nothing was sent: the request has a method, path or header that HTTP does not allow."
      }
    }
  ],
  "no connection": [[error("ECONNRESET")], { outcome: { reason: "Connect", delivered: "no", resend: "safe" } }],
  "no connection, without a code": [[error()], { outcome: { reason: "Connect", delivered: "no", resend: "safe" } }],
  "a connection that is lost before the response": [[sent, error("ECONNRESET")], { outcome: lost }],
  "a connection that is lost in the response": [
    [sent, head(200), data("x"), error("ECONNRESET")],
    { outcome: lost, status: 200 }
  ],
  "a head that is not HTTP": [[sent, error("HPE_INVALID_CONSTANT")], { outcome: violation }],
  "two lengths in the head": [[sent, error("UND_ERR_RES_CONTENT_LENGTH_MISMATCH")], { outcome: violation }],
  "a body that is cut off": [
    [sent, head(200), error("UND_ERR_RES_CONTENT_LENGTH_MISMATCH")],
    { outcome: lost, status: 200 }
  ],
  "an error after the end": [
    [sent, head(200), data("x"), end, error("ECONNRESET")],
    { outcome: [200, "x"], isClean: true, status: 200 }
  ],
  "an end after an error": [[sent, head(200), error("ECONNRESET"), data("x"), end], { outcome: lost, status: 200 }]
}

describe("an exchange", () => {
  it.effect.each(Object.keys(table))("%s", (name) =>
    Effect.gen(function* () {
      const [events, { isClean = false, method, outcome, status }] = table[name] ?? assert.fail(name)
      const { exchange } = exchangeOf(method === undefined ? {} : { method })
      assert.isTrue(exchange.isClean, "before it begins")
      const actual = yield* outcomeAfter(exchange, events)
      if (typeof outcome === "string" || Array.isArray(outcome)) assert.deepStrictEqual(actual, outcome)
      else assert.deepInclude(Object(actual), outcome)
      assert.strictEqual(exchange.isClean, isClean)
      assert.strictEqual(exchange.received?.status, status)
    })
  )

  it.effect("is sent by its path", () =>
    Effect.gen(function* () {
      const body = new Uint8Array([1])
      for (const [options, expected] of [
        [{}, null],
        [{ body }, body]
      ] as const) {
        const { dispatched, exchange } = exchangeOf(options)
        yield* outcomeAfter(exchange, [])
        assert.deepStrictEqual(dispatched, [
          { method: "GET", path: "/a?b=c", headers: { accept: "text/plain" }, body: expected }
        ])
      }
    })
  )

  it.effect("waits for a response from the end of its request", () =>
    Effect.gen(function* () {
      const { exchange } = exchangeOf({})
      assert.isFalse(exchange.isAwaiting)
      yield* outcomeAfter(exchange, [sent])
      assert.isTrue(exchange.isAwaiting)
    })
  )

  it.effect("is not written once it has ended, or once its time has passed", () =>
    Effect.gen(function* () {
      for (const [end, outcome] of [
        [(exchange: UndiciExchange) => exchange.cancel(), "pending"],
        [error("ECONNREFUSED"), { reason: "Connect", delivered: "no" }]
      ] as const) {
        const { exchange } = exchangeOf({})
        const { abort, state } = abortable()
        const actual = yield* outcomeAfter(exchange, [end, (exchange) => exchange.onRequestStart({ abort })])
        if (typeof outcome === "string") assert.strictEqual(actual, outcome)
        else assert.deepInclude(Object(actual), outcome)
        assert.isTrue(state.aborted)
        assert.isFalse(exchange.isAwaiting)
      }
      const hand = handClock()
      const { exchange } = exchangeOf({ clock: hand.clock })
      const { abort, state } = abortable()
      const late = (exchange: UndiciExchange) => {
        hand.pass(5)
        exchange.onRequestStart({ abort })
      }
      const actual = yield* outcomeAfter(exchange, [late])
      assert.deepInclude(Object(actual), { reason: "Timeout", delivered: "no", resend: "safe" })
      assert.isTrue(state.aborted)
    })
  )

  it.effect("tells the request id of a response that was begun, whatever ended it", () =>
    Effect.gen(function* () {
      const id = { "x-request-id": "req-1" }
      for (const event of [error("ECONNRESET"), socketError, data("01234567890")]) {
        const actual = yield* outcomeAfter(exchangeOf({}).exchange, [sent, head(200, id), event])
        assert.strictEqual(Object(actual).requestId, "req-1")
      }
      const early = yield* outcomeAfter(exchangeOf({}).exchange, [sent, error("ECONNRESET")])
      assert.isUndefined(Object(early).requestId)
      assert.strictEqual(Object(early).code, "ECONNRESET")
    })
  )

  /** Its sleeps end when the test says so. */
  const gated = Effect.map(Effect.makeLatch(), (gate) => {
    const state = { slept: [] as Array<unknown>, cancelled: 0 }
    const sleep: Clock.Clock["sleep"] = (duration) => {
      state.slept.push(duration)
      return Effect.onInterrupt(gate.await, () => Effect.sync(() => state.cancelled++))
    }
    return { clock: { ...handClock().clock, sleep }, gate, state }
  })

  const late = "No complete response within 5 ms."

  it.effect("ends at its time limit, which tells whether the request was sent", () =>
    Effect.gen(function* () {
      for (const [events, delivered, message] of [
        [[], "no", "No connection to api.plantly.gr4vy.app:443 within 5 ms. The request was not sent."],
        [[sent], "unknown", `${late} Whether the API acted on the request is unknown.`],
        [[sent, head(200)], "unknown", `${late} Whether the API acted on the request is unknown.`]
      ] as const) {
        const { clock, gate, state } = yield* gated
        const { exchange } = exchangeOf({ clock })
        const fiber = yield* Effect.fork(Effect.flip(outcomeOf(exchange)))
        yield* Effect.yieldNow()
        for (const event of events) event(exchange)
        yield* gate.open
        assert.deepInclude(plain(yield* Fiber.join(fiber)), { reason: "Timeout", delivered, message })
        assert.deepStrictEqual(state.slept.map(String), ["Duration(4ms 600000ns)"])
      }
    })
  )

  it.effect("stops its timer when it ends, and tells nothing once it is cancelled", () =>
    Effect.gen(function* () {
      for (const [events, outcome] of [
        [
          [sent, head(200), end],
          [200, ""]
        ],
        [[(exchange: UndiciExchange) => exchange.cancel(), sent, head(200), data("x"), end], "pending"],
        [[(exchange: UndiciExchange) => exchange.cancel(), error()], "pending"]
      ] as const) {
        const { clock, state } = yield* gated
        const { exchange } = exchangeOf({ clock })
        assert.deepStrictEqual(yield* outcomeAfter(exchange, events), outcome)
        assert.strictEqual(state.cancelled, 1)
      }
    })
  )
})

describe("the addresses of a connection", () => {
  const peer = { address: "127.0.0.1", port: 443 }
  const socket = { remoteAddress: peer.address, remotePort: peer.port }
  const table: ReadonlyArray<
    readonly [socket: object | undefined, peer: typeof peer | undefined, version: string | undefined]
  > = [
    [undefined, undefined, undefined],
    [socket, peer, undefined],
    [{ ...socket, alpnProtocol: "http/1.1" }, peer, "1.1"],
    [{ ...socket, alpnProtocol: "h2" }, peer, undefined],
    [{ ...socket, alpnProtocol: false }, peer, undefined],
    [{ remoteAddress: peer.address }, undefined, undefined],
    [{ remotePort: peer.port }, undefined, undefined]
  ]
  it.effect.each(table)("are kept, and the version that TLS has agreed on: %j", ([socket, peer, protocolVersion]) =>
    Effect.gen(function* () {
      const line = new Line()
      line.opened({ remoteAddress: "10.0.0.1", remotePort: 1, alpnProtocol: "http/1.1" } as never)
      line.opened(socket as never)
      const { exchange } = exchangeOf({ line })
      assert.deepStrictEqual(exchange.received, { status: undefined, peer })
      yield* outcomeAfter(exchange, [sent, head(200)])
      assert.deepInclude(exchange.received, { status: 200, peer, protocolVersion })
    })
  )
})
