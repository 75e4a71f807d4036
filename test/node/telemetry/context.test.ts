import { createServer, type RequestListener } from "node:http"
import { FetchHttpClient } from "@effect/platform"
import { afterAll, afterEach, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import * as Otel from "@opentelemetry/api"
import { isTracingSuppressed } from "@opentelemetry/core"
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Deferred, Effect, Fiber, Layer, ManagedRuntime, Redacted, Runtime } from "effect"
import { newPair, pkcs8 } from "../../support/keys.js"
import { unregister } from "../../support/setUps.js"
import { Recorder, type Shown } from "../../support/spans.js"

const recorder = new Recorder()
const privateKey = pkcs8(newPair().privateKey)

beforeAll(() => {
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(recorder)] }).register()
})
beforeEach(() => void recorder.take())
afterEach(() => assert.strictEqual(Otel.trace.getActiveSpan(), undefined))
afterAll(unregister)

const tracer = Otel.trace.getTracer("the application")

/** Runs `f` inside a span of its own, as an instrumented request handler does, and yields that span's trace id. */
const inTrace = <A>(name: string, f: (traceId: string) => Promise<A>): Promise<A> =>
  tracer.startActiveSpan(name, async (span) => {
    try {
      return await f(span.spanContext().traceId)
    } finally {
      span.end()
    }
  })

const tick = () => new Promise((resolve) => setImmediate(resolve))

const sandbox = Sandbox.layer()
const sessionsOver = (extra: { readonly foreign?: boolean } = {}) =>
  Layer.unwrapEffect(
    Effect.map(Sandbox.Sandbox, ({ baseUrl }) => {
      const options = { baseUrl, token: Redacted.make("token") }
      return extra.foreign === true
        ? Layer.provide(Gr4vy.layerWithoutTransport(options), FetchHttpClient.layer)
        : Gr4vy.layer(options)
    })
  ).pipe(Layer.provideMerge(sandbox))

const withRuntime = <R, A>(
  layer: Layer.Layer<R, unknown>,
  f: (runtime: ManagedRuntime.ManagedRuntime<R, unknown>) => Promise<A>
) =>
  Effect.acquireUseRelease(
    Effect.sync(() => ManagedRuntime.make(layer)),
    (runtime) => Effect.promise(() => f(runtime)),
    (runtime) => Effect.promise(() => runtime.dispose())
  )

const traced = Layer.provideMerge(sessionsOver(), OtelTracer.layer)
const getSome = Effect.flatMap(CheckoutSessions, (sessions) =>
  Effect.flip(sessions.get(CheckoutSessionId.make("unknown")))
)
const tracesOf = (spans: ReadonlyArray<Shown>, name: string) =>
  spans.filter((_) => _.name === name).map((_) => _.traceId)

describe("a call without an Effect parent", () => {
  it.live("joins the trace of the handler it is made in", () =>
    withRuntime(traced, async (runtime) => {
      await runtime.runPromise(Effect.void)
      const handled = new Promise<string>((resolve) => {
        const listener: RequestListener = (_, response) => {
          inTrace("POST /pay", async (traceId) => {
            await tick()
            await runtime.runPromise(getSome)
            response.end()
            return traceId
          }).then(resolve)
        }
        const server = createServer(listener).listen(0, "127.0.0.1", async () => {
          const address = server.address()
          await fetch(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`)
          server.close()
        })
      })
      const traceId = await handled
      const spans = recorder.take()
      assert.deepStrictEqual(new Set(spans.map((_) => _.traceId)), new Set([traceId]))
      const handler = spans.find((_) => _.name === "POST /pay")
      assert.strictEqual(spans.find((_) => _.name === "CheckoutSessions.get")?.parentSpanId, handler?.spanId)
    })
  )

  it.live("is the child of an Effect span where there is one", () =>
    withRuntime(traced, (runtime) =>
      inTrace("outer", async () => {
        await runtime.runPromise(Effect.withSpan(getSome, "mine"))
        const spans = recorder.take()
        const mine = spans.find((_) => _.name === "mine")
        assert.strictEqual(spans.find((_) => _.name === "CheckoutSessions.get")?.parentSpanId, mine?.spanId)
      })
    )
  )

  it.live("begins a trace of its own with root: true", () =>
    withRuntime(traced, (runtime) =>
      inTrace("outer", async (traceId) => {
        await runtime.runPromise(Effect.withSpan(getSome, "mine", { root: true }))
        const [service] = tracesOf(recorder.take(), "CheckoutSessions.get")
        assert.isDefined(service)
        assert.notStrictEqual(service, traceId)
      })
    )
  )
})

describe("traces do not mix", () => {
  it.live("100 at once over one shared layer, with awaits and the minting of a token in between", () =>
    withRuntime(
      Layer.unwrapEffect(
        Effect.map(Sandbox.Sandbox, ({ baseUrl }) => Gr4vy.layer({ baseUrl, privateKey: Redacted.make(privateKey) }))
      ).pipe(Layer.provideMerge(sandbox), Layer.provideMerge(OtelTracer.layer)),
      async (runtime) => {
        await runtime.runPromise(Effect.void)
        const expected = await Promise.all(
          Array.from({ length: 100 }, (_, i) =>
            inTrace(`request ${i}`, async (traceId) => {
              if (i % 3 === 0) await tick()
              const program = Effect.gen(function* () {
                const sessions = yield* CheckoutSessions
                if (i % 2 === 0) yield* Effect.yieldNow()
                yield* Effect.flip(sessions.get(CheckoutSessionId.make(`a${i}`)))
                if (i % 5 === 0) yield* Effect.sleep("1 millis")
                yield* Effect.flip(sessions.get(CheckoutSessionId.make(`b${i}`)))
              })
              await runtime.runPromise(i % 7 === 0 ? Effect.withSpan(program, "mine") : program)
              assert.strictEqual(Otel.trace.getActiveSpan()?.spanContext().traceId, traceId)
              return [i, traceId] as const
            })
          )
        )
        const seen = await runtime.runPromise(Effect.flatMap(Sandbox.Sandbox, (_) => _.seen))
        const spans = recorder.take()
        for (const [i, traceId] of expected) {
          for (const name of [`a${i}`, `b${i}`]) {
            const requests = seen.filter((_) => _.path.endsWith(`/${name}`))
            assert.lengthOf(requests, 1)
            assert.include(requests[0]?.headers["traceparent"], traceId)
          }
          const inside = spans.filter((_) => _.traceId === traceId)
          assert.lengthOf(inside, i % 7 === 0 ? 6 : 5)
          assert.strictEqual(inside.filter((_) => _.kind === "client").length, 2)
        }
      }
    )
  )

  it.live("a runtime that was captured in one request does not carry its trace into others", () =>
    Effect.promise(async () => {
      const captured = await inTrace("first", () =>
        Effect.runPromise(
          Effect.provide(Effect.zipRight(Effect.sleep("1 millis"), Effect.runtime<never>()), OtelTracer.layer)
        )
      )
      const managed = ManagedRuntime.make(OtelTracer.layer)
      const first = await inTrace("first", async (traceId) => {
        await managed.runPromise(Effect.withSpan(Effect.void, "inside"))
        return traceId
      })
      const others = await inTrace("second", async (traceId) => {
        await Runtime.runPromise(captured)(Effect.withSpan(Effect.void, "inside"))
        await managed.runPromise(Effect.withSpan(Effect.void, "inside"))
        return traceId
      })
      await Runtime.runPromise(captured)(Effect.withSpan(Effect.void, "outside"))
      await managed.runPromise(Effect.withSpan(Effect.void, "outside"))
      const spans = recorder.take()
      assert.deepStrictEqual(tracesOf(spans, "inside"), [first, others, others])
      for (const traceId of tracesOf(spans, "outside")) assert.notInclude([first, others], traceId)
      assert.strictEqual(new Set(tracesOf(spans, "outside")).size, 2)
    })
  )

  it.live("a forked fiber stays in the trace in which it was forked, whichever fiber resumes it", () =>
    Effect.promise(async () => {
      const runtime = ManagedRuntime.make(OtelTracer.layer)
      const gate = Deferred.unsafeMake<void>(await runtime.runPromise(Effect.fiberId))
      const fork = (i: number) =>
        inTrace(`request ${i}`, async (traceId) => {
          const fiber = await runtime.runPromise(
            Deferred.await(gate).pipe(
              Effect.zipRight(Effect.all([Effect.withSpan(Effect.void, `span ${i}`), Effect.yieldNow()])),
              Effect.forkDaemon
            )
          )
          return { i, traceId, fiber }
        })
      const forks = await Promise.all([1, 2, 3, 4, 5].map(fork))
      // All of them are woken by one other trace, in one go.
      await inTrace("waker", () => runtime.runPromise(Deferred.succeed(gate, undefined)))
      await runtime.runPromise(Fiber.joinAll(forks.map((_) => _.fiber)))
      const spans = recorder.take()
      for (const { i, traceId } of forks) assert.deepStrictEqual(tracesOf(spans, `span ${i}`), [traceId])
    })
  )
})

describe("instrumented code", () => {
  it.live.each([
    { name: "Effect.sync", run: (f: () => void) => Effect.sync(f) },
    {
      name: "Effect.promise, after an await",
      run: (f: () => void) =>
        Effect.promise(async () => {
          await tick()
          f()
        })
    },
    { name: "a forked fiber", run: (f: () => void) => Effect.flatMap(Effect.fork(Effect.sync(f)), Fiber.join) }
  ])("sees the Effect span it runs in as its parent: $name", ({ run }) =>
    Effect.gen(function* () {
      yield* run(() => tracer.startActiveSpan("SELECT", (span) => span.end())).pipe(
        Effect.withSpan("mine"),
        Effect.provide(OtelTracer.layer)
      )
      const spans = recorder.take()
      assert.strictEqual(
        spans.find((_) => _.name === "SELECT")?.parentSpanId,
        spans.find((_) => _.name === "mine")?.spanId
      )
    })
  )

  it.live.each([
    { name: "over undici, without a tracer", layer: sessionsOver() },
    { name: "over undici, with OtelTracer", layer: traced },
    { name: "over fetch, without a tracer", layer: sessionsOver({ foreign: true }) },
    {
      name: "over fetch, with OtelTracer",
      layer: Layer.provideMerge(sessionsOver({ foreign: true }), OtelTracer.layer)
    }
  ])("is not suppressed after a call: $name", ({ layer }) =>
    withRuntime(layer, (runtime) =>
      inTrace("outer", async (traceId) => {
        const after = Effect.sync(() => {
          assert.isFalse(isTracingSuppressed(Otel.context.active()))
          assert.strictEqual(Otel.trace.getActiveSpan()?.spanContext().traceId, traceId)
        })
        await runtime.runPromise(Effect.all([getSome, after, getSome, after, Effect.sleep("1 millis"), after]))
        await runtime.runPromise(after)
        assert.isFalse(isTracingSuppressed(Otel.context.active()))
        const seen = await runtime.runPromise(Effect.flatMap(Sandbox.Sandbox, (_) => _.seen))
        assert.lengthOf(seen, 2)
        for (const { headers } of seen) assert.include(headers["traceparent"], traceId)
      })
    )
  )
})
