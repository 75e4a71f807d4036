import { afterEach, assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
import * as Otel from "@opentelemetry/api"
import { CompositePropagator } from "@opentelemetry/core"
import { B3InjectEncoding, B3Propagator } from "@opentelemetry/propagator-b3"
import { NodeSDK } from "@opentelemetry/sdk-node"
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Effect, Layer, Redacted, Tracer } from "effect"
import * as Script from "../../support/script.js"
import { registered, unregister } from "../../support/setUps.js"
import { Recorder } from "../../support/spans.js"

afterEach(unregister)

const getIt = Effect.flatMap(CheckoutSessions, (sessions) =>
  sessions.get(CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51"))
)

/** The headers of one call's requests, as the server saw them; names as often as they came. */
const headersOf = (options: {
  readonly tracer?: Layer.Layer<never>
  readonly propagateTrace?: boolean
  readonly around?: (call: Effect.Effect<unknown, unknown>) => Effect.Effect<unknown, unknown>
  readonly answers?: ReadonlyArray<Script.Answer>
}) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* Script.script(...(options.answers ?? [Script.session]))
      const call = Effect.provide(
        getIt,
        Gr4vy.layer({
          baseUrl,
          token: Redacted.make("token"),
          ...(options.propagateTrace === undefined ? {} : { propagateTrace: options.propagateTrace })
        })
      )
      yield* (options.around ?? ((_) => _))(call).pipe(Effect.provide(options.tracer ?? Layer.empty))
      return requests.map(
        ({ headers, rawHeaders }): Record<string, unknown> => ({
          ...headers,
          traceparents: rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "traceparent").length
        })
      )
    })
  )

const w3c = /^00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]$/

describe("the trace's context in headers", () => {
  it.live("is W3C with baggage by OpenTelemetry's default propagators, exactly once", () =>
    Effect.gen(function* () {
      const [headers, spans] = yield* registered(
        headersOf({
          tracer: OtelTracer.layer,
          around: (call) =>
            Effect.promise(() =>
              Otel.context.with(
                Otel.propagation.setBaggage(
                  Otel.context.active(),
                  Otel.propagation.createBaggage({ tenant: { value: "plantly" } })
                ),
                () => Effect.runPromise(Effect.provide(call, OtelTracer.layer))
              )
            )
        })
      )
      const client = spans.find((_) => _.kind === "client")
      assert.deepStrictEqual(
        headers.map(({ b3, baggage, traceparent, traceparents }) => ({ b3, baggage, traceparent, traceparents })),
        [
          {
            b3: undefined,
            baggage: "tenant=plantly",
            traceparent: `00-${client?.traceId}-${client?.spanId}-01`,
            traceparents: 1
          }
        ]
      )
    })
  )

  it.live.each([
    { name: "one b3 header", propagator: new B3Propagator(), header: "b3" },
    {
      name: "several x-b3 headers",
      propagator: new B3Propagator({ injectEncoding: B3InjectEncoding.MULTI_HEADER }),
      header: "x-b3-spanid"
    }
  ])("is what B3 says where that is registered: $name", ({ header, propagator }) =>
    Effect.gen(function* () {
      const [[headers], spans] = yield* registered(headersOf({ tracer: OtelTracer.layer }), propagator)
      const client = spans.find((_) => _.kind === "client")
      assert.include(String(headers?.[header]), client?.spanId ?? "no span")
      assert.strictEqual(headers?.["traceparents"], 0)
    })
  )

  it.live("is W3C from the Effect span where no propagator is registered", () =>
    Effect.gen(function* () {
      const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
      const [headers] = yield* headersOf({
        around: Effect.withParentSpan({
          _tag: "ExternalSpan",
          traceId: trace,
          spanId: "00f067aa0ba902b7",
          sampled: false,
          context: yield* Effect.context<never>()
        })
      })
      assert.strictEqual(headers?.["traceparent"], `00-${trace}-00f067aa0ba902b7-00`)
      assert.strictEqual(headers?.["traceparents"], 1)
      assert.notProperty(headers, "b3")
    })
  )

  it.live("begins one trace for all requests of a call where there is no span at all", () =>
    Effect.gen(function* () {
      const headers = yield* headersOf({ answers: [Script.status(503), Script.session] })
      const ids = headers.map((_) => w3c.exec(String(_["traceparent"])) ?? [])
      assert.lengthOf(ids, 2)
      assert.isDefined(ids[0]?.[1])
      assert.strictEqual(ids[0]?.[1], ids[1]?.[1])
      assert.notStrictEqual(ids[0]?.[2], ids[1]?.[2])
    })
  )

  it.live("is one valid traceparent with OtelTracer but no SDK, inside a span of the program's too", () =>
    Effect.gen(function* () {
      for (const around of [undefined, Effect.withSpan("checkout")]) {
        const [headers] = yield* headersOf({ tracer: OtelTracer.layer, ...(around === undefined ? {} : { around }) })
        assert.strictEqual(headers?.traceparents, 1)
        const [, traceId, spanId] = w3c.exec(String(headers?.["traceparent"])) ?? []
        assert.match(traceId ?? "", /[1-9a-f]/)
        assert.match(spanId ?? "", /[1-9a-f]/)
      }
    })
  )

  it.live("follows an SDK that is registered after the tracer was installed", () =>
    Effect.gen(function* () {
      const [[, headers], spans] = yield* Effect.gen(function* () {
        const before = yield* headersOf({})
        const [after, spans] = yield* registered(headersOf({}))
        return [[before[0], after[0]], spans] as const
      }).pipe(Effect.provide(OtelTracer.layer))
      const client = spans.find((span) => span.kind === "client")
      assert.isDefined(client)
      assert.include(String(headers?.["traceparent"]), client?.traceId ?? "none")
    })
  )

  it.live.each([
    { name: "nothing registered", within: <A, E>(effect: Effect.Effect<A, E>) => effect },
    {
      name: "an SDK registered",
      within: <A, E>(effect: Effect.Effect<A, E>) => Effect.map(registered(effect), ([a]) => a)
    }
  ])("is not sent with propagateTrace: false ($name)", ({ within }) =>
    Effect.gen(function* () {
      const [headers] = yield* within(headersOf({ propagateTrace: false, tracer: OtelTracer.layer }))
      for (const name of ["traceparent", "tracestate", "baggage", "b3"]) assert.notProperty(headers, name)
    })
  )

  it.live("claims nothing recorded where nothing is: without a tracer the sampled flag is off", () =>
    Effect.gen(function* () {
      for (const around of [undefined, Effect.withSpan("checkout")]) {
        const [headers] = yield* headersOf(around === undefined ? {} : { around })
        assert.match(String(headers?.["traceparent"]), /-00$/)
        assert.strictEqual(headers?.traceparents, 1)
      }
    })
  )

  it.live("keeps the flag of another process's span, also where this one records nothing", () =>
    Effect.gen(function* () {
      const upstream = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", sampled: true }
      const [headers] = yield* headersOf({ around: Effect.withParentSpan(Tracer.externalSpan(upstream)) })
      assert.strictEqual(headers?.["traceparent"], `00-${upstream.traceId}-${upstream.spanId}-01`)
    })
  )

  it.live.each([
    { name: "OTEL_PROPAGATORS=none", propagators: "none", spans: true },
    { name: "OTEL_PROPAGATORS=none, without any exporter", propagators: "none", spans: false },
    { name: "OTEL_PROPAGATORS=tracecontext", propagators: "tracecontext", spans: true }
  ])("does what an SDK was told: $name", ({ propagators, spans }) =>
    Effect.gen(function* () {
      process.env["OTEL_PROPAGATORS"] = propagators
      const sdk = new NodeSDK({
        instrumentations: [],
        spanProcessors: spans ? [new SimpleSpanProcessor(new Recorder())] : [],
        metricReaders: [],
        logRecordProcessors: []
      })
      sdk.start()
      delete process.env["OTEL_PROPAGATORS"]
      yield* Effect.addFinalizer(() => Effect.promise(() => sdk.shutdown()))
      const [headers] = yield* headersOf({ tracer: OtelTracer.layer })
      assert.strictEqual(headers?.traceparents, propagators === "none" ? 0 : 1)
      assert.notProperty(headers, "baggage")
    }).pipe(Effect.scoped)
  )

  it.live("is nothing where the registered propagator has no fields, with no SDK either", () =>
    Effect.gen(function* () {
      Otel.propagation.setGlobalPropagator(new CompositePropagator({ propagators: [] }))
      const [headers] = yield* headersOf({})
      assert.strictEqual(headers?.traceparents, 0)
    })
  )

  it.live("never fails the request: headers that HTTP cannot carry are dropped", () =>
    Effect.gen(function* () {
      const propagator: Otel.TextMapPropagator = {
        fields: () => ["x-bad", "x-good"],
        inject: (_, carrier, setter) => {
          setter.set(carrier, "x-bad", "line\r\nbreak: yes")
          setter.set(carrier, "x-good", "fine")
        },
        extract: (context) => context
      }
      const [[headers]] = yield* registered(headersOf({ tracer: OtelTracer.layer }), propagator)
      assert.strictEqual(headers?.["x-good"], "fine")
      assert.notProperty(headers, "x-bad")
      assert.notProperty(headers, "break")
    })
  )
})
