/** Node's full pipeline: tokens signed with a key of its own, retries, undici, OpenTelemetry's tracer. */
import { generateKeyPairSync } from "node:crypto"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy, OtelTracer, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Layer, Redacted } from "effect"
import { acceptance } from "./acceptance.js"

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-521" })
const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }))

const Sessions = Gr4vy.layer({ baseUrl: process.argv[2] ?? "", privateKey: Redacted.make(pem) })

const program = Effect.gen(function* () {
  // Each fault is for one request.
  const failed = yield* RetryPolicy.withPolicy(acceptance, RetryPolicy.none)
  const retried = yield* Effect.either(Effect.flatMap(CheckoutSessions, (sessions) => sessions.add()))
  return retried._tag === "Right" ? failed : [...failed, `a retry: ${retried.left}`]
})

console.log(JSON.stringify(await Effect.runPromise(Effect.provide(program, Layer.merge(Sessions, OtelTracer.layer)))))
