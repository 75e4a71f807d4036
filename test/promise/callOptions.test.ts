/** The options of one call, and a dispatcher: the wire has what they say. */
import { cpSync, mkdtempSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import {
  type CallOptions,
  type Client,
  create,
  Generic,
  NotFound,
  type Options,
  RequestFailed,
  type RequestOptions,
  Unauthorized,
  WebhookInvalid
} from "@effect-gr4vy/promise"
import { Effect } from "effect"
import { MockAgent } from "undici"
import { type Answer, reply, script, sessionId, sessionJson, silent, status } from "../support/script.js"

const session = reply(200, sessionJson, { "content-type": "application/json" })

const open = (options: Options) =>
  Effect.acquireRelease(
    Effect.promise(() => create({ token: "any", retry: "none", ...options } as Options)),
    (client) => Effect.promise(client.close)
  )

const outcome = (call: () => Promise<unknown>) => Effect.promise(() => call().catch((error: unknown) => error))

const calls: Readonly<Record<string, (client: Client, options: CallOptions) => Promise<unknown>>> = {
  add: (client, options) => client.add({}, options),
  get: (client, options) => client.get(sessionId, options),
  update: (client, options) => client.update(sessionId, { amount: 1 }, options),
  updateFields: (client, options) => client.updateFields(sessionId, {}, options),
  delete: (client, options) => client.delete(sessionId, options),
  request: (client, options) => client.request("GET", "/buyers", options)
}
const answers: Readonly<Record<string, Answer>> = { updateFields: status(204), delete: status(204) }

describe("the options of one call", () => {
  it.scopedLive.each(Object.keys(calls))("of %s set its merchant account, its headers and its time limit", (name) =>
    Effect.gen(function* () {
      const call = calls[name] ?? assert.fail(name)
      const { baseUrl, requests } = yield* script(answers[name] ?? session, silent)
      const client = yield* open({ baseUrl, merchantAccountId: "default" })
      const options = { merchantAccountId: "acme-eu", headers: { "X-Own": "1" } }
      yield* Effect.promise(() => call(client, options))
      assert.strictEqual(requests[0]?.headers["x-gr4vy-merchant-account-id"], "acme-eu")
      assert.strictEqual(requests[0]?.headers["x-own"], "1")
      const error = yield* outcome(() => call(client, { attemptTimeout: 100 }))
      assert.instanceOf(error, RequestFailed)
      assert.include(error, { reason: "Timeout", delivered: "unknown" })
      assert.strictEqual(requests[1]?.headers["x-gr4vy-merchant-account-id"], "default")
    })
  )

  const refused: Readonly<Record<string, readonly [RequestOptions, RegExp]>> = {
    "a header of the client's own": [
      { headers: { Authorization: "Bearer x" } },
      /authorization, which the client sets/
    ],
    "expect as a header": [{ headers: { expect: "100-continue" } }, /expect, which belongs to the connection/],
    "a line break in a header": [{ headers: { "x-a": "1\r\nx-b: 2" } }, /headers\.x-a must be a string of visible/],
    "an account that no header can have": [{ merchantAccountId: "a\nb" }, /merchant account/i],
    "a time limit of nothing": [{ attemptTimeout: 0 }, /attemptTimeout must be/],
    "a misspelt name": [{ attemptTimeouts: 1 } as RequestOptions, /did you mean attemptTimeout/],
    "a query value that is an object": [{ query: { a: {} } as never }, /options\.query must have strings/],
    "a query that is no number": [{ query: { a: Number.NaN } }, /options\.query must have strings/]
  }
  it.scopedLive.each(Object.keys(refused))("refuse %s before anything is sent", (name) =>
    Effect.gen(function* () {
      const [options, message] = refused[name] ?? assert.fail(name)
      const { baseUrl, requests } = yield* script(session)
      const client = yield* open({ baseUrl })
      const error = yield* outcome(() => client.request("GET", "/buyers", options))
      assert.instanceOf(error, RequestFailed)
      assert.include(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
      assert.match(error.message, message)
      assert.lengthOf(requests, 0)
    })
  )

  it.scopedLive("have a query, encoded, whose lists repeat their name and whose absent values are left out", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(reply(200, "{}", { "content-type": "application/json" }))
      const client = yield* open({ baseUrl })
      const query = { limit: 5, status: ["a b", "c&d"], live: true, cursor: undefined, search: null }
      yield* Effect.promise(() => client.request("GET", "/transactions", { query }))
      assert.strictEqual(requests[0]?.url, "/transactions?limit=5&status=a+b&status=c%26d&live=true")
      const both = yield* outcome(() => client.request("GET", "/transactions?limit=1", { query }))
      assert.match(String(both), /the query must be in path or in options\.query/)
      assert.lengthOf(requests, 1)
    })
  )
})

describe("the option dispatcher", () => {
  it.scopedLive("lets a MockAgent answer in place of the API", () =>
    Effect.gen(function* () {
      const dispatcher = new MockAgent()
      dispatcher.disableNetConnect()
      const pool = dispatcher.get("https://api.sandbox.plantly.gr4vy.app")
      const headers = { "content-type": "application/json" }
      pool.intercept({ path: "/checkout/sessions", method: "POST" }).reply(201, sessionJson, { headers })
      const client = yield* open({ id: "plantly", dispatcher })
      assert.strictEqual((yield* Effect.promise(() => client.add())).id, sessionId)
      dispatcher.assertNoPendingInterceptors()
      const error = yield* outcome(() => client.add())
      assert.match(String(error), /no intercept of the MockAgent matches/)
      yield* Effect.promise(() => client.close())
      yield* Effect.promise(() => dispatcher.close())
    })
  )

  it.scopedLive("refuses what is none, and http: to another machine is refused without exposeTokenOverHttp", () =>
    Effect.gen(function* () {
      const none = yield* outcome(() => create({ id: "plantly", token: "any", dispatcher: {} as never }))
      assert.match(String(none), /options\.dispatcher must be one of undici/)
      const baseUrl = "http://sandbox:4010"
      assert.match(String(yield* outcome(() => create({ baseUrl, token: "any" }))), /must begin with https:/)
      const client = yield* open({ baseUrl, exposeTokenOverHttp: true })
      assert.isFunction(client.add)
    })
  )
})

describe("instanceof", () => {
  it("finds an error of another copy of this package, by its class's name", async () => {
    const original = fileURLToPath(new URL("../../packages/promise/dist", import.meta.url))
    // Beside it, where its dependencies are found.
    const folder = mkdtempSync(join(dirname(original), "copy-"))
    try {
      const file = join(folder, "index.js")
      cpSync(original, folder, { recursive: true })
      const copy: typeof import("@effect-gr4vy/promise") = await import(pathToFileURL(file).href)
      const fields = { message: "m" }
      const errors = [
        new copy.Unauthorized(fields),
        new copy.NotFound(fields),
        new copy.Generic({ ...fields, status: 500 }),
        new copy.RequestFailed({ ...fields, reason: "Timeout", delivered: "no", attempts: 1 }),
        new copy.WebhookInvalid({ ...fields, check: "Payload" })
      ]
      const classes = [Unauthorized, NotFound, Generic, RequestFailed, WebhookInvalid]
      assert.notStrictEqual(copy.NotFound, NotFound)
      assert.deepStrictEqual(
        errors.map((error) => classes.map((each) => error instanceof each)),
        errors.map((_, row) => classes.map((__, column) => row === column))
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it("keeps a program's own subclass apart, and takes nothing that is no error of this package", () => {
    class Mine extends NotFound {}
    const mine = new Mine({ message: "m" })
    const theirs = new NotFound({ message: "m" })
    assert.deepStrictEqual(
      [mine instanceof Mine, mine instanceof NotFound, theirs instanceof Mine],
      [true, true, false]
    )
    for (const other of [undefined, null, 1, "NotFound", {}, { name: "NotFound", _tag: "NotFound" }, new Error("m")]) {
      assert.isFalse(other instanceof NotFound)
    }
  })
})
