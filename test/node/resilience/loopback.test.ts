import dns from "node:dns"
import { createServer } from "node:http"
import { syncBuiltinESMExports } from "node:module"
import { FetchHttpClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { CheckoutSessionId, CheckoutSessions, Credentials, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Effect, Layer, Redacted } from "effect"
import { mayReach } from "../../../packages/node/dist/internal/transport/plainHttp.js"
import { loopback } from "../../support/loopback.js"
import { session, sessionId } from "../../support/script.js"

const token = Redacted.make("token")

/** A resolver that somebody else answers: every name leads to another machine (RFC 5737), or to this address. */
const hijackedDns = (address = "192.0.2.1") =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { lookup } = dns
      const asked: Array<string> = []
      const elsewhere = (hostname: string, ...rest: ReadonlyArray<unknown>) => {
        asked.push(hostname)
        const callback = rest.at(-1)
        if (typeof callback === "function") callback(null, [{ address, family: 4 }])
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
        const { asked } = yield* hijackedDns()
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

describe("exposeTokenOverHttp", () => {
  const exposed = { token, exposeTokenOverHttp: true, retry: RetryPolicy.none }

  it.live("accepts an http: base URL of any name, e.g. of a host in a compose file", () =>
    Effect.gen(function* () {
      const { port } = yield* loopback(createServer((request, response) => session(request, response)))
      const { asked } = yield* hijackedDns("127.0.0.1")
      const sessions = yield* Gr4vy.make({ ...exposed, baseUrl: `http://sandbox:${port}` })
      assert.strictEqual((yield* sessions.get(CheckoutSessionId.make(sessionId))).id, sessionId)
      assert.deepStrictEqual(asked, ["sandbox"])
    }).pipe(Effect.scoped)
  )

  it.live("sends nothing to a name that leads to a public address", () =>
    Effect.gen(function* () {
      yield* hijackedDns()
      const sessions = yield* Gr4vy.make({ ...exposed, baseUrl: "http://sandbox:4010" })
      const error = yield* Effect.flip(sessions.add())
      assert.deepInclude(error, { reason: "Connect", delivered: "no", attempts: 1 })
      assert.include(error.message, "sandbox:4010 has no private address")
    }).pipe(Effect.scoped)
  )

  it.live("leaves localhost to this machine, whatever DNS says", () =>
    Effect.gen(function* () {
      const { port } = yield* loopback(createServer((request, response) => session(request, response)))
      const { asked } = yield* hijackedDns()
      const sessions = yield* Gr4vy.make({ ...exposed, baseUrl: `http://localhost:${port}` })
      yield* sessions.get(CheckoutSessionId.make(sessionId))
      assert.deepStrictEqual(asked, [])
    }).pipe(Effect.scoped)
  )

  it.effect.each([{}, { exposeTokenOverHttp: false }])("is the only way to one: %j", (options) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Gr4vy.make({ ...options, token, baseUrl: "http://sandbox:4010" }))
      assert.include(String(error), "must begin with https://")
    }).pipe(Effect.scoped)
  )

  it.effect("must be true or false: any other value accepts nothing", () =>
    Effect.gen(function* () {
      // Plain JavaScript, or a variable of the environment.
      const exposeTokenOverHttp = "false" as unknown as boolean
      yield* Effect.flip(Gr4vy.make({ token, exposeTokenOverHttp, baseUrl: "http://sandbox:4010" }))
    }).pipe(Effect.scoped)
  )

  it("means the networks of RFC 1918, 6598, 3927 and 4193, and link-local ones", () => {
    const families = { private: mayReach("private"), loopback: mayReach("loopback") }
    const reached = (address: string) =>
      Object.entries(families).flatMap(([name, reaches]) =>
        reaches({ address, family: address.includes(":") ? 6 : 4 }) ? [name] : []
      )
    const both = ["127.0.0.1", "127.8.9.10", "::1"]
    const inside = [
      "10.0.0.1",
      "172.16.0.1",
      "172.31.255.254",
      "192.168.1.1",
      "100.64.0.1",
      "169.254.0.1",
      "fd00::1",
      "fe80::1"
    ]
    const outside = [
      "172.15.255.255",
      "172.32.0.1",
      "192.0.2.1",
      "100.128.0.1",
      "11.0.0.1",
      "2001:db8::1",
      "0.0.0.0",
      "::"
    ]
    assert.deepStrictEqual(
      [both, inside, outside].map((addresses) => addresses.map(reached)),
      [both.map(() => ["private", "loopback"]), inside.map(() => ["private"]), outside.map(() => [])]
    )
  })
})
