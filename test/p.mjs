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
const cases = {
  undici: async () => { const r = await pool.request({path:"/checkout/sessions/"+id,method:"GET",headers:{authorization:"Bearer "+token,accept:"application/json"}}); JSON.parse(await r.body.text()) },
  ours: () => Effect.runPromise(get),
  oursOtel: () => Effect.runPromise(get.pipe(Effect.withTracer(tr)))
}
const tr = OtelTracer.make()
const run = async (f,n,c=32) => { let i=0; const w=async()=>{while(i++<n) await f()}; const a=process.cpuUsage(); await Promise.all(Array.from({length:c},w)); const b=process.cpuUsage(a); return (b.user+b.system)/n }
const R=+process.argv[2];await run(cases[process.argv[3]],R);child.kill();process.exit()
