import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer, RetryPolicy } from "@effect-gr4vy/node"
import { type Sampler, SamplingDecision } from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Deferred, Effect, Fiber, Redacted, Tracer } from "effect"
import * as Script from "../../support/script.js"
import { type SetUp, setUps, unregister } from "../../support/setUps.js"
import type { Shown } from "../../support/spans.js"

const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
const template = "/checkout/sessions/{checkout_session_id}"
const getIt = Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(id))

interface Attempt {
  readonly status?: number
  readonly error?: string
}

interface Path {
  readonly name: string
  readonly answers: ReadonlyArray<Script.Answer>
  readonly retry?: RetryPolicy.RetryPolicy
  readonly call?: Effect.Effect<unknown, unknown, CheckoutSessions>
  /** The CLIENT spans that are expected, in order. */
  readonly attempts: ReadonlyArray<Attempt>
  readonly service: "success" | "error"
}

const paths: ReadonlyArray<Path> = [
  { name: "success", answers: [Script.session], attempts: [{ status: 200 }], service: "success" },
  {
    name: "retry, then success",
    answers: [Script.status(503), Script.droppedMidBody, Script.session],
    attempts: [{ status: 503, error: "503" }, { status: 200, error: "Disconnected" }, { status: 200 }],
    service: "success"
  },
  {
    name: "retries exhausted",
    answers: [Script.status(500), Script.status(502), Script.status(503)],
    attempts: [
      { status: 500, error: "500" },
      { status: 502, error: "502" },
      { status: 503, error: "503" }
    ],
    service: "error"
  },
  { name: "4xx", answers: [Script.status(404)], attempts: [{ status: 404, error: "404" }], service: "error" },
  {
    name: "5xx",
    answers: [Script.status(501)],
    attempts: [{ status: 501, error: "501" }],
    service: "error"
  },
  { name: "3xx", answers: [Script.status(302)], attempts: [{ status: 302, error: "302" }], service: "error" },
  {
    name: "an answer out of shape",
    answers: [Script.status(200)],
    attempts: [{ status: 200, error: "InvalidResponse" }],
    service: "error"
  },
  {
    name: "timeout",
    answers: [Script.silent],
    retry: RetryPolicy.none,
    attempts: [{ error: "Timeout" }],
    service: "error"
  },
  {
    name: "dropped mid-body",
    answers: [Script.droppedMidBody],
    retry: RetryPolicy.none,
    attempts: [{ status: 200, error: "Disconnected" }],
    service: "error"
  },
  {
    name: "invalid request",
    answers: [Script.session],
    // Forced past the type, as a caller in JavaScript may.
    call: Effect.flatMap(CheckoutSessions, (sessions) => sessions.get("../secrets" as typeof id)),
    attempts: [],
    service: "error"
  }
]

const layerFor = (baseUrl: string, retry = RetryPolicy.make({ baseDelay: "1 millis" })) =>
  Gr4vy.layer({ baseUrl, token: Redacted.make("token"), retry, attemptTimeout: "1 second" })

const parts = (spans: ReadonlyArray<Shown>) => {
  const clients = spans.filter((_) => _.kind === "client")
  const [service, ...others] = spans.filter((_) => _.kind !== "client")
  assert.isDefined(service)
  assert.lengthOf(others, 0)
  return { service, clients }
}

const checkClient = (setUp: SetUp, span: Shown, service: Shown, baseUrl: string, attempt: Attempt, index: number) => {
  assert.strictEqual(span.name, `GET ${template}`)
  assert.strictEqual(span.parentSpanId, service.spanId)
  assert.strictEqual(span.traceId, service.traceId)
  // The OTLP exporter of Effect marks every failed span as interrupted: not ours to mend.
  const { "span.label": _, "status.interrupted": __, ...attributes } = span.attributes
  assert.deepStrictEqual(attributes, {
    "http.request.method": "GET",
    "server.address": "127.0.0.1",
    "server.port": Number(new URL(baseUrl).port),
    "url.full": `${baseUrl}/checkout/sessions/${id}`,
    "url.template": template,
    ...(index === 0 ? {} : { "http.request.resend_count": index }),
    ...(attempt.error === "Connect"
      ? {}
      : { "network.peer.address": "127.0.0.1", "network.peer.port": Number(new URL(baseUrl).port) }),
    ...(attempt.status === undefined ? {} : { "http.response.status_code": attempt.status }),
    ...(attempt.error === undefined ? {} : { "error.type": attempt.error }),
    ...(attempt.error === "Connect" ? { "gr4vy.error.code": "ECONNREFUSED" } : {}),
    ...(attempt.error === "Disconnected" ? { "gr4vy.error.code": "UND_ERR_SOCKET" } : {})
  })
  assert.strictEqual(span.status, attempt.error === undefined ? setUp.clientStatus.success : "error")
  if (!setUp.clientStatus.description) assert.isUndefined(span.description)
}

describe.each(setUps)("in $name", (setUp) => {
  it.live.each(paths)("$name", (path) =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* Script.script(...path.answers)
      const spans = yield* setUp.observe(Effect.provide(path.call ?? getIt, layerFor(baseUrl, path.retry)))
      const { clients, service } = parts(spans)

      assert.lengthOf(requests, path.attempts.length)
      assert.strictEqual(service.name, "CheckoutSessions.get")
      assert.strictEqual(service.kind, "internal")
      assert.strictEqual(service.status, path.service === "error" ? "error" : setUp.serviceSuccess)
      assert.lengthOf(clients, path.attempts.length)
      clients.forEach((client, index) => {
        const attempt = path.attempts[index] ?? {}
        checkClient(setUp, client, service, baseUrl, attempt, index)
        // What the server saw is the span that was recorded.
        const flags = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(String(requests[index]?.headers["traceparent"]))
        assert.deepStrictEqual(flags?.slice(1), [client.traceId, client.spanId])
      })
      // One event for each wait before a retry, with its reason.
      const retries = service.events.filter((_) => _.name === "gr4vy.retry")
      assert.deepStrictEqual(
        retries.map((_) => _.attributes["error.type"]),
        path.attempts.slice(0, -1).map((_) => _.error)
      )
      for (const { attributes } of retries) assert.isNumber(attributes["gr4vy.retry.delay_ms"])
    }).pipe(Effect.scoped)
  )

  it.live("refused", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Effect.scoped(Script.script(Script.session))
      const spans = yield* setUp.observe(Effect.provide(getIt, layerFor(baseUrl, RetryPolicy.none)))
      const { clients, service } = parts(spans)
      assert.lengthOf(clients, 1)
      clients.forEach((client) => {
        checkClient(setUp, client, service, baseUrl, { error: "Connect" }, 0)
      })
    })
  )

  it.live("interrupted: ended, cancelled, no error.type and no Error", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const { baseUrl } = yield* Script.script(() => Effect.runSync(Deferred.succeed(arrived, undefined)))
      const spans = yield* setUp.observe(
        Effect.gen(function* () {
          const fiber = yield* Effect.fork(getIt)
          yield* Deferred.await(arrived)
          yield* Fiber.interrupt(fiber)
        }).pipe(Effect.provide(layerFor(baseUrl)))
      )
      const { clients, service } = parts(spans)
      assert.lengthOf(clients, 1)
      for (const span of [service, ...clients]) {
        assert.notStrictEqual(span.status, "error")
        assert.notProperty(span.attributes, "error.type")
        assert.strictEqual(span.attributes["gr4vy.cancelled"], true)
      }
      if (setUp.clientStatus.success === "unset") assert.strictEqual(clients[0]?.status, "unset")
    }).pipe(Effect.scoped)
  )

  it.live("no spans, and still one traceparent, with tracing switched off", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* Script.script(Script.session)
      const spans = yield* setUp.observe(
        getIt.pipe(Effect.withSpan("mine"), Effect.withTracerEnabled(false), Effect.provide(layerFor(baseUrl)))
      )
      assert.deepStrictEqual(spans, [])
      // A registered propagator has nothing to tell; without one a trace begins here, which nobody records.
      const traceparent = requests[0]?.headers["traceparent"]
      if (traceparent !== undefined) assert.match(String(traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    }).pipe(Effect.scoped)
  )

  it.live("Effect.annotateSpans reaches every span of a call", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      const spans = yield* setUp.observe(
        getIt.pipe(Effect.annotateSpans("tenant", "plantly"), Effect.provide(layerFor(baseUrl)))
      )
      assert.deepStrictEqual(
        spans.map((span) => span.attributes["tenant"]),
        ["plantly", "plantly"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("headers, bodies and the token are nowhere in it", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.status(401, { "x-secret": "hush" }))
      const spans = yield* setUp.observe(Effect.provide(getIt, layerFor(baseUrl)))
      assert.isAbove(spans.length, 0)
      assert.notMatch(JSON.stringify(spans), /token"|hush|Bearer/i)
    }).pipe(Effect.scoped)
  )
})

describe("a tracer", () => {
  it.live("of OpenTelemetry samples by the attributes that a CLIENT span has from its start", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.session)
      const decided: Array<unknown> = []
      const sampler: Sampler = {
        shouldSample: (_, __, name, ___, attributes) => {
          decided.push([name, attributes["url.full"], attributes["server.port"]])
          return { decision: SamplingDecision.NOT_RECORD }
        }
      }
      new NodeTracerProvider({ sampler }).register()
      yield* getIt.pipe(Effect.provide(layerFor(baseUrl)), Effect.provide(OtelTracer.layer))
      assert.deepStrictEqual(decided, [
        ["CheckoutSessions.get", undefined, undefined],
        [`GET ${template}`, `${baseUrl}/checkout/sessions/${id}`, Number(new URL(baseUrl).port)]
      ])
    }).pipe(Effect.ensuring(Effect.sync(unregister)), Effect.scoped)
  )

  it.live("that wraps another tracer's spans, as DevTools do, sees them end", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Script.script(Script.status(404))
      const ended: Array<string> = []
      const inner = OtelTracer.make()
      const wrapping = Tracer.make({
        span: (...args) => {
          const span = inner.span(...args)
          const end = span.end
          span.end = (...ending) => {
            ended.push(span.name)
            end.apply(span, ending)
          }
          return span
        },
        context: (f, fiber) => inner.context(f, fiber)
      })
      yield* Effect.exit(getIt).pipe(Effect.provide(layerFor(baseUrl)), Effect.withTracer(wrapping))
      assert.deepStrictEqual(ended, [`GET ${template}`, "CheckoutSessions.get"])
    }).pipe(Effect.scoped)
  )
})
