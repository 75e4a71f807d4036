/**
 * An Effect `Tracer` over the global OpenTelemetry API, for processes that registered an OpenTelemetry SDK themselves:
 * every Effect span becomes a span of that SDK, joins the current trace, and is the parent of the spans of instrumented
 * code inside it. An application with `@effect/opentelemetry` does not need this tracer.
 *
 * @since 0.1.0
 */
import { inactive, nearestExported, ownSpan } from "@effect-gr4vy/core/spi/Span"
import * as Otel from "@opentelemetry/api"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { activate, activeContext, ambientOf, ignoreThrow, runIn } from "./internal/otel/context.js"
import { hasSdk, spanContextOf, toHrTime, tracers } from "./internal/otel/sdk.js"

/**
 * The tracer. A span without an Effect parent becomes the child of the span that was active in OpenTelemetry where its
 * fiber, or the fiber that forked it, began. Exceptions of OpenTelemetry are ignored: a program never fails because of
 * its spans.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: () => Tracer.Tracer = () => {
  const tracer = Tracer.make({
    span: (spanName, parent, context, links, startTime, kind, options) =>
      new OtelSpan(spanName, parent, context, links, startTime, kind, options),
    context: (f, fiber) => {
      const current = fiber.currentSpan
      // The most frequent case: its context is never active already, because it is activated for one operation at a time.
      if (current instanceof OtelSpan && current.shown) return activate(current.otelContext, f)
      const context = contextOf(fiber)
      return context === undefined ? f() : runIn(context, f)
    }
  })
  return Object.defineProperty(tracer, inactive, { get: () => !hasSdk() })
}

/**
 * Sends Effect spans to the OpenTelemetry SDK that the process has registered. The spans of this library's calls have the scope
 * `@effect-gr4vy/node`, those of the program itself have the scope `effect`. Without an SDK it costs almost
 * nothing.
 *
 * @example
 * ```ts
 * import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
 * import { Layer } from "effect"
 *
 * const Traced = Layer.provideMerge(Gr4vy.layerConfig(), OtelTracer.layer)
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never> = Layer.suspend(() => Layer.setTracer(make()))

const kinds: Record<Tracer.SpanKind, Otel.SpanKind> = {
  internal: Otel.SpanKind.INTERNAL,
  client: Otel.SpanKind.CLIENT,
  server: Otel.SpanKind.SERVER,
  producer: Otel.SpanKind.PRODUCER,
  consumer: Otel.SpanKind.CONSUMER
}

class OtelSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly span: Otel.Span
  readonly spanId: string
  readonly traceId: string
  readonly sampled: boolean
  /** Whether the span itself is visible; read before every operation inside. */
  readonly shown: boolean
  readonly parent: Option.Option<Tracer.AnySpan>
  private readonly parentContext: Otel.Context
  private ownContext: Otel.Context | undefined
  private readonly given: Record<string, unknown> = {}
  private endTime: bigint | undefined
  private exit: Exit.Exit<unknown, unknown> = Exit.void

  constructor(
    readonly name: string,
    effectParent: Option.Option<Tracer.AnySpan>,
    readonly context: Context.Context<never>,
    public links: ReadonlyArray<Tracer.SpanLink>,
    private readonly startTime: bigint,
    readonly kind: Tracer.SpanKind,
    options: Tracer.SpanOptions | undefined
  ) {
    const parentContext = ignoreThrow(() => parentOf(effectParent, options?.root === true)) ?? Otel.ROOT_CONTEXT
    this.parentContext = parentContext
    this.parent = Option.orElse(effectParent, () => externalParent(parentContext))
    this.span =
      ignoreThrow(() =>
        (context === ownSpan ? tracers().own : tracers().program).startSpan(
          name,
          {
            kind: kinds[kind],
            startTime: toHrTime(startTime),
            // Samplers see only what a span has from its start.
            attributes: toAttributes(Object.assign(this.given, options?.attributes)),
            links: links.map(toLink)
          },
          parentContext
        )
      ) ?? notRecording(parentContext)
    const { spanId, traceFlags, traceId } = ignoreThrow(() => this.span.spanContext()) ?? Otel.INVALID_SPAN_CONTEXT
    this.spanId = spanId
    this.traceId = traceId
    this.sampled = (traceFlags & Otel.TraceFlags.SAMPLED) !== 0
    this.shown = nearestExported(this) === this
  }

  /** The OpenTelemetry context with this span in it. */
  get otelContext(): Otel.Context {
    this.ownContext ??= Otel.trace.setSpan(this.parentContext, this.span)
    return this.ownContext
  }

  get attributes(): ReadonlyMap<string, unknown> {
    return new Map(Object.entries(this.given))
  }

  get status(): Tracer.SpanStatus {
    const { endTime, exit, startTime } = this
    return endTime === undefined ? { _tag: "Started", startTime } : { _tag: "Ended", startTime, endTime, exit }
  }

  attribute(key: string, value: unknown): void {
    if (this.given[key] === value) return
    this.given[key] = value
    ignoreThrow(() => this.span.setAttribute(key, toAttribute(value)))
  }

  event(eventName: string, startTime: bigint, attributes?: Record<string, unknown>): void {
    ignoreThrow(() => this.span.addEvent(eventName, toAttributes(attributes ?? {}), toHrTime(startTime)))
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    this.links = [...this.links, ...links]
    ignoreThrow(() => this.span.addLinks(links.map(toLink)))
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    this.endTime = endTime
    this.exit = exit
    const time = toHrTime(endTime)
    // An interruption is not an error: the caller no longer needs the result.
    if (exit._tag === "Failure" && !Cause.isInterruptedOnly(exit.cause)) {
      ignoreThrow(() => {
        // Rendering a cause is expensive, so only if the span is recorded.
        const [error] = this.span.isRecording() ? Cause.prettyErrors(exit.cause) : []
        if (error === undefined) return
        this.span.recordException({ name: error.name, message: error.message, stack: Cause.pretty(exit.cause) }, time)
        this.span.setStatus({ code: Otel.SpanStatusCode.ERROR, message: error.message })
      })
    }
    ignoreThrow(() => this.span.end(time))
  }
}

const parentOf = (effectParent: Option.Option<Tracer.AnySpan>, root: boolean): Otel.Context => {
  const parent = Option.getOrUndefined(effectParent)
  if (parent instanceof OtelSpan) return parent.otelContext
  const fiber = Option.getOrUndefined(Fiber.getCurrentFiber())
  const base = fiber === undefined ? activeContext() : ambientOf(fiber)
  if (parent !== undefined) return Otel.trace.setSpanContext(base, spanContextOf(parent))
  return root ? Otel.trace.deleteSpan(base) : base
}

/** Replaces a span that could not be started. Its children still belong to the current trace. */
const notRecording = (parentContext: Otel.Context): Otel.Span =>
  Otel.trace.wrapSpanContext(Otel.trace.getSpanContext(parentContext) ?? Otel.INVALID_SPAN_CONTEXT)

/** The context of a fiber's next operation; `undefined` if it makes no difference. Read before every operation. */
const contextOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): Otel.Context | undefined => {
  const span = nearestExported(fiber.currentSpan)
  if (span instanceof OtelSpan) return span.otelContext
  if (!hasSdk()) return undefined
  const base = ambientOf(fiber)
  return span === undefined ? base : Otel.trace.setSpanContext(base, spanContextOf(span))
}

const externalParent = (context: Otel.Context): Option.Option<Tracer.AnySpan> =>
  Option.map(Option.fromNullable(Otel.trace.getSpanContext(context)), ({ spanId, traceFlags, traceId }) =>
    Tracer.externalSpan({ spanId, traceId, sampled: (traceFlags & Otel.TraceFlags.SAMPLED) !== 0 })
  )

const toLink = (link: Tracer.SpanLink): Otel.Link => ({
  context: spanContextOf(link.span),
  attributes: toAttributes(link.attributes)
})

const toAttributes = (record: Readonly<Record<string, unknown>>): Otel.Attributes => {
  const attributes: Otel.Attributes = {}
  for (const key in record) attributes[key] = toAttribute(record[key])
  return attributes
}

const toAttribute = (value: unknown): Otel.AttributeValue =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : Inspectable.toStringUnknown(value)
