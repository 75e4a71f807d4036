import { afterEach, assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
import * as Otel from "@opentelemetry/api"
import { Effect, Layer, Redacted, Tracer } from "effect"
import { activate } from "../../../packages/node/dist/internal/otel/context.js"
import * as Script from "../../support/script.js"
import { unregister } from "../../support/setUps.js"

afterEach(unregister)

const boom = (): never => {
  throw new Error("telemetry is broken")
}

const brokenSpan: Otel.Span = {
  spanContext: boom,
  setAttribute: boom,
  setAttributes: boom,
  addEvent: boom,
  addLink: boom,
  addLinks: boom,
  setStatus: boom,
  updateName: boom,
  end: boom,
  isRecording: boom,
  recordException: boom
}

const provider = (tracer: Partial<Otel.Tracer>): Otel.TracerProvider => ({
  getTracer: () => ({ startSpan: boom, startActiveSpan: boom, ...tracer })
})

const brokenContextManager: Otel.ContextManager = {
  active: boom,
  with: boom,
  bind: boom,
  enable: () => brokenContextManager,
  disable: () => brokenContextManager
}

const lateContextManager: Otel.ContextManager = {
  ...brokenContextManager,
  with: (_, f, self, ...args) => {
    f.call(self, ...args)
    return boom()
  }
}

const propagator: Otel.TextMapPropagator = {
  fields: () => ["traceparent"],
  inject: boom,
  extract: boom
}

const meter = (createHistogram: Otel.Meter["createHistogram"]): Otel.MeterProvider => ({
  getMeter: () => ({ ...Otel.createNoopMeter(), createHistogram })
})

/** A tracer of Effect, installed by the application, that throws. */
const brokenEffectTracer = (span: Tracer.Tracer["span"]) => Layer.setTracer(Tracer.make({ span, context: (f) => f() }))

const nativeSpan = (...args: Parameters<Tracer.Tracer["span"]>): Tracer.Span => {
  const [name, parent, context, links, startTime, kind] = args
  return {
    _tag: "Span",
    name,
    spanId: "00f067aa0ba902b7",
    traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
    parent,
    context,
    status: { _tag: "Started", startTime },
    attributes: new Map(),
    links,
    sampled: true,
    kind,
    end: boom,
    attribute: boom,
    event: boom,
    addLinks: boom
  }
}

interface Fault {
  readonly name: string
  readonly register?: () => void
  readonly tracer?: Layer.Layer<never>
}

const faults: ReadonlyArray<Fault> = [
  { name: "a tracer provider", register: () => Otel.trace.setGlobalTracerProvider({ getTracer: boom }) },
  { name: "a tracer's startSpan", register: () => Otel.trace.setGlobalTracerProvider(provider({})) },
  {
    name: "every method of a span",
    register: () => Otel.trace.setGlobalTracerProvider(provider({ startSpan: () => brokenSpan }))
  },
  { name: "a context manager", register: () => Otel.context.setGlobalContextManager(brokenContextManager) },
  {
    name: "a context manager after its function",
    register: () => Otel.context.setGlobalContextManager(lateContextManager)
  },
  { name: "a propagator's inject", register: () => Otel.propagation.setGlobalPropagator(propagator) },
  {
    name: "a propagator's fields",
    register: () => Otel.propagation.setGlobalPropagator({ ...propagator, fields: boom })
  },
  { name: "a meter provider", register: () => Otel.metrics.setGlobalMeterProvider({ getMeter: boom }) },
  { name: "a meter's createHistogram", register: () => Otel.metrics.setGlobalMeterProvider(meter(boom)) },
  {
    name: "a histogram's record",
    register: () => Otel.metrics.setGlobalMeterProvider(meter(() => ({ record: boom })))
  },
  { name: "an Effect tracer's span", tracer: brokenEffectTracer(boom) },
  { name: "every method of an Effect tracer's spans", tracer: brokenEffectTracer(nativeSpan) }
]

describe("a call comes to its result although there throws", () => {
  it.live.each(faults)("$name", ({ register, tracer }) =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* Script.script(Script.status(503), Script.session, Script.status(404))
      register?.()
      const outcome = yield* Effect.gen(function* () {
        const sessions = yield* CheckoutSessions
        const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")
        const session = yield* sessions.get(id)
        const error = yield* Effect.flip(sessions.get(id))
        return [session.id, error._tag]
      }).pipe(
        Effect.provide(Gr4vy.layer({ baseUrl, token: Redacted.make("token") })),
        Effect.provide(tracer ?? OtelTracer.layer)
      )
      assert.deepStrictEqual(outcome, ["9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51", "NotFound"])
      assert.lengthOf(requests, 3)
    }).pipe(Effect.scoped)
  )

  it.live("spans inside a span that cannot be started stay in the trace", () =>
    Effect.gen(function* () {
      Otel.trace.setGlobalTracerProvider(provider({}))
      const parent = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7", traceFlags: 1 }
      const inside = yield* Effect.currentSpan.pipe(
        Effect.withSpan("mine", { parent: Tracer.externalSpan(parent) }),
        Effect.provide(OtelTracer.layer)
      )
      assert.strictEqual(inside.traceId, parent.traceId)
    })
  )

  it("an operation is not lost if a context manager runs a traced program before it", () => {
    const contextManager: Otel.ContextManager = {
      active: () => Otel.ROOT_CONTEXT,
      with: (context, f, self, ...args) => {
        if (context !== inner) activate(inner, () => "inner")
        return f.call(self, ...args)
      },
      bind: (_, target) => target,
      enable: () => contextManager,
      disable: () => contextManager
    }
    const inner = Otel.ROOT_CONTEXT.setValue(Symbol("inner"), true)
    Otel.context.setGlobalContextManager(contextManager)
    assert.strictEqual(
      activate(Otel.ROOT_CONTEXT, () => "outer"),
      "outer"
    )
  })

  it.live("an error that the program throws is not swallowed", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.sync((): void => boom()).pipe(Effect.exit, Effect.provide(OtelTracer.layer))
      assert.strictEqual(exit._tag, "Failure")
    })
  )
})
