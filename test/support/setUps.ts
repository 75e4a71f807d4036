/**
 * The kinds of process a call may be made in, each with the real packages. `observe` runs a program in one of them, and
 * yields the spans that came out of it.
 */
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import * as OtlpSerialization from "@effect/opentelemetry/OtlpSerialization"
import * as OtlpTracer from "@effect/opentelemetry/OtlpTracer"
import { FetchHttpClient } from "@effect/platform"
import { OtelTracer } from "@effect-gr4vy/node"
import * as Otel from "@opentelemetry/api"
import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Effect } from "effect"
import { otlpReceiver } from "./otlpReceiver.js"
import { Recorder, type Shown } from "./spans.js"

export interface SetUp {
  readonly name: string
  readonly observe: <A, E>(program: Effect.Effect<A, E>) => Effect.Effect<ReadonlyArray<Shown>>
  /** What the set-up itself makes of the end of a span; the pipeline decides where it can. */
  readonly clientStatus: { readonly success: Shown["status"]; readonly description: boolean }
  readonly serviceSuccess: Shown["status"]
}

export const nodeSdk: SetUp = {
  name: "an Effect app with the NodeSdk of @effect/opentelemetry",
  observe: (program) =>
    Effect.suspend(() => {
      const recorder = new Recorder()
      return Effect.exit(program).pipe(
        Effect.provide(
          NodeSdk.layer(() => ({ resource: { serviceName: "test" }, spanProcessor: new SimpleSpanProcessor(recorder) }))
        ),
        Effect.map(() => recorder.take())
      )
    }),
  clientStatus: { success: "unset", description: false },
  serviceSuccess: "ok"
}

export const registeredSdk: SetUp = {
  name: "a process that registered an OpenTelemetry SDK, with OtelTracer.layer",
  observe: (program) =>
    Effect.map(registered(Effect.exit(Effect.provide(program, OtelTracer.layer))), ([, spans]) => spans),
  clientStatus: { success: "unset", description: false },
  serviceSuccess: "unset"
}

export const effectOtlp: SetUp = {
  name: "an Effect app with Effect's own OTLP exporter",
  observe: (program) =>
    Effect.scoped(
      Effect.gen(function* () {
        const receiver = yield* otlpReceiver
        yield* Effect.exit(program).pipe(
          Effect.provide(OtlpTracer.layer({ url: `${receiver.url}/v1/traces`, resource: { serviceName: "test" } })),
          Effect.provide(OtlpSerialization.layerJson),
          Effect.provide(FetchHttpClient.layer)
        )
        return receiver.spans()
      })
    ),
  clientStatus: { success: "ok", description: true },
  serviceSuccess: "ok"
}

export const setUps = [nodeSdk, registeredSdk, effectOtlp]

/** Runs an effect while an OpenTelemetry SDK is registered, with its context manager and its propagators. */
export const registered = <A, E>(
  effect: Effect.Effect<A, E>,
  propagator?: Otel.TextMapPropagator
): Effect.Effect<readonly [A, ReadonlyArray<Shown>], E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const recorder = new Recorder()
      const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(recorder)] })
      provider.register(propagator === undefined ? {} : { propagator })
      return recorder
    }),
    (recorder) => Effect.map(effect, (a) => [a, recorder.take()] as const),
    () => Effect.sync(unregister)
  )

export const unregister = (): void => {
  Otel.trace.disable()
  Otel.context.disable()
  Otel.propagation.disable()
  Otel.metrics.disable()
}
