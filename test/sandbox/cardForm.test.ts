/** The card form as a browser runs it: its own script, in a page of stand-ins, with real requests to the sandbox. */
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Deferred, Effect } from "effect"
import { handmade, newPair, spki, thumbprint } from "../support/keys.js"
import { request } from "./support.js"

const { privateKey, publicKey } = newPair()
const token = handmade(
  privateKey,
  { alg: "ES512", typ: "JWT", kid: thumbprint(publicKey) },
  { exp: Date.now() / 1000 + 60, scopes: ["checkout-sessions.write", "checkout-sessions.read"] }
)
const headers = { authorization: `Bearer ${token}` }

const entered = { number: "4111 1111 1111 1111", expires: " 12/39 ", code: "123" }

const created = Effect.map(request("POST", "/checkout/sessions", { headers }), ({ body }) => String(body["id"]))

/** Loads the form of a session, enters the card and submits it. Yields the form's message to the page around it. */
const submit = (session: string, values: typeof entered = entered) =>
  Effect.gen(function* () {
    const { baseUrl } = yield* Sandbox.Sandbox
    const page = yield* request("GET", `/card-form/${session}`, { headers: { authorization: "none" } })
    const [, code = ""] = /<script>(.*)<\/script>/s.exec(page.text) ?? []
    const told = yield* Deferred.make<unknown>()
    const output = { value: "" }
    let onSubmit: (event: object) => unknown = () => assert.fail("The form listens to no event.")
    const form = {
      querySelector: (name: string) => (name === "output" ? output : {}),
      addEventListener: (_: string, listener: typeof onSubmit) => {
        onSubmit = listener
      }
    }
    runInNewContext(code, {
      document: { querySelector: () => form },
      parent: { postMessage: (message: unknown) => Deferred.unsafeDone(told, Effect.succeed(message)) },
      fetch: (path: string, init: RequestInit) => fetch(`${baseUrl}${path}`, init),
      FormData: class {
        [Symbol.iterator] = () => Object.entries(values)[Symbol.iterator]()
      },
      Object,
      JSON
    })
    onSubmit({ preventDefault: () => {} })
    const message: unknown = JSON.parse(JSON.stringify(yield* Deferred.await(told)))
    return { message, output: output.value }
  })

for (const [name, options] of Object.entries({
  "any token": {},
  "tokens that are checked": { publicKey: spki(publicKey) }
})) {
  describe(`the card form of a sandbox with ${name}`, () => {
    it.live("stores the card that was entered", () =>
      Effect.gen(function* () {
        const session = yield* created
        assert.deepStrictEqual(yield* submit(session), { message: { type: "card-stored" }, output: "" })
        const { body } = yield* request("GET", `/checkout/sessions/${session}`, { headers })
        assert.deepInclude(body["payment_method"], { label: "1111", scheme: "visa" })
      }).pipe(Effect.provide(Sandbox.layer(options)))
    )

    it.live("asks to check a card that is refused, and to start again once the checkout has expired", () =>
      Effect.gen(function* () {
        const session = yield* created
        const refused = { type: "card-refused" }
        assert.deepStrictEqual(yield* submit(session, { ...entered, number: "4111" }), {
          message: refused,
          output: "The card was not accepted. Check it and try again."
        })
        yield* request("DELETE", `/checkout/sessions/${session}`, { headers })
        assert.deepStrictEqual(yield* submit(session), { message: refused, output: "This checkout has expired." })
      }).pipe(Effect.provide(Sandbox.layer(options)))
    )

    it.live("does not blame the card for a failure of the server", () =>
      Effect.gen(function* () {
        const { failNext } = yield* Sandbox.Sandbox
        const session = yield* created
        for (const fault of [{ status: 503 }, { reset: "before" }] as const) {
          yield* failNext(fault)
          assert.deepStrictEqual(yield* submit(session), {
            message: { type: "card-refused" },
            output: "The card could not be sent. Try again."
          })
        }
      }).pipe(Effect.provide(Sandbox.layer(options)))
    )
  })
}

describe("the token of a card form", () => {
  it.live("stores the card of its own session, and does nothing else", () =>
    Effect.gen(function* () {
      const one = yield* created
      const other = yield* created
      const page = yield* request("GET", `/card-form/${one}`)
      const [, bearer = ""] = /authorization: "(Bearer [^"]+)"/.exec(page.text) ?? []
      const ask = (method: string, path: string, body?: object) =>
        Effect.map(
          request(method, path, {
            headers: { authorization: bearer },
            ...(body === undefined ? {} : { body: JSON.stringify(body) })
          }),
          ({ status }) => status
        )
      assert.strictEqual(yield* ask("PUT", `/checkout/sessions/${one}/fields`, {}), 204)
      assert.strictEqual(yield* ask("PUT", `/checkout/sessions/${other}/fields`, {}), 401)
      assert.strictEqual(yield* ask("PUT", `/checkout/sessions/${one}`, {}), 401)
      assert.strictEqual(yield* ask("GET", `/checkout/sessions/${one}`), 401)
      assert.strictEqual(yield* ask("DELETE", `/checkout/sessions/${one}`), 401)
      assert.strictEqual(yield* ask("POST", "/checkout/sessions"), 401)
    }).pipe(Effect.provide(Sandbox.layer({ publicKey: spki(publicKey) })))
  )
})
