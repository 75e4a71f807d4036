import { Effect, Context, Tracer, FiberRef, Option, Exit, Schema, Either, DateTime } from "effect"
import { CheckoutSession } from "@effect-gr4vy/core"
const t = (name, f, n=300000) => { for (let i=0;i<30000;i++) f(); const a=process.cpuUsage(); for (let i=0;i<n;i++) f(); const b=process.cpuUsage(a); console.log(name, ((b.user+b.system)/n).toFixed(2)) }
const inner = Effect.suspend(()=>Effect.succeed(1))
const opts={captureStackTrace:false,kind:"internal"}
const a = Effect.withSpan(inner,"x",opts)
const use = Effect.useSpan("x",opts,()=>inner)
const onExit = Effect.onExit(inner,()=>Effect.void)
const ref = FiberRef.currentContext
const hand = Effect.withFiberRuntime(fiber => {
  const ctx = fiber.currentContext
  const tracer = fiber.currentTracer
  const clock = fiber.currentDefaultServices.unsafeMap.get("effect/Clock")
  const span = tracer.span("x", Option.fromNullable(fiber.currentSpan), Context.empty(), [], clock.unsafeCurrentTimeNanos(), "internal", opts)
  fiber.setFiberRef(ref, Context.add(ctx, Tracer.ParentSpan, span))
  return Effect.onExit(inner, exit => { fiber.setFiberRef(ref, ctx); span.end(clock.unsafeCurrentTimeNanos(), exit); return Effect.void })
})
const hand2 = Effect.withFiberRuntime(fiber => {
  const ctx = fiber.currentContext
  const tracer = fiber.currentTracer
  const clock = fiber.currentDefaultServices.unsafeMap.get("effect/Clock")
  const span = tracer.span("x", Option.fromNullable(fiber.currentSpan), Context.empty(), [], clock.unsafeCurrentTimeNanos(), "internal", opts)
  return Effect.onExit(inner, exit => { span.end(clock.unsafeCurrentTimeNanos(), exit); return Effect.void })
})
const S = Effect.runSync
t("inner",()=>S(inner)); t("withSpan",()=>S(a)); t("useSpan",()=>S(use)); t("onExit",()=>S(onExit)); t("hand",()=>S(hand)); t("hand w/o ctx",()=>S(hand2))
const body = JSON.stringify({type:"checkout-session",id:"8724fd24-5489-4a5d-90fd-0604df7d3b83",expires_at:"2030-01-01T00:00:00+00:00"})
const dec=Schema.decodeUnknownEither(CheckoutSession)
t("json",()=>JSON.parse(body)); const j=JSON.parse(body)
t("decode",()=>dec(j))
const Id=CheckoutSession.fields.id
const d2=Schema.decodeUnknownEither(Id); t("id",()=>d2(j.id))
const d3=Schema.decodeUnknownEither(Schema.DateTimeUtc); t("dt",()=>d3(j.expires_at))
const d4=Schema.decodeUnknownEither(Schema.Struct({id:Id})); t("struct id",()=>d4(j))
t("Date.parse",()=>Date.parse(j.expires_at))
const Inst = CheckoutSession.fields.expiresAt
const I2 = Schema.transformOrFail(Schema.String, Schema.DateTimeUtcFromSelf, { strict:true, decode: (s)=>Either.right(DateTime.unsafeMake(s)), encode: (d)=>Either.right(DateTime.formatIso(d)) })
const mk = (name, fields, cls) => { const sc = cls ? class X extends Schema.Class("X"+name)(fields) {} : Schema.Struct(fields); const d=Schema.decodeUnknownEither(sc); const r=d(j); if(r._tag==="Left") throw r.left; t(name,()=>d(j)) }
mk("struct: all", {type: Schema.optionalWith(Schema.Literal("checkout-session"), { default: () => "checkout-session" }), id: Id, expiresAt: Schema.propertySignature(I2).pipe(Schema.fromKey("expires_at"))})
mk("struct: no default", {id: Id, expiresAt: Schema.propertySignature(I2).pipe(Schema.fromKey("expires_at"))})
mk("struct: plain", {id: Id, expires_at: I2})
mk("class: all", {type: Schema.optionalWith(Schema.Literal("checkout-session"), { default: () => "checkout-session" }), id: Id, expiresAt: Schema.propertySignature(I2).pipe(Schema.fromKey("expires_at"))}, true)
mk("class: no default", {id: Id, expiresAt: Schema.propertySignature(I2).pipe(Schema.fromKey("expires_at"))}, true)
mk("class: no default, exact", {type: Schema.optionalWith(Schema.Literal("checkout-session"),{exact:true}),id: Id, expiresAt: Schema.propertySignature(I2).pipe(Schema.fromKey("expires_at"))}, true)
