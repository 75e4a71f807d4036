/**
 * The state behind the sandbox's resources, and who answers which operation: a handler that keeps state, or an example.
 */
import type { CheckoutSessionsService } from "@effect-gr4vy/core/CheckoutSessions"
import type * as Endpoint from "@effect-gr4vy/core/Endpoint"
import { listOf } from "@effect-gr4vy/core/spi/Serving"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { exampleFunctions } from "../examples.js"
import type { Delivery } from "../model.js"
import { OnTheWire } from "../serve.js"
import * as Bank from "./bank.js"
import * as Buyers from "./buyers.js"
import * as GiftCards from "./giftCards.js"
import * as Keys from "./keys.js"
import * as Notices from "./notices.js"
import * as PaymentLinks from "./paymentLinks.js"
import * as PaymentMethods from "./paymentMethods.js"
import { type Handlers, one } from "./wire.js"

export interface World {
  readonly bank: Bank.Bank
  readonly deliveries: Effect.Effect<ReadonlyArray<Delivery>>
  /** The handlers by the names of the resources. */
  readonly handlers: Readonly<Record<string, Handlers>>
}

export const make = (options: {
  readonly sessions: CheckoutSessionsService
  readonly webhooks: ReadonlyArray<{ readonly url: string; readonly secret: string }>
  readonly approvalUrl: (id: string) => string
}): Effect.Effect<World, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { approvalUrl, sessions } = options
    const notices = yield* Notices.make(options.webhooks)
    const { tell } = notices
    const keys = yield* Keys.make
    const buyers = Buyers.make(tell)
    const paymentMethods = PaymentMethods.make({ sessions, buyers: buyers.store, tell })
    const giftCards = GiftCards.make({ buyers: buyers.store, tell })
    const bank = Bank.make({
      sessions,
      paymentMethods: paymentMethods.store,
      buyers: buyers.store,
      keys,
      tell,
      approvalUrl
    })
    return {
      bank,
      deliveries: notices.deliveries,
      handlers: {
        Transactions: bank.handlers,
        Refunds: { get: (request) => bank.refund(one(request)) },
        Buyers: buyers.handlers(paymentMethods.ofBuyer, giftCards.ofBuyer),
        PaymentMethods: paymentMethods.handlers,
        GiftCards: giftCards.handlers,
        PaymentLinks: PaymentLinks.make({ buyers: buyers.store, tell }),
        WebhookSubscriptions: notices.handlers
      }
    }
  })

/** A function for every endpoint: by its handler, or by an example. */
export const functionsOf = (endpoints: Endpoint.Endpoints, handlers: Handlers | undefined): object => {
  const functions = exampleFunctions(endpoints)
  for (const { path } of listOf(endpoints)) {
    const handler = path.reduce<unknown>((at, name) => Reflect.get(Object(at), name), handlers)
    if (!Predicate.isFunction(handler)) continue
    const holder = path.slice(0, -1).reduce<object>((at, name) => Object(Reflect.get(at, name)), functions)
    // Handlers are functions of a request.
    Reflect.set(holder, path.at(-1) ?? "", new OnTheWire(handler as ConstructorParameters<typeof OnTheWire>[0]))
  }
  return functions
}
