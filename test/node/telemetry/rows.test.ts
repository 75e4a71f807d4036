/**
 * What a trace and a metric show, rule by rule, in a process that registered an OpenTelemetry SDK.
 */
import { afterEach, assert, describe, it } from "@effect/vitest"
import {
  CheckoutSessionId,
  CheckoutSessions,
  Credentials,
  Endpoint,
  Gr4vyHttpClient,
  RequestFailed
} from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer, RetryPolicy, Telemetry } from "@effect-gr4vy/node"
import { create } from "@effect-gr4vy/promise"
import * as Otel from "@opentelemetry/api"
import { MeterProvider } from "@opentelemetry/sdk-metrics"
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { type Clock, Deferred, Duration, Effect, Exit, Fiber, Layer, Redacted, Schema } from "effect"
import { collect, durations, gauge, Reader } from "../../support/metrics.js"
import * as Script from "../../support/script.js"
import { unregister } from "../../support/setUps.js"
import { Recorder } from "../../support/spans.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const template = "/checkout/sessions/{checkout_session_id}"
const getIt = Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id))
const addIt = Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())

afterEach(unregister)

type Options = Gr4vy.TravelOptions

const layer = (baseUrl: string, options: Options = {}) =>
  Gr4vy.layer({
    baseUrl,
    token: Redacted.make("token"),
    retry: RetryPolicy.make({ baseDelay: "1 millis" }),
    attemptTimeout: "500 millis",
    ...options
  })

/** Runs a program against a script of answers, and yields what was recorded of it. */
const observe = (
  answers: ReadonlyArray<Script.Answer> | string,
  options: Options = {},
  call: Effect.Effect<unknown, unknown, CheckoutSessions> = getIt
) =>
  Effect.gen(function* () {
    unregister()
    const recorder = new Recorder()
    const reader = new Reader()
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(recorder)] }).register()
    Otel.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
    const { baseUrl, requests } =
      typeof answers === "string" ? { baseUrl: answers, requests: [] } : yield* Script.script(...answers)
    const exit = yield* Effect.exit(call).pipe(
      Effect.provide(layer(baseUrl, options)),
      Effect.provide(OtelTracer.layer),
      Effect.scoped
    )
    const spans = recorder.take()
    const metrics = yield* collect(reader)
    const clients = spans.filter((_) => _.kind === "client")
    const service = spans.find((_) => _.name.startsWith("CheckoutSessions."))
    const pointsOf = (metric: string) => durations(metrics, metric).flatMap((_) => _.points)
    const points = pointsOf(Telemetry.durationMetric)
    const calls = pointsOf(Telemetry.callDurationMetric)
    const tokens = pointsOf(Telemetry.tokenDurationMetric)
    return { baseUrl, requests, exit, spans, clients, service, metrics, points, calls, tokens }
  }).pipe(Effect.scoped)

describe("a request's span", () => {
  it.live("is named by its method and template: the path with its id is never a name", () =>
    Effect.gen(function* () {
      const { clients } = yield* observe([Script.session])
      assert.deepStrictEqual(
        clients.map((_) => [_.name, _.kind]),
        [[`GET ${template}`, "client"]]
      )
    })
  )

  it.live("has the server's port also when it is the default one", () =>
    Effect.gen(function* () {
      // Nobody listens there, or somebody who answers something else: the attributes are there from the start.
      const { clients } = yield* observe("http://127.0.0.1", { retry: RetryPolicy.none })
      assert.strictEqual(clients[0]?.attributes["server.port"], 80)
      assert.strictEqual(clients[0]?.attributes["url.full"], `http://127.0.0.1/checkout/sessions/${id}`)
    })
  )

  it.live("has error.type on failure only, resend_count from the second request on", () =>
    Effect.gen(function* () {
      const { clients } = yield* observe([Script.status(503), Script.session])
      assert.deepStrictEqual(
        clients.map((_) => [_.attributes["error.type"], _.attributes["http.request.resend_count"]]),
        [
          ["503", undefined],
          [undefined, 1]
        ]
      )
    })
  )

  it.live("has the peer's address and port, of a new connection and of one that is used again", () =>
    Effect.gen(function* () {
      const { baseUrl, clients } = yield* observe([Script.session], {}, Effect.zipRight(getIt, getIt))
      assert.deepStrictEqual(
        clients.map((_) => [_.attributes["network.peer.address"], _.attributes["network.peer.port"]]),
        [1, 2].map(() => ["127.0.0.1", Number(new URL(baseUrl).port)])
      )
    })
  )

  it.live("says nothing of a protocol version that the response did not tell", () =>
    Effect.gen(function* () {
      const { clients, points } = yield* observe([Script.session])
      for (const { attributes } of [...clients, ...points]) assert.notProperty(attributes, "network.protocol.version")
    })
  )

  it.live("has the request id that the server sent; an option adds the name of a header", () =>
    Effect.gen(function* () {
      const known = yield* observe([Script.status(404, { "x-request-id": "req-1" })])
      assert.strictEqual(known.clients[0]?.attributes["gr4vy.request_id"], "req-1")
      const answers = [Script.status(404, { "x-request-id": "req-1", "x-edge-id": "edge-7" })]
      const own = yield* observe(answers, { requestIdHeader: "X-Edge-Id" })
      assert.strictEqual(own.clients[0]?.attributes["gr4vy.request_id"], "edge-7")
      assert.deepInclude(Exit.isFailure(own.exit) ? own.exit.cause : {}, { _tag: "Fail" })
      assert.include(JSON.stringify(own.exit), "edge-7")
    })
  )

  const html: Script.Answer = (_, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Log in</title>")
  }
  const another = Script.reply(200, Script.sessionJson.replace("9d5f", "0000"), { "content-type": "application/json" })

  it.live.each([
    { name: "success", answer: Script.session, error: undefined },
    { name: "4xx", answer: Script.status(404), error: "404" },
    ...[300, 301, 302, 303, 304, 307, 308].map((code) => ({
      name: `a redirect, which is never followed, ${code}`,
      answer: Script.status(code, { location: "/login" }),
      error: String(code)
    })),
    { name: "5xx", answer: Script.status(501), error: "501" },
    { name: "a transport failure", answer: Script.droppedMidBody, error: "Disconnected" },
    { name: "a time limit", answer: Script.silent, error: "Timeout" },
    { name: "a 2xx that is HTML", answer: html, error: "InvalidResponse" },
    { name: "a 2xx of another shape", answer: Script.reply(200, "{}"), error: "InvalidResponse" },
    { name: "a 2xx of another session", answer: another, error: "InvalidResponse" }
  ])("has the status and the point of: $name", ({ answer, error }) =>
    Effect.gen(function* () {
      const { calls, clients, points, service } = yield* observe([answer], { retry: RetryPolicy.none })
      assert.deepStrictEqual(
        calls.map((_) => [_.count, _.attributes["error.type"]]),
        [[1, error]]
      )
      assert.deepStrictEqual(
        clients.map((_) => [_.status, _.description, _.attributes["error.type"]]),
        [[error === undefined ? "unset" : "error", undefined, error]]
      )
      assert.deepStrictEqual(
        points.map((_) => [_.count, _.attributes["error.type"]]),
        [[1, error]]
      )
      assert.strictEqual(service?.attributes["error.type"], error)
    })
  )

  it.live("is Error where the request failed, and the call's is not where a retry went well", () =>
    Effect.gen(function* () {
      const { clients, service } = yield* observe([Script.status(503), Script.session])
      assert.deepStrictEqual(
        clients.map((_) => _.status),
        ["error", "unset"]
      )
      assert.strictEqual(service?.status, "unset")
      assert.notProperty(service?.attributes, "error.type")
      assert.strictEqual(service?.attributes["gr4vy.attempts"], 2)
    })
  )

  it.live("ends when the whole body has arrived", () =>
    Effect.gen(function* () {
      const slow: Script.Answer = (_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        response.write(Script.sessionJson.slice(0, 20))
        setTimeout(() => response.end(Script.sessionJson.slice(20)), 120)
      }
      const { points } = yield* observe([slow])
      assert.isAbove(points[0]?.value.sum ?? 0, 0.1)
    })
  )
})

describe("a request ends when its last byte has arrived", () => {
  it.live("not when it is decoded: a schema that takes its time is no latency of the API", () =>
    Effect.gen(function* () {
      const live = yield* Effect.clock
      let ahead = 0n
      const clock: Clock.Clock = Object.create(live, {
        unsafeCurrentTimeNanos: { value: () => live.unsafeCurrentTimeNanos() + ahead }
      })
      const slow = Schema.Struct({ id: Schema.String }).pipe(
        Schema.filter(() => {
          ahead += 3_600_000_000_000n
          return true
        })
      )
      const get = Endpoint.get("Own.get", "/own", { success: slow })
      const recorder = new Recorder()
      const times: Array<number> = []
      new NodeTracerProvider({
        spanProcessors: [
          new SimpleSpanProcessor({
            export: (spans, done) => {
              for (const { duration, kind } of spans) if (kind === Otel.SpanKind.CLIENT) times.push(duration[0])
              recorder.export(spans, done)
            },
            shutdown: () => recorder.shutdown()
          })
        ]
      }).register()
      const reader = new Reader()
      Otel.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
      const { baseUrl } = yield* Script.script(Script.session)
      const http = yield* Gr4vy.makeClient({ baseUrl, token: Redacted.make("token") })
      yield* Endpoint.clientOf({ get }, http).get().pipe(Effect.withClock(clock), Effect.provide(OtelTracer.layer))
      assert.isAbove(Number(ahead), 0)
      assert.deepStrictEqual(times, [0])
      const [point] = durations(yield* collect(reader)).flatMap((_) => _.points)
      assert.isBelow(point?.value.sum ?? Number.POSITIVE_INFINITY, 3600)
    }).pipe(Effect.scoped)
  )
})

describe("the request id", () => {
  const headers = { "content-type": "application/json", "x-request-id": "req-9" }
  const cut: Script.Answer = (_, response) => {
    response.writeHead(200, { ...headers, "content-length": "1000" }).write("{", () => response.destroy())
  }
  const stalled: Script.Answer = (_, response) => {
    response.writeHead(200, { ...headers, "content-length": "1000" }).write("{")
  }
  it.live.each([
    ["a time limit", stalled, "Timeout"],
    ["a reset", cut, "Disconnected"],
    ["an oversized body", Script.reply(200, "x".repeat(2000), headers), "ResponseTooLarge"],
    ["a body nobody asked for", Script.reply(200, "x", { ...headers, "content-encoding": "gzip" }), "InvalidResponse"],
    ["a 2xx that is HTML", Script.reply(200, "<!doctype html>", headers), "InvalidResponse"]
  ] as const)("is kept whenever headers arrived: %s", ([, answer, reason]) =>
    Effect.gen(function* () {
      const options = { retry: RetryPolicy.none, maxResponseBytes: 1500 }
      const { clients, exit } = yield* observe([answer], options)
      assert.strictEqual(clients[0]?.attributes["gr4vy.request_id"], "req-9")
      assert(Exit.isFailure(exit) && exit.cause._tag === "Fail")
      assert.deepInclude(exit.cause.error, { reason, requestId: "req-9" })
    })
  )

  it.live("is not kept if it is the token", () =>
    Effect.gen(function* () {
      const echo: Script.Answer = (request, response) => {
        const id = String(request.headers.authorization).replace("Bearer ", "")
        response.writeHead(200, { "x-request-id": id, "content-length": "1000" }).write("{", () => response.destroy())
      }
      const { clients, exit } = yield* observe([echo], { retry: RetryPolicy.none })
      assert.notProperty(clients[0]?.attributes, "gr4vy.request_id")
      assert.notInclude(JSON.stringify(exit), '"token"')
    })
  )
})

describe("the code of the error below", () => {
  it.live("is on the request's span where nothing listens: ECONNREFUSED", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Effect.scoped(Script.script())
      const { clients, points } = yield* observe(baseUrl, { retry: RetryPolicy.none })
      assert.strictEqual(clients[0]?.attributes["gr4vy.error.code"], "ECONNREFUSED")
      // A metric needs no more series.
      assert.notProperty(points[0]?.attributes, "gr4vy.error.code")
    })
  )
})

describe("gr4vy.client.call.duration", () => {
  it.live("counts a call once, whatever it took", () =>
    Effect.gen(function* () {
      const { baseUrl, calls, points } = yield* observe([Script.status(503), Script.session])
      assert.lengthOf(points, 2)
      assert.deepStrictEqual(
        calls.map((_) => [_.count, _.attributes]),
        [
          [
            1,
            {
              "http.request.method": "GET",
              "server.address": "127.0.0.1",
              "server.port": Number(new URL(baseUrl).port),
              "url.template": template
            }
          ]
        ]
      )
    })
  )

  it.live("includes the waits between its requests", () =>
    Effect.gen(function* () {
      const { calls } = yield* observe([Script.status(503, { "retry-after": "1" }), Script.session])
      assert.isAtLeast(calls[0]?.value.sum ?? 0, 1)
    })
  )

  const sealed = new RequestFailed({ reason: "Credentials", delivered: "no", attempts: 0, message: "sealed" })
  it.live("counts a call that sent nothing: a token source that is down", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      const credentials = Layer.succeed(Credentials, { token: Effect.fail(sealed) })
      const client = Layer.provide(Gr4vy.layerWithoutCredentials({ baseUrl }), credentials)
      const { calls, points, tokens } = yield* observe(baseUrl, {}, Effect.provide(getIt, client))
      assert.lengthOf(points, 0)
      assert.deepStrictEqual(
        calls.map((_) => [_.count, _.attributes["error.type"], _.attributes["gr4vy.delivered"]]),
        [[1, "Credentials", "no"]]
      )
      assert.deepStrictEqual(
        tokens.map((_) => [_.count, _.attributes]),
        [
          [
            1,
            {
              "server.address": "127.0.0.1",
              "server.port": Number(new URL(baseUrl).port),
              "error.type": "Credentials"
            }
          ]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("counts a call that sent nothing: an invalid merchant account", () =>
    Effect.gen(function* () {
      const { calls, requests } = yield* observe([Script.session], {}, Gr4vyHttpClient.withMerchantAccount(getIt, ""))
      assert.lengthOf(requests, 0)
      assert.deepStrictEqual(
        calls.map((_) => [_.count, _.attributes["error.type"], _.attributes["gr4vy.delivered"]]),
        [[1, "InvalidRequest", "no"]]
      )
    })
  )

  it.live("tells whether a failed call was delivered", () =>
    Effect.gen(function* () {
      for (const [answer, error, delivered] of [
        [Script.droppedMidBody, "Disconnected", "unknown"],
        [Script.status(404), "404", "yes"]
      ] as const) {
        const { calls } = yield* observe([answer], { retry: RetryPolicy.none })
        assert.deepInclude(calls[0]?.attributes, { "error.type": error, "gr4vy.delivered": delivered })
      }
    })
  )

  it.live("is off with metrics: off, like the token's", () =>
    Effect.gen(function* () {
      const { calls, points, tokens } = yield* observe([Script.session], { metrics: "off" })
      assert.deepStrictEqual([calls, points, tokens], [[], [], []])
    })
  )
})

describe("a token that was renewed after a 401", () => {
  const renewing = (baseUrl: string) =>
    Layer.provide(
      Gr4vy.layerWithoutCredentials({ baseUrl }),
      Layer.succeed(Credentials, {
        token: Effect.succeed(Redacted.make("token-0")),
        renew: () => Effect.succeed(Redacted.make("token-1"))
      })
    )

  it.live("is an event on the call's span, with the difference of the clocks", () =>
    Effect.gen(function* () {
      const early: Script.Answer = (_, response) => {
        response.sendDate = false
        response.writeHead(401, { date: new Date(Date.now() - 600_000).toUTCString() }).end("{}")
      }
      const { baseUrl } = yield* Script.script(early, Script.session)
      const { service } = yield* observe(baseUrl, {}, Effect.provide(getIt, renewing(baseUrl)))
      assert.strictEqual(service?.status, "unset")
      const [event, ...others] = service?.events.filter((_) => _.name.startsWith("gr4vy.")) ?? []
      assert.deepStrictEqual([event?.name, others], ["gr4vy.token.renewed", []])
      assert.approximately(Number(event?.attributes["gr4vy.clock_offset_s"]), -600, 5)
    }).pipe(Effect.scoped)
  )
})

describe("the merchant account", () => {
  it.live("is on the call's span: the client's, or the one of the call", () =>
    Effect.gen(function* () {
      const own = yield* observe([Script.session], { merchantAccountId: "acme" })
      assert.strictEqual(own.service?.attributes["gr4vy.merchant_account_id"], "acme")
      const call = Gr4vyHttpClient.withMerchantAccount(getIt, "acme-eu")
      const other = yield* observe([Script.session], { merchantAccountId: "acme" }, call)
      assert.strictEqual(other.service?.attributes["gr4vy.merchant_account_id"], "acme-eu")
    })
  )

  it.live("is on no span of the program, and absent where there is none", () =>
    Effect.gen(function* () {
      const { service } = yield* observe([Script.session])
      assert.notProperty(service?.attributes, "gr4vy.merchant_account_id")
      const plain = Effect.flatMap(Gr4vyHttpClient, (http) => Effect.withSpan(http.get("/own"), "program"))
      const { baseUrl } = yield* Script.script(Script.session)
      const { spans } = yield* observe(
        baseUrl,
        {},
        Effect.provide(plain, Gr4vy.layerClient({ baseUrl, token: Redacted.make("token"), merchantAccountId: "acme" }))
      )
      assert.lengthOf(spans, 2)
      for (const { attributes } of spans) assert.notProperty(attributes, "gr4vy.merchant_account_id")
    }).pipe(Effect.scoped)
  )
})

describe("a call's span", () => {
  it.live.each([
    { name: "an answer of the API", answers: [Script.status(404)], error: "404", delivered: "yes", attempts: 1 },
    {
      name: "retries that ran out",
      answers: [Script.status(503)],
      error: "503",
      delivered: "yes",
      attempts: 3
    },
    {
      name: "a lost answer",
      answers: [Script.droppedMidBody],
      error: "Disconnected",
      delivered: "unknown",
      attempts: 3
    }
  ])("tells why it failed, whether it was delivered, and how many requests it took: $name", (row) =>
    Effect.gen(function* () {
      const { service } = yield* observe(row.answers)
      assert.strictEqual(service?.status, "error")
      assert.deepStrictEqual(
        [
          service?.attributes["error.type"],
          service?.attributes["gr4vy.delivered"],
          service?.attributes["gr4vy.attempts"]
        ],
        [row.error, row.delivered, row.attempts]
      )
    })
  )

  it.live("that never connected says that nothing was delivered", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Effect.scoped(Script.script())
      const { service } = yield* observe(baseUrl)
      assert.strictEqual(service?.attributes["gr4vy.delivered"], "no")
    })
  )

  it.live("of a success has the number of its requests and no delivered", () =>
    Effect.gen(function* () {
      const { service } = yield* observe([Script.session])
      assert.strictEqual(service?.attributes["gr4vy.attempts"], 1)
      assert.notProperty(service?.attributes, "gr4vy.delivered")
    })
  )
})

describe("a caller that gives up", () => {
  it.live(
    "is told apart from success and failure, on span and point: cancelled, no error.type, a status that is unset",
    () =>
      Effect.gen(function* () {
        const arrived = yield* Deferred.make<void>()
        const { calls, clients, points, service } = yield* observe(
          [() => Effect.runSync(Deferred.succeed(arrived, undefined))],
          {},
          Effect.gen(function* () {
            const fiber = yield* Effect.fork(getIt)
            yield* Deferred.await(arrived)
            yield* Fiber.interrupt(fiber)
          })
        )
        assert.deepStrictEqual(
          [...clients, service].map((_) => [_?.status, _?.attributes["error.type"], _?.attributes["gr4vy.cancelled"]]),
          [
            ["unset", undefined, true],
            ["unset", undefined, true]
          ]
        )
        for (const kind of [points, calls]) {
          assert.deepStrictEqual(
            kind.map((_) => [_.count, _.attributes["error.type"], _.attributes["gr4vy.cancelled"]]),
            [[1, undefined, true]]
          )
        }
      })
  )

  it.live.each([
    {
      name: "timed out: Error",
      signal: () => AbortSignal.timeout(60),
      ending: { status: "error" as const, "error.type": "Timeout", "gr4vy.cancelled": undefined }
    },
    {
      name: "was aborted: unset",
      signal: () => {
        const controller = new AbortController()
        setTimeout(() => controller.abort(), 60)
        return controller.signal
      },
      ending: { status: "unset" as const, "error.type": undefined, "gr4vy.cancelled": true }
    }
  ])("by an AbortSignal that $name", ({ ending, signal }) =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.silent)
      const { calls, clients, points, service } = yield* observe(
        baseUrl,
        {},
        Effect.promise(async () => {
          const client = await create({ baseUrl, token: "token" })
          await client.get(id, { signal: signal() }).catch(() => {})
          await client.close()
        })
      )
      const { status, ...attributes } = ending
      const told = (given: Readonly<Record<string, unknown>> | undefined) => ({
        "error.type": given?.["error.type"],
        "gr4vy.cancelled": given?.["gr4vy.cancelled"]
      })
      assert.deepStrictEqual(
        [...clients, service].map((_) => _?.status),
        [status, status]
      )
      const ended = [...clients, service, ...points, ...calls].map((_) => told(_?.attributes))
      assert.deepStrictEqual(ended, [attributes, attributes, attributes, attributes])
    }).pipe(Effect.scoped)
  )
})

describe("a call that ended before it was on the wire", () => {
  it.live("has no CLIENT span and no point: it waited for a connection until its deadline", () =>
    Effect.gen(function* () {
      // The call with the connection keeps it until the other one's deadline: its timers take twice as long.
      const clock = yield* Effect.clock
      const slow = Object.create(clock, {
        sleep: { value: (d: Duration.Duration) => clock.sleep(Duration.times(d, 2)) }
      })
      const { clients, points, requests, spans } = yield* observe(
        [Script.silent],
        { connections: 1, deadline: "150 millis", attemptTimeout: "10 seconds" },
        Effect.all([Effect.withClock(getIt, slow), getIt], { concurrency: 2, mode: "validate" })
      )
      assert.lengthOf(requests, 1)
      assert.lengthOf(clients, 1)
      assert.deepStrictEqual(
        points.map((_) => _.count),
        [1]
      )
      const services = spans.filter((_) => _.name === "CheckoutSessions.get")
      assert.deepStrictEqual(services.map((_) => [_.attributes["error.type"], _.attributes["gr4vy.attempts"]]).sort(), [
        ["Timeout", 0],
        ["Timeout", 1]
      ])
    })
  )

  it.live("nor one that was interrupted while it waited", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const { clients, points } = yield* observe(
        [() => Effect.runSync(Deferred.succeed(arrived, undefined))],
        { connections: 1 },
        Effect.gen(function* () {
          const first = yield* Effect.fork(getIt)
          yield* Deferred.await(arrived)
          const second = yield* Effect.fork(getIt)
          yield* Effect.sleep("20 millis")
          yield* Fiber.interrupt(second)
          yield* Fiber.interrupt(first)
        })
      )
      assert.lengthOf(clients, 1)
      assert.deepStrictEqual(
        points.map((_) => _.count),
        [1]
      )
    })
  )
})

describe("decisions about retries", () => {
  const sendEvents = (service: { readonly events: ReadonlyArray<{ readonly name: string }> } | undefined) =>
    // A line of the log is an event of its own, by Effect's logger.
    service?.events.map((_) => _.name).filter((_) => _.startsWith("gr4vy."))

  it.live("each wait is an event with its reason and its delay", () =>
    Effect.gen(function* () {
      const { service } = yield* observe([Script.status(503), Script.droppedMidBody, Script.session])
      assert.deepStrictEqual(
        service?.events.map((_) => [_.name, _.attributes["error.type"]]),
        [
          ["gr4vy.retry", "503"],
          ["gr4vy.retry", "Disconnected"]
        ]
      )
      for (const { attributes } of service?.events ?? []) assert.isNumber(attributes["gr4vy.retry.delay_ms"])
    })
  )

  interface Abandoned {
    readonly reason: string
    readonly answers: ReadonlyArray<Script.Answer>
    readonly options?: Options
    readonly call?: Effect.Effect<unknown, unknown, CheckoutSessions>
    readonly error: string
    readonly retries: number
  }
  const abandoned: ReadonlyArray<Abandoned> = [
    { reason: "unsafe", answers: [Script.status(502)], call: addIt, error: "502", retries: 0 },
    { reason: "attempts", answers: [Script.status(503)], error: "503", retries: 2 },
    {
      reason: "deadline",
      answers: [Script.status(503, { "retry-after": "2" })],
      options: { deadline: "1 second" },
      error: "503",
      retries: 0
    },
    { reason: "retry-after", answers: [Script.status(429, { "retry-after": "60" })], error: "429", retries: 0 }
  ]

  it.live.each(abandoned)("a retry that is not made is an event and a count: $reason", (row) =>
    Effect.gen(function* () {
      const { metrics, service } = yield* observe(row.answers, row.options, row.call)
      assert.deepStrictEqual(sendEvents(service), [
        ...Array.from({ length: row.retries }, () => "gr4vy.retry"),
        "gr4vy.retry.abandoned"
      ])
      const last = service?.events.find((_) => _.name === "gr4vy.retry.abandoned")
      assert.strictEqual(last?.attributes["gr4vy.retry.abandoned"], row.reason)
      assert.strictEqual(last?.attributes["error.type"], row.error)
      assert.deepStrictEqual(
        gauge(metrics, Telemetry.retriesMetric).map((_) => [
          _.attributes["error.type"],
          _.attributes["gr4vy.retry.abandoned"],
          _.value
        ]),
        [...(row.retries === 0 ? [] : [[row.error, undefined, row.retries]]), [row.error, row.reason, 1]]
      )
    })
  )

  it.live("so is the one that the budget has no tokens for", () =>
    Effect.gen(function* () {
      const { metrics, spans } = yield* observe(
        [Script.status(503)],
        {},
        Effect.forEach(Array.from({ length: 40 }), () => Effect.exit(getIt))
      )
      const services = spans.filter((_) => _.name === "CheckoutSessions.get")
      assert.deepStrictEqual(services.at(-1)?.events.find((_) => _.name === "gr4vy.retry.abandoned")?.attributes, {
        "error.type": "503",
        "gr4vy.retry.abandoned": "budget"
      })
      assert.isAbove(
        gauge(metrics, Telemetry.retriesMetric).find((_) => _.attributes["gr4vy.retry.abandoned"] === "budget")
          ?.value ?? 0,
        10
      )
    })
  )

  it.live("a failure that no retry could change has no retry event", () =>
    Effect.gen(function* () {
      const { metrics, service } = yield* observe([Script.status(404)])
      assert.deepStrictEqual(
        service?.events.filter((_) => _.name.startsWith("gr4vy.")),
        []
      )
      assert.deepStrictEqual(gauge(metrics, Telemetry.retriesMetric), [])
    })
  )
})

describe("gauges", () => {
  it.live(
    "show requests, connections, waiting requests, the budget and its size while calls run, and 0 afterwards",
    () =>
      Effect.gen(function* () {
        const reader = new Reader()
        Otel.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
        const arrived = yield* Deferred.make<void>()
        const { baseUrl } = yield* Script.script(Script.status(503), Script.session, () =>
          Effect.runSync(Deferred.succeed(arrived, undefined))
        )
        const server = { "server.address": "127.0.0.1", "server.port": Number(new URL(baseUrl).port) }
        const values = (name: string) =>
          Effect.map(collect(reader), (metrics) => gauge(metrics, name).map((_) => [_.value, _.attributes]))
        yield* Effect.gen(function* () {
          yield* getIt
          assert.sameDeepMembers(yield* values(Telemetry.openConnectionsMetric), [
            [0, { ...server, "http.connection.state": "active" }],
            [1, { ...server, "http.connection.state": "idle" }]
          ])
          const calls = yield* Effect.fork(Effect.all([getIt, getIt, getIt], { concurrency: 3 }))
          yield* Deferred.await(arrived)
          assert.sameDeepMembers(yield* values(Telemetry.openConnectionsMetric), [
            [1, { ...server, "http.connection.state": "active" }],
            [0, { ...server, "http.connection.state": "idle" }]
          ])
          assert.deepStrictEqual(yield* values(Telemetry.pendingRequestsMetric), [[2, server]])
          assert.deepStrictEqual(yield* values(Telemetry.activeRequestsMetric), [[1, server]])
          yield* Fiber.interrupt(calls)
          yield* Effect.exit(getIt).pipe(Effect.timeoutOption("50 millis"))
          assert.deepStrictEqual(yield* values(Telemetry.retryBudgetMetric), [[500, server]])
          assert.deepStrictEqual(yield* values(Telemetry.retryBudgetSizeMetric), [[500, server]])
        }).pipe(Effect.provide(layer(baseUrl, { connections: 1 })))
        assert.sameDeepMembers(yield* values(Telemetry.openConnectionsMetric), [
          [0, { ...server, "http.connection.state": "active" }],
          [0, { ...server, "http.connection.state": "idle" }]
        ])
        // The budget of a closed client is not an empty one.
        for (const name of [
          Telemetry.activeRequestsMetric,
          Telemetry.retryBudgetMetric,
          Telemetry.retryBudgetSizeMetric
        ]) {
          assert.deepStrictEqual(yield* values(name), [[0, server]], name)
        }
      }).pipe(Effect.scoped)
  )

  it.live("the budget is lower after a retry that failed", () =>
    Effect.gen(function* () {
      const reader = new Reader()
      Otel.metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
      const { baseUrl } = yield* Script.script(Script.status(503))
      yield* Effect.gen(function* () {
        yield* Effect.exit(getIt)
        const [left] = gauge(yield* collect(reader), Telemetry.retryBudgetMetric)
        assert.strictEqual(left?.value, 480)
      }).pipe(Effect.provide(layer(baseUrl)))
    }).pipe(Effect.scoped)
  )
})
