/**
 * Gift cards. Every one has a balance of 100.00; of its number the first nine digits and the last four are kept.
 */
import { newUuid } from "@effect-gr4vy/core/spi/Uuid"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type { BuyerStore } from "./buyers.js"
import { Collection, type Resource } from "./collection.js"
import type { Tell } from "./notices.js"
import { type Handlers, idIn, now, numberOf, one, type Request, textOf } from "./wire.js"

const balance = 10_000

export const make = (options: { readonly buyers: BuyerStore; readonly tell: Tell }) => {
  const { buyers, tell } = options
  const cards = new Collection<Resource>()

  const add = (body: Request["body"]) =>
    Effect.gen(function* () {
      const buyer = yield* buyers.find(body)
      const at = yield* now
      const card = cards.put({
        type: "gift-card",
        id: yield* newUuid,
        merchant_account_id: "default",
        gift_card_service: service,
        ...digitsOf(String(body["number"])),
        expiration_date: null,
        buyer: buyer ?? null,
        created_at: at,
        updated_at: at,
        last_used_at: null,
        usage_count: 0,
        cit_last_used_at: null,
        cit_usage_count: 0
      })
      yield* tell("gift-card.created", card)
      return card
    })

  /** What is known of a gift card that is named by its id or by its number. */
  const summaryOf = (named: Readonly<Record<string, unknown>>) => {
    const id = textOf(named["id"])
    const known =
      id === undefined ? Effect.succeed(undefined) : Effect.map(Effect.either(cards.get(id)), Either.getOrUndefined)
    return Effect.map(known, (card) =>
      id === undefined || card !== undefined
        ? summary({
            id: id ?? null,
            ...(card === undefined ? digitsOf(String(named["number"])) : digits(card)),
            balance
          })
        : summary({ id, bin: "", sub_bin: "", last4: "", balance: null, balance_error_code: "invalid_gift_card" })
    )
  }

  const handlers: Handlers = {
    list: ({ query }) =>
      Effect.flatMap(buyers.find(query), (buyer) =>
        cards.page(query, (card) => buyer === undefined || idIn(card["buyer"]) === buyer.id)
      ),
    create: ({ body }) => add(body),
    get: (request) => cards.get(one(request)),
    delete: (request) => Effect.flatMap(cards.delete(one(request)), (card) => tell("gift-card.deleted", card)),
    balances: {
      list: ({ body }) => {
        const items = Array.isArray(body["items"]) ? body["items"].filter(Predicate.isRecord) : []
        return Effect.map(Effect.forEach(items, summaryOf), (items) => ({ items }))
      }
    },
    activations: { create: ({ body }) => add(body) },
    issuances: {
      create: ({ body }) =>
        Effect.gen(function* () {
          const id = yield* newUuid
          const at = yield* now
          return {
            type: "gift-card-issuance",
            id,
            merchant_account_id: "default",
            gift_card_service: service,
            gift_card_service_payment_issuance_id: id.slice(0, 8),
            url: `https://gift-cards.example.com/${id}`,
            amount: numberOf(body["amount"]) ?? 0,
            currency: body["currency"],
            external_identifier: body["external_identifier"] ?? null,
            created_at: at,
            updated_at: at
          }
        })
    }
  }

  const ofBuyer = (buyerId: string | undefined) =>
    Effect.sync(() => ({
      items: cards.values
        .filter(({ buyer }) => buyerId !== undefined && idIn(buyer) === buyerId)
        .map((card) => summary({ id: card.id, ...digits(card), balance }))
    }))

  return { handlers, ofBuyer }
}

const service = {
  type: "gift-card-service",
  id: "fffd152a-9532-4087-9a4f-de58754210f0",
  gift_card_service_definition_id: "mock-gift-card",
  display_name: "Gift cards of the sandbox"
}

const digitsOf = (number: string) => ({
  bin: number.slice(0, 6),
  sub_bin: number.slice(6, 9),
  last4: number.slice(-4)
})

const digits = ({ bin, last4, sub_bin }: Resource) => ({ bin, sub_bin, last4 })

const summary = (known: Readonly<Record<string, unknown>>) => ({
  type: "gift-card",
  merchant_account_id: "default",
  currency: "USD",
  expiration_date: null,
  balance_error_code: null,
  balance_raw_error_code: null,
  balance_raw_error_message: null,
  last_used_at: null,
  usage_count: 0,
  cit_last_used_at: null,
  cit_usage_count: 0,
  ...known
})
