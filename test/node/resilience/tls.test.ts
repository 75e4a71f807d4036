import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import { fileURLToPath } from "node:url"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Context, Effect, Layer, Redacted } from "effect"
import { Agent } from "undici"
import { loopback } from "../../support/loopback.js"
import { session } from "../../support/script.js"

const file = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url))
const id = CheckoutSessionId.make("9d5f7a1e-7f52-4e2c-8c05-6a1d3f2f9d51")

/** Its certificate is its own, made for "localhost", and good until 2122 or later. */
const selfSigned = Effect.suspend(() =>
  loopback(
    createServer(
      { key: readFileSync(file("localhost.key.pem")), cert: readFileSync(file("localhost.cert.pem")) },
      session
    )
  )
)

/** The outcome of a call in a process that trusts the certificate. */
const trusting = (baseUrl: string) =>
  Effect.async<string>((resume) => {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: file("localhost.cert.pem") }
    execFile(process.execPath, [file("client.mjs"), baseUrl], { env }, (error, out) =>
      resume(error === null ? Effect.succeed(out) : Effect.die(error))
    )
  })

describe("a server's certificate", () => {
  it.scopedLive(
    "from an unknown authority ends the call after one connection, and the error says how to trust it",
    () =>
      Effect.gen(function* () {
        const server = yield* selfSigned
        const sessions = yield* Gr4vy.make({
          baseUrl: `https://localhost:${server.port}`,
          token: Redacted.make("token")
        })
        const error = yield* Effect.flip(sessions.get(id))
        assert.strictEqual(error._tag, "RequestFailed")
        assert.deepInclude(error, { reason: "Connect", delivered: "no", attempts: 1 })
        assert.include(error.message, "NODE_EXTRA_CA_CERTS")
        assert.strictEqual(server.accepted(), 1)
      })
  )

  it.scopedLive("from an authority in NODE_EXTRA_CA_CERTS is trusted", () =>
    Effect.gen(function* () {
      const server = yield* selfSigned
      assert.include(yield* trusting(`https://localhost:${server.port}`), '"_tag":"Right"')
    })
  )

  it.scopedLive("that is for another host ends the call after one connection", () =>
    Effect.gen(function* () {
      const server = yield* selfSigned
      const outcome = yield* trusting(`https://127.0.0.1:${server.port}`)
      assert.include(outcome, '"reason":"Connect"')
      assert.include(outcome, '"delivered":"no"')
      assert.strictEqual(server.accepted(), 1)
    })
  )
})

describe("a server that demands a client certificate", () => {
  const demanding = (maxVersion: "TLSv1.2" | "TLSv1.3") =>
    Effect.suspend(() => {
      const cert = readFileSync(file("localhost.cert.pem"))
      const key = readFileSync(file("localhost.key.pem"))
      const demands = { key, cert, ca: cert, requestCert: true, rejectUnauthorized: true, maxVersion } as const
      return loopback(createServer(demands, session))
    })
  const ca = () => readFileSync(file("localhost.cert.pem"))

  const carriers: Readonly<Record<string, (baseUrl: string) => ReturnType<typeof Gr4vy.make>>> = {
    undici: (baseUrl) =>
      Effect.flatMap(
        Effect.acquireRelease(
          Effect.sync(() => new Agent({ connect: { ca: ca() } })),
          (agent) => Effect.promise(() => agent.destroy())
        ),
        (dispatcher) => Gr4vy.make({ baseUrl, token: Redacted.make("token"), dispatcher })
      ),
    "node:http": (baseUrl) =>
      Effect.map(
        Layer.build(
          Layer.provide(
            Gr4vy.layerWithoutTransport({ baseUrl, token: Redacted.make("token") }),
            NodeHttpClient.layerWithoutAgent.pipe(Layer.provide(NodeHttpClient.makeAgentLayer({ ca: ca() })))
          )
        ),
        (context) => Context.get(context, CheckoutSessions)
      )
  }
  // undici hides the alert of TLS 1.3 behind the end of the connection.
  const cases = [
    { version: "TLSv1.2", carrier: "undici", reason: "Connect", delivered: "no" },
    { version: "TLSv1.2", carrier: "node:http", reason: "Disconnected", delivered: "unknown" },
    { version: "TLSv1.3", carrier: "node:http", reason: "Connect", delivered: "no" }
  ] as const
  it.scopedLive.each(cases)("is named as such: $version over $carrier", ({ carrier, delivered, reason, version }) =>
    Effect.gen(function* () {
      const server = yield* demanding(version)
      const make = carriers[carrier] ?? assert.fail(carrier)
      const error = yield* Effect.flip((yield* make(`https://localhost:${server.port}`)).add())
      assert.deepInclude(error, { reason, delivered, attempts: 1 })
      assert.match(error.message, /demands? a client certificate/)
    })
  )
})
