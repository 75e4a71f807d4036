import dns from "node:dns"
import { createServer } from "node:http"
import { syncBuiltinESMExports } from "node:module"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, Credentials, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Layer, Redacted } from "effect"
import { loopback } from "../../support/loopback.js"
import { session, sessionId } from "../../support/script.js"

const token = Redacted.make("token")

/** A resolver that somebody else answers: every name leads to another machine (RFC 5737). */
const hijackedDns = Effect.acquireRelease(
  Effect.sync(() => {
    const { lookup } = dns
    const asked: Array<string> = []
    const elsewhere = (hostname: string, ...rest: ReadonlyArray<unknown>) => {
      asked.push(hostname)
      const callback = rest.at(-1)
      if (typeof callback === "function") callback(null, [{ address: "192.0.2.1", family: 4 }])
    }
    Object.assign(dns, { lookup: elsewhere })
    syncBuiltinESMExports()
    return { asked, lookup }
  }),
  ({ lookup }) =>
    Effect.sync(() => {
      Object.assign(dns, { lookup })
      syncBuiltinESMExports()
    })
)

describe("a base URL that begins with http:", () => {
  it.live.each(["localhost", "shop.localhost", "a.shop.localhost", "127.0.0.1"])(
    "%s leads to this machine, whatever DNS says",
    (host) =>
      Effect.gen(function* () {
        const { port } = yield* loopback(createServer((request, response) => session(request, response)))
        const { asked } = yield* hijackedDns
        const sessions = yield* Gr4vy.make({
          baseUrl: `http://${host}:${port}`,
          token,
          attemptTimeout: "2 seconds",
          retry: RetryPolicy.none
        })
        const { id } = yield* sessions.get(CheckoutSessionId.make(sessionId))
        assert.strictEqual(id, sessionId)
        assert.deepStrictEqual(asked, [])
      }).pipe(Effect.scoped)
  )

  it.live("localhost reaches a server on ::1 as well", () =>
    Effect.gen(function* () {
      const server = createServer((request, response) => session(request, response))
      const port = yield* Effect.async<number | undefined>((resume) => {
        // A machine without IPv6 has no such address.
        server.once("error", () => resume(Effect.succeed(undefined)))
        server.listen(0, "::1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" ? address?.port : undefined))
        })
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
      if (port === undefined) return
      const sessions = yield* Gr4vy.make({ baseUrl: `http://localhost:${port}`, token })
      assert.strictEqual((yield* sessions.get(CheckoutSessionId.make(sessionId))).id, sessionId)
    }).pipe(Effect.scoped)
  )

  const options = { baseUrl: "http://shop.localhost:8080", token }
  const others: Readonly<Record<string, Layer.Layer<CheckoutSessions, unknown>>> = {
    "Gr4vy.layerWithoutTransport": Gr4vy.layerWithoutTransport(options).pipe(Layer.provide(FetchHttpClient.layer)),
    "Gr4vyHttpClient.layer": CheckoutSessions.layer.pipe(
      Layer.provide(Gr4vyHttpClient.layer({ baseUrl: options.baseUrl })),
      Layer.provide([FetchHttpClient.layer, Credentials.layerToken(token)])
    )
  }
  it.live.each(Object.entries(others))("is refused for a name whose address another client looks up: %s", ([, layer]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      assert.match(String(error), /http:\/\/ is for localhost, 127\.0\.0\.1 and \[::1\]/)
    })
  )
})
