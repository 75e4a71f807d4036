import { Effect, Redacted, Context, Scope, Clock, FiberRef } from "effect"
import { CheckoutSessionId } from "@effect-gr4vy/core"
const P="/work/main/packages/node/dist/", C="/work/main/packages/core/dist/"
const HttpPipeline = await import(P+"HttpPipeline.js"); const { RetryBudget } = await import(P+"RetryBudget.js"); const RetryPolicy = await import(P+"RetryPolicy.js")
const { BufferedResponse } = await import(P+"internal/BufferedResponse.js")
const { make } = await import(C+"CheckoutSessions.js")
const { Credentials } = await import(C+"Credentials.js")
const body = JSON.stringify({type:"checkout-session",id:"8724fd24-5489-4a5d-90fd-0604df7d3b83",expires_at:"2030-01-01T00:00:00+00:00"})
const creds = Effect.runSync(Credentials.makeToken(Redacted.make("x".repeat(600))))
const transport = (req,a,b,onEnd) => { const r = Effect.succeed(new BufferedResponse(req, 200, {}, body)); onEnd(r); return r}
const client = HttpPipeline.make({ baseUrl: "http://127.0.0.1:3000", headers: {"accept-encoding":"identity","user-agent":"x/1"}, limits:{attempt:10000,deadline:30000}, retry: RetryPolicy.standard, budget: new RetryBudget(), credentials: creds, propagateTrace:true }, transport)
const svc = make(client)
const get = svc.get(CheckoutSessionId.make("8724fd24-5489-4a5d-90fd-0604df7d3b83"))
const nospan = client.get("/checkout/sessions/8724fd24-5489-4a5d-90fd-0604df7d3b83")
const empty = Effect.succeed(1)
const spanOnly = Effect.withSpan(Effect.succeed(1), "x", {captureStackTrace:false})
const t = (name, eff, n=200000) => { for (let i=0;i<20000;i++) Effect.runSync(eff); const a=process.cpuUsage(); const s=performance.now(); for (let i=0;i<n;i++) Effect.runSync(eff); const b=process.cpuUsage(a); console.log(name, ((b.user+b.system)/n).toFixed(2)) }
if (process.argv[2]) { t("get", get, 500000); process.exit() }
t("empty",empty); t("span", spanOnly); t("client", nospan); t("get", get)
const { spanned } = await import(C+"internal/span.js")
const A = await import(C+"internal/answer.js")
const { Schema, Either } = await import("effect"); const { CheckoutSession } = await import("@effect-gr4vy/core"); const Api = await import(C+"CheckoutSessionsApi.js")
t("hand span", spanned("x")(Effect.succeed(1)))
const d = Schema.decodeUnknownEither(Api.get.successSchema), d2 = Schema.decodeUnknownEither(CheckoutSession)
const f=(n,g)=>t(n,Effect.sync(g))
f("parseJson",()=>A.parseJson(body)); const j=JSON.parse(body)
f("decode success schema",()=>d(j)); f("decode class",()=>d2(j))
f("all decode",()=>Either.mapLeft(Either.flatMap(A.parseJson(body), d), () => ``))
const isId=Schema.is(CheckoutSessionId); f("isId",()=>isId("8724fd24-5489-4a5d-90fd-0604df7d3b83"))
t("get", get); 
