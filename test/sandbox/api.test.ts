/**
 * The whole API at the sandbox: state where a shop needs it, examples elsewhere.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Api from "@effect-gr4vy/api"
import { CheckoutSessions, Endpoint, Generic, NotFound, Webhooks } from "@effect-gr4vy/core"
import { Gr4vy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Chunk, Deferred, Effect, Either, Fiber, Layer, Predicate, Redacted, Schedule, Stream } from "effect"
import { argumentsOf, operations } from "../support/wholeApi.js"

const Client = Layer.unwrapEffect(
  Effect.map(Sandbox.Sandbox, ({ baseUrl }) =>
    Layer.provideMerge(Api.Api.layer, Gr4vy.layer({ baseUrl, token: Redacted.make("any") }))
  )
)
const TestApi = Layer.provideMerge(Client, Sandbox.layer())

const paidWith = (number: string, options: { readonly intent?: "authorize" | "capture"; readonly key?: string } = {}) =>
  Effect.gen(function* () {
    const transactions = yield* Api.Transactions
    return yield* transactions.create(
      {
        amount: 1299,
        currency: "EUR",
        intent: options.intent ?? "authorize",
        paymentMethod: { method: "card", number: Redacted.make(number), expirationDate: "12/30" }
      },
      { idempotencyKey: options.key ?? `order/${number}` }
    )
  })

describe("the sandbox's transactions", () => {
  it.live("take the card of a session, are captured in parts and refunded", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const transactions = yield* Api.Transactions
      const { bank } = yield* Sandbox.Sandbox
      const { id: session } = yield* sessions.add({ amount: 1299, currency: "EUR" })
      yield* sessions.updateFields(session, {
        paymentMethod: {
          method: "card",
          number: Redacted.make("5555555555554444"),
          expirationDate: "12/30",
          securityCode: Redacted.make("123")
        }
      })
      const { id, paymentMethod } = yield* transactions.create(
        { amount: 1299, currency: "EUR", paymentMethod: { method: "checkout-session", id: session } },
        { idempotencyKey: "order-1/1" }
      )
      assert.deepInclude(paymentMethod, { label: "4444", scheme: "mastercard" })
      yield* transactions.capture(id, { amount: 500 }, { idempotencyKey: "order-1/capture/1" })
      yield* transactions.capture(id, {}, { idempotencyKey: "order-1/capture/2" })
      const tooMuch = yield* Effect.flip(
        transactions.refunds.create(id, { amount: 1300 }, { idempotencyKey: "order-1/refund/1" })
      )
      assert.instanceOf(tooMuch, Generic)
      yield* transactions.refunds.create(id, { amount: 299 }, { idempotencyKey: "order-1/refund/2" })
      yield* transactions.refunds.all.create(id, undefined, { idempotencyKey: "order-1/refund/3" })
      assert.deepStrictEqual(Api.Payment.outcome(yield* transactions.get(id)), Api.Payment.Refunded({ refunded: 1299 }))
      assert.deepStrictEqual(
        (yield* bank.booked).map(({ amount, kind }) => [kind, amount]),
        [
          ["authorization", 1299],
          ["capture", 500],
          ["capture", 799],
          ["refund", 299],
          ["refund", 1000]
        ]
      )
    }).pipe(Effect.provide(TestApi))
  )

  const outcomes: ReadonlyArray<readonly [card: string, tag: Api.Payment.Outcome["_tag"]]> = [
    ["4111111111111111", "Authorized"],
    ["4000000000009995", "Declined"],
    ["4000000000000069", "Declined"],
    ["4000000000000127", "Failed"],
    ["4000000000003220", "NeedsApproval"],
    ["4000000000003063", "Pending"],
    ["4000000000000077", "Pending"],
    ["4000000000009235", "Pending"]
  ]
  for (const [card, tag] of outcomes) {
    it.live(`by the card ${card} are ${tag}`, () =>
      Effect.map(paidWith(card), (transaction) => assert.strictEqual(Api.Payment.outcome(transaction)._tag, tag)).pipe(
        Effect.provide(TestApi)
      )
    )
  }

  it.live("repeat the first response to a key, and refuse another request with it", () =>
    Effect.gen(function* () {
      const first = yield* paidWith("4111111111111111", { key: "one" })
      assert.strictEqual((yield* paidWith("4111111111111111", { key: "one" })).id, first.id)
      const other = yield* Effect.flip(paidWith("4000000000009995", { key: "one" }))
      assert.instanceOf(other, Generic)
      assert.strictEqual(other.status, 400)
    }).pipe(Effect.provide(TestApi))
  )

  it.live("are approved, or not, by the buyer at the page of their URL", () =>
    Effect.gen(function* () {
      const transactions = yield* Api.Transactions
      for (const [approved, tag] of [
        [true, "Paid"],
        [false, "Declined"]
      ] as const) {
        const { id, paymentMethod } = yield* paidWith("4000000000003220", { intent: "capture", key: String(approved) })
        const url = paymentMethod?.approvalUrl ?? ""
        const page = yield* Effect.promise(() => fetch(url).then((response) => response.text()))
        assert.include(page, "Approve 12.99 EUR?")
        yield* Effect.promise(() => fetch(`${url}?approved=${approved}`, { method: "POST" }))
        assert.strictEqual(Api.Payment.outcome(yield* transactions.get(id))._tag, tag)
      }
    }).pipe(Effect.provide(TestApi))
  )

  it.live("are listed in pages, newest first, each once", () =>
    Effect.gen(function* () {
      const transactions = yield* Api.Transactions
      const made = yield* Effect.forEach(["a", "b", "c", "d", "e"], (key) =>
        Effect.map(paidWith("4111111111111111", { key }), ({ id }) => id)
      )
      const listed = yield* Stream.runCollect(Endpoint.items(transactions.list, { limit: 2 }))
      assert.deepStrictEqual(
        Chunk.toReadonlyArray(listed).map(({ id }) => id),
        made.reverse()
      )
      const error = yield* Effect.flip(transactions.list({ cursor: "none" }))
      assert.instanceOf(error, Generic)
    }).pipe(Effect.provide(TestApi))
  )

  it.live("answer a capture or a void as the header asks", () =>
    Effect.gen(function* () {
      const transactions = yield* Api.Transactions
      const { id } = yield* paidWith("4111111111111111")
      const captured = yield* transactions.capture(
        id,
        {},
        { idempotencyKey: "capture", headers: { prefer: "resource=transaction-capture" } }
      )
      assert.deepInclude(captured, { type: "transaction-capture", status: "succeeded" })
      const { id: other } = yield* paidWith("4111111111111111", { key: "other" })
      const voided = yield* transactions.void(other, { idempotencyKey: "void" })
      assert.deepInclude(voided, { type: "transaction", status: "authorization_voided" })
    }).pipe(Effect.provide(TestApi))
  )
})

describe("the sandbox's bank", () => {
  it.live("takes no more than is authorized, whatever comes at the same time", () =>
    Effect.gen(function* () {
      const transactions = yield* Api.Transactions
      const { bank } = yield* Sandbox.Sandbox
      const { id } = yield* paidWith("4111111111111111")
      const open = yield* Deferred.make<void>()
      yield* bank.wait(Deferred.await(open))
      const running = yield* Effect.fork(
        Effect.all(
          ["a", "b", "c"].map((key) => Effect.either(transactions.capture(id, {}, { idempotencyKey: key }))),
          { concurrency: "unbounded" }
        )
      )
      yield* Effect.sleep("200 millis")
      yield* Deferred.succeed(open, undefined)
      const results = yield* Fiber.join(running)
      assert.lengthOf(results.filter(Either.isRight), 1)
      assert.strictEqual((yield* transactions.get(id)).capturedAmount, 1299)
    }).pipe(Effect.provide(TestApi))
  )

  it.live("counts a refund that is still processing, and moves nothing for an amount of 0", () =>
    Effect.gen(function* () {
      const transactions = yield* Api.Transactions
      const { id } = yield* paidWith("4000000000000267", { intent: "capture" })
      yield* transactions.refunds.create(id, { amount: 1000 }, { idempotencyKey: "r1" })
      for (const [key, amount] of [
        ["r2", 300],
        ["r3", 0]
      ] as const) {
        const error = yield* Effect.flip(transactions.refunds.create(id, { amount }, { idempotencyKey: key }))
        assert.deepInclude(error, { _tag: "Generic", status: 400 })
      }
      const { id: other } = yield* paidWith("4111111111111111")
      const nothing = yield* Effect.flip(transactions.capture(other, { amount: 0 }, { idempotencyKey: "c0" }))
      assert.deepInclude(nothing, { _tag: "Generic", status: 400 })
    }).pipe(Effect.provide(TestApi))
  )

  it.live("captures what was meant to be captured once a processing payment is settled", () =>
    Effect.gen(function* () {
      const transactions = yield* Api.Transactions
      const { id } = yield* paidWith("4000000000000077", { intent: "capture" })
      assert.deepInclude(yield* transactions.sync(id), { status: "capture_succeeded", capturedAmount: 1299 })
      const updated = yield* transactions.update(id, { externalIdentifier: "order-7" })
      assert.deepInclude(updated, { externalIdentifier: "order-7", amount: 1299 })
    }).pipe(Effect.provide(TestApi))
  )
})

describe("the sandbox's other resources", () => {
  it.live("keep buyers with their details, payment methods and gift cards", () =>
    Effect.gen(function* () {
      const buyers = yield* Api.Buyers
      const methods = yield* Api.PaymentMethods
      const cards = yield* Api.GiftCards
      const { id } = yield* buyers.create({ displayName: "Ada", externalIdentifier: "ada" })
      const twice = yield* Effect.flip(buyers.create({ externalIdentifier: "ada" }))
      assert.deepInclude(twice, { status: 409, code: "duplicate_record", resourceId: id })
      yield* buyers.shippingDetails.create(id, { firstName: "Ada" })
      assert.lengthOf((yield* buyers.shippingDetails.list(id)).items, 1)
      const method = yield* methods.create({
        method: "card",
        number: Redacted.make("4111111111111111"),
        expirationDate: "12/30",
        buyerId: id
      })
      assert.deepInclude(method, { label: "1111", scheme: "visa" })
      assert.deepStrictEqual(
        (yield* buyers.paymentMethods.list({ buyerExternalIdentifier: "ada" })).items.map((each) => each.id),
        [method.id]
      )
      const gift = yield* cards.create({
        number: Redacted.make("4123455541234561234"),
        pin: Redacted.make("1234"),
        buyerId: id
      })
      const [balance] = (yield* cards.balances.list({ items: [{ id: gift.id }] })).items
      assert.deepInclude(balance, { last4: "1234", balance: 10_000 })
      yield* buyers.delete(id)
      assert.instanceOf(yield* Effect.flip(buyers.get(id)), NotFound)
    }).pipe(Effect.provide(TestApi))
  )

  it.live("make payment links, which expire", () =>
    Effect.gen(function* () {
      const links = yield* Api.PaymentLinks
      const { id } = yield* links.create({ amount: 1299, country: "DE", currency: "EUR" })
      yield* links.expire(id)
      assert.strictEqual((yield* links.get(id)).status, "expired")
    }).pipe(Effect.provide(TestApi))
  )

  it.live(
    "answer every operation with what its schema reads, or with an error of the API",
    () =>
      Effect.gen(function* () {
        const statuses = new Set<number>()
        for (const { endpoint, id } of operations) {
          const { call } = yield* Endpoint.client({ call: endpoint })
          const send = call as unknown as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
          const failed = yield* Effect.flip(send(...argumentsOf(endpoint, 1))).pipe(
            Effect.orElseSucceed(() => undefined)
          )
          if (failed === undefined) continue
          // A made-up id, or a body that contradicts itself, is refused; nothing else may fail.
          assert.isTrue(Predicate.hasProperty(failed, "status"), `${id}: ${String(failed)}`)
          if (Predicate.hasProperty(failed, "status")) statuses.add(Number(failed.status))
        }
        assert.includeMembers([400, 404, 409], [...statuses])
      }).pipe(Effect.provide(TestApi)),
    60_000
  )
})

describe("the sandbox's webhooks", () => {
  it.live("are signed, and sent again until a 2xx accepts them", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const secret = "a-secret-of-the-test"
        const received: Array<{
          payload: string
          headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
        }> = []
        const server = yield* Effect.acquireRelease(
          Effect.async<ReturnType<typeof createServer>>((resume) => {
            const server = createServer((request, response) => {
              const chunks: Array<Buffer> = []
              request.on("data", (chunk) => chunks.push(chunk))
              request.on("end", () => {
                received.push({ payload: Buffer.concat(chunks).toString(), headers: request.headers })
                response.writeHead(received.length === 1 ? 500 : 204).end()
              })
            }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
          }),
          (server) => Effect.sync(() => void server.close())
        )
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
        yield* Effect.gen(function* () {
          const { deliveries } = yield* Sandbox.Sandbox
          const { id } = yield* paidWith("4111111111111111")
          const made = yield* Effect.repeat(deliveries, {
            until: (all) => all.length >= 2,
            schedule: Schedule.spaced("50 millis")
          }).pipe(Effect.zipRight(deliveries))
          assert.deepStrictEqual(
            made.map(({ attempt, name, status }) => [name, attempt, status]),
            [
              ["transaction.authorized", 1, 500],
              ["transaction.authorized", 2, 204]
            ]
          )
          const last = received.at(-1)
          const event = yield* Webhooks.verify({
            payload: last?.payload ?? "",
            headers: last?.headers ?? {},
            secret: Redacted.make(secret)
          })
          assert.strictEqual(event.name, "transaction.authorized")
          assert.strictEqual(event.target["id"], id)
        }).pipe(Effect.provide(Layer.provideMerge(Client, Sandbox.layer({ webhooks: [{ url, secret }] }))))
      })
    )
  )
})
