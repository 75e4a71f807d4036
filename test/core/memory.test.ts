import { assert, describe, it } from "@effect/vitest"
import {
  type CheckoutSession,
  CheckoutSessionId,
  CheckoutSessions,
  CheckoutSessionsMemory,
  type CheckoutSessionsService
} from "@effect-gr4vy/core"
import { Duration, Effect, Random, Redacted, TestClock } from "effect"
import { card } from "../support/cards.js"
import { heapUsed } from "../support/heap.js"
import { withScheduler } from "../support/permuting.js"

const minutesLeft = (id: CheckoutSessionId) =>
  Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    const session = yield* sessions.get(id)
    return Duration.toMinutes(yield* session.timeLeft)
  })

const isGone = (id: CheckoutSessionId) =>
  Effect.gen(function* () {
    const sessions = yield* CheckoutSessions
    for (const call of [sessions.get(id), sessions.update(id, {}), sessions.updateFields(id), sessions.delete(id)]) {
      const error = yield* Effect.flip(call)
      assert(error._tag === "NotFound")
      assert.strictEqual(error.code, "not_found")
      assert.strictEqual(error.message, "The resource could not be found")
    }
  })

describe("the in-memory service", () => {
  it.effect("keeps a session for 1 hour, not a moment longer", () =>
    Effect.gen(function* () {
      const { id } = yield* Effect.flatMap(CheckoutSessions, (sessions) => sessions.add())
      assert.strictEqual(yield* minutesLeft(id), 60)
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual(yield* minutesLeft(id), 1)
      yield* TestClock.adjust("1 minute")
      yield* isGone(id)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("keeps a session for 5 minutes from the moment its fields came", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { id } = yield* sessions.add()
      yield* TestClock.adjust("59 minutes")
      yield* sessions.updateFields(id, { paymentMethod: card() })
      assert.strictEqual(yield* minutesLeft(id), 5)
      yield* TestClock.adjust("4 minutes")
      yield* sessions.updateFields(id)
      assert.strictEqual(yield* minutesLeft(id), 5)
      yield* TestClock.adjust("5 minutes")
      yield* isGone(id)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("knows neither a deleted session nor one it never made", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { id } = yield* sessions.add()
      yield* sessions.delete(id)
      yield* isGone(id)
      yield* isGone(CheckoutSessionId.make("another"))
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("is found by its id in capital letters, too", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { id } = yield* sessions.add()
      const capital = CheckoutSessionId.make(id.toUpperCase())
      assert.strictEqual((yield* sessions.get(capital)).id, id)
      assert.strictEqual((yield* sessions.update(capital, { amount: 1 })).amount, 1)
      yield* sessions.delete(capital)
      yield* isGone(id)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("has the same ids for the same seed, all of them UUIDs version 4", () => {
    const five = Effect.flatMap(CheckoutSessions, (sessions) =>
      Effect.map(Effect.replicateEffect(sessions.add(), 5), (added) => added.map(({ id }): string => id))
    ).pipe(Effect.provide(CheckoutSessionsMemory.layer))
    return Effect.gen(function* () {
      const first = yield* Effect.withRandom(five, Random.make("seed"))
      assert.deepStrictEqual(yield* Effect.withRandom(five, Random.make("seed")), first)
      assert.notDeepEqual(yield* Effect.withRandom(five, Random.make("another")), first)
      assert.strictEqual(new Set(first).size, 5)
      for (const id of first) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    })
  })
})

describe("a session in memory", () => {
  const order = {
    amount: 1299,
    currency: "EUR",
    cartItems: [{ name: "Tea", quantity: 1, unitAmount: 1299, sku: null }],
    metadata: { order_id: "4711", camelCase: "kept" },
    buyer: { displayName: "Ada", billingDetails: { firstName: "Ada", address: { city: "London" } } }
  } as const

  const contentsOf = ({ expiresAt: _, id: __, type: ___, ...contents }: CheckoutSession) => ({ ...contents })

  it.effect("has the properties it was created with; `null` is absent", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const created = yield* sessions.add({ ...order, paymentServiceId: null })
      assert.deepStrictEqual<unknown>(contentsOf(created), {
        ...order,
        cartItems: [{ name: "Tea", quantity: 1, unitAmount: 1299 }]
      })
      assert.deepStrictEqual(yield* sessions.get(created.id), created)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("is updated partially: absent properties stay, `null` clears", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { expiresAt, id } = yield* sessions.add(order)
      yield* TestClock.adjust("10 minutes")
      const updated = yield* sessions.update(id, {
        amount: 500,
        metadata: { other: "1" },
        cartItems: null,
        buyer: null
      })
      assert.deepStrictEqual<unknown>(contentsOf(updated), { amount: 500, currency: "EUR", metadata: { other: "1" } })
      assert.deepStrictEqual(updated.expiresAt, expiresAt)
      assert.deepStrictEqual(yield* sessions.update(id, {}), updated)
      assert.deepStrictEqual(yield* sessions.get(id), updated)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("shows nothing of the properties that the API takes and does not show", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const hidden = { country: "DE", intent: "capture", paymentSource: "moto", merchantInitiated: true } as const
      const { id } = yield* sessions.add({ ...hidden, isSubsequentPayment: false, amount: 1 })
      assert.deepStrictEqual<unknown>(contentsOf(yield* sessions.update(id, hidden)), { amount: 1 })
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  it.effect("lives as long as it was asked to, at an update from then on", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { id } = yield* sessions.add({ expiresIn: "24 hours" })
      assert.strictEqual(yield* minutesLeft(id), 24 * 60)
      yield* TestClock.adjust("23 hours")
      yield* sessions.update(id, { amount: 1 })
      assert.strictEqual(yield* minutesLeft(id), 60)
      yield* sessions.update(id, { expiresIn: "2 hours" })
      assert.strictEqual(yield* minutesLeft(id), 120)
      yield* TestClock.adjust("2 hours")
      yield* isGone(id)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )

  for (const expiresIn of ["59 minutes", "25 hours"] as const) {
    it.effect(`is refused a lifetime of ${expiresIn}, with the name of the field`, () =>
      Effect.gen(function* () {
        const sessions = yield* CheckoutSessions
        const { id } = yield* sessions.add()
        for (const call of [sessions.add({ expiresIn }), sessions.update(id, { expiresIn })]) {
          const error = yield* Effect.flip(call)
          assert(error._tag === "RequestFailed")
          assert.strictEqual(error.reason, "InvalidRequest")
          assert.include(
            error.message,
            'session.expiresIn must be a duration of 1 to 24 hours, e.g. "2 hours" (a number is milliseconds'
          )
        }
      }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
    )
  }

  for (const [scheme, number] of [
    ["visa", "4111111111111111"],
    ["mastercard", "5555555555554444"],
    ["mastercard", "2223003122003222"],
    ["mastercard", "2720990000000007"],
    ["other", "2721000000000004"],
    ["amex", "378282246310005"],
    ["diners-club", "3056930009020004"],
    ["jcb", "3566002020360505"],
    ["discover", "6011111111111117"],
    ["unionpay", "6200000000000005"],
    ["mir", "2200700000000001"],
    ["maestro", "6759649826438453"],
    ["other", "9111111111111111"]
  ] as const) {
    it.effect(`shows a card ${number.slice(0, 4)}… as ${scheme}, its last four digits, its BIN and nothing more`, () =>
      Effect.gen(function* () {
        const sessions = yield* CheckoutSessionsMemory.make()
        const { id } = yield* sessions.add({ amount: 1 })
        yield* sessions.updateFields(id, {
          paymentMethod: {
            method: "card",
            number: Redacted.make(number),
            expirationDate: "11/29",
            securityCode: Redacted.make("8642")
          },
          postalCode: "SW1A 1AA"
        })
        const session = yield* sessions.get(id)
        const paymentMethod = {
          type: "payment-method",
          method: "card",
          label: number.slice(-4),
          scheme,
          details: { bin: number.slice(0, 6) }
        }
        assert.deepStrictEqual<unknown>(contentsOf(session), { amount: 1, paymentMethod })
        yield* sessions.updateFields(id)
        assert.deepStrictEqual<unknown>((yield* sessions.get(id)).paymentMethod, paymentMethod)
      })
    )
  }

  for (const [what, paymentMethod, shown] of [
    [
      "Click to Pay",
      { method: "click-to-pay", merchantTransactionId: "m", srcCorrelationId: "c", srcDpaId: "d" },
      { type: "payment-method", method: "card" }
    ],
    [
      "a stored payment method",
      { method: "id", id: "ef9496d8-53a5-4aad-8ca2-00eb68334389", securityCode: Redacted.make("8642") },
      { type: "payment-method", method: "card", id: "ef9496d8-53a5-4aad-8ca2-00eb68334389" }
    ]
  ] as const) {
    it.effect(`takes ${what}`, () =>
      Effect.gen(function* () {
        const sessions = yield* CheckoutSessionsMemory.make()
        const { id } = yield* sessions.add()
        yield* sessions.updateFields(id, { paymentMethod })
        assert.deepStrictEqual<unknown>(contentsOf(yield* sessions.get(id)), { paymentMethod: shown })
        assert.strictEqual(Duration.toMinutes(yield* (yield* sessions.get(id)).timeLeft), 5)
      })
    )
  }
})

describe("the in-memory service under 200 interleavings", () => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed)
  const atOnce = <A, B>(
    each: (sessions: CheckoutSessionsService, id: CheckoutSessionId) => readonly [Effect.Effect<A>, Effect.Effect<B>]
  ) =>
    Effect.forEach(seeds, (seed) =>
      Effect.gen(function* () {
        const sessions = yield* CheckoutSessionsMemory.make()
        const { id } = yield* sessions.add()
        const outcomes = yield* Effect.all(each(sessions, id), { concurrency: "unbounded" })
        return { alive: yield* Effect.isSuccess(sessions.get(id)), outcomes }
      }).pipe(withScheduler(seed))
    )

  it.effect("an update that meets a delete does not bring the session back", () =>
    Effect.gen(function* () {
      const results = yield* atOnce((sessions, id) => [
        Effect.isSuccess(sessions.updateFields(id)),
        Effect.isSuccess(sessions.delete(id))
      ])
      assert.deepStrictEqual([results.filter(({ alive }) => alive).length, results.length], [0, 200])
      assert.isTrue(results.every(({ outcomes: [, deleted] }) => deleted))
    })
  )

  it.effect("one of two deletes succeeds", () =>
    Effect.gen(function* () {
      const results = yield* atOnce((sessions, id) => [
        Effect.isSuccess(sessions.delete(id)),
        Effect.isSuccess(sessions.delete(id))
      ])
      assert.strictEqual(results.filter(({ outcomes: [one, other] }) => one !== other).length, 200)
    })
  )
})

describe("a great many sessions", () => {
  it.effect("make the next one no dearer", () =>
    Effect.gen(function* () {
      const millis = (count: number) =>
        Effect.gen(function* () {
          const started = performance.now()
          yield* Effect.replicateEffect(sessions.add(), count, { discard: true })
          return performance.now() - started
        })
      const sessions = yield* CheckoutSessionsMemory.make()
      yield* millis(500)
      const first = yield* millis(500)
      yield* millis(10_000)
      // A walk through all of them costs dozens of times as much; ten leaves room for a machine that stumbles.
      assert.isBelow(yield* millis(500), 10 * first)
    })
  )

  it.effect("leave the memory again once they have expired, while others are added", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessionsMemory.make()
      const hours = (count: number) =>
        Effect.replicateEffect(
          Effect.zipRight(Effect.replicateEffect(sessions.add(), 2000, { discard: true }), TestClock.adjust("1 hour")),
          count
        )
      yield* hours(3)
      const before = heapUsed()
      yield* hours(6)
      const grown = heapUsed() - before
      yield* sessions.add()
      // 12,000 sessions hold about 5 MB.
      assert.isBelow(grown / 2 ** 20, 1.5)
    })
  )
})

describe("a card", () => {
  it.effect.each(["13/99", "00/29", "1/29", "12/2029"])("that expires in %s is refused", (expirationDate) =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const { id } = yield* sessions.add()
      const error = yield* Effect.flip(sessions.updateFields(id, { paymentMethod: { ...card(), expirationDate } }))
      assert(error._tag === "RequestFailed")
      assert.match(error.message, /expirationDate must be MM\/YY/)
    }).pipe(Effect.provide(CheckoutSessionsMemory.layer))
  )
})
