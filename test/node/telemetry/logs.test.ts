import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, Credentials, RequestFailed } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { type Clock, Effect, HashMap, Layer, Logger, LogLevel, Redacted } from "effect"
import { loopback } from "../../support/loopback.js"
import * as Script from "../../support/script.js"
import { allClean, token, update } from "../../support/sinks.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const getIt = Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id))
const addIt = Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())

const file = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url))

interface Line {
  readonly level: string
  readonly message: string
  readonly annotations: Readonly<Record<string, unknown>>
}

/** What a program logs: at every level, or at the default one. */
const logged = (
  answers: ReadonlyArray<Script.Answer>,
  call: Effect.Effect<unknown, unknown, CheckoutSessions>,
  options: { readonly level?: LogLevel.LogLevel; readonly gr4vy?: Gr4vy.TravelOptions } = {}
) =>
  Effect.gen(function* () {
    const lines: Array<Line> = []
    const texts: Array<string> = []
    const logger = Logger.make((entry) => {
      lines.push({
        level: entry.logLevel.label,
        message: String(entry.message),
        annotations: Object.fromEntries(HashMap.toEntries(entry.annotations))
      })
      for (const each of [Logger.logfmtLogger, Logger.jsonLogger, Logger.stringLogger]) texts.push(each.log(entry))
    })
    const { baseUrl } = yield* Script.script(...answers)
    yield* Effect.exit(call).pipe(
      Effect.provide(
        Gr4vy.layer({
          baseUrl,
          token: Redacted.make(token),
          retry: RetryPolicy.make({ baseDelay: "1 millis" }),
          ...options.gr4vy
        })
      ),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      options.level === undefined ? (_) => _ : Logger.withMinimumLogLevel(options.level)
    )
    return { lines, texts }
  }).pipe(Effect.scoped)

describe("logs", () => {
  it.live("a call that goes well logs nothing, at any level", () =>
    Effect.gen(function* () {
      const { lines } = yield* logged([Script.session], getIt, { level: LogLevel.All })
      assert.deepStrictEqual(lines, [])
    })
  )

  it.live("each retry is a line at Debug, with its reason, delay, attempt and request id", () =>
    Effect.gen(function* () {
      const answers = [Script.status(503, { "x-request-id": "req-1" }), Script.session]
      const { lines } = yield* logged(answers, getIt, { level: LogLevel.Debug })
      assert.deepStrictEqual(
        lines.map((_) => [_.level, _.message.replace(/\d+ ms/, "N ms")]),
        [["DEBUG", "GET /checkout/sessions/{checkout_session_id} is retried in N ms after 503"]]
      )
      const { "gr4vy.retry.delay_ms": delay, ...others } = lines[0]?.annotations ?? {}
      assert.isNumber(delay)
      assert.deepStrictEqual(others, { "error.type": "503", "gr4vy.attempts": 1, "gr4vy.request_id": "req-1" })
    })
  )

  it.live("an empty retry budget is one line in ten seconds, with the number of calls that had none", () =>
    Effect.gen(function* () {
      const live = yield* Effect.clock
      let ahead = 0n
      const clock = Object.create(live, {
        unsafeCurrentTimeNanos: { value: () => live.unsafeCurrentTimeNanos() + ahead }
      })
      const calls = (n: number) =>
        Effect.all(
          Array.from({ length: n }, () => Effect.exit(getIt)),
          { concurrency: 8 }
        )
      const outage = Effect.gen(function* () {
        yield* calls(150)
        ahead = 11_000_000_000n
        yield* calls(20)
      })
      const { lines } = yield* logged([Script.status(503)], Effect.withClock(outage, clock))
      const warnings = lines.filter((_) => _.message.includes("retry budget is empty")).map((_) => _.message)
      assert.lengthOf(warnings, 2)
      assert.notInclude(warnings[0], "more since")
      assert.match(warnings[1] ?? "", /empty, because too many requests fail \((\d+) more since the last such line\)$/)
    })
  )

  it.live("a POST that was not sent again says why in the default log", () =>
    Effect.gen(function* () {
      const { lines } = yield* logged([Script.status(502, { "x-request-id": "req-2" })], addIt)
      assert.deepStrictEqual(lines, [
        {
          level: "WARN",
          message:
            "POST /checkout/sessions is not retried after 502: the request may have reached the API, and a second one could do its work twice",
          annotations: {
            "error.type": "502",
            "gr4vy.retry.abandoned": "unsafe",
            "gr4vy.attempts": 1,
            "gr4vy.request_id": "req-2"
          }
        }
      ])
    })
  )

  interface Reason {
    readonly name: string
    readonly answers: ReadonlyArray<Script.Answer>
    readonly gr4vy: Gr4vy.TravelOptions
    readonly message: RegExp
  }
  const reasons: ReadonlyArray<Reason> = [
    { name: "attempts", answers: [Script.status(503)], gr4vy: {}, message: /after 503: 3 requests have failed/ },
    {
      name: "deadline",
      answers: [Script.status(503, { "retry-after": "2" })],
      gr4vy: { deadline: "1 second" },
      message: /after 503: a wait of 2\d\d\d ms would end after the call's deadline/
    },
    {
      name: "retry-after",
      answers: [Script.status(429, { "retry-after": "60" })],
      gr4vy: {},
      message: /after 429: the API asks for a wait of 60000 ms, longer than the policy grants/
    },
    {
      name: "a lost answer",
      answers: [Script.droppedMidBody],
      gr4vy: {},
      message: /after Disconnected \(UND_ERR_SOCKET\): 3 requests have failed/
    }
  ]
  it.live.each(reasons)("giving up is one line at Warning: $name", ({ answers, gr4vy, message }) =>
    Effect.gen(function* () {
      const { lines } = yield* logged(answers, getIt, { gr4vy })
      assert.lengthOf(lines, 1)
      assert.strictEqual(lines[0]?.level, "WARN")
      assert.match(lines[0]?.message ?? "", message)
    })
  )

  it.live("so is an empty budget", () =>
    Effect.gen(function* () {
      const { lines } = yield* logged(
        [Script.status(503)],
        Effect.forEach(Array(30).fill(0), () => Effect.exit(getIt))
      )
      assert.match(lines.at(-1)?.message ?? "", /after 503: the retry budget is empty/)
    })
  )

  it.live("so is a failure under a policy without retries", () =>
    Effect.gen(function* () {
      const { lines } = yield* logged([Script.status(503)], getIt, { gr4vy: { retry: RetryPolicy.none } })
      assert.deepStrictEqual(
        lines.map((_) => [_.level, _.message.replace(/^.*is not/, "is not")]),
        [["WARN", "is not retried after 503: the policy allows one request"]]
      )
    })
  )

  const path = "GET /checkout/sessions/{checkout_session_id}"
  const headers = { "x-request-id": "req-7" }
  const html = Script.reply(200, "<!doctype html><title>Log in</title>", headers)
  const large = Script.reply(200, "x".repeat(2000), headers)
  it.live.each([
    [
      "a redirect to a login page",
      Script.status(302, headers),
      "302",
      / failed with 302: redirects are never followed/
    ],
    ["a 403", Script.status(403, headers), "403", / failed with 403: check that the token has the scopes/],
    ["a 401", Script.status(401, headers), "401", / failed with 401: check the token, or the private key/],
    ["a 501", Script.status(501, headers), "501", / failed with 501$/],
    ["HTML with a 200", html, "InvalidResponse", / failed with status 200 and an HTML page/],
    ["an oversized body", large, "ResponseTooLarge", / failed with ResponseTooLarge: The response is larger/]
  ] as const)("an API that cannot be used is one line at Warning: %s", ([, answer, error, message]) =>
    Effect.gen(function* () {
      const { lines } = yield* logged([answer], getIt, { gr4vy: { maxResponseBytes: 1024 } })
      assert.lengthOf(lines, 1)
      assert.strictEqual(lines[0]?.level, "WARN")
      assert.match(lines[0]?.message ?? "", message)
      assert.isTrue(lines[0]?.message.startsWith(path))
      const facts = { "error.type": error, "gr4vy.attempts": 1, "gr4vy.request_id": "req-7" }
      assert.deepStrictEqual(lines[0]?.annotations, facts)
    })
  )

  it.live.each([400, 404, 409, 422])("the caller's own business is a line at Debug: %i", (code) =>
    Effect.gen(function* () {
      const { lines } = yield* logged([Script.status(code, headers)], getIt, { level: LogLevel.Debug })
      assert.deepStrictEqual(
        lines.map((_) => [_.level, _.message]),
        [["DEBUG", `${path} failed with ${code}`]]
      )
    })
  )

  it.live("a certificate that is not trusted is a line at Warning, with its code", () =>
    Effect.gen(function* () {
      const lines: Array<Line> = []
      const { port } = yield* loopback(
        createServer({ key: readFileSync(file("localhost.key.pem")), cert: readFileSync(file("localhost.cert.pem")) })
      )
      const layer = Gr4vy.layer({ baseUrl: `https://localhost:${port}`, token: Redacted.make(token) })
      yield* Effect.exit(getIt).pipe(
        Effect.provide(layer),
        Effect.provide(
          Logger.replace(
            Logger.defaultLogger,
            Logger.make(({ annotations, logLevel, message }) => {
              lines.push({
                level: logLevel.label,
                message: String(message),
                annotations: Object.fromEntries(HashMap.toEntries(annotations))
              })
            })
          )
        )
      )
      assert.lengthOf(lines, 1)
      assert.strictEqual(lines[0]?.level, "WARN")
      assert.match(lines[0]?.message ?? "", / failed with Connect \(\w*CERT\w*\): .* certificate is not trusted/)
      assert.match(String(lines[0]?.annotations["gr4vy.error.code"]), /CERT/)
    }).pipe(Effect.scoped)
  )

  it.live("a token source that is dead is a line at Warning", () =>
    Effect.gen(function* () {
      const source = Credentials.layerSource({ get: Effect.fail(new Error("vault")) })
      const client = Layer.provide(Gr4vy.layerWithoutCredentials({ baseUrl: "http://127.0.0.1:9" }), source)
      const { lines } = yield* logged([Script.session], Effect.provide(getIt, client))
      assert.lengthOf(lines, 1)
      assert.strictEqual(lines[0]?.level, "WARN")
      assert.match(lines[0]?.message ?? "", / failed with Credentials: There is no token to send/)
    })
  )

  it.live("names the code where nothing listens: ECONNREFUSED", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Effect.scoped(Script.script())
      const client = Gr4vy.layer({ baseUrl, token: Redacted.make(token), retry: RetryPolicy.none })
      const { lines } = yield* logged([Script.session], Effect.provide(getIt, client))
      assert.match(lines[0]?.message ?? "", /after Connect \(ECONNREFUSED\)/)
      assert.strictEqual(lines[0]?.annotations["gr4vy.error.code"], "ECONNREFUSED")
    })
  )

  it.live("one line of a kind in ten seconds: the others are at Debug, and their number is in the next one", () =>
    Effect.gen(function* () {
      const live = yield* Effect.clock
      let ahead = 0n
      const clock: Clock.Clock = Object.create(live, {
        unsafeCurrentTimeNanos: { value: () => live.unsafeCurrentTimeNanos() + ahead }
      })
      const storm = Effect.gen(function* () {
        for (let n = 0; n < 20; n++) yield* Effect.exit(getIt)
        yield* Effect.exit(addIt)
        ahead = 11_000_000_000n
        yield* Effect.exit(getIt)
      })
      const { lines } = yield* logged([Script.status(302)], Effect.withClock(storm, clock), { level: LogLevel.Debug })
      const warnings = lines.filter((_) => _.level === "WARN").map((_) => _.message.replace(/: redirects .*proxy/, ""))
      assert.deepStrictEqual(warnings, [
        `${path} failed with 302`,
        "POST /checkout/sessions failed with 302",
        `${path} failed with 302 (19 more since the last such line)`
      ])
      assert.lengthOf(
        lines.filter((_) => _.level === "DEBUG"),
        19
      )
    })
  )

  it.live.each([
    [0, "DEBUG", / is sent again with a new token after 401$/],
    [-600, "WARN", / new token after 401: this machine's clock is (599|600|601) s ahead of the API's$/],
    [600, "WARN", / new token after 401: this machine's clock is (599|600|601) s behind the API's$/]
  ] as const)(
    "a new token after a 401, with the server's clock %i s ahead, is a line at %s",
    ([seconds, level, message]) =>
      Effect.gen(function* () {
        const refusal: Script.Answer = (_, response) => {
          response.sendDate = false
          response.writeHead(401, { date: new Date(Date.now() + seconds * 1000).toUTCString() }).end("{}")
        }
        const { baseUrl } = yield* Script.script(refusal, Script.session)
        const renewing = Layer.succeed(Credentials, {
          token: Effect.succeed(Redacted.make("token-0")),
          renew: () => Effect.succeed(Redacted.make("token-1"))
        })
        const client = Layer.provide(Gr4vy.layerWithoutCredentials({ baseUrl }), renewing)
        const { lines } = yield* logged([Script.session], Effect.provide(getIt, client), { level: LogLevel.Debug })
        assert.lengthOf(lines, 1)
        assert.strictEqual(lines[0]?.level, level)
        assert.match(lines[0]?.message ?? "", message)
      }).pipe(Effect.scoped)
  )

  it.live("a rejected token that cannot be replaced is a line at Warning", () =>
    Effect.gen(function* () {
      const lines: Array<readonly [string, string, unknown]> = []
      const logger = Logger.make(
        ({ annotations, logLevel, message }) =>
          void lines.push([logLevel.label, String(message), Object.fromEntries(HashMap.toEntries(annotations))])
      )
      const { baseUrl } = yield* Script.script(Script.status(401, { "x-request-id": "req-3" }))
      const credentials = Layer.succeed(Credentials, {
        token: Effect.succeed(Redacted.make(token)),
        renew: () =>
          Effect.fail(
            new RequestFailed({ reason: "Credentials", delivered: "no", attempts: 0, message: "The vault is sealed." })
          )
      })
      const error = yield* Effect.flip(getIt).pipe(
        Effect.provide(Layer.provide(Gr4vy.layerWithoutCredentials({ baseUrl }), credentials)),
        Effect.provide(Logger.replace(Logger.defaultLogger, logger))
      )
      assert.strictEqual(error._tag, "Unauthorized")
      assert.deepStrictEqual(lines, [
        [
          "WARN",
          `${path} failed with 401; no new token: The vault is sealed.`,
          { "error.type": "401", "gr4vy.attempts": 1, "gr4vy.request_id": "req-3" }
        ]
      ])
    }).pipe(Effect.scoped)
  )

  it.live("no card, code or token is in any of them", () =>
    Effect.gen(function* () {
      const echo: Script.Answer = (request, response) => {
        response
          .writeHead(503, { "x-request-id": String(request.headers.authorization).replace("Bearer ", "") })
          .end(JSON.stringify({ message: request.headers.authorization }))
      }
      const { texts } = yield* logged(
        [echo],
        Effect.flatMap(CheckoutSessions, (sessions) => sessions.updateFields(id, update)),
        { level: LogLevel.All }
      )
      assert.isAbove(texts.length, 2)
      allClean(
        "logs",
        texts.map((text) => ["log", text] as const)
      )
    })
  )
})
