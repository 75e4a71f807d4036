/** The log of the promise client: what a logger gets, and what it never gets. */
import { PassThrough } from "node:stream"
import { text } from "node:stream/consumers"
import { assert, describe, it } from "@effect/vitest"
import { create, type LogAttributes, type Logger, type Options, RequestFailed } from "@effect-gr4vy/promise"
import * as Otel from "@opentelemetry/api"
import { Effect } from "effect"
import { pino } from "pino"
import { expectTypeOf } from "vitest"
import * as Script from "../support/script.js"
import { code, number, secretIn, token } from "../support/secrets.js"
import { registered } from "../support/setUps.js"

interface Line {
  readonly level: keyof Logger
  readonly attributes: LogAttributes
  readonly message: string
}

/** A logger that keeps what it gets. It needs its `this`, as pino does. */
class Keeping implements Logger {
  readonly lines: Array<Line> = []
  private keep(level: keyof Logger, attributes: LogAttributes, message: string): void {
    this.lines.push({ level, attributes, message })
  }
  debug(attributes: LogAttributes, message: string): void {
    this.keep("debug", attributes, message)
  }
  info(attributes: LogAttributes, message: string): void {
    this.keep("info", attributes, message)
  }
  warn(attributes: LogAttributes, message: string): void {
    this.keep("warn", attributes, message)
  }
  error(attributes: LogAttributes, message: string): void {
    this.keep("error", attributes, message)
  }
}

const open = (baseUrl: string, options: Options = {}) =>
  Effect.acquireRelease(
    Effect.promise(() => create({ baseUrl, token, retry: { baseDelay: 1 }, ...options } as Options)),
    (client) => Effect.promise(client.close)
  )

/** The error of a call that must fail. */
const failure = (call: () => Promise<unknown>): Effect.Effect<unknown> =>
  Effect.promise(() =>
    call().then(
      () => assert.fail("it resolved"),
      (error: unknown) => error
    )
  )

const path = "GET /checkout/sessions/{checkout_session_id}"
const headers = { "x-request-id": "req-1" }

describe("a logger", () => {
  it.scopedLive("gets each line with its level, attributes and message", () =>
    Effect.gen(function* () {
      const answers = [Script.status(503, headers), Script.status(403, headers), Script.status(404), Script.session]
      const { baseUrl } = yield* Script.script(...answers)
      const logger = new Keeping()
      const client = yield* open(baseUrl, { logger })
      yield* failure(() => client.get(Script.sessionId))
      yield* failure(() => client.get(Script.sessionId))
      yield* Effect.promise(() => client.get(Script.sessionId))
      assert.deepStrictEqual(
        logger.lines.map(({ attributes: { "gr4vy.retry.delay_ms": _, ...attributes }, level, message }) => ({
          level,
          attributes,
          message: message.replace(/\d+ ms/, "N ms")
        })),
        [
          {
            level: "debug",
            attributes: { "error.type": "503", "gr4vy.attempts": 1, "gr4vy.request_id": "req-1" },
            message: `${path} is retried in N ms after 503`
          },
          {
            level: "warn",
            attributes: { "error.type": "403", "gr4vy.attempts": 2, "gr4vy.request_id": "req-1" },
            message: `${path} failed with 403: check that the token has the scopes this call needs`
          },
          {
            level: "debug",
            attributes: { "error.type": "404", "gr4vy.attempts": 1 },
            message: `${path} failed with 404`
          }
        ]
      )
    })
  )

  it.scopedLive("says why a POST was not sent again, and why there is no token", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.status(502))
      const logger = new Keeping()
      const client = yield* open(baseUrl, { logger })
      yield* failure(() => client.add())
      const getToken = () => Promise.reject(new Error(token))
      const without = yield* Effect.acquireRelease(
        Effect.promise(() => create({ baseUrl, getToken, logger })),
        (client) => Effect.promise(client.close)
      )
      yield* failure(() => without.add())
      assert.deepStrictEqual(
        logger.lines.map(({ level, message }) => `${level} ${message.replace(/(:).*/, "$1")}`),
        [
          "warn POST /checkout/sessions is not retried after 502:",
          "warn POST /checkout/sessions failed with Credentials:"
        ]
      )
    })
  )

  it.scopedLive("never gets a card, a security code or a token, at any level", () =>
    Effect.gen(function* () {
      const echo: Script.Answer = (request, response) => {
        const { authorization = "" } = request.headers
        response
          .writeHead(request.url?.includes("fields") ? 503 : 400, { "x-request-id": authorization.slice(7) })
          .end(JSON.stringify({ message: `${authorization} ${number} ${code}` }))
      }
      const { baseUrl } = yield* Script.script(echo)
      const logger = new Keeping()
      const client = yield* open(baseUrl, { logger })
      const paymentMethod = { method: "card", number, expirationDate: "11/29", securityCode: code } as const
      yield* failure(() => client.updateFields(Script.sessionId, { paymentMethod }))
      // Refused by the schema, before it is sent.
      yield* failure(() =>
        client.updateFields(Script.sessionId, { paymentMethod: { ...paymentMethod, expirationDate: number } })
      )
      yield* failure(() =>
        client.request("POST", "/transactions", { body: { number, token, security_code: code }, idempotencyKey: "o-1" })
      )
      assert.isAbove(logger.lines.length, 3)
      for (const line of logger.lines) assert.isUndefined(secretIn(JSON.stringify(line)), JSON.stringify(line))
    })
  )

  it.scopedLive("that throws, or whose promise is rejected, fails no call", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.status(503), Script.session)
      const unhandled: Array<unknown> = []
      const keep = (reason: unknown) => unhandled.push(reason)
      process.on("unhandledRejection", keep)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.off("unhandledRejection", keep)))
      const throwing = () => {
        throw new Error("the disk is full")
      }
      const rejecting = () => Promise.reject(new Error("the disk is full"))
      for (const debug of [throwing, rejecting]) {
        const client = yield* open(baseUrl, { logger: { debug, info: debug, warn: debug, error: debug } })
        const session = yield* Effect.promise(() => client.get(Script.sessionId))
        assert.strictEqual(session.id, Script.sessionId)
      }
      // Node reports a rejection after the microtasks of its turn.
      yield* Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
      assert.deepStrictEqual(unhandled, [])
    })
  )

  it.scopedLive("may be pino: attributes are fields of its line, and levels are its own", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.status(503), Script.status(302, headers))
      const stream = new PassThrough()
      const client = yield* open(baseUrl, { logger: pino(stream) })
      yield* failure(() => client.get(Script.sessionId))
      stream.end()
      const lines = (yield* Effect.promise(() => text(stream))).trimEnd().split("\n")
      assert.lengthOf(lines, 1)
      assert.deepInclude(JSON.parse(lines[0] ?? ""), {
        level: 40,
        "error.type": "302",
        "gr4vy.request_id": "req-1",
        msg: `${path} failed with 302: redirects are never followed, so check the base URL and any proxy`
      })
    })
  )

  it.scopedLive("is called inside the span of the call, so that it can add the trace", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.status(403))
      const seen: Array<string | undefined> = []
      const logger = new Keeping()
      logger.warn = () => void seen.push(Otel.trace.getActiveSpan()?.spanContext().spanId)
      const [, spans] = yield* registered(
        Effect.scoped(Effect.flatMap(open(baseUrl, { logger }), (client) => failure(() => client.add())))
      )
      assert.deepStrictEqual(
        seen,
        spans.filter((_) => _.name === "CheckoutSessions.add").map((_) => _.spanId)
      )
    })
  )

  it.scopedLive("that lacks a method is refused with a sentence", () =>
    Effect.gen(function* () {
      const { warn: _, ...logger } = console
      const error = yield* failure(() => create({ baseUrl: "http://127.0.0.1:9", logger } as unknown as Options))
      assert.instanceOf(error, RequestFailed)
      assert.include(String(error), "options.logger must be an object with the methods debug, info, warn and error")
    })
  )

  it("has the type of console and pino, without a type of Effect", () => {
    expectTypeOf<Console>().toExtend<Logger>()
    expectTypeOf<ReturnType<typeof pino>>().toExtend<Logger>()
    expectTypeOf<Parameters<Logger["warn"]>>().toEqualTypeOf<
      [attributes: Readonly<Record<string, string | number | boolean>>, message: string]
    >()
  })
})

describe("without a logger", () => {
  it.scopedLive("nothing is written, and a span has the events of the client alone", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.status(502))
      const written: Array<unknown> = []
      const { log } = console
      console.log = (...line) => void written.push(line)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          console.log = log
        })
      )
      const [, spans] = yield* registered(
        Effect.scoped(Effect.flatMap(open(baseUrl), (client) => failure(() => client.add())))
      )
      assert.deepStrictEqual(written, [])
      assert.deepStrictEqual(
        spans.flatMap((_) => _.events.map((event) => event.name)).filter((name) => name !== "exception"),
        ["gr4vy.retry.abandoned"]
      )
    })
  )
})
