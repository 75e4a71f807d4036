/** The resources of the API over HTTP: what is sent, what comes back, what is refused. */
import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Refund, Role } from "@effect-gr4vy/api"
import { create, Generic, type Options, RequestFailed } from "@effect-gr4vy/promise"
import { Effect } from "effect"
import { exampleOf } from "../../packages/sandbox/dist/internal/example.js"
import { type Answer, reply, script } from "../support/script.js"

const id = "8724fd24-5489-4a5d-90fd-0604df7d3b83"
const number = "4111111111111111"

const open = (baseUrl: string, options: Options = {}) =>
  Effect.acquireRelease(
    Effect.promise(() => create({ baseUrl, token: "any", retry: { baseDelay: 1 }, ...options } as Options)),
    (client) => Effect.promise(client.close)
  )

const outcome = (call: () => PromiseLike<unknown>) =>
  Effect.promise(async () => {
    try {
      return await call()
    } catch (error) {
      return error
    }
  })

const json = (value: unknown) => reply(200, JSON.stringify(value), { "content-type": "application/json" })
const dropped: Answer = (_, response) => void response.destroy()

// Whole resources on the wire, with what a test looks at.
const refund = {
  ...Object(exampleOf(Refund)),
  id,
  transaction_id: id,
  amount: 100,
  created_at: "2026-01-01T00:00:00+00:00"
}

const role = (name: string) => ({ ...Object(exampleOf(Role)), name })
const rolesPage = (names: ReadonlyArray<string>, next?: string) => ({
  items: names.map(role),
  limit: 2,
  next_cursor: next ?? null,
  previous_cursor: null
})

const body = { amount: 1299, currency: "USD", paymentMethod: { method: "checkout-session" as const, id } }

/** A function without its types, as JavaScript calls it. */
type Free = (...args: ReadonlyArray<unknown>) => Promise<unknown>

describe("a function of the API", () => {
  it.scopedLive("sends a refund with its key, and again with the same key after a lost response", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(dropped, json(refund))
      const client = yield* open(baseUrl)
      const made = yield* outcome(() =>
        client.transactions.refunds.create(id, { amount: 100 }, { idempotencyKey: "order-1001/refund-1" })
      )
      assert.deepInclude(made, { amount: 100, transactionId: id, createdAt: new Date("2026-01-01T00:00:00Z") })
      assert.deepStrictEqual(
        requests.map(({ headers, method, url }) => [method, url, headers["idempotency-key"]]),
        Array.from({ length: 2 }, () => ["POST", `/transactions/${id}/refunds`, "order-1001/refund-1"])
      )
    })
  )

  it.scopedLive("sends a POST without a key once, whatever the policy", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(dropped)
      const client = yield* open(baseUrl, { retry: { maxAttempts: 5, baseDelay: 1, creates: "at-least-once" } })
      const error = yield* outcome(() => client.buyers.create({ displayName: "Ada" }))
      assert.instanceOf(error, RequestFailed)
      assert.deepInclude(error, { reason: "Disconnected", delivered: "unknown", attempts: 1 })
      assert.lengthOf(requests, 1)
    })
  )

  it.scopedLive("takes the options of a call: headers, merchant account, unknown properties", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(reply(400, "{}"))
      const client = yield* open(baseUrl)
      yield* outcome(() =>
        client.transactions.create({ ...body, laterProperty: true } as typeof body, {
          idempotencyKey: "order-1001/1",
          headers: { xForwardedFor: "192.0.2.1" },
          merchantAccountId: "shop-2",
          unknownProperties: "send"
        })
      )
      assert.deepInclude(requests[0]?.headers, {
        "x-forwarded-for": "192.0.2.1",
        "x-gr4vy-merchant-account-id": "shop-2",
        "idempotency-key": "order-1001/1"
      })
    })
  )

  it.scopedLive("refuses what JavaScript gets wrong, in words about the argument, and sends nothing", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(json(refund))
      const client = yield* open(baseUrl)
      class Amount {
        get amount() {
          return 1299
        }
      }
      const key = { idempotencyKey: "order-1001/1" }
      // What TypeScript refuses reaches a program in JavaScript.
      const { buyers, transactions } = client as unknown as {
        readonly buyers: { readonly create: Free }
        readonly transactions: {
          readonly get: Free
          readonly create: Free
          readonly list: Free
          readonly refunds: { readonly create: Free }
        }
      }
      const card = { method: "card", number, expirationDate: "11/29", securityCode: "123" }
      const refused: ReadonlyArray<readonly [() => Promise<unknown>, RegExp]> = [
        [() => transactions.get(Promise.resolve(id)), /transactionId must be/],
        [() => transactions.create(Promise.resolve(body), key), /payload/],
        [() => transactions.create(new Map(Object.entries(body)), key), /payload/],
        [() => transactions.refunds.create(id, new Amount(), key), /payload/],
        [() => transactions.create({ ...body, currancy: "USD" }, key), /unknown property.*currency/],
        [() => transactions.create({ ...body, amount: Number.NaN }, key), /payload\.amount must be/],
        [
          () => transactions.refunds.create(id, { amount: undefined }, key),
          /payload\.amount must be a number, or left out/
        ],
        [() => transactions.create(body), /idempotencyKey must be/],
        [() => transactions.create(body, "order-1001/1"), /options must be an object/],
        [() => transactions.create(body, { idempotencyKye: "a" }), /idempotencyKey/],
        [() => buyers?.["create"]?.({}, key), /honours no idempotencyKey/],
        [
          () => transactions.create({ ...body, paymentMethod: { ...card, number: 4111111111111111 } }, key),
          /paymentMethod\.number must be/
        ],
        [
          () => transactions.create({ ...body, paymentMethod: { ...card, number: "4111-1111" } }, key),
          /paymentMethod\.number must be/
        ],
        [() => transactions.list({ createdAtGte: "2026-01-01" }), /query\.createdAtGte must be a valid Date/],
        [() => transactions.list({ createdAtGte: new Date("never") }), /query\.createdAtGte must be a valid Date/]
      ]
      for (const [call, message] of refused) {
        const error = yield* outcome(async () => call())
        assert.instanceOf(error, RequestFailed, String(message))
        assert.deepInclude(error, { reason: "InvalidRequest", delivered: "no", attempts: 0 })
        assert.match(error.message, message)
        assert.notInclude(inspect(error, { depth: 9, showHidden: true }), "4111")
      }
      assert.lengthOf(requests, 0)
    })
  )

  it.scopedLive("removes a secret from what the server says", () =>
    Effect.gen(function* () {
      const echo = { type: "error", code: "bad_request", status: 400, message: `card ${number}, code 987`, details: [] }
      const { baseUrl } = yield* script(reply(400, JSON.stringify(echo), { "content-type": "application/json" }))
      const client = yield* open(baseUrl)
      const error = yield* outcome(() =>
        client.transactions.create(
          { ...body, paymentMethod: { method: "card", number, expirationDate: "11/29", securityCode: "987" } },
          { idempotencyKey: "order-1001/1" }
        )
      )
      assert.instanceOf(error, Generic)
      const all = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)
      for (const secret of [number, "987"]) assert.notInclude(all, secret)
    })
  )

  it.scopedLive("sends what it was given, also if the caller changes it while the resource is loaded", () =>
    Effect.gen(function* () {
      const sent: Array<string> = []
      const { baseUrl } = yield* script((request, response) => {
        request.on("data", (chunk: Buffer) => sent.push(chunk.toString()))
        request.on("end", () => json(refund)(request, response))
      })
      const client = yield* open(baseUrl)
      const given = { amount: 100 }
      const call = client.transactions.refunds.create(id, given, { idempotencyKey: "order-1001/refund-1" })
      given.amount = 99_999
      yield* outcome(() => call)
      assert.deepStrictEqual(sent, ['{"amount":100}'])
    })
  )

  it.scopedLive("is refused by a closed client", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(json(refund))
      const client = yield* open(baseUrl)
      const call = outcome(() => client.transactions.get(id))
      yield* Effect.promise(client.close)
      assert.instanceOf(yield* call, RequestFailed)
      assert.lengthOf(requests, 0)
    })
  )
})

describe("a list", () => {
  const pages = () =>
    script(json(rolesPage(["a", "b"], "two")), json(rolesPage(["c", "d"], "three")), json(rolesPage(["e"])))

  it.scopedLive("is every item of every page to a loop, which asks for a page when it comes to it", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* pages()
      const client = yield* open(baseUrl)
      const list = client.roles.list({ limit: 2 })
      const found: Array<string> = []
      const asked: Array<number> = []
      yield* Effect.promise(async () => {
        for await (const { name } of list) {
          found.push(name)
          asked.push(requests.length)
        }
      })
      assert.deepStrictEqual(found, ["a", "b", "c", "d", "e"])
      assert.deepStrictEqual(asked, [1, 1, 2, 2, 3])
      assert.deepStrictEqual(
        requests.map(({ url }) => url),
        ["/roles?limit=2", "/roles?limit=2&cursor=two", "/roles?limit=2&cursor=three"]
      )
    })
  )

  it.scopedLive("is one page to an await, and nothing is asked before", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* pages()
      const client = yield* open(baseUrl)
      const list = client.roles.list()
      assert.lengthOf(requests, 0)
      const page = yield* Effect.promise(async () => list)
      assert.strictEqual(page.nextCursor, "two")
      assert.deepStrictEqual(
        page.items.map(({ name }) => name),
        ["a", "b"]
      )
      yield* Effect.promise(async () => list)
      assert.lengthOf(requests, 1)
    })
  )

  it.scopedLive("stops at a break, and at its signal with the signal's reason", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* pages()
      const client = yield* open(baseUrl)
      yield* Effect.promise(async () => {
        for await (const { name } of client.roles.list()) if (name === "b") break
      })
      assert.lengthOf(requests, 1)
      const controller = new AbortController()
      const found: Array<string> = []
      const reason = yield* outcome(async () => {
        for await (const { name } of client.roles.list({}, { signal: controller.signal })) {
          found.push(name)
          controller.abort(new Error("the buyer left"))
        }
      })
      assert.deepInclude(reason, { message: "the buyer left" })
      assert.lengthOf(found, 1)
      assert.lengthOf(requests, 2)
    })
  )

  it.scopedLive("fails where a cursor repeats, because it would never end", () =>
    Effect.gen(function* () {
      const { baseUrl, requests } = yield* script(json(rolesPage(["a"], "same")))
      const client = yield* open(baseUrl)
      const error = yield* outcome(async () => {
        for await (const { name } of client.roles.list()) assert.strictEqual(name, "a")
      })
      assert.deepInclude(error, { name: "RequestFailed", reason: "InvalidResponse" })
      assert.lengthOf(requests, 2)
    })
  )

  it.scopedLive("fails where there is a further page and the operation takes no cursor", () =>
    Effect.gen(function* () {
      const page = { items: [refund], limit: 1, next_cursor: "two", previous_cursor: null }
      const { baseUrl } = yield* script(json(page))
      const client = yield* open(baseUrl)
      const found: Array<unknown> = []
      const error = yield* outcome(async () => {
        for await (const each of client.transactions.refunds.list(id)) found.push(each)
      })
      assert.deepInclude(error, { name: "RequestFailed", reason: "InvalidResponse" })
      assert.lengthOf(found, 1)
    })
  )
})
