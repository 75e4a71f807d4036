/**
 * The client of an outage, in a process of its own, which may stall and be frozen. It makes the calls of one plan after
 * the other, each with a client of its own, and tells how they ended.
 */
import { subscribe } from "node:diagnostics_channel"
import { CheckoutSessionId, CheckoutSessions, Endpoint, Gr4vyHttpClient } from "@effect-gr4vy/core"
import { Gr4vy, RetryPolicy } from "@effect-gr4vy/node"
import { Cause, Effect, Exit, Logger, Redacted, Scheduler, Schema } from "effect"
import { create, createOnTheWire } from "../../bench/session.js"
import { withScheduler } from "../permuting.js"
import { number, secretIn, shown, token, update } from "../secrets.js"
import { block } from "../threadServer.js"
import {
  type Ended,
  type FromClient,
  limits,
  nameOf,
  now,
  type Operation,
  type Plan,
  type PlannedCall,
  type ToClient
} from "./cases.js"

const Address = Schema.Struct({
  city: Schema.String,
  country: Schema.String,
  postal_code: Schema.String,
  house_number_or_name: Schema.String,
  line1: Schema.String
})

const Item = Schema.Struct({
  name: Schema.NonEmptyString,
  quantity: Schema.Int,
  unit_amount: Schema.Int,
  discount_amount: Schema.Int,
  tax_amount: Schema.Int,
  external_identifier: Schema.String,
  sku: Schema.String,
  upc: Schema.String,
  product_url: Schema.String,
  image_url: Schema.String,
  categories: Schema.Array(Schema.String),
  product_type: Schema.String,
  seller_country: Schema.String
})

/** A payment as shops send it: 2.5 kB. */
const Payment = Schema.Struct({
  amount: Schema.Int,
  currency: Schema.String,
  intent: Schema.Literal("authorize", "capture"),
  external_identifier: Schema.String,
  payment_method: Schema.Struct({
    method: Schema.Literal("card"),
    number: Schema.Redacted(Schema.String),
    expiration_date: Schema.String,
    security_code: Schema.Redacted(Schema.String)
  }),
  cart_items: Schema.Array(Item),
  shipping_address: Address,
  metadata: Schema.Record({ key: Schema.String, value: Schema.String })
})

const Receipt = Schema.Struct({ id: Schema.String, external_identifier: Schema.String })
const Upload = Schema.Struct({ call: Schema.String, document: Schema.String })

const endpoints = {
  once: Endpoint.post("Payments.once", "/payments", { payload: Payment, success: Receipt, resend: "once" }),
  keyed: Endpoint.post("Payments.keyed", "/payments", { payload: Payment, success: Receipt, resend: "keyed" }),
  uploadOnce: Endpoint.post("Documents.add", "/documents", { payload: Upload, success: Receipt, resend: "once" }),
  uploadPut: Endpoint.put("Documents.put", "/documents/1", { payload: Upload, success: Receipt })
}

const paymentOf = (call: string): typeof Payment.Type => ({
  amount: 14_997,
  currency: "EUR",
  intent: "capture",
  external_identifier: call,
  payment_method: {
    method: "card",
    number: Redacted.make(number),
    expiration_date: "11/29",
    security_code: Redacted.make("8362")
  },
  cart_items: createOnTheWire.cart_items,
  shipping_address: createOnTheWire.buyer.shipping_details.address,
  metadata: createOnTheWire.metadata
})

const document = "The quick brown fox jumps over the lazy dog. ".repeat(80_000)

const calls = Effect.gen(function* () {
  const sessions = yield* CheckoutSessions
  const own = yield* Endpoint.client(endpoints)
  const id = (n: number) => CheckoutSessionId.make(`9d5f7a1e-0000-4000-8000-0000000000${String(n).padStart(2, "0")}`)
  const withName = (n: number) => ({ ...create, metadata: { ...create.metadata, call: nameOf(n) } })
  const ofSession = ({ metadata }: { readonly metadata?: Readonly<Record<string, unknown>> | undefined }) =>
    metadata?.["call"]
  const ofReceipt = (receipt: typeof Receipt.Type) => receipt.external_identifier
  const upload = (n: number, bytes: number) => ({ call: nameOf(n), document: document.slice(0, bytes) })
  const all: Record<Operation, (n: number, bytes: number) => Effect.Effect<unknown, unknown>> = {
    get: (n) => Effect.map(sessions.get(id(n)), ofSession),
    add: (n) => Effect.map(sessions.add(withName(n)), ofSession),
    update: (n) => Effect.map(sessions.update(id(n), withName(n)), ofSession),
    updateFields: (n) => sessions.updateFields(id(n), update),
    delete: (n) => sessions.delete(id(n)),
    once: (n) => Effect.map(own.once(paymentOf(nameOf(n))), ofReceipt),
    keyed: (n) => Effect.map(own.keyed(paymentOf(nameOf(n)), { idempotencyKey: `order-${n}` }), ofReceipt),
    uploadOnce: (n, bytes) => Effect.map(own.uploadOnce(upload(n, bytes)), ofReceipt),
    uploadPut: (n, bytes) => Effect.map(own.uploadPut(upload(n, bytes)), ofReceipt)
  }
  return all
})

let stalls = 0
const stall = (millis: number) => {
  stalls++
  block(millis)
}

/** Runs at each occasion, with the number of those before it. */
let connecting = (_: number): void => {}
let written = (_: number): void => {}
let connections = 0
let requests = 0
subscribe("undici:client:beforeConnect", () => connecting(connections++))
subscribe("undici:client:sendHeaders", () => written(requests++))

/** Behind what undici does in this turn of the event loop and before the next. */
const soon = (f: () => void) => process.nextTick(() => process.nextTick(() => process.nextTick(f)))

const prepare = (plan: Plan): void => {
  connections = 0
  requests = 0
  const millisOf = (on: "connecting" | "written", n: number) =>
    plan.stalls.find((stall) => stall.on === on && stall.at === n)?.millis
  connecting = (n) => {
    const millis = millisOf("connecting", n)
    if (millis !== undefined) soon(() => stall(millis))
  }
  written = (n) => {
    const millis = millisOf("written", n)
    if (millis !== undefined) soon(() => stall(millis))
  }
  for (const { at, millis, on } of plan.stalls) if (on === "time") setTimeout(() => stall(millis), at)
}

const schedule = ({ scheduler, seed }: Plan): (<A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>) => {
  switch (scheduler) {
    case "effect":
      return (effect) => effect
    case "setImmediate":
      return Effect.withScheduler(Scheduler.makeBatched((run) => void setImmediate(run)))
    case "setTimeout":
      return Effect.withScheduler(Scheduler.makeBatched((run) => void setTimeout(run, 2)))
    case "any order":
      return withScheduler(seed)
  }
}

const endOf = (began: number, exit: Exit.Exit<unknown, unknown>): Ended => {
  const ended = { began, ended: now() }
  const none = { tag: undefined, reason: undefined, delivered: undefined, status: undefined, attempts: undefined }
  if (Exit.isSuccess(exit)) {
    const answered = typeof exit.value === "string" ? exit.value : undefined
    return { ...ended, ...none, outcome: "success", answered, shows: undefined, message: undefined }
  }
  const { cause } = exit
  const secrets = shown(cause).flatMap(([sink, text]) => (secretIn(text) === undefined ? [] : [sink]))
  const [shows] = secrets
  const error = Object(Cause.squash(cause))
  const { attempts, delivered, message, reason, status, _tag: tag } = error
  const rest = { answered: undefined, shows }
  if (tag === "TimeoutException" || Cause.isInterrupted(cause)) {
    return { ...ended, ...none, ...rest, outcome: "interrupted", message: undefined }
  }
  if (!Cause.isFailType(cause)) return { ...ended, ...none, ...rest, outcome: "defect", message: Cause.pretty(cause) }
  return { ...ended, ...rest, outcome: "failure", tag, reason, delivered, status, attempts, message }
}

const one = (
  all: Effect.Effect.Success<typeof calls>,
  n: number,
  { after, bytes, interruptedAfter, operation }: PlannedCall
): Effect.Effect<Ended> =>
  Effect.gen(function* () {
    yield* Effect.sleep(after)
    const began = now()
    const call = Gr4vyHttpClient.withMerchantAccount(all[operation](n, bytes), nameOf(n))
    const exit = yield* Effect.exit(interruptedAfter === undefined ? call : Effect.timeout(call, interruptedAfter))
    return endOf(began, exit)
  })

const follow = ({ baseUrl, plan }: ToClient): Effect.Effect<ReadonlyArray<Ended>> => {
  const client = Gr4vy.layer({
    baseUrl,
    token: Redacted.make(token),
    connections: plan.connections,
    retry: RetryPolicy.make({ baseDelay: 1, maxDelay: 10 }),
    ...limits
  })
  return Effect.gen(function* () {
    const all = yield* calls
    tell({ name: "began" })
    prepare(plan)
    return yield* Effect.all(
      plan.calls.map((call, n) => one(all, n, call)),
      { concurrency: "unbounded" }
    )
  }).pipe(Effect.provide(client), Effect.provide(Logger.remove(Logger.defaultLogger)), Effect.orDie, schedule(plan))
}

const tell = (message: FromClient): void => void process.send?.(message)

process.on("message", (message: ToClient) => {
  stalls = 0
  Effect.runPromise(follow(message)).then((calls) => {
    connecting = () => {}
    written = () => {}
    // A socket that was destroyed is closed in the next turn of the event loop.
    setTimeout(() => {
      const left = process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length
      tell({ name: "ended", calls, stalls, left })
    }, 20)
  })
})
process.on("disconnect", () => process.exit())
tell({ name: "ready" })
