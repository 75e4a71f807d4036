import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { DateTime, Effect, TestClock } from "effect"
import { handmade, newPair, spki, thumbprint } from "../support/keys.js"
import { card, created, outcome, request } from "./support.js"

const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

const error = (status: number, code: string, message: string, details: ReadonlyArray<unknown> = []) => ({
  type: "error",
  code,
  status,
  message,
  details
})
const notFound = error(404, "not_found", "The resource could not be found")

it.layer(Sandbox.layer())("over HTTP, the sandbox", (it) => {
  it.effect("creates sessions with real ids", () =>
    Effect.gen(function* () {
      const first = yield* request("POST", "/checkout/sessions")
      const second = yield* request("POST", "/checkout/sessions")
      assert.strictEqual(first.status, 201)
      assert.match(String(first.body["id"]), uuid)
      assert.notStrictEqual(first.body["id"], second.body["id"])
      assert.strictEqual(first.body["type"], "checkout-session")
    })
  )

  it.effect("expires a session after an hour, by the clock of the program that built the layer", () =>
    Effect.gen(function* () {
      const path = yield* created
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual(yield* outcome("GET", path), 200)
      yield* TestClock.adjust("1 minute")
      const { body, status } = yield* request("GET", path)
      assert.strictEqual(status, 404)
      assert.deepStrictEqual(body, notFound)
    })
  )

  it.effect("moves the expiry to five minutes after the secure fields", () =>
    Effect.gen(function* () {
      const path = yield* created
      const body = JSON.stringify({ payment_method: card })
      const filled = yield* request("PUT", `${path}/fields`, { body })
      assert.deepStrictEqual([filled.status, filled.text], [204, ""])
      const expected = DateTime.formatIso(DateTime.add(yield* DateTime.now, { minutes: 5 }))
      assert.strictEqual((yield* request("GET", path)).body["expires_at"], expected)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* outcome("PUT", `${path}/fields`), 404)
    })
  )

  it.effect("accepts the examples of its own OpenAPI description unchanged", () =>
    Effect.gen(function* () {
      const { text } = yield* request("GET", "/openapi.json")
      const path = yield* created
      const accepted: Array<string> = []
      for (const [template, operations] of Object.entries<object>(JSON.parse(text).paths)) {
        for (const [method, { requestBody }] of Object.entries(operations)) {
          if (requestBody === undefined) continue
          const body = JSON.stringify(requestBody.content["application/json"].example)
          if (!template.startsWith("/checkout/")) continue
          const target = template.replace("/checkout/sessions/{checkout_session_id}", path)
          const { status } = yield* request(method.toUpperCase(), target, { body })
          accepted.push(`${method} ${template} ${status}`)
        }
      }
      assert.sameMembers(accepted, [
        "post /checkout/sessions 201",
        "put /checkout/sessions/{checkout_session_id} 200",
        "put /checkout/sessions/{checkout_session_id}/fields 204"
      ])
    })
  )

  it.effect("responds to an update with the session; absent properties do not change", () =>
    Effect.gen(function* () {
      const { body } = yield* request("POST", "/checkout/sessions", {
        body: JSON.stringify({ amount: 1299, currency: "EUR", expires_in: 7200 })
      })
      const path = `/checkout/sessions/${body["id"]}`
      yield* TestClock.adjust("90 minutes")
      const updated = yield* request("PUT", path, { body: JSON.stringify({ amount: null, metadata: { a: "b" } }) })
      assert.strictEqual(updated.status, 200)
      const { amount: _, ...kept } = body
      assert.deepStrictEqual(updated.body, { ...kept, metadata: { a: "b" } })
      yield* TestClock.adjust("30 minutes")
      assert.strictEqual(yield* outcome("GET", path), 404)
    })
  )

  for (const expires_in of [3599, 86_401, "3600", null]) {
    it.effect(`responds with 400 to a lifetime of ${JSON.stringify(expires_in)} and names the field`, () =>
      Effect.gen(function* () {
        for (const [method, path] of [
          ["POST", "/checkout/sessions"],
          ["PUT", yield* created]
        ] as const) {
          const { body, status } = yield* request(method, path, { body: JSON.stringify({ expires_in }) })
          assert.strictEqual(status, 400)
          const pointer = "/expires_in"
          assert.deepStrictEqual(
            body,
            error(400, "bad_request", "Request failed validation", [
              { location: "body", type: "value_error", pointer, message: "must be 3600 to 86400 seconds" }
            ])
          )
        }
      })
    )
  }

  it.effect("forgets a deleted session", () =>
    Effect.gen(function* () {
      const path = yield* created
      assert.strictEqual(yield* outcome("DELETE", path), 204)
      assert.strictEqual(yield* outcome("DELETE", path), 404)
    })
  )

  for (const authorization of ["none", "Bearer ", "Basic abc"]) {
    it.effect(`responds with 401 and the API's exact body to authorization "${authorization}"`, () =>
      Effect.gen(function* () {
        const { body, status } = yield* request("POST", "/checkout/sessions", { headers: { authorization } })
        assert.strictEqual(status, 401)
        assert.deepStrictEqual(body, error(401, "unauthorized", "No valid API authentication found"))
      })
    )
  }

  const badCards: ReadonlyArray<readonly [string, object, ReadonlyArray<string>]> = [
    ["a number with a letter", { ...card, number: "4111x11111111111" }, ["/payment_method/number"]],
    [
      "three wrong fields",
      { ...card, number: "1", expiration_date: "1130", security_code: "12345" },
      ["/payment_method/number", "/payment_method/expiration_date", "/payment_method/security_code"]
    ]
  ]
  for (const [name, payment_method, pointers] of badCards) {
    it.effect(`responds with 400 and a pointer for each problem of ${name}, without a digit of it`, () =>
      Effect.gen(function* () {
        const path = yield* created
        const { body, status, text } = yield* request("PUT", `${path}/fields`, {
          body: JSON.stringify({ payment_method })
        })
        assert.deepStrictEqual([status, body["code"]], [400, "bad_request"])
        const details = body["details"]
        assert(Array.isArray(details))
        assert.deepStrictEqual(details.map(({ pointer }) => pointer).sort(), [...pointers].sort())
        assert.isTrue(details.every(({ location }) => location === "body"))
        assert.notInclude(text, "4111")
        assert.notInclude(text, "12345")
      })
    )
  }

  it.effect("responds with incorrect_json to a body that is not JSON", () =>
    Effect.gen(function* () {
      const { body } = yield* request("PUT", `${yield* created}/fields`, { body: '{"payment_method":' })
      assert.deepStrictEqual(body, error(400, "incorrect_json", "The request body was not valid JSON."))
    })
  )

  it.effect("responds with 413 to a body above 1 MiB", () =>
    Effect.gen(function* () {
      const path = yield* created
      const { body, status } = yield* request("PUT", `${path}/fields`, { body: "x".repeat(1024 * 1024 + 1) })
      assert.deepStrictEqual([status, body["code"], body["type"]], [413, "payload_too_large", "error"])
    })
  )

  const elsewhere: ReadonlyArray<readonly [string, string, number, string | undefined]> = [
    ["GET", "/checkout/sessions", 405, "POST"],
    ["HEAD", "/checkout/sessions", 405, "POST"],
    ["POST", "/checkout/sessions/some-id", 405, "GET, HEAD, PUT, DELETE"],
    ["PATCH", "/checkout/sessions/some-id/fields", 405, "PUT"],
    ["OPTIONS", "/checkout/sessions/some-id", 204, "GET, HEAD, PUT, DELETE"],
    ["HEAD", "/checkout/sessions/some-id", 404, undefined],
    ["OPTIONS", "/checkout", 404, undefined],
    ["GET", "//checkout/sessions", 404, undefined],
    ["GET", "/checkout/sessions/%", 404, undefined],
    ["GET", "/checkout/sessions/some%20id", 404, undefined]
  ]
  for (const [method, path, status, allow] of elsewhere) {
    it.effect(`responds with ${status} to ${method} ${path}`, () =>
      Effect.gen(function* () {
        const answer = yield* request(method, path)
        assert.deepStrictEqual([answer.status, answer.headers["allow"]], [status, allow])
        if (status === 204 || method === "HEAD") return
        assert.deepStrictEqual([answer.body["type"], answer.body["status"]], ["error", status])
        assert.strictEqual(answer.body["code"], status === 405 ? "method_not_allowed" : "not_found")
      })
    )
  }

  it.effect("names the paths it serves on any other path, without repeating that one", () =>
    Effect.gen(function* () {
      for (const [method, path] of [
        ["POST", "/disputes?a=4111111111111111"],
        ["GET", "/4111111111111111"]
      ] as const) {
        const { body, headers, status } = yield* request(method, path, { headers: { authorization: "none" } })
        assert.deepInclude(body, { type: "error", code: "not_found", status: 404, details: [] })
        assert.strictEqual(status, 404)
        assert.strictEqual(headers["content-type"], "application/json")
        assert.include(body["message"], "/openapi.json")
        assert.include(body["message"], "Sandbox.layer({ endpoints: [...] })")
        assert.notInclude(String(body["message"]), "4111")
      }
    })
  )

  it.effect("responds to HEAD as to GET, without a body", () =>
    Effect.gen(function* () {
      const { status, text } = yield* request("HEAD", yield* created)
      assert.deepStrictEqual([status, text], [200, ""])
    })
  )

  it.effect("lists the requests it received, without a token", () =>
    Effect.gen(function* () {
      const path = yield* created
      yield* request("GET", `${path}?a=b`, { headers: { "x-mine": "1", cookie: "secret" } })
      const last = (yield* (yield* Sandbox.Sandbox).seen).at(-1)
      assert.deepInclude(last, {
        method: "GET",
        route: "/checkout/sessions/{checkout_session_id}",
        path,
        status: 200
      })
      assert.isAtLeast(last?.millis ?? -1, 0)
      assert.strictEqual(last?.headers["x-mine"], "1")
      assert.notProperty(last?.headers, "authorization")
      assert.notProperty(last?.headers, "cookie")
    })
  )
})

describe("a sandbox keeps no secret", () => {
  const secrets = ["4000056655665556", "tok-3c1d9", "8642"]
  it.live("no card, security code or token is in its state or its output", () => {
    const told: Array<Sandbox.Seen> = []
    return Effect.gen(function* () {
      const headers = { authorization: "Bearer tok-3c1d9" }
      const path = yield* created
      const payment_method = { ...card, number: "4000056655665556", security_code: "8642" }
      for (const body of [{ payment_method }, { payment_method: { ...payment_method, method: "no" } }]) {
        yield* request("PUT", `${path}/fields`, { headers, body: JSON.stringify(body) })
      }
      yield* request("GET", "/checkout/sessions/4000056655665556", { headers })
      const sandbox = yield* Sandbox.Sandbox
      const held = inspect([yield* sandbox.seen, told, sandbox], { depth: Infinity, showHidden: true })
      for (const secret of secrets) assert.notInclude(held, secret)
      assert.strictEqual(told.length, 4)
    }).pipe(Effect.provide(Sandbox.layer({ onRequest: (seen) => Effect.sync(() => void told.push(seen)) })))
  })
})

describe("with a public key, tokens are checked", () => {
  const { privateKey, publicKey } = newPair()
  const token = (key: typeof privateKey, scopes: ReadonlyArray<string>) =>
    `Bearer ${handmade(
      key,
      { alg: "ES512", typ: "JWT", kid: thumbprint(publicKey) },
      { exp: Date.now() / 1000 + 60, scopes }
    )}`
  const read = token(privateKey, ["checkout-sessions.read"])
  const write = token(privateKey, ["checkout-sessions.write"])
  const foreign = token(newPair().privateKey, ["checkout-sessions.write"])
  const sandbox = Sandbox.layer({ publicKey: spki(publicKey) })

  it.live("the write scope creates, the read scope reads; a missing scope is 403, any other token 401", () =>
    Effect.gen(function* () {
      const make = (authorization: string) => request("POST", "/checkout/sessions", { headers: { authorization } })
      const { body, status } = yield* make(write)
      const path = `/checkout/sessions/${body["id"]}`
      assert.strictEqual(status, 201)
      assert.strictEqual(yield* outcome("GET", path, { authorization: read }), 200)
      assert.strictEqual(yield* outcome("GET", path, { authorization: write }), 403)
      assert.deepStrictEqual((yield* make(read)).body, error(403, "forbidden", "Invalid credentials"))
      assert.strictEqual((yield* make(foreign)).status, 401)
      assert.strictEqual((yield* make("Bearer any")).status, 401)
    }).pipe(Effect.provide(sandbox))
  )

  it.live("an invalid key is a ServeError that says what is expected", () =>
    Effect.gen(function* () {
      const failed = yield* Effect.flip(Effect.provide(Sandbox.Sandbox, Sandbox.layer({ publicKey: "nonsense" })))
      assert.strictEqual(failed._tag, "ServeError")
      assert.include(String(failed.cause), "P-521")
    })
  )
})

describe("as a layer", () => {
  for (const host of ["::1", "::"]) {
    it.live(`serves on the IPv6 host ${host}`, () =>
      Effect.gen(function* () {
        const { baseUrl } = yield* Sandbox.Sandbox
        assert.match(baseUrl, /^http:\/\/\[::1\]:\d+$/)
        assert.strictEqual(yield* outcome("GET", yield* created), 200)
        const { servers } = (yield* request("GET", "/openapi.json")).body
        assert.deepInclude(servers, { url: baseUrl, description: "This sandbox" })
      }).pipe(Effect.provide(Sandbox.layer({ host })))
    )
  }

  it.live("a port in use is a ServeError, and closing the sandbox closes keep-alive connections", () =>
    Effect.gen(function* () {
      const baseUrl = yield* Effect.gen(function* () {
        const { baseUrl } = yield* Sandbox.Sandbox
        yield* created
        const again = yield* Effect.flip(
          Effect.provide(Sandbox.Sandbox, Sandbox.layer({ port: Number(new URL(baseUrl).port) }))
        )
        assert.strictEqual(again._tag, "ServeError")
        return baseUrl
      }).pipe(Effect.provide(Sandbox.layer()))
      assert.isTrue(yield* Effect.isFailure(Effect.tryPromise(() => fetch(baseUrl))))
    })
  )
})
