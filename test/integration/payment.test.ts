import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import { runInNewContext } from "node:vm"
import { HttpServer } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Payment, type Transaction, Transactions } from "@effect-gr4vy/api"
import { CheckoutSessions } from "@effect-gr4vy/core"
import { cardArrives, PaymentSandbox, program, Shop } from "@effect-gr4vy/examples/12-take-a-payment"
import { captureOnce, payOnce, refundOnce, router } from "@effect-gr4vy/examples/12-take-a-payment/checkout"
import {
  capture,
  nextPart,
  type Order,
  openSession,
  type Part,
  pay,
  refund,
  totalOf
} from "@effect-gr4vy/examples/12-take-a-payment/payment"
import { nextAttempt, Purchases } from "@effect-gr4vy/examples/12-take-a-payment/purchases"
import { RetryPolicy } from "@effect-gr4vy/node"
import { Sandbox } from "@effect-gr4vy/sandbox"
import { Deferred, Effect, Fiber, Layer, Schedule } from "effect"
import { loopback } from "../support/loopback.js"

/** Test cards of the sandbox by what becomes of their payments. */
const cards = Object.fromEntries(Sandbox.cards.map(({ behaviour, number }) => [behaviour, number])) as Record<
  "declined" | "approval" | "approvalWithoutUrl" | "processing" | "broken" | "uncapturable" | "unrefundable",
  string
>

const Bank = Effect.map(Sandbox.Sandbox, ({ bank }) => bank)

const order = (id: string, unitAmount = 12_000): Order => ({
  id,
  currency: "USD",
  items: [{ name: "Espresso machine", quantity: 1, unitAmount }]
})

/** A session of this order that holds a card. */
const withCard = Effect.fnUntraced(function* (order: Order, card?: string) {
  const { baseUrl } = yield* Sandbox.Sandbox
  const session = yield* openSession(order)
  yield* cardArrives(baseUrl, session, card)
  return session
})

/** What the bank booked for an order: `authorization 12000`. */
const booked = (id: string) =>
  Effect.gen(function* () {
    const ids = (yield* taken(id)).map(({ id }) => id)
    const book = yield* Effect.flatMap(Bank, (bank) => bank.booked)
    return book.filter(({ transaction }) => ids.includes(transaction)).map(({ amount, kind }) => `${kind} ${amount}`)
  })

const taken = (id: string) =>
  Effect.flatMap(Bank, ({ transactions }) =>
    Effect.map(transactions, (all) => all.filter((each) => each["external_identifier"] === id))
  )

/** The n-th part of a transaction. */
const partOf = (kind: Part["kind"], { id }: Transaction, number: number, amount?: number) =>
  Effect.flatten(nextPart(kind, id, number, { amount }))

const captureOf = (transaction: Transaction, number = 1, amount?: number) =>
  Effect.flatMap(partOf("capture", transaction, number, amount), capture)

const lost = { reset: "after" } as const

const quick = RetryPolicy.make({ baseDelay: "1 millis", maxDelay: "2 millis" })

// What goes wrong with the requests of one payment, in order; all but the first two may have taken the money.
const troubles: Readonly<Record<string, ReadonlyArray<Sandbox.Fault | undefined>>> = {
  "nothing goes wrong": [],
  "the connection is cut before the payment": [{ reset: "before" }],
  "the API is too busy": [
    { status: 429, retryAfterSeconds: 0 },
    { status: 503, retryAfterSeconds: 0 }
  ],
  "the response is lost": [{ reset: "after" }],
  "every response of a call is lost": [{ reset: "after" }, { reset: "after" }, { reset: "after" }],
  "half of the response arrives": [{ truncate: true }, { truncate: true }],
  "a gateway gives up": [{ status: 502 }, { status: 504 }],
  "one after the other": [{ reset: "after" }, { status: 503 }, { truncate: true }, { reset: "before" }],
  "the last response of a call says: later": [{ reset: "after" }, { status: 408 }, { status: 425 }]
}

describe("a payment", () => {
  for (const [what, faults] of Object.entries(troubles)) {
    it.live(`is taken once when ${what}`, () =>
      Effect.gen(function* () {
        const { failNext } = yield* Sandbox.Sandbox
        const mine = order(`order-${what}`)
        const session = yield* withCard(mine)
        yield* failNext(...faults)
        const transaction = yield* pay(mine, session, 1).pipe(RetryPolicy.withPolicy(quick))
        assert.deepInclude(transaction, { status: "authorization_succeeded", amount: totalOf(mine) })
        assert.lengthOf(yield* taken(mine.id), 1)
        assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000"])
      }).pipe(Effect.provide(PaymentSandbox))
    )
  }

  it.live("is captured once, also when the response to the capture is lost", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = order("order-captured")
      const transaction = yield* pay(mine, yield* withCard(mine), 1)
      yield* failNext(undefined, { reset: "after" })
      const captured = yield* captureOf(transaction)
      assert.deepInclude(captured, { status: "capture_succeeded", capturedAmount: totalOf(mine) })
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000", "capture 12000"])
    }).pipe(RetryPolicy.withPolicy(quick), Effect.provide(PaymentSandbox))
  )

  it.live("counts as captured if the transaction shows it after every response was lost", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = order("order-captured-silently")
      const transaction = yield* pay(mine, yield* withCard(mine), 1)
      yield* failNext(undefined, ...Array.from({ length: 4 }, () => ({ reset: "after" }) as const))
      const captured = yield* captureOf(transaction)
      assert.deepInclude(captured, { status: "capture_succeeded", capturedAmount: totalOf(mine) })
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000", "capture 12000"])
    }).pipe(RetryPolicy.withPolicy(RetryPolicy.none), Effect.provide(PaymentSandbox))
  )

  it.live("does not count as captured if the capture was lost on its way", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = order("order-lost-capture")
      const transaction = yield* pay(mine, yield* withCard(mine), 1)
      yield* failNext(undefined, ...Array.from({ length: 4 }, () => ({ reset: "before" }) as const))
      const error = yield* Effect.flip(captureOf(transaction))
      assert.strictEqual(error._tag, "OutcomeUnknown")
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000"])
    }).pipe(RetryPolicy.withPolicy(RetryPolicy.none), Effect.provide(PaymentSandbox))
  )

  it.live("does not count an earlier partial capture for one that was lost", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = order("order-lost-part")
      const transaction = yield* pay(mine, yield* withCard(mine), 1)
      const part = yield* captureOf(transaction, 1, 5_000)
      assert.deepStrictEqual(Payment.outcome(part), Payment.Paid({ captured: 5_000, outstanding: 7_000, refunded: 0 }))
      yield* failNext(undefined, ...Array.from({ length: 4 }, () => ({ reset: "before" }) as const))
      const error = yield* Effect.flip(captureOf(part, 2))
      assert.strictEqual(error._tag, "OutcomeUnknown")
      yield* captureOf(part, 2)
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000", "capture 5000", "capture 7000"])
    }).pipe(RetryPolicy.withPolicy(RetryPolicy.none), Effect.provide(PaymentSandbox))
  )

  it.live("is not captured if the API answers with a transaction that is only authorized", () =>
    Effect.gen(function* () {
      const mine = order("order-uncapturable")
      const transaction = yield* pay(mine, yield* withCard(mine, cards.uncapturable), 1)
      const error = yield* Effect.flip(captureOf(transaction))
      assert.strictEqual(error._tag, "NotCaptured")
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000"])
    }).pipe(Effect.provide(PaymentSandbox))
  )

  it.live("is refunded once for each number, also when the response is lost", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = order("order-refunded")
      const captured = yield* captureOf(yield* pay(mine, yield* withCard(mine), 1))
      yield* failNext({ reset: "after" })
      const first = yield* partOf("refund", captured, 1, 450)
      yield* refund(first)
      yield* refund(first)
      yield* refund({ ...first, number: 2, before: 450 })
      assert.deepStrictEqual((yield* booked(mine.id)).slice(2), ["refund 450", "refund 450"])
    }).pipe(RetryPolicy.withPolicy(quick), Effect.provide(PaymentSandbox))
  )

  it.live("stays unknown if a copy that never arrived follows one that may have", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = order("order-unknown-then-refused")
      const session = yield* withCard(mine)
      yield* failNext({ reset: "after" }, ...Array.from({ length: 3 }, () => ({ status: 429 })))
      const error = yield* Effect.flip(pay(mine, session, 1))
      assert.strictEqual(error._tag, "OutcomeUnknown")
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000"])
    }).pipe(RetryPolicy.withPolicy(RetryPolicy.none), Effect.provide(PaymentSandbox))
  )

  // The client itself sends the second copy, so its error has no word about the first one.
  for (const status of [429, 403, 401, 400]) {
    it.live(`counts as captured if the copy after a lost response is refused with ${status}`, () =>
      Effect.gen(function* () {
        const { failNext } = yield* Sandbox.Sandbox
        const mine = order(`order-captured-then-${status}`)
        const transaction = yield* pay(mine, yield* withCard(mine), 1)
        // A 429 may pass, so the call is made four times, three copies each.
        const refusals = status === 429 ? 11 : 1
        yield* failNext(undefined, lost, ...Array.from({ length: refusals }, () => ({ status })))
        const captured = yield* captureOf(transaction)
        assert.deepInclude(captured, { status: "capture_succeeded", capturedAmount: totalOf(mine) })
        assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000", "capture 12000"])
      }).pipe(RetryPolicy.withPolicy(quick), Effect.provide(PaymentSandbox))
    )

    it.live(`is unknown if the copy after a lost response is refused with ${status}, and moves its money once`, () =>
      Effect.gen(function* () {
        const { failNext } = yield* Sandbox.Sandbox
        const mine = order(`order-unknown-then-${status}`)
        const session = yield* withCard(mine)
        const refusals = Array.from({ length: status === 429 ? 11 : 1 }, () => ({ status }))
        yield* failNext(lost, ...refusals)
        assert.strictEqual((yield* Effect.flip(pay(mine, session, 1)))._tag, "OutcomeUnknown")
        const captured = yield* captureOf(yield* pay(mine, session, 1))
        const part = yield* partOf("refund", captured, 1, 450)
        yield* failNext(lost, ...refusals)
        assert.strictEqual((yield* Effect.flip(refund(part)))._tag, "OutcomeUnknown")
        assert.strictEqual((yield* refund(part)).status, "succeeded")
        assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000", "capture 12000", "refund 450"])
      }).pipe(RetryPolicy.withPolicy(quick), Effect.provide(PaymentSandbox))
    )
  }

  it.live("is refused, and not unknown, if its only copy is refused", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = order("order-refused")
      const session = yield* withCard(mine)
      yield* failNext({ status: 403 })
      assert.deepInclude(yield* Effect.flip(pay(mine, session, 1)), { _tag: "Generic", status: 403, attempts: 1 })
      assert.deepStrictEqual(yield* booked(mine.id), [])
    }).pipe(Effect.provide(PaymentSandbox))
  )

  it.live("keeps the capture's own error if the transaction cannot be read either", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = order("order-unreadable")
      const transaction = yield* pay(mine, yield* withCard(mine), 1)
      yield* failNext(undefined, lost, { status: 403 }, { status: 404 })
      assert.strictEqual((yield* Effect.flip(captureOf(transaction)))._tag, "OutcomeUnknown")
    }).pipe(RetryPolicy.withPolicy(quick), Effect.provide(PaymentSandbox))
  )

  it.live("is repeated with the same key after a response that is not the API's", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = order("order-misdirected")
      const session = yield* withCard(mine)
      yield* failNext({ status: 200 })
      const captured = yield* captureOf(yield* pay(mine, session, 1))
      const part = yield* partOf("refund", captured, 1, 450)
      yield* failNext({ status: 200 })
      yield* refund(part)
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000", "capture 12000", "refund 450"])
    }).pipe(Effect.provide(PaymentSandbox))
  )

  it.live("without a card in the session is refused, in the API's words", () =>
    Effect.gen(function* () {
      const mine = order("order-without-card")
      const session = yield* openSession(mine)
      const error = yield* Effect.flip(pay(mine, session, 1))
      assert.deepInclude(error, { _tag: "Generic", status: 400 })
      assert.match(error.message, /^The session holds no payment method\. Store one first/)
      // The API stores no failed validation: the same key pays once the card is there.
      const { baseUrl } = yield* Sandbox.Sandbox
      yield* cardArrives(baseUrl, session)
      assert.strictEqual((yield* pay(mine, session, 1)).status, "authorization_succeeded")
    }).pipe(Effect.provide(PaymentSandbox))
  )

  it.live("is in the session as it was ordered", () =>
    Effect.gen(function* () {
      const sessions = yield* CheckoutSessions
      const session = yield* sessions.get((yield* withCard(order("order-read"))).id)
      assert.strictEqual(session.amount, 12_000)
      assert.deepInclude(session.paymentMethod, { scheme: "visa", label: "1111" })
      assert.deepStrictEqual(session.metadata, { orderId: "order-read" })
    }).pipe(Effect.provide(PaymentSandbox))
  )

  it.live("runs to the end of the example's story", () => Effect.provide(program, PaymentSandbox))
})

describe("a merchant's try", () => {
  /** Another card for the bank's next decision. */
  const changeCard = (transaction: Transaction, label = "1111") =>
    Effect.flatMap(Bank, (bank) =>
      bank.change(transaction.id, { payment_method: { type: "payment-method", method: "card", label, scheme: "visa" } })
    )

  const Store = Layer.merge(Purchases.memory, PaymentSandbox)

  it.live("to capture the rest counts no money of the part before", () =>
    Effect.gen(function* () {
      const mine = order("order-two-parts")
      const transaction = yield* pay(mine, yield* withCard(mine), 1)
      const part = yield* captureOnce(transaction.id, 5_000)
      assert.strictEqual(part.capturedAmount, 5_000)
      yield* changeCard(part, cards.uncapturable.slice(-4))
      assert.strictEqual((yield* Effect.flip(captureOnce(transaction.id, 6_000)))._tag, "NotCaptured")
      yield* changeCard(part)
      assert.strictEqual((yield* captureOnce(transaction.id)).capturedAmount, 12_000)
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000", "capture 5000", "capture 7000"])
    }).pipe(Effect.provide(Store))
  )

  it.live("to capture is a new one after the bank took nothing", () =>
    Effect.gen(function* () {
      const mine = order("order-captured-later")
      const transaction = yield* pay(mine, yield* withCard(mine, cards.uncapturable), 1)
      assert.strictEqual((yield* Effect.flip(captureOnce(transaction.id)))._tag, "NotCaptured")
      yield* changeCard(transaction)
      assert.strictEqual((yield* captureOnce(transaction.id)).capturedAmount, 12_000)
      assert.strictEqual((yield* captureOnce(transaction.id)).capturedAmount, 12_000)
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000", "capture 12000"])
    }).pipe(Effect.provide(Store))
  )

  it.live("to refund is a new one after a decline", () =>
    Effect.gen(function* () {
      const mine = order("order-refunded-later")
      const captured = yield* captureOf(yield* pay(mine, yield* withCard(mine, cards.unrefundable), 1))
      yield* refundOnce(captured.id)
      assert.lengthOf(yield* booked(mine.id), 2)
      yield* changeCard(captured)
      yield* refundOnce(captured.id)
      yield* refundOnce(captured.id)
      assert.deepStrictEqual((yield* booked(mine.id)).slice(2), ["refund 12000"])
    }).pipe(Effect.provide(Store))
  )

  it.live("stays the same one as long as its outcome is unknown", () =>
    Effect.gen(function* () {
      const { failNext, seen } = yield* Sandbox.Sandbox
      const mine = order("order-open-part")
      const transaction = yield* pay(mine, yield* withCard(mine), 1)
      // The capture acts, and no later request says so: the copy is refused, and the transaction cannot be read.
      yield* failNext(undefined, lost, { status: 403 }, { status: 403 })
      assert.strictEqual((yield* Effect.flip(captureOnce(transaction.id)))._tag, "OutcomeUnknown")
      assert.strictEqual((yield* captureOnce(transaction.id)).capturedAmount, 12_000)
      yield* failNext(undefined, lost, { status: 403 })
      assert.strictEqual((yield* Effect.flip(refundOnce(transaction.id)))._tag, "OutcomeUnknown")
      yield* refundOnce(transaction.id)
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000", "capture 12000", "refund 12000"])
      const keys = (yield* seen)
        .filter(({ method, path }) => method === "POST" && path.includes("/transactions/"))
        .map(({ headers }) => headers["idempotency-key"])
      assert.lengthOf(keys, 6)
      assert.lengthOf(new Set(keys), 2)
    }).pipe(RetryPolicy.withPolicy(quick), Effect.provide(Store))
  )

  it.live("begins once for two calls at the same time", () =>
    Effect.gen(function* () {
      const mine = order("order-both")
      const transaction = yield* pay(mine, yield* withCard(mine), 1)
      const twice = <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.all([call, call], { concurrency: "unbounded" })
      yield* twice(captureOnce(transaction.id))
      yield* twice(refundOnce(transaction.id))
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000", "capture 12000", "refund 12000"])
    }).pipe(Effect.provide(Store))
  )

  it.live("to refund counts what went back although the transaction does not show it yet", () =>
    Effect.gen(function* () {
      const bank = yield* Bank
      const mine = order("order-late-books")
      const captured = yield* captureOf(yield* pay(mine, yield* withCard(mine), 1))
      yield* refundOnce(captured.id)
      yield* bank.change(captured.id, { refunded_amount: 0 })
      yield* refundOnce(captured.id)
      assert.deepStrictEqual((yield* booked(mine.id)).slice(2), ["refund 12000"])
    }).pipe(Effect.provide(Store))
  )
})

describe("an order's tries", () => {
  const Store = Layer.merge(Purchases.memory, PaymentSandbox)

  /** A new session of the order, with this card, and the number that its page gets. */
  const visitWith = Effect.fnUntraced(function* (mine: Order, card?: string) {
    const purchases = yield* Purchases
    const session = yield* withCard(mine, card)
    yield* purchases.open(mine, session)
    const attempt = nextAttempt(yield* Effect.flatten(purchases.find(session.id)))
    const click = Effect.flatMap(Effect.flatten(purchases.begin(session.id, attempt)), payOnce)
    return { attempt, click }
  })

  it.live("count on in its next session, so another card is tried", () =>
    Effect.gen(function* () {
      const mine = order("order-two-sessions")
      const first = yield* visitWith(mine, cards.declined)
      assert.strictEqual((yield* first.click).outcome._tag, "Declined")
      const second = yield* visitWith(mine)
      assert.deepStrictEqual([first.attempt, second.attempt], [1, 2])
      assert.strictEqual((yield* second.click).outcome._tag, "Authorized")
      // The page of the first session is still open, and so is a third one.
      assert.strictEqual((yield* first.click).outcome._tag, "Authorized")
      assert.strictEqual((yield* (yield* visitWith(mine)).click).outcome._tag, "Authorized")
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000"])
    }).pipe(Effect.provide(Store))
  )

  it.live("repeat an unknown one with its own session, so that the key finds its first response", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const mine = order("order-unknown-session")
      const first = yield* visitWith(mine)
      yield* failNext(lost, { status: 403 })
      assert.strictEqual((yield* Effect.flip(first.click))._tag, "OutcomeUnknown")
      const second = yield* visitWith(mine)
      assert.strictEqual((yield* second.click).outcome._tag, "Authorized")
      assert.deepStrictEqual(yield* booked(mine.id), ["authorization 12000"])
    }).pipe(RetryPolicy.withPolicy(quick), Effect.provide(Store))
  )

  it.live("begin with the session that the buyer used, if an earlier one was left", () =>
    Effect.gen(function* () {
      const mine = order("order-left-session")
      yield* visitWith(mine, cards.declined)
      const second = yield* visitWith(mine)
      assert.strictEqual(second.attempt, 1)
      assert.strictEqual((yield* second.click).outcome._tag, "Authorized")
    }).pipe(Effect.provide(Store))
  )
})

describe("the sandbox's keys", () => {
  const create = (session: { readonly id: string }, idempotencyKey: string, amount = 12_000) =>
    Effect.flatMap(Transactions, ({ create }) =>
      create(
        { amount, currency: "USD", paymentMethod: { method: "checkout-session", id: session.id } },
        { idempotencyKey }
      )
    )

  it.live("replay the first answer, also a decline and a failure", () =>
    Effect.gen(function* () {
      const { baseUrl } = yield* Sandbox.Sandbox
      const declined = yield* withCard(order("order-a"), cards.declined)
      const first = yield* create(declined, "key-a")
      yield* cardArrives(baseUrl, declined)
      assert.deepStrictEqual(yield* create(declined, "key-a"), first)
      assert.strictEqual((yield* create(declined, "key-b")).status, "authorization_succeeded")

      const broken = yield* withCard(order("order-b"), cards.broken)
      assert.deepInclude(yield* Effect.flip(create(broken, "key-c")), { _tag: "Generic", status: 500 })
      yield* cardArrives(baseUrl, broken)
      assert.deepInclude(yield* Effect.flip(create(broken, "key-c")), { _tag: "Generic", status: 500 })
    }).pipe(Effect.provide(PaymentSandbox))
  )

  it.live("refuse another request with 400, and a copy of a running one with 409", () =>
    Effect.gen(function* () {
      const bank = yield* Bank
      const session = yield* withCard(order("order-c"))
      const [reached, open] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      yield* bank.wait(Effect.zipRight(Deferred.succeed(reached, undefined), Deferred.await(open)))
      const running = yield* Effect.fork(create(session, "key-d"))
      yield* Deferred.await(reached)
      assert.deepInclude(yield* Effect.flip(create(session, "key-d")), { status: 409, code: "concurrent_request" })
      assert.deepInclude(yield* Effect.flip(create(session, "key-d", 1)), { status: 400 })
      yield* Deferred.succeed(open, undefined)
      const first = yield* Fiber.join(running)
      assert.deepStrictEqual(yield* create(session, "key-d"), first)
      const { capture } = yield* Transactions
      assert.deepInclude(yield* Effect.flip(capture(first.id, {}, { idempotencyKey: "key-d" })), { status: 400 })
      assert.lengthOf(yield* bank.booked, 1)
    }).pipe(RetryPolicy.withPolicy(RetryPolicy.none), Effect.provide(PaymentSandbox))
  )
})

const guide = readFileSync(new URL("../../docs/take-a-payment.md", import.meta.url), "utf8")

const blockOf = (language: string, including: string) =>
  Array.from(guide.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm))
    .filter(([, name, code = ""]) => name === language && code.includes(including))
    .map(([, , code = ""]) => code)

/** The guide's handler at a port of its own, with the guide's sessions and the bank's stand-in. */
const GuideServer = HttpServer.serve(router).pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0 })),
  Layer.provideMerge(Layer.merge(Purchases.memory, PaymentSandbox))
)

/** The script of the guide's page in a browser that has nothing else: `click` is a card that Secure Fields has stored. */
const openPage = (server: string, sessionId: string, attempt = 1) => {
  const result = { textContent: "" }
  const location = { href: "" }
  const attempts: Array<unknown> = []
  const listeners = new Map<string, () => Promise<void>>()
  const [, script = ""] = /<script>([\s\S]*?)<\/script>/.exec(blockOf("html", "SESSION_ID")[0] ?? "") ?? []
  class SecureFields {
    static Events = { CARD_VAULT_FAILURE: "failure", CARD_VAULT_SUCCESS: "success" }
    addCardNumberField() {}
    addExpiryDateField() {}
    addSecurityCodeField() {}
    addEventListener(name: string, listener: () => Promise<void>) {
      listeners.set(name, listener)
    }
  }
  runInNewContext(script.replace("SESSION_ID", sessionId).replace("ATTEMPT", String(attempt)), {
    SecureFields,
    URLSearchParams,
    location,
    document: { querySelector: (id: string) => (id === "#result" ? result : { addEventListener() {} }) },
    fetch: (path: string, init: RequestInit & { readonly body: URLSearchParams }) => {
      attempts.push(init.body.get("attempt"))
      return fetch(`${server}${path}`, init)
    }
  })
  const click = Effect.promise(() => listeners.get("success")?.() ?? Promise.reject(new Error("no listener")))
  return {
    attempts,
    click: Effect.map(click, () => ({ text: result.textContent, url: location.href }))
  }
}

/** An order, its page, and the cards that the buyer types. */
const visit = Effect.fnUntraced(function* (id: string) {
  const { baseUrl } = yield* Sandbox.Sandbox
  const server = yield* shopUrl
  const mine = order(id)
  const session = yield* openSession(mine)
  yield* Effect.flatMap(Purchases, (purchases) => purchases.open(mine, session))
  const page = openPage(server, session.id)
  return {
    ...page,
    session,
    reopen: (attempt: number) => openPage(server, session.id, attempt),
    payWith: (card?: string) => Effect.zipRight(cardArrives(baseUrl, session, card), page.click),
    booked: booked(mine.id),
    transactions: taken(mine.id)
  }
})

describe("the guide", () => {
  it("shows the files that the tests run, word for word", () => {
    for (const name of ["payment", "checkout"]) {
      const file = readFileSync(new URL(`../../examples/12-take-a-payment/${name}.ts`, import.meta.url), "utf8")
      assert.include(blockOf("ts", ""), file)
    }
    assert.lengthOf(blockOf("html", "SESSION_ID"), 1)
  })

  it.live("takes a declined buyer's other card, once", () =>
    Effect.gen(function* () {
      const buyer = yield* visit("guide-declined")
      assert.include((yield* buyer.payWith(cards.declined)).text, "declined")
      assert.deepStrictEqual(yield* buyer.booked, [])
      assert.include((yield* buyer.payWith()).text, "confirmed")
      assert.include((yield* buyer.click).text, "confirmed")
      assert.deepStrictEqual(buyer.attempts, ["1", "2", "2"])
      assert.deepStrictEqual(yield* buyer.booked, ["authorization 12000"])
    }).pipe(Effect.provide(GuideServer))
  )

  it.live("repeats a decline to a repeated call, and begins no try out of turn", () =>
    Effect.gen(function* () {
      const buyer = yield* visit("guide-repeated")
      yield* buyer.payWith(cards.declined)
      assert.include((yield* buyer.reopen(1).click).text, "declined")
      assert.include((yield* buyer.reopen(7).click).text, "declined")
      assert.lengthOf(yield* buyer.transactions, 1)
    }).pipe(Effect.provide(GuideServer))
  )

  for (const [what, card, url] of [
    ["that the buyer must approve", cards.approval, /\/approve\//],
    ["that the buyer must approve, without a URL", cards.approvalWithoutUrl, /^$/],
    ["that is processing", cards.processing, /^$/]
  ] as const) {
    it.live(`asks for no second card for a payment ${what}, and tells how it ended`, () =>
      Effect.gen(function* () {
        const bank = yield* Bank
        const buyer = yield* visit(`guide-pending-${card}`)
        const first = yield* buyer.payWith(card)
        assert.match(first.url, url)
        assert.notMatch(first.text, /declined|another|try again/)
        // A second card, in spite of it: no second payment.
        assert.strictEqual((yield* buyer.payWith()).text, first.text)
        assert.lengthOf(yield* buyer.transactions, 1)
        const [transaction] = yield* buyer.transactions
        yield* bank.change(String(transaction?.["id"]), { status: "authorization_declined" })
        assert.include((yield* buyer.click).text, "declined")
        assert.include((yield* buyer.payWith()).text, "confirmed")
        assert.deepStrictEqual(yield* buyer.booked, ["authorization 12000"])
      }).pipe(Effect.provide(GuideServer))
    )
  }

  it.live("pays once with the same key after a timeout with an unknown outcome", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const buyer = yield* visit("guide-unknown")
      yield* failNext(undefined, ...Array.from({ length: 12 }, () => ({ reset: "after" }) as const))
      const first = yield* buyer.payWith()
      assert.include(first.text, "you will not be charged twice")
      assert.notMatch(first.text, /declined|another/)
      assert.include((yield* buyer.payWith(cards.declined)).text, "confirmed")
      assert.deepStrictEqual(buyer.attempts, ["1", "1"])
      assert.deepStrictEqual(yield* buyer.booked, ["authorization 12000"])
    }).pipe(Effect.provide(GuideServer))
  )

  it.live("pays once for two clicks at the same time", () =>
    Effect.gen(function* () {
      const buyer = yield* visit("guide-twice")
      yield* buyer.payWith(cards.declined)
      const second = buyer.reopen(2)
      const { baseUrl } = yield* Sandbox.Sandbox
      yield* cardArrives(baseUrl, buyer.session)
      yield* Effect.all([buyer.click, second.click], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* buyer.booked, ["authorization 12000"])
    }).pipe(Effect.provide(GuideServer))
  )

  it.live("answers with 400 and 404 to a request that names no checkout, and sends nothing", () =>
    Effect.gen(function* () {
      const { seen } = yield* Sandbox.Sandbox
      const server = yield* shopUrl
      const post = (body: Record<string, string>) =>
        Effect.promise(() =>
          fetch(`${server}/pay`, { method: "POST", body: new URLSearchParams(body) }).then((_) => _.status)
        )
      assert.strictEqual(yield* post({ sessionId: "s" }), 400)
      assert.strictEqual(yield* post({ attempt: "1" }), 400)
      assert.strictEqual(yield* post({ sessionId: "s", attempt: "1" }), 404)
      assert.lengthOf(yield* seen, 0)
    }).pipe(Effect.provide(GuideServer))
  )
})

/** The shop of the example, at a port of its own. */
const ShopServer = Shop.pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0 })),
  Layer.provideMerge(PaymentSandbox)
)

const shopUrl = Effect.map(
  HttpServer.HttpServer,
  ({ address }) => `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`
)

describe("the shop", () => {
  it.live("responds with the status that the HTTP guide has for an error, and sells no cart it does not have", () =>
    Effect.gen(function* () {
      const { failNext } = yield* Sandbox.Sandbox
      const shop = yield* shopUrl
      const open = (cart: string) =>
        Effect.promise(() => fetch(`${shop}/orders/${cart}`, { method: "POST" }).then(({ status }) => status))
      const rows: ReadonlyArray<readonly [fault: Sandbox.Fault, status: number]> = [
        [{ status: 400 }, 400],
        [{ status: 401 }, 500],
        [{ status: 403 }, 500],
        [{ status: 429, retryAfterSeconds: 60 }, 503],
        [{ status: 501 }, 502],
        [{ reset: "after" }, 502]
      ]
      for (const [fault, status] of rows) {
        yield* failNext(fault)
        assert.strictEqual(yield* open("machine"), status, JSON.stringify(fault))
      }
      assert.strictEqual(yield* open("machien"), 404)
    }).pipe(Effect.provide(ShopServer))
  )

  it.scopedLive("says in one line that its port is in use, and how to choose another", () =>
    Effect.gen(function* () {
      const { port } = yield* loopback(createServer())
      const file = fileURLToPath(new URL("../../examples/dist/12-take-a-payment.js", import.meta.url))
      const { code, stderr } = yield* Effect.promise(
        () =>
          new Promise<{ readonly code: unknown; readonly stderr: string }>((resolve) =>
            execFile(process.execPath, [file, "serve"], { env: { PORT: String(port) } }, (error, _, stderr) =>
              resolve({ code: error?.code, stderr })
            )
          )
      )
      assert.strictEqual(code, 1)
      assert.strictEqual(
        stderr,
        `Port ${port} is in use. Choose another one: PORT=${port + 1} npm run example 12 serve\n`
      )
    })
  )

  it.live("takes a payment from a form to the receipt, and never sees the card", () =>
    Effect.gen(function* () {
      const { baseUrl, seen } = yield* Sandbox.Sandbox
      const shop = yield* shopUrl
      const ask = (path: string, method = "GET", body?: URLSearchParams) =>
        Effect.promise(async () => {
          const response = await fetch(shop + path, { method, ...(body === undefined ? {} : { body }) })
          return { url: response.url, html: await response.text() }
        })
      const checkout = yield* ask("/orders/machine", "POST")
      const frame = /src="([^"]+)\/card-form\/([^"]+)"/.exec(checkout.html)
      assert.strictEqual(frame?.[1], baseUrl)
      const form = yield* Effect.promise(() => fetch(`${baseUrl}/card-form/${frame?.[2]}`).then((_) => _.text()))
      assert.include(form, `/checkout/sessions/${frame?.[2]}/fields`)
      yield* cardArrives(baseUrl, { id: frame?.[2] ?? "" })
      const path = new URL(checkout.url).pathname
      const payNow = (html: string) =>
        ask(
          `${path}/pay`,
          "POST",
          new URLSearchParams({ attempt: /name="attempt" value="(\d+)"/.exec(html)?.[1] ?? "" })
        )
      yield* cardArrives(baseUrl, { id: frame?.[2] ?? "" }, cards.declined)
      assert.match((yield* payNow(checkout.html)).html, /Declined/)
      yield* cardArrives(baseUrl, { id: frame?.[2] ?? "" })
      assert.match((yield* payNow(checkout.html)).html, /Declined/)
      const receipt = yield* payNow((yield* ask(path)).html)
      assert.match(receipt.html, /Paid \$129\.80/)
      assert.match(receipt.html, /visa ending 1111/)
      assert.match(receipt.html, /<svg[\s\S]*POST \/transactions/)
      assert.match((yield* ask(`${path}/refund`, "POST")).html, /Refunded \$129\.80/)
      assert.include((yield* seen).map(({ route }) => route).join(" "), "/transactions/{transactionId}/capture")
    }).pipe(Effect.provide(ShopServer))
  )

  it.live("learns by a webhook that the buyer has approved, without another click", () =>
    Effect.gen(function* () {
      const { bank, baseUrl, deliveries } = yield* Sandbox.Sandbox
      const shop = yield* shopUrl
      const checkout = yield* Effect.promise(async () => {
        const response = await fetch(`${shop}/orders/machine`, { method: "POST" })
        return { path: new URL(response.url).pathname, html: await response.text() }
      })
      yield* cardArrives(baseUrl, { id: /card-form\/([^"]+)"/.exec(checkout.html)?.[1] ?? "" }, cards.approval)
      yield* Effect.promise(() =>
        fetch(`${shop}${checkout.path}/pay`, { method: "POST", body: new URLSearchParams({ attempt: "1" }) })
      )
      const receipt = Effect.promise(() => fetch(`${shop}${checkout.path}/receipt`).then((response) => response.text()))
      assert.include(yield* receipt, "Your bank asks you to approve")
      const [transaction] = yield* bank.transactions
      yield* Effect.promise(() => fetch(`${baseUrl}/approve/${transaction?.["id"]}?approved=true`, { method: "POST" }))
      yield* Effect.repeat(receipt, {
        until: (html) => html.includes("Reserved $129.80"),
        schedule: Schedule.spaced("50 millis")
      }).pipe(Effect.timeout("10 seconds"))
      assert.isTrue((yield* deliveries).every(({ status }) => status === 204))
      const forged = yield* Effect.promise(() => fetch(`${shop}/webhooks`, { method: "POST", body: "{}" }))
      assert.strictEqual(forged.status, 400)
    }).pipe(Effect.provide(ShopServer))
  )
})
