/**
 * Transactions, captures, voids and refunds with their state. The card decides what becomes of a payment.
 */
import { createHash } from "node:crypto"
import { CheckoutSession, CheckoutSessionId } from "@effect-gr4vy/core/CheckoutSession"
import type { CheckoutSessionsService } from "@effect-gr4vy/core/CheckoutSessions"
import { ErrorDetail, Generic, type NotFound } from "@effect-gr4vy/core/Errors"
import { schemeOf } from "@effect-gr4vy/core/spi/CardScheme"
import { newUuid } from "@effect-gr4vy/core/spi/Uuid"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Booking } from "../model.js"
import type { BuyerStore } from "./buyers.js"
import { type Behaviour, behaviourOf } from "./cards.js"
import { Collection, emptySession, noPaymentMethod, noSession, type Resource } from "./collection.js"
import type { Keys } from "./keys.js"
import type { Tell } from "./notices.js"
import type { PaymentMethodStore } from "./paymentMethods.js"
import { type Handlers, now, numberOf, one, owner, passes, pick, type Request, textOf } from "./wire.js"

/** A transaction, as far as the bank reads it; it has every property of the API's. */
export interface Transaction extends Resource {
  readonly amount: number
  readonly currency: string
  readonly status: string
  readonly intent: string
  readonly authorized_amount: number
  readonly captured_amount: number
  readonly refunded_amount: number
  readonly payment_method: Readonly<Record<string, unknown>>
  readonly external_identifier: unknown
  readonly checkout_session_id: unknown
  readonly reconciliation_id: string
}

interface Part extends Resource {
  readonly transaction_id: string
  readonly status: string
  readonly amount: number
}

/** What pays: what is shown of it, and what the bank does with it. */
interface Instrument {
  readonly behaviour: Behaviour
  readonly shown: Readonly<Record<string, unknown>>
  readonly sessionId: string | null
}

export interface Bank {
  readonly handlers: Handlers
  readonly refund: (id: string) => Effect.Effect<Part, NotFound>
  readonly transaction: (id: string) => Effect.Effect<Transaction, NotFound>
  readonly transactions: Effect.Effect<ReadonlyArray<Transaction>>
  readonly booked: Effect.Effect<ReadonlyArray<Booking>>
  /** The buyer's answer at the approval page. */
  readonly approve: (id: string, approved: boolean) => Effect.Effect<Transaction, NotFound>
  readonly change: (id: string, changes: Readonly<Record<string, unknown>>) => Effect.Effect<Transaction, NotFound>
  readonly wait: (until: Effect.Effect<void>) => Effect.Effect<void>
}

export const make = (options: {
  readonly sessions: CheckoutSessionsService
  readonly paymentMethods: PaymentMethodStore
  readonly buyers: BuyerStore
  readonly keys: Keys
  readonly tell: Tell
  /** The page at which a buyer approves a transaction. */
  readonly approvalUrl: (id: string) => string
}): Bank => {
  const { approvalUrl, buyers, keys, paymentMethods, sessions, tell } = options
  const transactions = new Collection<Transaction>()
  const refunds = new Collection<Part>()
  const captures = new Collection<Part>()
  const book: Array<Booking> = []
  let gate: Effect.Effect<void> = Effect.void

  const enter = (kind: Booking["kind"], transaction: string, amount: number): void => {
    book.push({ kind, transaction, amount })
  }

  const behaviourFor = ({ payment_method }: Transaction): Behaviour => behaviourOf(textOf(payment_method["label"]))

  /** Executes a request once for its key, when the bank is ready. */
  const once: Keys["once"] = (key, asked, validate, execute) =>
    keys.once(key, asked, validate, () =>
      Effect.zipRight(
        Effect.suspend(() => gate),
        // Another request may have been executed since.
        Effect.flatMap(validate, execute)
      )
    )

  const change = (transaction: Transaction, changes: Partial<Transaction> & Readonly<Record<string, unknown>>) =>
    Effect.map(now, (updated_at) => transactions.put({ ...transaction, ...changes, updated_at }))

  /** Changes a transaction, and tells it. */
  const become = (transaction: Transaction, changes: Partial<Transaction> & Readonly<Record<string, unknown>>) =>
    Effect.tap(change(transaction, changes), (changed) => tell(eventOf(changed), changed))

  const stored = (id: string): Effect.Effect<Instrument, NotFound> =>
    Effect.map(Effect.mapError(paymentMethods.get(id), noPaymentMethod), (method) => ({
      behaviour: behaviourOf(textOf(method["label"])),
      sessionId: null,
      shown: {
        type: "payment-method",
        id,
        ...pick(method, ["method", "label", "scheme", "expiration_date", "details", "external_identifier"])
      }
    }))

  const instrumentOf = ({ payment_method: given }: Request["body"]): Effect.Effect<Instrument, Generic | NotFound> => {
    if (!Predicate.isRecord(given)) return Effect.fail(invalid("/payment_method", "must be present"))
    const { id, method } = given
    switch (method) {
      case "checkout-session":
        return ofSession(String(id))
      case "id":
        return stored(String(id))
      case "card": {
        const number = String(given["number"])
        const label = number.slice(-4)
        return Effect.succeed({
          behaviour: behaviourOf(label),
          sessionId: null,
          shown: {
            type: "payment-method",
            method,
            label,
            scheme: schemeOf(number),
            expiration_date: given["expiration_date"] ?? null,
            details: { bin: number.slice(0, 6) }
          }
        })
      }
      default:
        return Effect.succeed({
          behaviour: direct.has(method) ? "good" : "approval",
          sessionId: null,
          shown: { type: "payment-method", method }
        })
    }
  }

  const ofSession = (sessionId: string): Effect.Effect<Instrument, Generic | NotFound> =>
    Effect.gen(function* () {
      const session = yield* sessions
        .get(CheckoutSessionId.make(sessionId))
        .pipe(Effect.catchTags({ RequestFailed: Effect.die, Unauthorized: Effect.die, NotFound: noSession }))
      const held = encodeSession(session).payment_method
      if (held === undefined || held === null) return yield* refused(emptySession)
      if (Predicate.isString(held.id) && held.label === undefined) return { ...(yield* stored(held.id)), sessionId }
      const { details, label, method = "card", scheme } = held
      return {
        behaviour: behaviourOf(label),
        sessionId,
        shown: {
          type: "payment-method",
          method,
          label: label ?? null,
          scheme: scheme ?? null,
          details: Predicate.isRecord(details) ? pick(details, ["bin", "card_type", "card_issuer_name"]) : null
        }
      }
    })

  const authorize = (body: Request["body"], { behaviour, sessionId, shown }: Instrument) =>
    Effect.gen(function* () {
      if (behaviour === "broken") {
        return yield* new Generic({ status: 500, code: "server_error", message: "The bank does not answer" })
      }
      const id = yield* newUuid
      const at = yield* now
      const amount = numberOf(body["amount"]) ?? 0
      const intent = textOf(body["intent"]) ?? "authorize"
      const status = statusFor(behaviour, intent)
      const isCaptured = status === "capture_succeeded"
      const isAuthorized = isCaptured || status === "authorization_succeeded" || status === "capture_pending"
      if (isAuthorized) enter("authorization", id, amount)
      if (isCaptured) enter("capture", id, amount)
      const transaction = transactions.put({
        type: "transaction",
        id,
        reconciliation_id: shortOf(id),
        merchant_account_id: "default",
        amount,
        currency: String(body["currency"]),
        status,
        authorized_amount: isAuthorized ? amount : 0,
        captured_amount: isCaptured ? amount : 0,
        refunded_amount: 0,
        settled_amount: 0,
        settled: false,
        intent,
        payment_method: { ...shown, ...(behaviour === "approval" ? { approval_url: approvalUrl(id) } : {}) },
        method: shown["method"],
        instrument_type: shown["method"] === "card" ? "pan" : null,
        error_code: errorCodes.get(behaviour) ?? null,
        pending_review: behaviour === "review",
        checkout_session_id: sessionId,
        gift_card_redemptions: [],
        created_at: at,
        updated_at: at,
        disputed: false,
        payment_source: body["payment_source"] ?? "ecommerce",
        merchant_initiated: body["merchant_initiated"] ?? false,
        is_subsequent_payment: body["is_subsequent_payment"] ?? false,
        intent_outcome: isAuthorized ? "succeeded" : errorCodes.has(behaviour) ? "failed" : "pending",
        multi_tender: false,
        account_funding_transaction: body["account_funding_transaction"] ?? false,
        authorized_at: isAuthorized ? at : null,
        captured_at: isCaptured ? at : null,
        external_identifier: body["external_identifier"] ?? null,
        ...pick(body, [
          ...["country", "metadata", "cart_items", "statement_descriptor", "installment_count", "tax_amount"],
          ...["purchase_order_number", "customer_reference_number", "duty_amount", "shipping_amount"]
        ]),
        buyer: (yield* Effect.orElseSucceed(buyers.find(body), () => undefined)) ?? null
      })
      yield* tell(eventOf(transaction), transaction)
      return transaction
    })

  const capture = (transaction: Transaction, amount: number, body: Request["body"]) =>
    Effect.gen(function* () {
      const behaviour = behaviourFor(transaction)
      if (behaviour === "uncapturable") {
        yield* tell("transaction.capture-failed", transaction)
        return { status: "failed", transaction }
      }
      const status = behaviour === "capturePending" ? "pending" : "succeeded"
      const at = yield* now
      const { currency, external_identifier, id } = transaction
      const part = captures.put({
        type: "capture",
        id: yield* newUuid,
        merchant_account_id: "default",
        transaction_id: id,
        currency,
        amount,
        status,
        final: body["final"] ?? true,
        created_at: at,
        updated_at: at,
        captured_at: status === "succeeded" ? at : null,
        external_identifier: body["external_identifier"] ?? null,
        transaction_external_identifier: external_identifier
      })
      if (status === "succeeded") enter("capture", id, amount)
      const captured = yield* become(
        transaction,
        status === "pending"
          ? { status: "capture_pending" }
          : { status: "capture_succeeded", captured_amount: transaction.captured_amount + amount, captured_at: at }
      )
      yield* tell(`capture.${status}`, part)
      return { status, transaction: captured }
    })

  const giveBack = (transaction: Transaction, amount: number, body: Request["body"]) =>
    Effect.gen(function* () {
      const behaviour = behaviourFor(transaction)
      const status =
        behaviour === "unrefundable" ? "declined" : behaviour === "refundPending" ? "processing" : "succeeded"
      const at = yield* now
      const id = yield* newUuid
      if (status === "succeeded") {
        enter("refund", transaction.id, amount)
        yield* change(transaction, { refunded_amount: transaction.refunded_amount + amount })
      }
      const refund = refunds.put({
        type: "refund",
        id,
        transaction_id: transaction.id,
        status,
        currency: transaction.currency,
        amount,
        reason: body["reason"] ?? null,
        target_type: "payment-method",
        target_id: transaction.payment_method["id"] ?? null,
        reconciliation_id: shortOf(id),
        external_identifier: body["external_identifier"] ?? null,
        transaction_reconciliation_id: transaction.reconciliation_id,
        transaction_external_identifier: transaction.external_identifier,
        created_at: at,
        updated_at: at,
        error_code: status === "declined" ? "refused_transaction" : null,
        settled_amount: 0,
        settled: false
      })
      yield* tell(status === "processing" ? "refund.pending" : `refund.${status}`, refund)
      return refund
    })

  /** What a payment that had to wait becomes: authorized, and captured if it was meant to be. */
  const authorized = (transaction: Transaction, at: string) => {
    const { amount, id, intent } = transaction
    const isCaptured = intent === "capture"
    enter("authorization", id, amount)
    if (isCaptured) enter("capture", id, amount)
    return become(transaction, {
      status: isCaptured ? "capture_succeeded" : "authorization_succeeded",
      authorized_amount: amount,
      captured_amount: isCaptured ? amount : 0,
      authorized_at: at,
      captured_at: isCaptured ? at : null,
      intent_outcome: "succeeded"
    })
  }

  /** What a later look at the payment service finds. */
  const settle = (transaction: Transaction) =>
    Effect.gen(function* () {
      const at = yield* now
      const { authorized_amount, captured_amount, id, status } = transaction
      if (status === "processing") return yield* authorized(transaction, at)
      if (status === "capture_pending") {
        const pending = captures.values.filter((part) => part.transaction_id === id && part.status === "pending")
        const taken = pending.reduce((sum, part) => sum + part.amount, 0) || authorized_amount - captured_amount
        enter("capture", id, taken)
        for (const part of pending) captures.put({ ...part, status: "succeeded", captured_at: at, updated_at: at })
        return yield* become(transaction, {
          status: "capture_succeeded",
          captured_amount: captured_amount + taken,
          captured_at: at
        })
      }
      return transaction
    })

  /** The transaction of a path, and a part of it that is asked for. */
  const partOf = (parts: Collection<Part>) => (request: Request) =>
    Effect.flatMap(transactions.get(owner(request)), ({ id }) =>
      parts.find(one(request), (part) => part.transaction_id === id)
    )

  const partsOf = (parts: Collection<Part>) => (request: Request) =>
    Effect.flatMap(transactions.get(owner(request)), ({ id }) =>
      parts.page(request.query, (part) => part.transaction_id === id)
    )

  /** What is captured and neither given back nor about to be. */
  const refundable = ({ captured_amount, id, refunded_amount }: Transaction): number =>
    refunds.values
      .filter((refund) => refund.transaction_id === id && refund.status === "processing")
      .reduce((left, { amount }) => left - amount, captured_amount - refunded_amount)

  /** Finds what is left to move of the transaction in the path, and refuses more. */
  const leftOf = (request: Request, whole: (transaction: Transaction) => number, verb: "capture" | "refund") =>
    Effect.flatMap(transactions.get(owner(request)), (transaction) => {
      const left = whole(transaction)
      const amount = numberOf(request.body["amount"]) ?? left
      if (left <= 0)
        return Effect.fail(refused(`There is nothing to ${verb}: the transaction is ${transaction.status}`))
      if (amount <= 0) return Effect.fail(refused(`A ${verb} of 0 moves nothing`))
      return amount > left
        ? Effect.fail(refused(`There is only ${left} left to ${verb}`))
        : Effect.succeed({ amount, transaction })
    })

  return {
    refund: (id) => refunds.get(id),
    transaction: (id) => transactions.get(id),
    transactions: Effect.sync(() => transactions.values),
    booked: Effect.sync(() => [...book]),
    change: (id, changes) => Effect.flatMap(transactions.get(id), (transaction) => become(transaction, changes)),
    wait: (until) =>
      Effect.sync(() => {
        gate = until
      }),
    approve: (id, approved) =>
      Effect.flatMap(transactions.get(id), (transaction) =>
        Effect.gen(function* () {
          const { status } = transaction
          if (status !== "buyer_approval_pending") return transaction
          if (!approved) {
            return yield* become(transaction, {
              status: "authorization_declined",
              error_code: "canceled_payment_method",
              intent_outcome: "failed"
            })
          }
          return yield* authorized(transaction, yield* now)
        })
      ),
    handlers: {
      list: ({ query }) =>
        transactions.page(query, (transaction) => filters.every((name) => fits(query, transaction, name))),
      create: ({ body, key }) =>
        once(key, asked("create", "", body), instrumentOf(body), (instrument) => authorize(body, instrument)),
      get: (request) => transactions.get(one(request)),
      update: (request) =>
        Effect.flatMap(transactions.get(one(request)), (transaction) => become(transaction, changesIn(request.body))),
      capture: (request) => {
        const { body, headers, key } = request
        return once(
          key,
          asked("capture", owner(request), body),
          leftOf(
            request,
            ({ authorized_amount, captured_amount, status }) =>
              capturable.has(status) ? authorized_amount - captured_amount : 0,
            "capture"
          ),
          ({ amount, transaction }) =>
            Effect.map(capture(transaction, amount, body), (captured) =>
              headers["prefer"] === undefined
                ? captured.transaction
                : { type: "transaction-capture", ...unsaid, ...captured }
            )
        )
      },
      void: (request) => {
        const { headers, key } = request
        return once(
          key,
          asked("void", owner(request), {}),
          Effect.filterOrFail(
            transactions.get(owner(request)),
            ({ captured_amount, status }) => status === "authorization_succeeded" && captured_amount === 0,
            () => refused("There is nothing to void")
          ),
          (transaction) =>
            Effect.gen(function* () {
              enter("void", transaction.id, transaction.authorized_amount)
              const voided = yield* become(transaction, { status: "authorization_voided", voided_at: yield* now })
              return headers["prefer"] === undefined
                ? voided
                : { type: "transaction-void", ...unsaid, status: "succeeded", transaction: voided }
            })
        )
      },
      cancel: (request) =>
        Effect.flatMap(transactions.get(owner(request)), (transaction) =>
          Effect.gen(function* () {
            const answer = { type: "transaction-cancel", ...unsaid }
            if (!cancellable.has(transaction.status)) return { ...answer, status: "failed", transaction }
            const canceled = yield* become(transaction, {
              status: "authorization_failed",
              error_code: "canceled_payment_method",
              intent_outcome: "failed",
              canceled_at: yield* now
            })
            return { ...answer, status: "succeeded", transaction: canceled }
          })
        ),
      sync: (request) => Effect.flatMap(transactions.get(owner(request)), settle),
      captures: { list: partsOf(captures), get: partOf(captures) },
      refunds: {
        list: partsOf(refunds),
        get: partOf(refunds),
        create: (request) =>
          once(
            request.key,
            asked("refund", owner(request), request.body),
            leftOf(request, refundable, "refund"),
            ({ amount, transaction }) => giveBack(transaction, amount, request.body)
          ),
        all: {
          create: (request) =>
            once(
              request.key,
              asked("refund all", owner(request), request.body),
              leftOf({ ...request, body: {} }, refundable, "refund"),
              ({ amount, transaction }) =>
                Effect.map(giveBack(transaction, amount, request.body), (refund) => ({ items: [refund] }))
            )
        }
      }
    }
  }
}

/** What an update of a transaction changes. */
const changesIn = (body: Request["body"]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(["external_identifier", "metadata"].flatMap((name) => (name in body ? [[name, body[name]]] : [])))

const encodeSession = Schema.encodeSync(CheckoutSession)

/** The methods that pay without a page of another company. All others send the buyer there. */
const direct: ReadonlySet<unknown> = new Set(["applepay", "googlepay", "click-to-pay", "paze", "network-token"])

const capturable: ReadonlySet<string> = new Set(["authorization_succeeded", "capture_succeeded"])
const cancellable: ReadonlySet<string> = new Set(["buyer_approval_pending", "processing"])

/** The properties of a transaction by which a list is filtered. */
const filters = ["external_identifier", "currency", "status", "checkout_session_id", "id", "method"]

const fits = (query: Request["query"], transaction: Transaction, name: string): boolean =>
  passes(query[name], transaction[name])

/** What a payment service says in its own words, which the sandbox has none of. */
const unsaid = { code: null, raw_response_code: null, raw_response_description: null }

const errorCodes: ReadonlyMap<Behaviour, string> = new Map([
  ["declined", "insufficient_funds"],
  ["expired", "expired_card"],
  ["failed", "service_error"]
])

const statusFor = (behaviour: Behaviour, intent: string): string => {
  switch (behaviour) {
    case "declined":
    case "expired":
      return "authorization_declined"
    case "failed":
      return "authorization_failed"
    case "approval":
    case "approvalWithoutUrl":
      return "buyer_approval_pending"
    case "processing":
      return "processing"
    case "review":
    case "uncapturable":
      return "authorization_succeeded"
    case "capturePending":
      return intent === "capture" ? "capture_pending" : "authorization_succeeded"
    default:
      return intent === "capture" ? "capture_succeeded" : "authorization_succeeded"
  }
}

/** The name of the event by which a change to a transaction is told. */
const eventOf = ({ status }: Transaction): string => events.get(status) ?? "transaction.modified"

const events: ReadonlyMap<string, string> = new Map([
  ["authorization_succeeded", "transaction.authorized"],
  ["authorization_declined", "transaction.declined"],
  ["authorization_failed", "transaction.failed"],
  ["authorization_voided", "transaction.voided"],
  ["capture_succeeded", "transaction.captured"],
  ["capture_pending", "transaction.capture-pending"]
])

const shortOf = (id: string): string => id.replaceAll("-", "").slice(0, 22)

const refused = (message: string): Generic => new Generic({ status: 400, code: "bad_request", message })

const invalid = (pointer: string, message: string): Generic =>
  new Generic({
    status: 400,
    code: "bad_request",
    message: "Request failed validation",
    details: [new ErrorDetail({ location: "body", type: "value_error", pointer, message })]
  })

/** Operation, resource and body, so that a key tells a copy from another request. A body may hold a card: its digest is kept. */
const asked = (operation: string, id: string, body: Request["body"]): string =>
  `${operation} ${id} ${createHash("sha256").update(JSON.stringify(body)).digest("base64url")}`
