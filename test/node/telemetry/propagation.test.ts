import { afterEach, assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, Endpoint } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
import * as Otel from "@opentelemetry/api"
import { CompositePropagator } from "@opentelemetry/core"
import { B3InjectEncoding, B3Propagator } from "@opentelemetry/propagator-b3"
import { JaegerPropagator } from "@opentelemetry/propagator-jaeger"
import { NodeSDK } from "@opentelemetry/sdk-node"
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Effect, Layer, Redacted, Schema, Tracer } from "effect"
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
  readonly propagateBaggage?: boolean
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
          ...(options.propagateTrace === undefined ? {} : { propagateTrace: options.propagateTrace }),
          ...(options.propagateBaggage === undefined ? {} : { propagateBaggage: options.propagateBaggage })
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

/** Runs a call where OpenTelemetry's context has this baggage. */
const withBaggage =
  (...entries: ReadonlyArray<readonly [key: string, value: string]>) =>
  (call: Effect.Effect<unknown, unknown>) =>
    Effect.promise(() => {
      const baggage = Object.fromEntries(entries.map(([key, value]) => [key, { value }]))
      const context = Otel.propagation.setBaggage(Otel.context.active(), Otel.propagation.createBaggage(baggage))
      return Otel.context.with(context, () => Effect.runPromise(Effect.provide(call, OtelTracer.layer)))
    })

describe("the trace's context in headers", () => {
  it.live("is W3C with baggage by OpenTelemetry's default propagators, exactly once", () =>
    Effect.gen(function* () {
      const [headers, spans] = yield* registered(
        headersOf({
          tracer: OtelTracer.layer,
          around: withBaggage(["tenant", "plantly"])
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

  it.live.each([
    [{}, true, true],
    [{ propagateBaggage: false }, true, false],
    [{ propagateTrace: false }, false, false],
    [{ propagateTrace: false, propagateBaggage: true }, false, true]
  ] as const)("and baggage go each by an option of their own: %j", ([options, trace, baggage]) =>
    Effect.gen(function* () {
      for (const propagator of [undefined, new JaegerPropagator()]) {
        const around = withBaggage(["tenant", "plantly"])
        const [[headers]] = yield* registered(headersOf({ ...options, around }), propagator)
        const names = propagator === undefined ? ["traceparent", "baggage"] : ["uber-trace-id", "uberctx-tenant"]
        assert.deepStrictEqual(
          names.map((name) => name in (headers ?? {})),
          [trace, baggage]
        )
      }
    })
  )

  /** A call under a propagator that sets these headers, through its setter or by itself. */
  const injecting = (
    headers: Readonly<Record<string, unknown>>,
    how: "setter" | "carrier" | "then throws" = "setter"
  ) =>
    registered(headersOf({ tracer: OtelTracer.layer }), {
      fields: () => Object.keys(headers),
      inject: (_, carrier, setter) => {
        for (const [name, value] of Object.entries(headers)) {
          // A propagator in plain JavaScript may give anything.
          if (how === "carrier") Object.assign(carrier as object, { [name]: value })
          else setter.set(carrier, name, value as string)
        }
        if (how === "then throws") throw new Error("broken")
      },
      extract: (context) => context
    }).pipe(Effect.map(([[received]]) => received ?? {}))

  const ours = {
    Authorization: "Bearer stolen",
    "User-Agent": "theirs",
    "accept-encoding": "gzip"
  }
  const ofHttp = {
    Host: "evil.example",
    "content-length": "9999",
    "Transfer-Encoding": "chunked",
    Connection: "close, x-sent",
    "keep-alive": "timeout=1",
    "proxy-connection": "close",
    upgrade: "websocket",
    te: "trailers",
    trailer: "x",
    expect: "100-continue",
    "content-type": "text/plain",
    "content-encoding": "gzip",
    accept: "text/html",
    cookie: "a=b",
    range: "bytes=0-1",
    "if-match": "1",
    "idempotency-key": "theirs",
    "x-gr4vy-merchant-account-id": "another",
    "x-http-method-override": "DELETE"
  }

  it.live.each(["setter", "carrier"] as const)("overwrites no header of ours, by its %s", (how) =>
    Effect.gen(function* () {
      const headers = yield* injecting({ ...ours, ...ofHttp, "x-sent": "yes" }, how)
      assert.strictEqual(headers["authorization"], "Bearer token")
      assert.match(String(headers["user-agent"]), /^@effect-gr4vy\/node/)
      assert.strictEqual(headers["accept-encoding"], "identity")
      assert.match(String(headers["host"]), /^127\.0\.0\.1:/)
      assert.strictEqual(headers["connection"], "keep-alive")
      assert.strictEqual(headers["accept"], "application/json")
      const known = [
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "host",
        "traceparents",
        "user-agent",
        "x-sent"
      ]
      assert.sameMembers(Object.keys(headers), known)
    })
  )

  it.live("overwrites no key of a payment and no header of the program's own", () =>
    Effect.gen(function* () {
      const pay = Endpoint.post("Own.pay", "/own", { payload: Schema.Struct({ amount: Schema.Int }), resend: "keyed" })
      const { baseUrl, requests } = yield* Script.script(Script.status(204))
      const http = yield* Gr4vy.makeClient({ baseUrl, token: Redacted.make("token"), merchantAccountId: "ours" })
      const program = Effect.gen(function* () {
        yield* Endpoint.clientOf({ pay }, http).pay({ amount: 1 }, { idempotencyKey: "order-1" })
        yield* http.get("/own", { headers: { "x-own": "ours" } })
      })
      yield* registered(program, {
        fields: () => ["traceparent"],
        inject: (_, carrier, setter) => {
          for (const name of ["idempotency-key", "x-gr4vy-merchant-account-id", "content-length", "x-own"]) {
            setter.set(carrier, name, "7")
          }
        },
        extract: (context) => context
      })
      const [paid, got] = requests.map((_) => _.headers)
      assert.strictEqual(paid?.["idempotency-key"], "order-1")
      assert.strictEqual(paid?.["x-gr4vy-merchant-account-id"], "ours")
      assert.strictEqual(paid?.["content-length"], String('{"amount":1}'.length))
      assert.strictEqual(got?.["x-own"], "ours")
    }).pipe(Effect.scoped)
  )

  it.live("stops no payment: Jaeger with a baggage key that is no header name", () =>
    Effect.gen(function* () {
      const [[headers]] = yield* registered(
        headersOf({ around: withBaggage(["user id", "7"], ["tenant", "plantly"]) }),
        new JaegerPropagator()
      )
      assert.isDefined(headers?.["uber-trace-id"])
      assert.strictEqual(headers?.["uberctx-tenant"], "plantly")
      assert.deepStrictEqual(
        Object.keys(headers ?? {}).filter((name) => name.includes("user id")),
        []
      )
    })
  )

  it.live.each([
    ["a name with a blank", { "x bad": "1" }],
    ["an empty name", { "": "1" }],
    ["a name outside ASCII", { "x-ü": "1" }],
    ["a value with a line break", { "x-bad": "line\r\nbreak: yes" }],
    ["a value outside Latin-1", { "x-bad": "\u{1F4B3}" }],
    ["a value that is no string", { "x-bad": ["1"] }],
    ["a symbol as its value", { "x-bad": Symbol("1") }],
    ["undefined as its value", { "x-bad": undefined }],
    ["a value that no server accepts", { "x-bad": "a".repeat(20_000) }]
  ] as const)("stops no payment: %s is dropped", ([, bad]) =>
    Effect.gen(function* () {
      for (const how of ["setter", "carrier", "then throws"] as const) {
        const headers = yield* injecting({ ...bad, "x-good": "fine" }, how)
        assert.strictEqual(headers["x-good"], "fine", how)
        assert.deepStrictEqual(
          Object.keys(headers).filter((name) => name.startsWith("x-")),
          ["x-good"],
          how
        )
      }
    })
  )

  it.live.each([
    ["fields", { fields: (): ReadonlyArray<string> => assert.fail("broken") }],
    ["no fields", { fields: (): unknown => undefined }],
    ["inject", { inject: (): void => assert.fail("broken") }]
  ] as const)("stops no payment: a propagator that is broken at its %s", ([, broken]) =>
    Effect.gen(function* () {
      const sound = { fields: () => ["x"], inject: () => {}, extract: (context: Otel.Context) => context }
      // A propagator in plain JavaScript may be anything.
      const [headers] = yield* registered(headersOf({ tracer: OtelTracer.layer }), {
        ...sound,
        ...broken
      } as unknown as Otel.TextMapPropagator)
      assert.lengthOf(headers, 1)
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
