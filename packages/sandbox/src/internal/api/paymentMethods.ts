/**
 * Stored payment methods. Of a card the last four digits and the first six are kept, and nothing more.
 */
import { CheckoutSession, CheckoutSessionId } from "@effect-gr4vy/core/CheckoutSession"
import type { CheckoutSessionsService } from "@effect-gr4vy/core/CheckoutSessions"
import { Generic, type NotFound } from "@effect-gr4vy/core/Errors"
import { schemeOf } from "@effect-gr4vy/core/spi/CardScheme"
import { newUuid } from "@effect-gr4vy/core/spi/Uuid"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { BuyerStore } from "./buyers.js"
import { Collection, emptySession, noSession, type Resource } from "./collection.js"
import type { Tell } from "./notices.js"
import { type Handlers, idIn, now, one, passes, pick, type Request } from "./wire.js"

export interface PaymentMethodStore {
  readonly get: (id: string) => Effect.Effect<Resource, NotFound>
}

export const make = (options: {
  readonly sessions: CheckoutSessionsService
  readonly buyers: BuyerStore
  readonly tell: Tell
}) => {
  const { buyers, sessions, tell } = options
  const methods = new Collection<Resource>()

  const shownOf = (body: Request["body"]): Effect.Effect<Readonly<Record<string, unknown>>, Generic | NotFound> => {
    switch (body["method"]) {
      case "card": {
        const number = String(body["number"])
        return Effect.succeed({
          method: "card",
          label: number.slice(-4),
          scheme: schemeOf(number),
          expiration_date: body["expiration_date"] ?? null,
          details: { bin: number.slice(0, 6), card_type: body["card_type"] ?? null, card_issuer_name: null }
        })
      }
      case "checkout-session":
        return sessions.get(CheckoutSessionId.make(String(body["id"]))).pipe(
          Effect.catchTags({ RequestFailed: Effect.die, Unauthorized: Effect.die, NotFound: noSession }),
          Effect.flatMap((session) => {
            const held = Schema.encodeSync(CheckoutSession)(session).payment_method
            return held?.label === undefined
              ? Effect.fail(new Generic({ status: 400, code: "bad_request", message: emptySession }))
              : Effect.succeed({
                  ...pick({ ...held }, ["method", "label", "scheme"]),
                  details: Predicate.isRecord(held.details) ? pick(held.details, ["bin"]) : null
                })
          })
        )
      default:
        return Effect.succeed(pick(body, ["method", "country", "currency"]))
    }
  }

  const handlers: Handlers = {
    list: ({ query }) =>
      Effect.flatMap(buyers.find(query), (buyer) =>
        methods.page(
          query,
          (method) =>
            (buyer === undefined || idIn(method["buyer"]) === buyer.id) &&
            ["status", "external_identifier"].every((name) => passes(query[name], method[name]))
        )
      ),
    create: ({ body }) =>
      Effect.gen(function* () {
        const buyer = yield* buyers.find(body)
        const shown = yield* shownOf(body)
        const at = yield* now
        const method = methods.put({
          type: "payment-method",
          id: yield* newUuid,
          merchant_account_id: "default",
          method: "card",
          ...shown,
          mode: body["method"] === "card" || body["method"] === "checkout-session" ? "card" : "redirect",
          additional_schemes: null,
          cit_last_used_at: null,
          cit_usage_count: 0,
          has_replacement: false,
          last_used_at: null,
          usage_count: 0,
          scheme_transaction_id: null,
          scheme_transaction_id_scheme: null,
          buyer: buyer ?? null,
          external_identifier: body["external_identifier"] ?? null,
          status: "succeeded",
          created_at: at,
          updated_at: at
        })
        yield* tell("payment-method.updated", method)
        return method
      }),
    get: (request) => methods.get(one(request)),
    update: (request) =>
      Effect.gen(function* () {
        const method = yield* methods.get(one(request))
        const changed = methods.put({ ...method, ...request.body, updated_at: yield* now })
        yield* tell("payment-method.updated", changed)
        return changed
      }),
    delete: (request) =>
      Effect.flatMap(methods.delete(one(request)), (method) => tell("payment-method.deleted", method))
  }

  const store: PaymentMethodStore = { get: (id) => methods.get(id) }
  const ofBuyer = (buyerId: string | undefined) =>
    Effect.sync(() => ({
      items: methods.values.filter(({ buyer }) => buyerId !== undefined && idIn(buyer) === buyerId).map(summaryOf)
    }))
  return { store, handlers, ofBuyer }
}

const summaryOf = ({
  buyer: _,
  created_at: __,
  external_identifier: ___,
  status: ____,
  updated_at: _____,
  ...summary
}: Resource) => summary
