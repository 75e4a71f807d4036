import { fork } from "node:child_process"
import { Effect, Redacted, Context, Scope } from "effect"
import { Gr4vy, OtelTracer } from "@effect-gr4vy/node"
import { CheckoutSessionId } from "@effect-gr4vy/core"
import { createRequire } from "node:module"
const undici = createRequire("/work/main/packages/node/package.json")("undici")
const child = fork("/tmp/b/server.mjs"); const port = await new Promise(r=>child.once("message",r))
const base = `http://127.0.0.1:${port}`
const id = CheckoutSessionId.make("8724fd24-5489-4a5d-90fd-0604df7d3b83")
const pool = new undici.Pool(base,{connections:32})
const token = "x".repeat(600)
const scope = Effect.runSync(Scope.make())
const svc = await Effect.runPromise(Scope.extend(Gr4vy.make({baseUrl: base, token: Redacted.make(token)}), scope))
const get = svc.get(id)
const clk=Effect.runSync(Effect.clock);const cases = {
  undici: async () => { const r = await pool.request({path:"/checkout/sessions/"+id,method:"GET",headers:{authorization:"Bearer "+token,accept:"application/json"}}); JSON.parse(await r.body.text()) },
  ours: () => Effect.runPromise(get),
  oursOtel: () => Effect.runPromise(get.pipe(Effect.withTracer(tr)))
}
const UT = await import("/work/main/packages/node/dist/UndiciTransport.js"); const {HttpClientRequest}=await import("@effect/platform")
const tp = await Effect.runPromise(Scope.extend(UT.make({origin:base,maxResponseBytes:1<<20,connections:64}),scope))
const rq = HttpClientRequest.get(base+"/checkout/sessions/"+id,{headers:{authorization:"Bearer "+token,accept:"application/json"}})
cases.transport = () => Effect.runPromise(tp(rq,10000,clk,()=>{}))
cases.dispatch = () => new Promise((res,rej)=>pool.dispatch({path:"/checkout/sessions/"+id,method:"GET",headers:{authorization:"Bearer "+token,accept:"application/json"}},{onRequestStart(){},onResponseStart(){},onResponseData(c,d){this.d=d},onResponseEnd(){res(JSON.parse(this.d.toString()))},onResponseError(c,e){rej(e)}}))
const cl = new undici.Client(base,{}); 
const D="/work/main/packages/node/dist/", C="/work/main/packages/core/dist/"
const HttpPipeline = await import(D+"HttpPipeline.js"); const { RetryBudget } = await import(D+"RetryBudget.js"); const RetryPolicy = await import(D+"RetryPolicy.js")
const { Credentials } = await import(C+"Credentials.js")
const client = HttpPipeline.make({ baseUrl: base, headers: {"accept-encoding":"identity","user-agent":"x/1"}, limits:{attempt:10000,deadline:30000}, retry: RetryPolicy.standard, budget: new RetryBudget(), credentials: Effect.runSync(Credentials.makeToken(Redacted.make(token))), propagateTrace:true }, tp)
const p1 = client.get("/checkout/sessions/"+id)
cases.client = () => Effect.runPromise(p1)
const {make:mk}=await import(C+"CheckoutSessions.js"); const {CheckoutSession}=await import("@effect-gr4vy/core"); const {Schema,Either}=await import("effect")
cases.clientSpan = ()=>Effect.runPromise(Effect.withSpan(p1,"x",{captureStackTrace:false}))
const dec=Schema.decodeUnknownEither(CheckoutSession)
cases.clientDecode = ()=>Effect.runPromise(Effect.flatMap(p1,r=>Effect.flatMap(r.text,t=>Either.getOrThrow(dec(JSON.parse(t)))&&Effect.succeed(1))))
cases.svc2 = ()=>Effect.runPromise(s2.get(id)); const s2=mk(client)
const tr = OtelTracer.make()
const run = async (f,n,c=32) => { let i=0; const w=async()=>{while(i++<n) await f()}; const a=process.cpuUsage(); await Promise.all(Array.from({length:c},w)); const b=process.cpuUsage(a); return (b.user+b.system)/n }
for (const k in cases) await run(cases[k],5000)
const acc={};for (let r=0;r<8;r++){ const o={}; for (const k in cases) {const v=await run(cases[k],6000);o[k]=v.toFixed(1);(acc[k]??=[]).push(v)}; console.log(o) }
for(const k in acc)console.log(k,acc[k].sort((a,b)=>a-b)[acc[k].length>>1].toFixed(1));child.kill(); process.exit()
