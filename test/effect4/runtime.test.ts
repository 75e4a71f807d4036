/** What the runtime of Effect 4 decides: interruption, traces, logs, metrics, time. */
import { CheckoutSessions, Generic, RequestFailed, RetryPolicy } from "@effect-gr4vy/effect4"
import { Effect as Effect3, Exit as Exit3, Scope as Scope3 } from "effect"
import { Deferred, Effect, Exit, Fiber, Layer, Logger, Metric, Random, Redacted, References, Tracer } from "effect4"
import { FetchHttpClient } from "effect4/http"
import { Otlp } from "effect4/observability"
import { TestClock } from "effect4/testing"
import { assert, describe, it } from "vitest"
import { otlpReceiver } from "../support/otlpReceiver.js"
import { session, sessionId, silent, status } from "../support/script.js"
import { serving } from "./server.js"

const token = Redacted.make("a-token-of-these-tests")

const get = Effect.flatMap(CheckoutSessions, (sessions) => sessions.get(sessionId))

const run = <A, E>(effect: Effect.Effect<A, E, never>) => Effect.runPromise(effect)

/** A tracer that keeps its spans. */
const recording = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, tracer: Layer.succeed(Tracer.Tracer, tracer) }
}

describe("interruption in Effect 4", () => {
  it("ends the request on the wire, the spans are cancelled, and the next call works", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(silent, session)
          const { spans, tracer } = recording()
          yield* Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(get)
            yield* server.asked(1)
            yield* Fiber.interrupt(fiber)
            assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
            // Not before: the client is still open.
            yield* server.quiet
            assert.deepStrictEqual(
              spans.map((span) => [span.name, span.status._tag, span.attributes.get("gr4vy.cancelled")]),
              [
                ["CheckoutSessions.get", "Ended", true],
                ["GET /checkout/sessions/{checkout_session_id}", "Ended", true]
              ]
            )
            yield* get
          }).pipe(Effect.provide([CheckoutSessions.layer({ baseUrl: server.baseUrl, token }), tracer]))
        })
      )
    ))

  it("1,000 interrupted calls leave no socket", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(silent)
          yield* Effect.gen(function* () {
            const fibers = yield* Effect.forEach(Array.from({ length: 1000 }), () => Effect.forkChild(get))
            yield* server.asked(64)
            yield* Effect.forEach(fibers, Fiber.interrupt, { concurrency: "unbounded" })
            yield* server.quiet
            assert.strictEqual(server.sockets.size, 0)
          }).pipe(Effect.provide(CheckoutSessions.layer({ baseUrl: server.baseUrl, token })))
        })
      )
    ))
})

const otlp = (url: string) =>
  Otlp.layerJson({ baseUrl: url, resource: { serviceName: "shop" } }).pipe(Layer.provide(FetchHttpClient.layer))

describe("traces in Effect 4", () => {
  it("arrive from its own OTLP exporter at a receiver, under the program's span, with traceparent from them", async () => {
    const scope = await Effect3.runPromise(Scope3.make())
    const receiver = await Effect3.runPromise(Scope3.extend(otlpReceiver, scope))
    await run(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(status(503, { "retry-after": "0" }), session)
          yield* Effect.withSpan(get, "checkout").pipe(
            Effect.provide([CheckoutSessions.layer({ baseUrl: server.baseUrl, token }), otlp(receiver.url)])
          )
          const spans = receiver.spans()
          const named = (name: string) => spans.filter((span) => span.name === name)
          const [program] = named("checkout")
          const [call] = named("CheckoutSessions.get")
          const requests = named("GET /checkout/sessions/{checkout_session_id}")
          assert.strictEqual(call?.parentSpanId, program?.spanId)
          assert.deepStrictEqual(
            requests.map((span) => span.parentSpanId),
            [call?.spanId, call?.spanId]
          )
          assert.deepStrictEqual(
            requests.map((span) => span.attributes["http.response.status_code"]).sort(),
            [200, 503]
          )
          assert.deepStrictEqual(
            call?.events.map((event) => event.name),
            ["gr4vy.retry"]
          )
          // The order of spans is the exporter's, that of requests the wire's.
          assert.sameMembers(
            server.requests.map(({ headers }) => headers["traceparent"]),
            requests.map((span) => `00-${span.traceId}-${span.spanId}-01`)
          )
        })
      )
    )
    await Effect3.runPromise(Scope3.close(scope, Exit3.void))
  })

  it("have a failed call's error.type, and native errors in their exit", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(status(418))
          const { spans, tracer } = recording()
          yield* Effect.exit(get).pipe(
            Effect.provide([CheckoutSessions.layer({ baseUrl: server.baseUrl, token }), tracer])
          )
          const [call, request] = spans
          assert.strictEqual(call?.attributes.get("error.type"), "418")
          assert.strictEqual(request?.attributes.get("http.response.status_code"), 418)
          const status_ = call?.status
          const exit = status_?._tag === "Ended" ? status_.exit : Exit.void
          assert.isTrue(Exit.isFailure(exit))
          const error = yield* Effect.flip(exit)
          assert.instanceOf(error, Generic)
        })
      )
    ))

  it("without a tracer a request belongs to a trace that is not sampled, or to the remote parent's", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(session)
          const remote = Tracer.externalSpan({
            traceId: "0af7651916cd43dd8448eb211c80319c",
            spanId: "b7ad6b7169203331",
            sampled: true
          })
          yield* Effect.andThen(get, Effect.withParentSpan(get, remote)).pipe(
            Effect.provide(CheckoutSessions.layer({ baseUrl: server.baseUrl, token }))
          )
          const [first, second] = server.requests.map(({ headers }) => String(headers["traceparent"]))
          assert.match(first ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
          assert.strictEqual(second, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        })
      )
    ))

  it("no span is made where tracing is off", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(session)
          const { spans, tracer } = recording()
          yield* get.pipe(
            Effect.provideService(References.TracerEnabled, false),
            Effect.provide([CheckoutSessions.layer({ baseUrl: server.baseUrl, token }), tracer])
          )
          assert.isEmpty(spans)
        })
      )
    ))
})

describe("logs and metrics in Effect 4", () => {
  it("lines go to its Logger at their level, with the program's annotations and ours", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(status(401))
          const lines: Array<readonly [string, string, Readonly<Record<string, unknown>>]> = []
          const logger = Logger.make(({ fiber, logLevel, message }) => {
            lines.push([logLevel, String(message), fiber.getRef(References.CurrentLogAnnotations)])
          })
          yield* Effect.exit(get).pipe(
            Effect.annotateLogs({ order: "1001" }),
            Effect.provide([CheckoutSessions.layer({ baseUrl: server.baseUrl, token }), Logger.layer([logger])])
          )
          const [line] = lines
          assert.lengthOf(lines, 1)
          assert.strictEqual(line?.[0], "Warn")
          assert.match(line?.[1] ?? "", /failed with 401: check the token/)
          assert.include(line?.[2], { order: "1001", "error.type": "401", "gr4vy.attempts": 1 })
        })
      )
    ))

  it("metrics go to its registry, and gauges leave it with the client", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(session)
          const names = Effect.map(Metric.snapshot, (all) => all.map(({ id }) => id))
          const open = Effect.gen(function* () {
            yield* get
            yield* get
            const all = yield* Metric.snapshot
            const requests = all.find(({ id }) => id === "http.client.request.duration")
            assert.strictEqual(requests?.type === "Histogram" ? requests.state.count : 0, 2)
            assert.include(requests?.attributes, { "http.request.method": "GET", "http.response.status_code": "200" })
            const idle = all.find(
              ({ attributes, id }) =>
                id === "http.client.open_connections" && attributes?.["http.connection.state"] === "idle"
            )
            assert.strictEqual(idle?.type === "Counter" ? idle.state.count : 0, 1)
            return yield* names
          }).pipe(Effect.provide(CheckoutSessions.layer({ baseUrl: server.baseUrl, token })))
          assert.include(yield* open, "gr4vy.client.retry_budget")
          const left = yield* names
          assert.notInclude(left, "gr4vy.client.retry_budget")
          assert.include(left, "gr4vy.client.call.duration")
        }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))
      )
    ))
})

describe("time in Effect 4", () => {
  it("the wait before a retry is the program's clock's and random's", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(status(503), session)
          const retried = yield* Deferred.make<void>()
          const logger = Logger.make(({ message }) => {
            if (String(message).includes("is retried in 1000 ms")) Deferred.doneUnsafe(retried, Effect.void)
          })
          yield* Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(get)
            yield* server.asked(1)
            // The answer arrives in the network's own time.
            yield* Deferred.await(retried)
            yield* TestClock.adjust(999)
            assert.lengthOf(server.requests, 1)
            yield* TestClock.adjust(1)
            yield* Fiber.join(fiber)
            assert.lengthOf(server.requests, 2)
          }).pipe(
            Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0.5, nextIntUnsafe: () => 0 }),
            RetryPolicy.withPolicy(RetryPolicy.make({ baseDelay: "2 seconds" })),
            Effect.provideService(References.MinimumLogLevel, "Trace"),
            Effect.provide([
              CheckoutSessions.layer({ baseUrl: server.baseUrl, token }),
              TestClock.layer(),
              Logger.layer([logger])
            ])
          )
        })
      )
    ))

  it("the limits of an attempt and of a call are the program's clock's", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const server = yield* serving(silent)
          yield* Effect.gen(function* () {
            const fiber = yield* Effect.forkChild(RetryPolicy.withPolicy(Effect.flip(get), RetryPolicy.none))
            yield* server.asked(1)
            yield* TestClock.adjust("10 seconds")
            const error = yield* Fiber.join(fiber)
            assert.instanceOf(error, RequestFailed)
            assert.deepStrictEqual([error.reason, error.delivered], ["Timeout", "unknown"])
          }).pipe(Effect.provide([CheckoutSessions.layer({ baseUrl: server.baseUrl, token }), TestClock.layer()]))
        })
      )
    ))
})
